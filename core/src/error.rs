//! Errors, a small enum per operation; each message is one sentence that names what was needed and
//! what was found.

use thiserror::Error;

/// Why a blob was refused by [`Policy::from_bytes`](crate::Policy::from_bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
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
    /// The header reaches past the end of the blob.
    #[error("the header needs {needed} bytes, but only {found} follow the fixed part")]
    HeaderLength {
        /// Header length including padding, in bytes.
        needed: usize,
        /// Bytes after the fixed part.
        found: usize,
    },
    /// The header is not what postcard wrote for this version's fields.
    #[error(
        "the header cannot be decoded: it is cut short, or has an algorithm, activation or head that this reader does not know, or more layers or actions than it supports"
    )]
    Header,
    /// The header was decoded, but bytes of it were left over.
    #[error("the header has {extra} bytes more than its fields need")]
    HeaderTail {
        /// Bytes left over.
        extra: usize,
    },
    /// No layers, or a size of zero.
    #[error("the {part} has size 0, at least 1 is needed")]
    Empty {
        /// Which part of the header.
        part: Part,
    },
    /// The last layer does not give what the head consumes.
    #[error("the head needs {needed} outputs of the last layer, which has {found}")]
    HeadSize {
        /// Outputs that the head consumes.
        needed: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// The head's action scale and bias have different lengths.
    #[error("the action scale has {scale} entries and the action bias {bias}: they must agree")]
    ActionSize {
        /// Length of the scale.
        scale: usize,
        /// Length of the bias.
        bias: usize,
    },
    /// The head's lowest and highest action have different lengths.
    #[error("the lowest action has {low} entries and the highest action {high}: they must agree")]
    BoundSize {
        /// Length of the lowest action.
        low: usize,
        /// Length of the highest action.
        high: usize,
    },
    /// A grid of no or one action leaves nothing to choose.
    #[error("the grid of actions has {found} points, at least 2 are needed")]
    GridPoints {
        /// Points of the grid.
        found: u16,
    },
    /// A layer is wider than the `WIDTH` of this `Policy` type.
    #[error(
        "layer {layer} has {found} outputs, but this Policy is built for at most {limit}: use Policy::<{found}>"
    )]
    TooWide {
        /// Index of the layer, 0 is the first.
        layer: usize,
        /// Its outputs.
        found: usize,
        /// `WIDTH`.
        limit: usize,
    },
    /// The weight section does not hold what the shapes need.
    #[error("the shapes need {needed} bytes of weights, the blob holds {found}")]
    WeightLength {
        /// Bytes the shapes need.
        needed: usize,
        /// Bytes in the weight section.
        found: usize,
    },
    /// A weight or bias is infinite or not a number.
    #[error("parameter {index} of layer {layer} is not finite")]
    WeightNotFinite {
        /// Index of the layer, 0 is the first.
        layer: usize,
        /// Index in the layer, in the order of the blob: panel by panel, column by column, biases first.
        index: usize,
    },
    /// A number of the header is infinite, not a number or out of its range.
    #[error("the {part} of the header must be finite{}", part.also())]
    HeaderValue {
        /// Which number.
        part: Part,
    },
}

/// A part of the blob's header, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Number of observation entries.
    Observation,
    /// The list of layers.
    Layers,
    /// A layer's outputs.
    LayerOutputs,
    /// The action.
    Action,
    /// Control period, in s.
    ControlPeriod,
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
}

impl Part {
    /// What its numbers must be besides finite.
    fn also(self) -> &'static str {
        match self {
            Part::ControlPeriod | Part::ActionScale => " and positive",
            Part::LogStdBound => " and in order",
            Part::ActionBound => ", low below high",
            Part::StdBound => ", positive and in order",
            _ => "",
        }
    }
}

impl core::fmt::Display for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Part::Observation => "observation",
            Part::Layers => "list of layers",
            Part::LayerOutputs => "output of a layer",
            Part::Action => "action",
            Part::ControlPeriod => "control period",
            Part::ActionScale => "action scale",
            Part::ActionBias => "action bias",
            Part::ActionRange => "action range (bias ± scale)",
            Part::LogStdBound => "bounds of log σ",
            Part::ActionBound => "lowest and highest action",
            Part::StdBound => "bounds of σ",
            Part::GridRange => "grid's (high − low) · (points − 1)",
        })
    }
}

/// Why [`Policy::act`](crate::Policy::act) gave no action. The machine should go to its safe state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
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

/// Why a blob could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The output buffer is too small.
    #[error("the blob needs {needed} bytes, the buffer has {found}")]
    BufferTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes in the buffer.
        found: usize,
    },
    /// The header does not fit in the format. It cannot happen today: the longest header of this
    /// version has 150 bytes.
    #[error("the header does not fit in {limit} bytes")]
    HeaderTooLong {
        /// Most bytes a header may have.
        limit: usize,
    },
    /// More or fewer weights than the header's shapes need.
    #[error("the header's shapes need {needed} weights, {found} were given")]
    WeightCount {
        /// Weights the shapes need.
        needed: usize,
        /// Weights given.
        found: usize,
    },
}

/// Why a recording was refused, or could not be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
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
