//! Load, test, replay, report.

mod cost;

use core::{
    fmt::{self, Write},
    hint::black_box,
};

use policy_core::{
    BlobError, Policy, Recording, RecordingError, Replay, SelfTestError, Weights,
    recording::MAX_OBSERVATION,
};

use cost::{Cost, cost};

use crate::Meter;

/// What a run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every action had the desktop's bits.
    Equal,
    /// At least one action had other bits.
    Different,
    /// The policy or the recording was refused, or the policy's own test failed, so nothing was compared.
    Refused,
}

impl Outcome {
    /// The exit code of the firmware: 0 equal, 1 different, 2 refused.
    ///
    /// An emulator that could not even load the firmware ends with 1 as well: whoever reads the
    /// code must read the report too.
    pub fn exit_code(self) -> i32 {
        match self {
            Outcome::Equal => 0,
            Outcome::Different => 1,
            Outcome::Refused => 2,
        }
    }
}

/// Lets the policy in `blob` test itself, replays `recording` through it, and writes a report of one to three lines.
///
/// `W` is the kind of its weights and `WIDTH` its width, or more. The outcome is valid even where `out` takes no text.
pub fn run<W: Weights, const WIDTH: usize>(
    blob: &[u8],
    recording: &[u8],
    meter: &mut impl Meter,
    out: &mut impl Write,
) -> Outcome {
    let (outcome, _) = match compare::<W, WIDTH>(blob, recording, meter) {
        Ok(compared) => (judge(&compared.replay), report(&compared, meter, out)),
        Err(refusal) => (Outcome::Refused, writeln!(out, "error: {refusal}")),
    };
    outcome
}

/// Why nothing was compared.
enum Refusal {
    Policy(BlobError),
    SelfTest(SelfTestError),
    Recording(RecordingError),
    Empty,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Policy(error) => write!(f, "policy: {error}"),
            Refusal::SelfTest(error) => write!(f, "self-test: {error}"),
            Refusal::Recording(error) => write!(f, "recording: {error}"),
            Refusal::Empty => {
                f.write_str("recording: it has no rows, so there is nothing to compare")
            }
        }
    }
}

/// A policy, the stack that it took until it could act, and what it answered.
struct Compared<'a, W: Weights, const WIDTH: usize> {
    policy: Policy<'a, W, WIDTH>,
    recording: Recording<'a>,
    stack: Option<u32>,
    replay: Replay,
}

fn compare<'a, W: Weights, const WIDTH: usize>(
    blob: &'a [u8],
    recording: &'a [u8],
    meter: &mut impl Meter,
) -> Result<Compared<'a, W, WIDTH>, Refusal> {
    let mut loaded = Err(Refusal::Empty);
    let stack = meter.stack(&mut || loaded = load(blob));
    let policy = loaded?;
    let recording = Recording::from_bytes(recording).map_err(Refusal::Recording)?;
    let replay = recording.replay(&policy).map_err(Refusal::Recording)?;
    // Nothing compared must not read as "all bits equal".
    if replay.compared == 0 {
        return Err(Refusal::Empty);
    }
    Ok(Compared { policy, recording, stack, replay })
}

/// What firmware does with a policy when it starts. Not inlined, so that its stack can be measured.
#[inline(never)]
fn load<W: Weights, const WIDTH: usize>(blob: &[u8]) -> Result<Policy<'_, W, WIDTH>, Refusal> {
    let policy = Policy::from_bytes(blob).map_err(Refusal::Policy)?;
    policy.self_test().map_err(Refusal::SelfTest)?;
    Ok(policy)
}

fn judge(replay: &Replay) -> Outcome {
    if replay.mismatches == 0 { Outcome::Equal } else { Outcome::Different }
}

