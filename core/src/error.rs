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
    /// A part reaches past the end of the blob.
    #[error("the {part} needs {needed} {}, but only {found} are left in the blob", part.unit())]
    PartLength {
        /// Which part.
        part: Part,
        /// Words that it needs; bytes for the contract.
        needed: usize,
        /// What is left of the blob.
        found: usize,
    },
    /// What lies between fixed part and contract are 32-bit words.
    #[error("between fixed part and contract lie {found} bytes, which is no multiple of 4")]
    NotWords {
        /// Bytes there.
        found: usize,
    },
    /// A number that stands for a choice, and this version has no such choice.
    #[error("the number {found} for the {part} has no meaning in this version of the format")]
    Code {
        /// Which part.
        part: Part,
        /// The number.
        found: u8,
    },
    /// The blob has other weights than this `Policy` type.
    #[error("the blob has {found} weights, but this Policy is built for {needed}")]
    OtherWeights {
        /// What the `Policy` was built for.
        needed: WeightKind,
        /// What the blob has.
        found: WeightKind,
    },
    /// No layers, or a size of zero.
    #[error("the {part} has size 0, at least 1 is needed")]
    Empty {
        /// Which part.
        part: Part,
    },
    /// The head has the last layer's activation in it.
    #[error("the last layer has an activation: it must be linear, as the head follows it")]
    LastActivation,
    /// The last layer does not give what the head consumes.
    #[error("the head needs {needed} outputs of the last layer, which has {found}")]
    HeadSize {
        /// Outputs that the head consumes.
        needed: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// A grid of no or one action leaves nothing to choose.
    #[error("the grid of actions has {found} points, at least 2 are needed")]
    GridPoints {
        /// Points of the grid.
        found: u16,
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
    /// Bytes that belong to no part.
    #[error("{extra} bytes follow the last example and belong to nothing")]
    Left {
        /// How many.
        extra: usize,
    },
    /// A weight or bias is infinite or not a number.
    #[error("parameter {index} of layer {layer} is not finite")]
    WeightNotFinite {
        /// Index of the layer, 0 is the first.
        layer: usize,
        /// Index in the layer, in the order of the blob: panel by panel, column by column, biases first.
        index: usize,
    },
    /// A row of integer weights whose sum might not fit in 32 bits.
    #[error(
        "the sum of row {row} of layer {layer} may leave 32 bits: its weights or its bias are too large"
    )]
    RowOverflow {
        /// Index of the layer, 0 is the first.
        layer: usize,
        /// Index of the row, 0 is the first.
        row: usize,
    },
    /// A row of integer weights whose scale is none.
    #[error("the scale of row {row} of layer {layer} is out of its range")]
    RowScale {
        /// Index of the layer, 0 is the first.
        layer: usize,
        /// Index of the row, 0 is the first.
        row: usize,
    },
    /// A number is infinite, not a number or out of its range.
    #[error("the {part} must be {}", part.demand())]
    Value {
        /// Which number.
        part: Part,
    },
    /// The contract is not what postcard wrote for this version's fields.
    #[error(
        "the contract cannot be decoded: it is cut short, has text that is not UTF-8, or names an algorithm that this reader does not know"
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
    /// The observation.
    Observation,
    /// The list of layers.
    Layers,
    /// A layer's outputs.
    LayerOutputs,
    /// A layer's activation.
    Activation,
    /// The action.
    Action,
    /// Control period, in s.
    ControlPeriod,
    /// The head.
    Head,
    /// Action scale, in the action's unit.
    ActionScale,
    /// Action bias, in the action's unit.
    ActionBias,
    /// Action bias ± action scale, in the action's unit.
    ActionRange,
    /// Bounds of log σ.
    LogStdBound,
    /// Lowest and highest action, in the action's unit.
    ActionBound,
    /// Bounds of σ, in the action's unit.
    StdBound,
    /// (high − low) · (points − 1) of a grid of actions, in the action's unit.
    GridRange,
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
    /// The contract, in bytes.
    Contract,
    /// Range of an observation or action entry in the contract.
    ChannelRange,
    /// Bytes that are 0 in this version.
    Reserved,
}

impl Part {
    /// What its length is counted in.
    fn unit(self) -> &'static str {
        match self {
            Part::Contract => "bytes",
            _ => "words of 4 bytes",
        }
    }

    /// What its numbers must be.
    fn demand(self) -> &'static str {
        match self {
            Part::ControlPeriod | Part::ActionScale => "finite and positive",
            Part::LogStdBound => "finite and in order",
            Part::ActionBound => "finite, low below high",
            Part::StdBound => "finite, positive and in order",
            Part::Normalisation => "finite, each scale positive",
            Part::ChannelRange => "in order, and no end of it NaN",
            _ => "finite",
        }
    }
}

impl core::fmt::Display for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Part::Observation => "observation",
            Part::Layers => "list of layers",
            Part::LayerOutputs => "output of a layer",
            Part::Activation => "activation of a layer",
            Part::Action => "action",
            Part::ControlPeriod => "control period",
            Part::Head => "head",
            Part::ActionScale => "action scale",
            Part::ActionBias => "action bias",
            Part::ActionRange => "action range (bias ± scale)",
            Part::LogStdBound => "bounds of log σ",
            Part::ActionBound => "lowest and highest action",
            Part::StdBound => "bounds of σ",
            Part::GridRange => "grid's (high − low) · (points − 1)",
            Part::Normalisation => "normalisation",
            Part::Weights => "weights",
            Part::Bias => "list of biases",
            Part::RowScale => "list of row scales",
            Part::Examples => "list of examples",
            Part::Contract => "contract",
            Part::ChannelRange => "range of an entry in the contract",
            Part::Reserved => "reserved bytes",
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
