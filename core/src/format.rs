//! The blob, read. `FORMAT.md` is its specification:
//!
//! ```text
//! offset  0        4         6          7       8              12        16
//!         | "PLCY" | version | weights  | head  | total length | CRC-32  | observation size | action size | layers |
//!         | 4 × u8 | u16     | u8       | u8    | u32          | u32     | u16              | u8          | u8     |
//!
//!         20               24         26                28            29
//!         | control period | examples | contract length | normalised? | 3 × 0 |
//!         | f32            | u16      | u16             | u8          |       |
//!
//!         32
//!         | layers | head | normalisation | weights | examples | contract |
//!         | 4 each | f32… | f32…          |         | u32…     | bytes    |
//! ```
//!
//! All numbers are little-endian, and everything up to the contract is a multiple of 4 bytes long. So a
//! microcontroller reads the network where it lies, and only who asks for the contract decodes it. The checksum
//! covers every byte but its own four.

mod contract;
mod encode;

pub use contract::{Algorithm, Channel, Channels, Contract, Terms};
pub use encode::{Description, FixedLayer, Network, Normalisation, encode, seal};

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

use crate::{Activation, BlobError, Head, LogStdBound, action::MAX_ACTION_SIZE, error::Part};

/// The version of the format that this crate reads and writes. A blob of version 1 keeps its meaning for ever.
pub const VERSION: u16 = 1;
/// The first four bytes of every blob.
pub const MAGIC: [u8; 4] = *b"PLCY";
/// The most layers a policy may have.
pub const MAX_LAYERS: usize = 8;
/// Size of the fixed part, in bytes.
pub const PREFIX: usize = 32;

/// CRC-32/ISO-HDLC (the one of zip and Ethernet). Without a table: it runs once at boot, and flash
/// is dearer than that time.
pub(crate) const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What the weights of a policy are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WeightKind {
    /// 32-bit floating point, for processors with an FPU.
    F32,
    /// 16-bit integers.
    Int16,
    /// 8-bit integers.
    Int8,
}

impl WeightKind {
    /// The kind of weights that a blob says it has, for programs that choose their
    /// [`Policy`](crate::Policy) type by it: `None` where this is no blob.
    pub const fn of(blob: &[u8]) -> Option<WeightKind> {
        match blob.first_chunk::<PREFIX>() {
            Some(prefix) => WeightKind::from_code(prefix[6]),
            None => None,
        }
    }

    const fn from_code(code: u8) -> Option<WeightKind> {
        match code {
            0 => Some(WeightKind::F32),
            1 => Some(WeightKind::Int16),
            2 => Some(WeightKind::Int8),
            _ => None,
        }
    }

    const fn code(self) -> u8 {
        match self {
            WeightKind::F32 => 0,
            WeightKind::Int16 => 1,
            WeightKind::Int8 => 2,
        }
    }
}

impl core::fmt::Display for WeightKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            WeightKind::F32 => "f32",
            WeightKind::Int16 => "int16",
            WeightKind::Int8 => "int8",
        })
    }
}

/// Outputs and activation of a layer; its inputs are the outputs of the layer before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LayerShape {
    /// Entries of the layer's output.
    pub outputs: u16,
    /// Applied to each output.
    pub activation: Activation,
}

impl LayerShape {
    const fn word(self) -> [u8; 4] {
        let [low, high] = self.outputs.to_le_bytes();
        let code = match self.activation {
            Activation::Linear => 0,
            Activation::Relu => 1,
            Activation::Tanh => 2,
        };
        [low, high, code, 0]
    }

    /// Of a word that [`decode`] has accepted.
    pub(crate) fn from_word(word: u32) -> LayerShape {
        let [low, high, code, _] = word.to_le_bytes();
        let activation = match code {
            0 => Activation::Linear,
            1 => Activation::Relu,
            _ => Activation::Tanh,
        };
        LayerShape { outputs: u16::from_le_bytes([low, high]), activation }
    }
}

