//! The blob, read and written. `FORMAT.md` is its specification:
//!
//! ```text
//! offset  0        4         6               8              12         16
//!         | "PLCY" | version | header length | total length | CRC-32   | header (postcard) | 0…3 × 0 | weights |
//!         | 4 × u8 | u16     | u16           | u32          | u32      | header length     |         | f32 …   |
//! ```
//!
//! All numbers are little-endian. The checksum covers every byte but its own four.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use crate::{Activation, BlobError, EncodeError, Head, error::Part, layer};

/// The version of the format that this crate reads and writes, a draft: it may change until version 1 is
/// frozen. Drafts have numbers of their own, so that none is mistaken for another.
pub const VERSION: u16 = 32769;
/// The first four bytes of every blob.
pub const MAGIC: [u8; 4] = *b"PLCY";
/// The most layers a policy may have.
pub const MAX_LAYERS: usize = 8;
/// Longest name of an environment, in bytes.
pub const MAX_NAME: usize = 32;
/// Longest header, in bytes.
pub const MAX_HEADER: usize = 256;
/// Size of the fixed part before the header, in bytes.
pub const PREFIX: usize = 16;

/// CRC-32/ISO-HDLC (the one of zip and Ethernet). Without a table: it runs once at boot, and flash
/// is dearer than that time.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What a policy is, apart from its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The algorithm that trained it.
    pub algorithm: Algorithm,
    /// The environment it was trained on, as the trainer names it.
    pub environment: String<MAX_NAME>,
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: u16,
    /// The layers, first to last.
    pub layers: Vec<LayerShape, MAX_LAYERS>,
    /// What the last layer's output means.
    pub head: Head,
}

/// The algorithm that trained a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Algorithm {
    /// Soft actor-critic (Haarnoja et al., 2018, 2019).
    Sac,
    /// Deep deterministic policy gradient (Lillicrap et al., 2015, arXiv:1509.02971).
    Ddpg,
    /// Twin delayed DDPG (Fujimoto et al., 2018, arXiv:1802.09477).
    Td3,
    /// Deep Q-network (Mnih et al., 2015).
    Dqn,
    /// Double DQN (van Hasselt et al., 2015, arXiv:1509.06461).
    DoubleDqn,
    /// Soft actor-critic with a network for the value of a state (Haarnoja et al., 2018,
    /// arXiv:1801.01290).
    SacV,
    /// SAC-M1 to SAC-M3: steps from DDPG towards SAC, with a target policy and an unsquashed
    /// Gaussian, as a course exercise has them.
    SacM,
}

impl core::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Algorithm::Sac => "sac",
            Algorithm::Ddpg => "ddpg",
            Algorithm::Td3 => "td3",
            Algorithm::Dqn => "dqn",
            Algorithm::DoubleDqn => "double-dqn",
            Algorithm::SacV => "sac-v",
            Algorithm::SacM => "sac-m",
        })
    }
}

/// Outputs and activation of a layer; its inputs are the outputs of the layer before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerShape {
    /// Entries of the layer's output.
    pub outputs: u16,
    /// Applied to each output.
    pub activation: Activation,
}

impl Header {
    /// (inputs, outputs, activation) of each layer, first to last.
    pub fn shapes(&self) -> impl Iterator<Item = (usize, usize, Activation)> + '_ {
        self.layers.iter().scan(usize::from(self.observation_size), |inputs, layer| {
            let outputs = usize::from(layer.outputs);
            Some((core::mem::replace(inputs, outputs), outputs, layer.activation))
        })
    }

    /// Number of weights and biases. At most [`MAX_LAYERS`] × 65 535 × 65 536, so it is a `u64`.
    pub fn parameters(&self) -> u64 {
        self.shapes().map(|(inputs, outputs, _)| (inputs as u64 + 1) * outputs as u64).sum()
    }

    /// Do sizes and numbers make a policy?
    fn check(&self) -> Result<(), BlobError> {
        if self.observation_size == 0 {
            return Err(BlobError::Empty { part: Part::Observation });
        }
        if self.layers.iter().any(|layer| layer.outputs == 0) {
            return Err(BlobError::Empty { part: Part::LayerOutputs });
        }
        let Some(last) = self.layers.last() else {
            return Err(BlobError::Empty { part: Part::Layers });
        };
        if !(self.control_period.is_finite() && self.control_period > 0.0) {
            return Err(BlobError::HeaderValue { part: Part::ControlPeriod });
        }
        self.head.check()?;
        let (needed, found) = (self.head.inputs().0, usize::from(last.outputs));
        if needed != found {
            return Err(BlobError::HeadSize { needed, found });
        }
        Ok(())
    }
}

/// A blob taken apart and checked, except for the values of its weights.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) header: Header,
    pub(crate) weights: &'a [f32],
    pub(crate) checksum: u32,
}