fn report<W: Weights, const WIDTH: usize>(
    found: &Compared<'_, W, WIDTH>,
    meter: &mut impl Meter,
    out: &mut impl Write,
) -> fmt::Result {
    let Compared { policy, recording, stack: stack_to_load, replay } = found;
    let Replay { compared, refused, mismatches, first_mismatch, hash } = *replay;
    let checksum = policy.checksum();
    write!(
        out,
        "policy {checksum:#010x}: compared {compared} actions ({refused} refused observations): "
    )?;
    match first_mismatch {
        None => write!(out, "all bits equal")?,
        Some(row) => {
            write!(out, "{mismatches} differ from the desktop's, the first in row {row}")?;
        }
    }
    writeln!(out, ", hash {hash:#010x}")?;
    if let Some(cost) = cost(policy, recording, meter) {
        let Cost { zeros, ordinary, mean, most, any } = cost;
        writeln!(
            out,
            "one action takes {zeros} instructions (observation: zeros), {mean} on average and {most} at most within \
             the ranges of the contract ({ordinary} observations), {any} at most for any of them all"
        )?;
    }
    let stack_to_act = stack_to_act(policy, meter);
    if let (Some(load), Some(act)) = (*stack_to_load, stack_to_act) {
        let policy = size_of_val(policy);
        writeln!(
            out,
            "stack: {load} bytes to load and test, {act} bytes an action (and {policy} for the policy)"
        )?;
    }
    Ok(())
}

/// The most stack of actions for observations of equal entries, as functions such as tanh call others for some sizes
/// of their argument.
fn stack_to_act<W: Weights, const WIDTH: usize>(
    policy: &Policy<'_, W, WIDTH>,
    meter: &mut impl Meter,
) -> Option<u32> {
    let mut most = None;
    for entry in [0.0, 1e-39, 0.1, 3.0, 1e9] {
        let entries = [entry; MAX_OBSERVATION];
        let observation = entries.get(..policy.observation_size()).unwrap_or_default();
        most = most.max(meter.stack(&mut || one_action(policy, observation)));
    }
    most
}