/// The `WIDTH` that a [`Policy`](crate::Policy) for this blob needs, at compile time too: the largest of what its
/// layers keep. 0 where this is no blob.
///
/// ```
/// # const BLOB: &[u8] = &[];
/// const WIDTH: usize = policy_core::format::width(BLOB);
/// type Policy = policy_core::Policy<'static, f32, WIDTH>;
/// ```
pub const fn width(blob: &[u8]) -> usize {
    let Some((prefix, mut rest)) = blob.split_first_chunk::<PREFIX>() else { return 0 };
    let Some(kind) = WeightKind::from_code(prefix[6]) else { return 0 };
    let is_float = matches!(kind, WeightKind::F32);
    let observation = u16::from_le_bytes([prefix[16], prefix[17]]) as usize;
    // Floating point without normalisation reads the observation where it is.
    let mut widest = if is_float && prefix[28] == 0 { 0 } else { observation };
    // What the last layer gives is not kept.
    let mut left = prefix[19];
    while left > 1
        && let Some((word, after)) = rest.split_first_chunk::<4>()
    {
        let outputs = u16::from_le_bytes([word[0], word[1]]) as usize;
        if outputs > widest {
            widest = outputs;
        }
        rest = after;
        left -= 1;
    }
    if is_float { widest } else { widest.next_multiple_of(2) }
}

/// A blob taken apart; its weights are not checked yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) kind: WeightKind,
    pub(crate) observation_size: usize,
    pub(crate) action_size: usize,
    pub(crate) control_period: f32,
    pub(crate) checksum: u32,
    /// A word for each layer, as [`LayerShape::from_word`] takes them.
    pub(crate) layers: &'a [u32],
    pub(crate) head: Head<&'a [f32]>,
    /// Shifts, then scales; empty where the observation is taken as it is.
    pub(crate) normalisation: &'a [f32],
    /// Weights, then examples.
    pub(crate) rest: Words<'a>,
    pub(crate) examples: usize,
    pub(crate) contract: &'a [u8],
}

/// The words of a blob, taken from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a>(&'a [u32]);

impl<'a> Words<'a> {
    pub(crate) fn take(&mut self, count: usize, part: Part) -> Result<&'a [u32], BlobError> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(BlobError::PartLength { part, needed: count, found: self.0.len() });
        };
        self.0 = rest;
        Ok(taken)
    }

    fn floats(&mut self, count: usize, part: Part) -> Result<&'a [f32], BlobError> {
        Ok(bytemuck::must_cast_slice(self.take(count, part)?))
    }

    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

/// Takes a blob apart, checking in the order of `FORMAT.md`.
pub(crate) fn decode(blob: &[u8]) -> Result<Parts<'_>, BlobError> {
    let Some((prefix, body)) = blob.split_first_chunk::<PREFIX>() else {
        return Err(BlobError::TooShort { needed: PREFIX, found: blob.len() });
    };
    let offset = blob.as_ptr().addr() % align_of::<u32>();
    if offset != 0 {
        return Err(BlobError::Misaligned { offset });
    }
    let [m0, m1, m2, m3, v0, v1, weights, head, l0, l1, l2, l3, c0, c1, c2, c3, fields @ ..] =
        *prefix;
    let magic = [m0, m1, m2, m3];
    if magic != MAGIC {
        return Err(BlobError::Magic { found: magic });
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version != VERSION {
        return Err(BlobError::Version { supported: VERSION, found: version });
    }
    let declared = u32::from_le_bytes([l0, l1, l2, l3]);
    if declared as usize != blob.len() {
        return Err(BlobError::Length { declared, found: blob.len() });
    }
    let stored = u32::from_le_bytes([c0, c1, c2, c3]);
    let computed = checksum(prefix, body);
    if stored != computed {
        return Err(BlobError::Checksum { stored, computed });
    }
    let [o0, o1, action_size, layers, p0, p1, p2, p3, e0, e1, t0, t1, normalised, zeros @ ..] =
        fields;
    let contract_length = usize::from(u16::from_le_bytes([t0, t1]));
    let Some((network, contract)) =
        body.len().checked_sub(contract_length).and_then(|at| body.split_at_checked(at))
    else {
        return Err(BlobError::PartLength {
            part: Part::Contract,
            needed: contract_length,
            found: body.len(),
        });
    };
    let Ok(words) = bytemuck::try_cast_slice(network) else {
        return Err(BlobError::NotWords { found: network.len() });
    };
    let mut words = Words(words);
    let code = |part, found| Err(BlobError::Code { part, found });
    let Some(kind) = WeightKind::from_code(weights) else { return code(Part::Weights, weights) };
    // Integers are made of the observation by its scales.
    if normalised > 1 || normalised == 0 && kind != WeightKind::F32 {
        return code(Part::Normalisation, normalised);
    }
    if zeros != [0; 3] {
        return code(Part::Reserved, zeros.into_iter().fold(0, |any, x| any | x));
    }
    let observation_size = usize::from(u16::from_le_bytes([o0, o1]));
    for (size, part) in [
        (observation_size, Part::Observation),
        (action_size.into(), Part::Action),
        (layers.into(), Part::Layers),
    ] {
        if size == 0 {
            return Err(BlobError::Empty { part });
        }
    }
    let control_period = f32::from_le_bytes([p0, p1, p2, p3]);
    if !(control_period.is_finite() && control_period > 0.0) {
        return Err(BlobError::Value { part: Part::ControlPeriod });
    }
    for (size, most, part) in
        [(action_size, MAX_ACTION_SIZE, Part::Action), (layers, MAX_LAYERS, Part::Layers)]
    {
        if usize::from(size) > most {
            return code(part, size);
        }
    }
    let layers = words.take(layers.into(), Part::Layers)?;
    for word in layers {
        let [o0, o1, activation, zero] = word.to_le_bytes();
        if [o0, o1] == [0; 2] {
            return Err(BlobError::Empty { part: Part::LayerOutputs });
        }
        if activation > 2 || zero != 0 {
            return code(Part::Activation, activation | zero);
        }
    }
    let last = LayerShape::from_word(layers.last().copied().unwrap_or_default());
    if last.activation != Activation::Linear {
        return Err(BlobError::LastActivation);
    }
    let last = last.outputs;
    let head = read_head(head, action_size, last, &mut words)?;
    let (needed, found) = (head.inputs().0, usize::from(last));
    if needed != found {
        return Err(BlobError::HeadSize { needed, found });
    }
    head.check()?;
    let entries = if normalised == 1 { 2 * observation_size } else { 0 };
    let normalisation = words.floats(entries, Part::Normalisation)?;
    let (shifts, scales) = normalisation.split_at_checked(entries / 2).unwrap_or_default();
    if !shifts.iter().all(|x| x.is_finite()) || !scales.iter().all(|x| x.is_finite() && *x > 0.0) {
        return Err(BlobError::Value { part: Part::Normalisation });
    }
    Ok(Parts {
        kind,
        observation_size,
        action_size: action_size.into(),
        control_period,
        checksum: stored,
        layers,
        head,
        normalisation,
        rest: words,
        examples: u16::from_le_bytes([e0, e1]).into(),
        contract,
    })
}

