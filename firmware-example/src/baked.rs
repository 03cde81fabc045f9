//! The policy and the recording that `build.rs` found, as part of the firmware.

use core::fmt::Write;

use policy_core::{WeightKind, format, include_policy};

use crate::{Meter, Outcome};

/// The policy's blob; anything else, where `POLICY` names a file that is none.
const POLICY: &[u8] = include_policy!(env!("BAKED_POLICY"));

/// The recording, which is read in place as well.
const RECORDING: &[u8] = include_policy!(env!("BAKED_RECORDING"));

/// [`run`](crate::run) with these two. Which weights the policy has and how wide it is, is read when the firmware is
/// compiled, so that only the kernels which it needs are linked.
pub fn run(meter: &mut impl Meter, out: &mut impl Write) -> Outcome {
    const WIDTH: usize = format::width(POLICY);
    match const { WeightKind::of(POLICY) } {
        Some(WeightKind::Int16) => crate::run::<i16, WIDTH>(POLICY, RECORDING, meter, out),
        Some(WeightKind::Int8) => crate::run::<i8, WIDTH>(POLICY, RECORDING, meter, out),
        // What is no policy is refused when the firmware runs, with an error that says why.
        _ => crate::run::<f32, WIDTH>(POLICY, RECORDING, meter, out),
    }
}
