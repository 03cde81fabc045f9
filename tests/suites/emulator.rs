//! The firmware on an emulated Cortex-M4F gives the desktop's bits, and says so when it does not.

use std::{collections::HashSet, fs, path::Path};

use policy_core::{Activation, Head, LayerShape, LogStdBound, Policy, WeightKind, format};
use tests::{
    emulator::{Run, run_firmware},
    samples::{Sample, record, replay},
};
use trainer::export::Blob;

const KINDS: [WeightKind; 3] = [WeightKind::F32, WeightKind::Int16, WeightKind::Int8];

/// Writes a policy and a recording to a folder of the test's own and runs the firmware with them.
fn run(test: &str, policy: &[u8], recording: &[u8]) -> Run {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = scratch.join(test);
    fs::create_dir_all(&folder).expect("the scratch folder takes folders");
    for (name, bytes) in [("policy.bin", policy), ("recording.bin", recording)] {
        fs::write(folder.join(name), bytes).expect("the scratch folder takes files");
    }
    run_firmware(&folder.join("policy.bin"), scratch)
}

fn hidden(activations: [Activation; 2]) -> [LayerShape; 2] {
    activations.map(|activation| LayerShape { outputs: 64, activation })
}

/// A policy of the pendulum's shape, and its recording.
fn pendulum(kind: WeightKind, examples: usize, seed: u64) -> (Blob, Blob) {
    let head = Head::SquashedGaussian {
        scale: &[2.0][..],
        bias: &[0.25],
        log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
    };
    let hidden = hidden([Activation::Relu; 2]);
    let blob = Sample { kind, observation_size: 3, hidden: &hidden, head, examples, seed }.blob();
    let recording = record(&blob, 3, 1, seed);
    (blob, recording)
}