/// The head of that code: `action_size` numbers, as many again, and two bounds where it is a Gaussian.
fn read_head<'a>(
    code: u8,
    action_size: u8,
    points: u16,
    words: &mut Words<'a>,
) -> Result<Head<&'a [f32]>, BlobError> {
    let actions = usize::from(action_size);
    let (first, second) = (words.floats(actions, Part::Head)?, words.floats(actions, Part::Head)?);
    let mut bounds = || match words.floats(2, Part::Head)? {
        [min, max] => Ok((*min, *max)),
        _ => Err(BlobError::Empty { part: Part::Head }),
    };
    Ok(match code {
        0 | 1 => {
            let (min, max) = bounds()?;
            let log_std = if code == 0 {
                LogStdBound::Clamp { min, max }
            } else {
                LogStdBound::Tanh { min, max }
            };
            Head::SquashedGaussian { scale: first, bias: second, log_std }
        }
        2 => Head::Tanh { scale: first, bias: second },
        3 => Head::Clamp { low: first, high: second },
        4 => {
            let (std_min, std_max) = bounds()?;
            Head::ClampedGaussian { low: first, high: second, std_min, std_max }
        }
        5 => match (first, second) {
            ([low], [high]) => Head::Grid { low: *low, high: *high, points },
            _ => return Err(BlobError::Code { part: Part::Action, found: action_size }),
        },
        found => return Err(BlobError::Code { part: Part::Head, found }),
    })
}

/// The checksum over the fixed part without the checksum field, then everything after it.
fn checksum(prefix: &[u8; PREFIX], body: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    let (before, _, after) = fixed_part(prefix);
    digest.update(before);
    digest.update(after);
    digest.update(body);
    digest.finalize()
}

/// The fixed part before the checksum, the checksum, and the fixed part after it.
fn fixed_part(prefix: &[u8; PREFIX]) -> (&[u8], &[u8], &[u8]) {
    let (before, rest) = prefix.split_at_checked(12).unwrap_or_default();
    let (field, after) = rest.split_at_checked(4).unwrap_or_default();
    (before, field, after)
}
