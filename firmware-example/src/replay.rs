//! Load, replay, report.

use core::{
    fmt::{self, Write},
    hint::black_box,
};

use policy_core::{Policy, Recording, Replay, recording::MAX_OBSERVATION};

/// What a run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every action had the desktop's bits.
    Equal,
    /// At least one action had other bits.
    Different,
    /// The policy or the recording was refused, so nothing was compared.
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

/// Replays `recording` through the policy in `blob`, and writes a report of one or two lines.
///
/// `count` runs the work that it is given, as often as it likes, and says how many instructions one
/// round takes. `WIDTH` is that of the widest layer. The outcome is valid even where `out` takes no text.
pub fn run<const WIDTH: usize>(
    blob: &[u8],
    recording: &[u8],
    count: impl FnOnce(&mut dyn FnMut()) -> u32,
    out: &mut impl Write,
) -> Outcome {
    let (outcome, _) = match load::<WIDTH>(blob, recording) {
        Ok((policy, replay)) => (judge(&replay), report(&policy, &replay, count, out)),
        Err(refusal) => (Outcome::Refused, writeln!(out, "error: {refusal}")),
    };
    outcome
}

/// Why nothing was compared.
enum Refusal {
    Policy(policy_core::BlobError),
    Recording(policy_core::RecordingError),
    Empty,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Policy(error) => write!(f, "policy: {error}"),
            Refusal::Recording(error) => write!(f, "recording: {error}"),
            Refusal::Empty => {
                f.write_str("recording: it has no rows, so there is nothing to compare")
            }
        }
    }
}

fn load<'a, const WIDTH: usize>(
    blob: &'a [u8],
    recording: &[u8],
) -> Result<(Policy<'a, WIDTH>, Replay), Refusal> {
    let policy = Policy::from_bytes(blob).map_err(Refusal::Policy)?;
    let replay = Recording::from_bytes(recording)
        .and_then(|recording| recording.replay(&policy))
        .map_err(Refusal::Recording)?;
    // Nothing compared must not read as "all bits equal".
    if replay.compared == 0 { Err(Refusal::Empty) } else { Ok((policy, replay)) }
}

fn judge(replay: &Replay) -> Outcome {
    if replay.mismatches == 0 { Outcome::Equal } else { Outcome::Different }
}

fn report<const WIDTH: usize>(
    policy: &Policy<'_, WIDTH>,
    replay: &Replay,
    count: impl FnOnce(&mut dyn FnMut()) -> u32,
    out: &mut impl Write,
) -> fmt::Result {
    let Replay { compared, refused, mismatches, first_mismatch } = *replay;
    let checksum = policy.checksum();
    write!(
        out,
        "policy {checksum:#010x}: compared {compared} actions ({refused} refused observations): "
    )?;
    match first_mismatch {
        None => writeln!(out, "all bits equal")?,
        Some(row) => {
            writeln!(out, "{mismatches} differ from the desktop's, the first in row {row}")?;
        }
    }
    let zeros = [0.0; MAX_OBSERVATION];
    let observation = zeros.get(..policy.observation_size()).unwrap_or(&zeros);
    let instructions = count(&mut || one_action(policy, observation));
    writeln!(out, "one action takes {instructions} instructions (observation: zeros)")
}

