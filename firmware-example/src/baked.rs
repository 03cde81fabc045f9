//! The policy and the recording that `build.rs` found, as part of the firmware.

use core::fmt::Write;

use policy_core::{WeightKind, Weights, format, include_policy};

use crate::{
    Meter, Outcome,
    control::{Pilot, PilotError},
};
use policy_core::link::Source;

/// The policy's blob; anything else, where `POLICY` names a file that is none.
pub const POLICY: &[u8] = include_policy!(env!("BAKED_POLICY"));

/// The recording, which is read in place as well.
const RECORDING: &[u8] = include_policy!(env!("BAKED_RECORDING"));

/// How wide the policy is, read when the firmware is compiled.
pub const WIDTH: usize = format::width(POLICY);

/// The policy's kind of weights, read when the firmware is compiled, so that only the kernels which it needs are linked.
/// What is no policy is refused when the firmware runs, with an error that says why.
pub type Weight = <Code<{ code() }> as Kind>::Weight;

/// The public key that updates must be signed with; none, where the variable `KEY` named none to the build.
pub const KEY: crate::update::Key = include!(concat!(env!("OUT_DIR"), "/key.rs"));

/// [`Pilot::new`] with the policy.
///
/// # Errors
///
/// As there.
pub fn pilot() -> Result<Pilot<'static, Weight, WIDTH>, PilotError> {
    Pilot::new(POLICY, Source::Firmware)
}

/// [`run`](crate::run) with policy and recording.
pub fn run(meter: &mut impl Meter, out: &mut impl Write) -> Outcome {
    crate::run::<Weight, WIDTH>(POLICY, RECORDING, meter, out)
}

/// From a number to a type.
#[derive(Debug)]
pub struct Code<const CODE: u8>;

/// The type.
pub trait Kind {
    /// Of the weights.
    type Weight: Weights;
}

impl Kind for Code<0> {
    type Weight = f32;
}

impl Kind for Code<1> {
    type Weight = i16;
}

impl Kind for Code<2> {
    type Weight = i8;
}

const fn code() -> u8 {
    match WeightKind::of(POLICY) {
        Some(WeightKind::Int16) => 1,
        Some(WeightKind::Int8) => 2,
        _ => 0,
    }
}
