//! The blob, read. `FORMAT.md` is its specification:
//!
//! ```text
//! offset  0        4         6          7       8              12        16
//!         | "PLCY" | version | weights  | head  | total length | CRC-32  | observation size | action size | layers |
//!         | 4 × u8 | u16     | u8       | u8    | u32          | u32     | u16              | u8          | u8     |
//!
//!         20               24         26                28
//!         | control period | examples | contract length | flags |
//!         | f32            | u16      | u16             | u32   |
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

use crate::{
    Activation, BlobError,
    action::MAX_ACTION_SIZE,
    compact::{barrier, not_finite},
    error::Part,
    head::Raw,
};

/// The version of the format that this crate reads and writes. A blob of version 1 keeps its meaning for ever.
pub const VERSION: u16 = 1;
/// The first four bytes of every blob.
pub const MAGIC: [u8; 4] = *b"PLCY";
/// The most layers that a policy is written with; a reader takes as many as there are.
pub const MAX_LAYERS: usize = 8;
/// Size of the fixed part, in bytes.
pub const PREFIX: usize = 32;
/// Rows of the larger panels.
pub(crate) const PANEL: usize = 16;

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

    /// The kind of that code, byte 6 of a blob; `None` where there is no such kind.
    pub const fn from_code(code: u8) -> Option<WeightKind> {
        match code {
            0 => Some(WeightKind::F32),
            1 => Some(WeightKind::Int16),
            2 => Some(WeightKind::Int8),
            _ => None,
        }
    }

    /// Its code, byte 6 of a blob.
    pub const fn code(self) -> u8 {
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
    // Floating point without normalisation reads the observation where it is, and keeps of the last layer a panel;
    // integers keep nothing of it.
    let mut widest = if is_float { PANEL } else { 0 };
    if (!is_float || prefix[28] != 0) && observation > widest {
        widest = observation;
    }
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
    prefix: &'a [u32; PREFIX / 4],
    /// A word for each layer, as [`LayerShape::from_word`] takes them.
    pub(crate) layers: &'a [u32],
    /// First list, second list and two bounds.
    head: &'a [f32],
    /// Shifts, then scales; empty where the observation is taken as it is.
    pub(crate) normalisation: &'a [f32],
    /// Weights, then examples.
    pub(crate) rest: Words<'a>,
    pub(crate) contract: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) const fn kind(&self) -> Option<WeightKind> {
        WeightKind::from_code((self.prefix[1] >> 16) as u8)
    }

    pub(crate) const fn checksum(&self) -> u32 {
        self.prefix[3]
    }

    pub(crate) const fn observation_size(&self) -> usize {
        (self.prefix[4] & 0xFFFF) as usize
    }

    pub(crate) const fn action_size(&self) -> usize {
        (self.prefix[4] >> 16) as u8 as usize
    }

    pub(crate) const fn control_period(&self) -> f32 {
        f32::from_bits(self.prefix[5])
    }

    pub(crate) const fn examples(&self) -> usize {
        (self.prefix[6] & 0xFFFF) as usize
    }

    pub(crate) fn head(&self) -> Raw<'a> {
        let outputs = self.layers.last().map_or(0, |word| word & 0xFFFF) as usize;
        Raw::new((self.prefix[1] >> 24) as u8, self.head, outputs)
    }

    /// As [`Policy::contract`](crate::Policy::contract).
    pub(crate) fn contract(&self) -> Result<Contract<'a>, BlobError> {
        Contract::decode(self.contract, self.observation_size(), self.action_size())
    }

    /// Is there a normalisation whose scales are all positive?
    pub(crate) fn has_positive_scales(&self) -> bool {
        for scale in self.normalisation.iter().skip(self.observation_size()) {
            barrier();
            if *scale <= 0.0 {
                return false;
            }
        }
        !self.normalisation.is_empty()
    }

    /// What [`width`] says.
    pub(crate) fn width(&self) -> usize {
        let is_float = self.kind() == Some(WeightKind::F32);
        let mut width = if is_float { PANEL } else { self.observation_size() };
        if !self.normalisation.is_empty() {
            width = width.max(self.observation_size());
        }
        let mut hidden = self.layers;
        while let [word, rest @ ..] = hidden
            && !rest.is_empty()
        {
            barrier();
            width = width.max((word & 0xFFFF) as usize);
            hidden = rest;
        }
        if is_float { width } else { width.next_multiple_of(2) }
    }
}