/// Takes a blob apart, checking in the order of `FORMAT.md`.
pub(crate) fn decode(blob: &[u8]) -> Result<Parts<'_>, BlobError> {
    let Some((prefix, body)) = blob.split_first_chunk::<PREFIX>() else {
        return Err(BlobError::TooShort { needed: PREFIX, found: blob.len() });
    };
    let offset = blob.as_ptr().addr() % align_of::<f32>();
    if offset != 0 {
        return Err(BlobError::Misaligned { offset });
    }
    let [m0, m1, m2, m3, v0, v1, h0, h1, l0, l1, l2, l3, c0, c1, c2, c3] = *prefix;
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
    let header_length = usize::from(u16::from_le_bytes([h0, h1]));
    let padded = header_length.next_multiple_of(align_of::<f32>());
    let (Some(header), Some(weights)) = (body.get(..header_length), body.get(padded..)) else {
        return Err(BlobError::HeaderLength { needed: padded, found: body.len() });
    };
    let (header, tail) =
        postcard::take_from_bytes::<Header>(header).map_err(|_| BlobError::Header)?;
    if !tail.is_empty() {
        return Err(BlobError::HeaderTail { extra: tail.len() });
    }
    header.check()?;
    let found = weights.len();
    let needed = usize::try_from(header.parameters() * 4).unwrap_or(usize::MAX);
    match bytemuck::try_cast_slice(weights) {
        Ok(weights) if found == needed => Ok(Parts { header, weights, checksum: stored }),
        _ => Err(BlobError::WeightLength { needed, found }),
    }
}

/// The checksum over the fixed part before the checksum field, then everything after it.
fn checksum(prefix: &[u8; PREFIX], body: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(prefix.split_last_chunk::<4>().map_or(&[][..], |(before, _)| before));
    digest.update(body);
    digest.finalize()
}

/// Writes a blob to the front of `out` and gives its length. `weights` come layer by layer, first
/// the biases `[outputs]`, then the weights `[outputs, inputs]` column by column; the blob has them in
/// [panels](crate::layer).
///
/// The encoder checks what it must to write a blob, not what makes a good policy: read the result
/// with [`Policy::from_bytes`](crate::Policy::from_bytes) before trusting it.
///
/// # Errors
///
/// If `out` is too small, the weights are not as many as the shapes say, or the header is too long.
pub fn encode(header: &Header, weights: &[f32], out: &mut [u8]) -> Result<usize, EncodeError> {
    let mut buffer = [0; MAX_HEADER];
    let encoded = postcard::to_slice(header, &mut buffer)
        .map_err(|_| EncodeError::HeaderTooLong { limit: MAX_HEADER })?
        .len();
    let start = PREFIX + encoded.next_multiple_of(align_of::<f32>());
    let needed = usize::try_from(header.parameters()).unwrap_or(usize::MAX);
    let length = start.saturating_add(needed.saturating_mul(4));
    let (Some(blob), Ok(total)) = (out.get_mut(..length), u32::try_from(length)) else {
        return Err(EncodeError::BufferTooSmall { needed: length, found: out.len() });
    };
    if weights.len() != needed {
        return Err(EncodeError::WeightCount { needed, found: weights.len() });
    }
    let fixed = MAGIC
        .into_iter()
        .chain(VERSION.to_le_bytes())
        .chain((encoded as u16).to_le_bytes())
        .chain(total.to_le_bytes())
        .chain([0; 4])
        .chain(buffer.into_iter().take(start - PREFIX))
        .chain(packed(header, weights).flat_map(f32::to_le_bytes));
    for (byte, value) in blob.iter_mut().zip(fixed) {
        *byte = value;
    }
    seal(blob);
    Ok(length)
}

/// The weights in the order of the blob: layer by layer, panel by panel, column by column, biases first.
fn packed<'a>(header: &'a Header, weights: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
    let mut start = 0;
    let layers = header.shapes().map(move |(inputs, outputs, _)| {
        let first = start;
        start += (inputs + 1) * outputs;
        (first, inputs, outputs)
    });
    layers.flat_map(move |(first, inputs, outputs)| {
        layer::panels(outputs).flat_map(move |rows| {
            (0..=inputs).flat_map(move |column| {
                let row = first + column * outputs;
                // `encode` has compared their number with the shapes.
                weights.get(row + rows.start..row + rows.end).unwrap_or_default().iter().copied()
            })
        })
    })
}

/// Puts the checksum of a blob's present bytes into its checksum field, for tools and tests that
/// change a blob on purpose. Does nothing to a blob too short to have one.
pub fn seal(blob: &mut [u8]) {
    if let Some((prefix, body)) = blob.split_first_chunk_mut::<PREFIX>() {
        let sum = checksum(prefix, body).to_le_bytes();
        if let Some(field) = prefix.last_chunk_mut::<4>() {
            *field = sum;
        }
    }
}