/// An action that is measured: `tests/cores` looks for the name of this function, and of [`load`].
#[inline(never)]
fn one_action<W: Weights, const WIDTH: usize>(policy: &Policy<'_, W, WIDTH>, observation: &[f32]) {
    // Hidden from the optimiser, which would otherwise compute the action once.
    let _ = black_box(policy.act(black_box(observation)));
    #[cfg(feature = "plant-a-panic")]
    black_box(observation[black_box(0)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Bytes, blob, float};
    use policy_core::{
        format::{FixedLayer, Network},
        recording,
    };
    use std::{string::String, vec};

    /// What this machine answers to the observations.
    pub(super) fn recording<W: Weights>(blob: &Bytes, observations: &[f32]) -> Bytes {
        let policy = Policy::<W, 64>::from_bytes(blob.get()).unwrap();
        let mut words = vec![0; recording::PREFIX / 4];
        let prefix = recording::prefix(1, 1, u32::try_from(observations.len()).unwrap());
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&prefix);
        for &x in observations {
            words.push(x.to_bits());
            words.extend(recording::action_words(&policy, &[x]));
        }
        Bytes { length: 4 * words.len(), words }
    }

    /// It does the work and gives always the same answers.
    struct Constant;

    impl Meter for Constant {
        fn instructions(&mut self, _rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
            work();
            Some(1234)
        }

        fn stack(&mut self, work: &mut dyn FnMut()) -> Option<u32> {
            work();
            Some(567)
        }
    }

    fn run_bytes<W: Weights>(blob: &[u8], recording: &[u8]) -> (Outcome, String) {
        let mut out = String::new();
        (run::<W, 64>(blob, recording, &mut Constant, &mut out), out)
    }

    /// The whole report, with the hash of the answers ½, −½, none and 2.
    fn assert_equal_bits<W: Weights>(blob: &Bytes, hash: u32) {
        let recording = recording::<W>(blob, &[0.0, 1.0, f32::NAN, -3.0]);
        let (outcome, report) = run_bytes::<W>(blob.get(), recording.get());
        assert_eq!((outcome, outcome.exit_code()), (Outcome::Equal, 0), "{report}");
        let policy = Policy::<W, 64>::from_bytes(blob.get()).unwrap();
        let (checksum, size) = (policy.checksum(), size_of_val(&policy));
        assert_eq!(
            report,
            std::format!(
                "policy {checksum:#010x}: compared 4 actions (1 refused observations): all bits equal, \
                 hash {hash:#010x}\n\
                 one action takes 1234 instructions (observation: zeros), 1234 on average and 1234 at most within the \
                 ranges of the contract (2 observations), 1234 at most for any of them all\n\
                 stack: 567 bytes to load and test, 567 bytes an action (and {size} for the policy)\n"
            )
        );
    }

    #[test]
    fn equal_bits_are_reported_with_their_number_and_hash() {
        // In Python: zlib.crc32(struct.pack("<ffIf", 0.5, -0.5, 0xffffffff, 2)).
        let hash = 0xb76e_1d05;
        assert_equal_bits::<f32>(&float(), hash);
        // z = ½ − x with 10⁻³ for a unit of the sum.
        let scale = [1e-3_f32.to_bits()];
        let fixed = [FixedLayer { weights: &[-1], bias: &[500], scale: &scale }];
        assert_equal_bits::<i16>(&blob(Network::Int16(&fixed), &[]), hash);
        assert_equal_bits::<i8>(&blob(Network::Int8(&fixed), &[]), hash);
    }

    #[test]
    fn a_machine_without_instruments_reports_one_line() {
        let (blob, mut out) = (float(), String::new());
        let recording = recording::<f32>(&blob, &[0.0]);
        let outcome = run::<f32, 64>(blob.get(), recording.get(), &mut (), &mut out);
        assert_eq!((outcome, out.lines().count()), (Outcome::Equal, 1), "{out}");
    }

    #[test]
    fn one_other_bit_names_its_row() {
        let blob = float();
        let mut recording = recording::<f32>(&blob, &[0.0, 1.0, -3.0]);
        recording.words[3 + 2 + 1] ^= 1; // The action word of row 1.
        let (outcome, report) = run_bytes::<f32>(blob.get(), recording.get());
        assert_eq!((outcome, outcome.exit_code()), (Outcome::Different, 1));
        assert!(
            report.contains("1 differ from the desktop's, the first in row 1, hash "),
            "{report}"
        );
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let good = float();
        let recorded = recording::<f32>(&good, &[0.0]);
        let wrong = blob(Network::F32(&[0.5, -1.0]), &[1.0_f32.to_bits(), (-0.25_f32).to_bits()]);
        let (good, recorded) = (good.get(), recorded.get());
        let empty = recording::<f32>(&float(), &[]);
        for (blob, recorded, sentence) in [
            (&good[4..], recorded, "error: policy: the blob starts with "),
            (wrong.get(), recorded, "error: self-test: example 0 of the policy gives another "),
            (good, &recorded[..16], "error: recording: the recording's rows need 20 bytes, 16 "),
            (good, empty.get(), "error: recording: it has no rows"),
        ] {
            let (outcome, report) = run_bytes::<f32>(blob, recorded);
            assert_eq!((outcome, outcome.exit_code()), (Outcome::Refused, 2), "{report}");
            assert!(report.starts_with(sentence), "{report}");
        }
        let (outcome, report) = run_bytes::<i8>(good, recorded);
        assert_eq!(outcome, Outcome::Refused);
        assert!(report.starts_with("error: policy: ") && report.contains("f32"), "{report}");
    }

    #[test]
    fn the_outcome_needs_no_output() {
        struct Broken;
        impl Write for Broken {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let blob = float();
        let mut recording = recording::<f32>(&blob, &[0.0]);
        recording.words[4] ^= 1;
        let outcome = run::<f32, 64>(blob.get(), recording.get(), &mut (), &mut Broken);
        assert_eq!(outcome, Outcome::Different);
    }
}