/// The words of a blob, taken from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a>(&'a [u32]);

impl<'a> Words<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u32]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn floats(&mut self, count: usize) -> Option<&'a [f32]> {
        self.take(count).map(bytemuck::must_cast_slice)
    }

    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

/// Takes a blob apart, checking in the order of `FORMAT.md`. Inlined, as a firmware calls it once.
#[inline(always)]
pub(crate) fn decode(blob: &[u8]) -> Result<Parts<'_>, BlobError> {
    // What is left over at the end belongs to the contract.
    let whole = blob.get(..blob.len() & !3).unwrap_or_default();
    let Ok(words) = bytemuck::try_cast_slice::<u8, u32>(whole) else {
        return Err(BlobError::Misaligned { offset: blob.as_ptr().addr() % align_of::<u32>() });
    };
    let Some((prefix, body)) = words.split_first_chunk::<{ PREFIX / 4 }>() else {
        return Err(BlobError::TooShort { needed: PREFIX, found: blob.len() });
    };
    let [magic, kinds, declared, stored, ..] = *prefix;
    if magic.to_le_bytes() != MAGIC {
        return Err(BlobError::Magic { found: magic.to_le_bytes() });
    }
    if kinds as u16 != VERSION {
        return Err(BlobError::Version { supported: VERSION, found: kinds as u16 });
    }
    if declared as usize != blob.len() {
        return Err(BlobError::Length { declared, found: blob.len() });
    }
    let computed = checksum(blob);
    if stored != computed {
        return Err(BlobError::Checksum { stored, computed });
    }
    parts(blob, prefix, body).map_err(|part| BlobError::Invalid { part })
}

/// The parts of a blob that arrived as it was written; or the part that should not have been written so.
#[inline(always)]
fn parts<'a>(
    blob: &'a [u8],
    prefix: &'a [u32; PREFIX / 4],
    body: &'a [u32],
) -> Result<Parts<'a>, Part> {
    let [.., period, counts, flags] = *prefix;
    // The bytes before the contract, all of them words.
    let network = blob.len().checked_sub((counts >> 16) as usize).ok_or(Part::Contract)?;
    let length = network.checked_sub(PREFIX).ok_or(Part::Contract)?;
    if length & 3 != 0 {
        return Err(Part::Contract);
    }
    let mut words = Words(body.get(..length / 4).unwrap_or_default());
    let layers = (prefix[4] >> 24) as usize;
    let mut parts = Parts {
        prefix,
        layers: words.take(layers).ok_or(Part::Layers)?,
        head: &[],
        normalisation: &[],
        rest: words,
        contract: blob.get(network..).unwrap_or_default(),
    };
    let (observation_size, actions) = (parts.observation_size(), parts.action_size());
    // Bits of a number that is finite and above 0.
    if period.wrapping_sub(1) >= f32::INFINITY.to_bits() - 1 {
        return Err(Part::ControlPeriod);
    }
    // No layer is the last one, and the last one is linear.
    let mut last = 1 << 16;
    for word in parts.layers {
        barrier();
        last = *word;
        if last as u16 == 0 || last >= 3 << 16 {
            return Err(Part::Layers);
        }
    }
    if last >= 1 << 16 {
        return Err(Part::Layers);
    }
    if observation_size == 0 || actions == 0 || actions > MAX_ACTION_SIZE {
        return Err(Part::Sizes);
    }
    parts.head = words.floats(2 * actions + 2).ok_or(Part::Head)?;
    if !parts.head().is_usable() {
        return Err(Part::Head);
    }
    if flags > 1 {
        return Err(Part::Normalisation);
    }
    let normalisation = words.floats(2 * flags as usize * observation_size);
    parts.normalisation = normalisation.ok_or(Part::Normalisation)?;
    if not_finite(parts.normalisation).is_some() {
        return Err(Part::Normalisation);
    }
    parts.rest = words;
    Ok(parts)
}

/// The checksum of all bytes but its own four.
#[inline(never)]
fn checksum(blob: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    for (at, byte) in blob.iter().enumerate() {
        // One byte at a time takes longer, and an eighth of the code.
        barrier();
        if at & !3 != 12 {
            digest.update(&[*byte]);
        }
    }
    digest.finalize()
}
