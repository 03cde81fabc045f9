//! Errors, a small enum per operation; each message is one sentence that names what was needed and
//! what was found.

use thiserror::Error;

use crate::format::WeightKind;

/// Why a blob was refused by [`Policy::from_bytes`](crate::Policy::from_bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BlobError {
    /// Weights are read in place as `f32`, so the blob must start at a multiple of 4.
    #[error("the blob starts {offset} bytes past a 4-byte boundary: align it to 4 bytes")]
    Misaligned {
        /// The blob's address modulo 4.
        offset: usize,
    },
    /// The fixed part alone is longer than what was given.
    #[error(
        "the blob has {found} bytes, fewer than the {needed} of its fixed part: the file is truncated"
    )]
    TooShort {
        /// Size of the fixed part, in bytes.
        needed: usize,
        /// Size of the blob, in bytes.
        found: usize,
    },
    /// The first four bytes are not `PLCY`.
    #[error("the blob starts with {found:02x?} instead of \"PLCY\": this is not a policy file")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// Written in another version of the format.
    #[error(
        "the blob has format version {found}, this reader knows version {supported}: export it again or update the reader"
    )]
    Version {
        /// The version this reader knows.
        supported: u16,
        /// The version of the blob.
        found: u16,
    },
    /// The blob's own length field disagrees with the number of bytes given.
    #[error(
        "the blob says it has {declared} bytes, but {found} were given: it is truncated or something follows it"
    )]
    Length {
        /// The length field, in bytes.
        declared: u32,
        /// Size of the blob, in bytes.
        found: usize,
    },
    /// The bytes changed after the blob was written.
    #[error(
        "the blob's checksum is {computed:08x}, but {stored:08x} is stored in it: its bytes were altered"
    )]
    Checksum {
        /// The checksum in the blob.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The bytes are those that were written, but should not have been: the exporter's mistake.
    #[error("the {part} of the blob {}: export it again", part.mistake())]
    Invalid {
        /// Which part.
        part: Part,
    },
    /// The blob has other weights than this `Policy` type.
    #[error("the blob has {found} weights, but this Policy is built for {needed}")]
    OtherWeights {
        /// What the `Policy` was built for.
        needed: WeightKind,
        /// What the blob has.
        found: WeightKind,
    },
    /// A layer is wider than the `WIDTH` of this `Policy` type.
    #[error(
        "the policy keeps up to {found} numbers between two layers, but this Policy is built for at most {limit}: use a WIDTH of {found}"
    )]
    TooWide {
        /// `WIDTH` that would do.
        found: usize,
        /// `WIDTH`.
        limit: usize,
    },
    /// `f32` weights that are not finite; or integers that are too large for sums of 32 bits, or have no usable scale.
    #[error(
        "the weights of layer {layer} are not finite, too large for sums of 32 bits, or have no usable scale: export it again"
    )]
    Weights {
        /// Index of the layer, 0 is the first.
        layer: usize,
    },
    /// The contract is not what postcard wrote for this version's fields.
    #[error(
        "the contract cannot be decoded: it is cut short, has text that is not UTF-8 or a range out of order, or names an algorithm that this reader does not know"
    )]
    Contract,
    /// The contract was decoded, but bytes of it were left over.
    #[error("the contract has {extra} bytes more than its fields need")]
    ContractTail {
        /// Bytes left over.
        extra: usize,
    },
}

/// A part of the blob, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Part {
    /// Entries of observation and action.
    Sizes,
    /// The observation.
    Observation,
    /// The layers.
    Layers,
    /// The last layer.
    LayerOutputs,
    /// The action.
    Action,
    /// Control period, in s.
    ControlPeriod,
    /// The head.
    Head,
    /// Shift and scale of the observation.
    Normalisation,
    /// The weights.
    Weights,
    /// Biases of a layer.
    Bias,
    /// Scales of a layer's rows.
    RowScale,
    /// The examples.
    Examples,
    /// The contract.
    Contract,
}

impl Part {
    /// What can be wrong with it in a blob.
    fn mistake(self) -> &'static str {
        match self {
            Part::Sizes => "are 0 or more than 8 actions",
            Part::Layers => {
                "are cut short, none, more than 8, of unknown activation or without outputs, or the last one is not linear"
            }
            Part::ControlPeriod => "is not finite and positive",
            Part::Head => {
                "is unknown, cut short, has a range or bounds that are no range, or needs other outputs than the last layer has"
            }
            Part::Normalisation => {
                "is cut short or not finite, or with integer weights missing or without positive scales"
            }
            Part::Weights => "are of an unknown kind, or not as many as the layers need",
            Part::Contract => {
                "is longer than the blob, or what lies before it is not made of 32-bit words"
            }
            _ => "cannot be used",
        }
    }
}