fn assert_all_equal(test: &str, blob: &Blob, recording: &Blob) {
    let here = replay(blob, recording);
    // Refused rows are part of it, but most rows compare real actions.
    assert!(here.compared == 10_000 && (500..4_000).contains(&here.refused), "{test}: {here:?}");
    let on_target = run(test, blob.bytes(), recording.bytes());
    let report = format!(
        "compared 10000 actions ({} refused observations): all bits equal, hash {:#010x}\n",
        here.refused, here.hash
    );
    assert!(on_target.output.contains(&report), "{test}: not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(0), "{on_target:?}");
    assert_costs(&on_target);
}

/// Instructions for zeros, on average, at most within the contract's ranges, and at most for any observation.
fn assert_costs(on_target: &Run) {
    let line = on_target.output.lines().find_map(|line| line.strip_prefix("one action takes "));
    let line = line.unwrap_or_else(|| panic!("no instructions: {on_target:?}"));
    let numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
    let numbers: Vec<u32> = numbers.collect();
    let [zeros, mean, most, ordinary, any] = numbers[..] else { panic!("{line}") };
    // To within a tick of the emulated counter, which is 40 instructions.
    assert!(zeros > 1_000 && mean <= most + 40 && most <= any + 40, "{line}");
    assert!((1_000..10_000).contains(&ordinary) && any < 2 * zeros, "{line}");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn ten_thousand_observations_give_the_same_bits() {
    for kind in KINDS {
        let (blob, recording) = pendulum(kind, 8, 1);
        assert_all_equal(&format!("same-bits-{kind}"), &blob, &recording);
    }
}

/// Each kind of head, with several actions where it can have them.
#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn every_head_gives_the_same_bits() {
    let (scale, bias) = (&[2.0, 0.3][..], &[0.25, -1.0][..]);
    let (low, high) = (&[-0.5, 0.1][..], &[0.75, 3.0][..]);
    let log_std = LogStdBound::Tanh { min: -5.0, max: 2.0 };
    for (name, head) in [
        ("gaussian", Head::SquashedGaussian { scale, bias, log_std }),
        ("tanh", Head::Tanh { scale, bias }),
        ("clamp", Head::Clamp { low, high }),
        ("clamped-gaussian", Head::ClampedGaussian { low, high, std_min: 0.01, std_max: 0.5 }),
        ("grid", Head::Grid { low: -0.3, high: 0.1, points: 31 }),
    ] {
        // Heads know only these two kinds of tanh.
        for kind in [WeightKind::F32, WeightKind::Int8] {
            let hidden = hidden([Activation::Relu, Activation::Tanh]);
            let sample =
                Sample { kind, observation_size: 5, hidden: &hidden, head, examples: 3, seed: 6 };
            let blob = sample.blob();
            let actions = head.action_size();
            let recording = record(&blob, 5, actions as u8, 6);
            // An action that is always the same would prove little.
            let words = recording.bytes()[12..].chunks_exact(4 * (5 + actions));
            let different: HashSet<&[u8]> = words.map(|row| &row[20..24]).collect();
            assert!(different.len() >= 10, "{name}, {kind}: {} actions", different.len());
            assert_all_equal(&format!("same-bits-{name}-{kind}"), &blob, &recording);
        }
    }
}

/// The bytes with one bit of the first bias of the last layer, that of the mean, flipped, and with a checksum that fits:
/// so only what the policy answers can tell.
fn flip(blob: &Blob, examples: usize, bit: u8) -> Vec<u8> {
    let mut bytes = blob.bytes().to_vec();
    let contract = usize::from(u16::from_le_bytes([bytes[26], bytes[27]]));
    // The last layer, two panels of a bias and 64 weights, lies before examples of four words each.
    let bias = bytes.len() - contract - 4 * 4 * examples - 4 * 2 * (1 + 64);
    bytes[bias + usize::from(bit / 8)] ^= 1 << (bit % 8);
    format::seal(&mut bytes);
    bytes
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn one_flipped_weight_bit_is_noticed() {
    let (blob, recording) = pendulum(WeightKind::F32, 0, 3);
    let bytes = flip(&blob, 0, 0);
    let here = replay(&Blob::from_bytes(&bytes), &recording);
    let row = here.first_mismatch.expect("the flip changes actions on this machine too");
    let on_target = run("flipped-bit", &bytes, recording.bytes());
    let report = format!(
        "{} differ from the desktop's, the first in row {row}, hash {:#010x}\n",
        here.mismatches, here.hash
    );
    assert!(on_target.output.contains(&report), "not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(1), "{on_target:?}");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn a_policy_that_fails_its_own_examples_is_refused() {
    let (blob, recording) = pendulum(WeightKind::F32, 8, 7);
    // ¼ of the bias or more.
    let flipped = Blob::from_bytes(&flip(&blob, 8, 21));
    let policy = Policy::<f32, 64>::from_bytes(flipped.bytes()).expect("a valid policy");
    let here = policy.self_test().expect_err("the flip changes examples on this machine too");
    let on_target = run("self-test", flipped.bytes(), recording.bytes());
    assert_refusal(&on_target, &format!("error: self-test: {here}\n"));
}

fn assert_refusal(on_target: &Run, report: &str) {
    assert!(on_target.output.contains(report), "not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(2), "{on_target:?}");
}

/// The firmware must refuse the policy with the sentence that this machine has for it.
fn assert_refused(test: &str, bytes: &[u8], recording: &Blob, check: &str) {
    let blob = Blob::from_bytes(bytes);
    let here = Policy::<f32, 64>::from_bytes(blob.bytes()).expect_err("a broken policy");
    let here = here.to_string();
    assert!(here.contains(check), "{here}");
    assert_refusal(&run(test, bytes, recording.bytes()), &format!("error: policy: {here}\n"));
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn a_broken_policy_is_refused() {
    let (blob, recording) = pendulum(WeightKind::F32, 8, 4);
    let truncated = &blob.bytes()[..blob.bytes().len() - 1];
    assert_refused("truncated", truncated, &recording, "it is truncated");
    let (blob, recording) = pendulum(WeightKind::Int8, 8, 4);
    let mut altered = blob.bytes().to_vec();
    *altered.last_mut().expect("a policy has bytes") ^= 1;
    assert_refused("altered", &altered, &recording, "checksum");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn what_is_no_policy_is_refused() {
    let (_, recording) = pendulum(WeightKind::F32, 0, 5);
    let text = b"This is a text that somebody has mistaken for a policy.";
    assert_refused("text", text, &recording, "PLCY");
    assert_refused("empty", b"", &recording, "0 bytes");
    // As wide as can be.
    let mut wide = [0xFF; 4096];
    wide[6] = 2;
    assert_refused("wide", &wide, &recording, "PLCY");
}