/// An action whose instructions are counted.
#[inline(never)]
fn one_action<const WIDTH: usize>(policy: &Policy<'_, WIDTH>, observation: &[f32]) {
    // Hidden from the optimiser, which would otherwise compute the action once.
    let _ = black_box(policy.act(black_box(observation)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::{
        Activation, Algorithm, Head, Header, LayerShape, LogStdBound, format, recording,
    };
    use std::{string::String, vec, vec::Vec};

    /// One layer, 1 → 2, and one action: a = 2 · tanh(b + w · x) with b = 0.5, w = −1.
    fn blob() -> Vec<u32> {
        let one = |value| heapless::Vec::from_slice(&[value]).unwrap();
        let header = Header {
            algorithm: Algorithm::Sac,
            environment: "test".try_into().unwrap(),
            control_period: 0.05,
            observation_size: 1,
            layers: [LayerShape { outputs: 2, activation: Activation::Linear }]
                .into_iter()
                .collect(),
            head: Head::SquashedGaussian {
                scale: one(2.0),
                bias: one(0.0),
                log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
            },
        };
        let mut words = vec![0; 100];
        let weights = [0.5_f32, 0.0, -1.0, 0.0];
        let bytes =
            format::encode(&header, &weights, bytemuck::cast_slice_mut(&mut words)).unwrap();
        words.truncate(bytes / 4);
        words
    }

    /// What this machine answers to the observations.
    fn recording(blob: &[u32], observations: &[f32]) -> Vec<u32> {
        let policy = Policy::<64>::from_bytes(bytemuck::cast_slice(blob)).unwrap();
        let mut words = vec![0; recording::PREFIX / 4];
        let prefix = recording::prefix(1, 1, u32::try_from(observations.len()).unwrap());
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(&prefix);
        for &x in observations {
            words.push(x.to_bits());
            words.extend(recording::action_words(&policy, &[x]));
        }
        words
    }

    fn run_words(blob: &[u32], recording: &[u32]) -> (Outcome, String) {
        let mut out = String::new();
        let count = |work: &mut dyn FnMut()| {
            work();
            1234
        };
        let (blob, recording) = (bytemuck::cast_slice(blob), bytemuck::cast_slice(recording));
        (run::<64>(blob, recording, count, &mut out), out)
    }

    #[test]
    fn equal_bits_are_reported_with_their_number() {
        let blob = blob();
        let recording = recording(&blob, &[0.0, 1.0, f32::NAN, -3.0]);
        let (outcome, report) = run_words(&blob, &recording);
        assert_eq!((outcome, outcome.exit_code()), (Outcome::Equal, 0));
        let checksum = Policy::<64>::from_bytes(bytemuck::cast_slice(&blob)).unwrap().checksum();
        assert_eq!(
            report,
            std::format!(
                "policy {checksum:#010x}: compared 4 actions (1 refused observations): all bits equal\n\
                 one action takes 1234 instructions (observation: zeros)\n"
            )
        );
    }

    #[test]
    fn one_other_bit_names_its_row() {
        let blob = blob();
        let mut recording = recording(&blob, &[0.0, 1.0, -3.0]);
        recording[3 + 2 + 1] ^= 1; // The action word of row 1.
        let (outcome, report) = run_words(&blob, &recording);
        assert_eq!((outcome, outcome.exit_code()), (Outcome::Different, 1));
        assert!(report.contains("1 differ from the desktop's, the first in row 1\n"), "{report}");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let blob = blob();
        let recorded = recording(&blob, &[0.0]);
        for (blob, recorded, sentence) in [
            (&blob[1..], &recorded[..], "error: policy: the blob starts with "),
            (
                &blob[..],
                &recorded[..4],
                "error: recording: the recording's rows need 20 bytes, 16 ",
            ),
            (&blob[..], &recording(&blob, &[])[..], "error: recording: it has no rows"),
        ] {
            let (outcome, report) = run_words(blob, recorded);
            assert_eq!((outcome, outcome.exit_code()), (Outcome::Refused, 2), "{report}");
            assert!(report.starts_with(sentence), "{report}");
        }
    }

    #[test]
    fn the_outcome_needs_no_output() {
        struct Broken;
        impl Write for Broken {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let blob = blob();
        let mut recording = recording(&blob, &[0.0]);
        recording[4] ^= 1;
        let (blob, recording) = (bytemuck::cast_slice(&blob), bytemuck::cast_slice(&recording));
        assert_eq!(run::<64>(blob, recording, |_| 0, &mut Broken), Outcome::Different);
    }
}