impl core::fmt::Display for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Part::Sizes => "numbers of observation and action entries",
            Part::Observation => "list of observation entries",
            Part::Layers => "layers",
            Part::LayerOutputs => "last layer",
            Part::Action => "list of action entries",
            Part::ControlPeriod => "control period",
            Part::Head => "head",
            Part::Normalisation => "normalisation",
            Part::Weights => "weights",
            Part::Bias => "list of biases",
            Part::RowScale => "list of row scales",
            Part::Examples => "list of examples",
            Part::Contract => "contract",
        })
    }
}

/// Why [`Policy::act`](crate::Policy::act) gave no action. The machine should go to its safe state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ActError {
    /// The observation has the wrong number of entries.
    #[error("the observation has {found} entries, the policy needs {needed}")]
    ObservationSize {
        /// Entries the policy needs.
        needed: usize,
        /// Entries given.
        found: usize,
    },
    /// An entry of the observation is infinite or not a number.
    #[error("entry {index} of the observation is not finite: check the sensor")]
    ObservationNotFinite {
        /// Index of the entry.
        index: usize,
    },
    /// The network overflowed: the observation is far outside anything it was trained on.
    #[error(
        "entry {index} of the action would not be finite: the observation is far outside the trained range"
    )]
    ActionNotFinite {
        /// Index of the entry.
        index: usize,
    },
}

/// A policy's own example gave another action than the one it came with: this machine does not compute what the
/// desktop did. Do not let it control anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("example {example} of the policy gives another action here than where it was exported")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SelfTestError {
    /// The first such example.
    pub example: usize,
}

/// Why a blob could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The output buffer is too small.
    #[error("the blob needs {needed} bytes or more, the buffer has {found}")]
    BufferTooSmall {
        /// Bytes needed before the contract.
        needed: usize,
        /// Bytes in the buffer.
        found: usize,
    },
    /// The contract does not fit in the buffer, or in the format.
    #[error("the contract does not fit in {limit} bytes")]
    ContractTooLong {
        /// Most bytes it may have.
        limit: usize,
    },
    /// A blob has 4 GiB at most.
    #[error("the blob would have {found} bytes, at most 4294967295 are possible")]
    TooLong {
        /// Its size, in bytes.
        found: usize,
    },
    /// A part has another size than the shapes say.
    #[error("the {part} has size {found}, {needed} is needed")]
    Size {
        /// Which part.
        part: Part,
        /// The size needed.
        needed: usize,
        /// The size found.
        found: usize,
    },
    /// A weight of 8 bits that does not fit in them.
    #[error("the weight {found} does not fit in 8 bits")]
    Weight {
        /// The weight.
        found: i16,
    },
}

/// Why a recording was refused, or could not be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecordingError {
    /// Rows are read in place as 32-bit words, so the recording must start at a multiple of 4.
    #[error("the recording starts {offset} bytes past a 4-byte boundary: align it to 4 bytes")]
    Misaligned {
        /// The recording's address modulo 4.
        offset: usize,
    },
    /// The first four bytes are not `RECD`.
    #[error("the recording starts with {found:02x?} instead of \"RECD\": this is not a recording")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// Written in another version of the format.
    #[error(
        "the recording has format version {found}, this reader knows version {supported}: record it again or update the reader"
    )]
    Version {
        /// The version this reader knows.
        supported: u16,
        /// The version of the recording.
        found: u16,
    },
    /// A row without observation or action entries.
    #[error(
        "the recording has {observation} observation and {action} action entries a row: at least 1 of each is needed"
    )]
    Empty {
        /// Observation entries of a row.
        observation: u8,
        /// Action entries of a row.
        action: u8,
    },
    /// More or fewer bytes than the fixed part and the rows need.
    #[error("the recording's rows need {needed} bytes, {found} were given")]
    Length {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        found: usize,
    },
    /// Recorded with a policy of another shape.
    #[error(
        "the recording has {found_observation} observation and {found_action} action entries a row, the policy {observation} and {action}"
    )]
    Shape {
        /// Observation entries of the policy.
        observation: usize,
        /// Action entries of the policy.
        action: usize,
        /// Observation entries of a row.
        found_observation: usize,
        /// Action entries of a row.
        found_action: usize,
    },
}
