//! The firmware on an emulated Cortex-M4F gives the desktop's bits, and says so when it does not.

use std::{collections::HashSet, fs, path::Path};

use policy_core::{Activation, Head, LayerShape, Policy, Recording, Replay, format};
use tests::{
    emulator::{Run, run_firmware},
    samples,
};
use trainer::{export::Blob, policy::AnyPolicy, recording};

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

/// What this machine answers to 10 000 observations.
fn record(blob: &Blob, seed: u64) -> Blob {
    let policy = AnyPolicy::from_bytes(blob.bytes()).expect("a valid policy");
    let observations = recording::observations(10_000, policy.observation_size(), seed);
    Blob::from_bytes(&recording::record(&policy, &observations).expect("a recording that fits"))
}

/// A policy of the pendulum's shape, and its recording.
fn pendulum(seed: u64) -> (Blob, Blob) {
    let blob = samples::random_policy(3, &hidden([Activation::Relu; 2]), 1, seed);
    let recording = record(&blob, seed);
    (blob, recording)
}

/// The replay that the firmware does, on this machine.
fn replay_here(blob: &Blob, recording: &Blob) -> Replay {
    let policy = Policy::<f32, 64>::from_bytes(blob.bytes()).expect("a valid policy");
    let recording = Recording::from_bytes(recording.bytes());
    recording.and_then(|r| r.replay(&policy)).expect("a recording of this policy's shape")
}

fn assert_all_equal(test: &str, blob: &Blob, recording: &Blob) {
    let here = replay_here(blob, recording);
    // Refused rows are part of it, but most rows compare real actions.
    assert!(here.compared == 10_000 && (500..3_000).contains(&here.refused), "{here:?}");
    let on_target = run(test, blob.bytes(), recording.bytes());
    let report =
        format!("compared 10000 actions ({} refused observations): all bits equal\n", here.refused);
    assert!(on_target.output.contains(&report), "not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(0), "{on_target:?}");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn ten_thousand_observations_give_the_same_bits() {
    let (blob, recording) = pendulum(1);
    assert_all_equal("same-bits", &blob, &recording);
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn tanh_layers_and_several_actions_give_the_same_bits() {
    let layers = hidden([Activation::Tanh, Activation::Relu]);
    let blob = samples::random_policy(5, &layers, 3, 2);
    assert_all_equal("same-bits-tanh", &blob, &record(&blob, 2));
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn every_head_gives_the_same_bits() {
    let action = |values: [f32; 2]| values.into_iter().collect();
    for (name, head) in [
        ("tanh", Head::Tanh { scale: action([2.0, 0.3]), bias: action([0.25, -1.0]) }),
        ("clamp", Head::Clamp { low: action([-0.5, 0.1]), high: action([0.75, 3.0]) }),
        (
            "clamped-gaussian",
            Head::ClampedGaussian {
                low: action([-0.5, 0.1]),
                high: action([0.75, 3.0]),
                std_min: 0.01,
                std_max: 0.5,
            },
        ),
        ("grid", Head::Grid { low: -0.3, high: 0.1, points: 31 }),
    ] {
        let layers = hidden([Activation::Relu, Activation::Tanh]);
        let blob = samples::random_policy_with(4, &layers, head, 6);
        let recording = record(&blob, 6);
        // An action that is always the same would prove little.
        let policy = AnyPolicy::from_bytes(blob.bytes()).expect("a valid policy");
        let observations = recording::observations(10_000, 4, 6);
        let actions = observations.chunks_exact(4).filter_map(|x| policy.act(x).ok());
        let different: HashSet<u32> = actions.map(|a| a[0].to_bits()).collect();
        assert!(different.len() >= 10, "{name}: {} actions", different.len());
        assert_all_equal(&format!("same-bits-{name}"), &blob, &recording);
    }
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn one_flipped_weight_bit_is_noticed() {
    let (blob, recording) = pendulum(3);
    let mut bytes = blob.bytes().to_vec();
    // The lowest bit of the last layer's first bias, that of the mean. Before it lie the fixed part, three layers'
    // shapes, the head's four numbers, and the parameters of the hidden layers.
    let bias = format::PREFIX + 4 * (3 + 4 + (3 + 1) * 64 + (64 + 1) * 64);
    bytes[bias] ^= 1;
    // The checksum is made to fit, so that only the replay can notice.
    format::seal(&mut bytes);
    let here = replay_here(&Blob::from_bytes(&bytes), &recording);
    let row = here.first_mismatch.expect("the flip changes actions on this machine too");
    let on_target = run("flipped-bit", &bytes, recording.bytes());
    let report = format!("{} differ from the desktop's, the first in row {row}\n", here.mismatches);
    assert!(on_target.output.contains(&report), "not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(1), "{on_target:?}");
}

/// The firmware must refuse the policy with the sentence that this machine has for it.
fn assert_refused(test: &str, bytes: &[u8], recording: &Blob, check: &str) {
    let blob = Blob::from_bytes(bytes);
    let here =
        Policy::<f32, 64>::from_bytes(blob.bytes()).expect_err("a broken policy").to_string();
    assert!(here.contains(check), "{here}");
    let on_target = run(test, bytes, recording.bytes());
    let report = format!("error: policy: {here}\n");
    assert!(on_target.output.contains(&report), "not {report:?} but {on_target:?}");
    assert_eq!(on_target.code, Some(2), "{on_target:?}");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn a_truncated_policy_is_refused() {
    let (blob, recording) = pendulum(4);
    let bytes = blob.bytes();
    assert_refused("truncated", &bytes[..bytes.len() - 1], &recording, "it is truncated");
}

#[test]
#[ignore = "needs the ARM target and QEMU: run tests/run"]
fn an_altered_policy_is_refused() {
    let (blob, recording) = pendulum(5);
    let mut bytes = blob.bytes().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_refused("altered", &bytes, &recording, "checksum");
}
