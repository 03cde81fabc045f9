//! The messages in an event file: those of TensorFlow's `event.proto` and `summary.proto` that a
//! scalar needs, with the numbers that their fields have there.

use prost::{Message, Oneof};

/// What `file_version` must be in the first event of a file.
pub(super) const VERSION: &str = "brain.Event:2";
/// `SessionLog.SessionStatus.START`
const START: i32 = 1;

/// Something that happened.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Time since 1970, in s.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    /// Environment step.
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(super) what: Option<What>,
}

/// What it was.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<Scalar>,
}

/// `Summary.Value` with a `simple_value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Scalar {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    /// Optional, so that a 0 is written: it is one of several kinds of values.
    #[prost(float, optional, tag = "2")]
    pub(super) simple_value: Option<f32>,
}

/// A program began or ended to write.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

impl SessionLog {
    /// It began, with the step of its event: what others wrote of this step and later ones does not count.
    pub(super) fn start() -> Self {
        SessionLog { status: START }
    }
}
