//! Does it learn? The preset as it ships, on seeds that it was not tuned on.

use std::thread;

use trainer::config::RunConfig;
use trainer::envs::{self, Pendulum};
use trainer::eval::{Starts, evaluate};
use trainer::export::{Blob, HostPolicy, export};
use trainer::interface::{Algorithm, Environment};
use trainer::run::{fingerprint, make};
use trainer::train::{Unobserved, train};

/// Trains a preset and gives the agent, for the caller to look at.
fn trained(preset: &str, settings: &[String]) -> Box<dyn Algorithm> {
    let config = RunConfig::resolve(Some(preset), None, settings).unwrap();
    let (mut environments, mut agent) = make(&config).unwrap();
    train(&mut environments, &mut *agent, &config.training, &mut Unobserved).unwrap();
    agent
}

/// The policy of a seed.
fn policy(preset: &str, seed: u64) -> Blob {
    let agent = trained(preset, &[format!("seed={seed}")]);
    export(&agent.policy(), Pendulum::new().spec()).unwrap()
}

/// (mean return, gap to optimal, in %) from the fixed starts.
fn score(blob: &Blob) -> (f64, f64) {
    let mut environment = Pendulum::new();
    let policy = HostPolicy::from_bytes(blob.bytes()).unwrap();
    let starts = Starts::builtin(&envs::defaults("pendulum").unwrap()).unwrap();
    let evaluation = evaluate(&policy, &mut environment, &starts).unwrap();
    (evaluation.mean, evaluation.gap_percent(starts.optimal_mean().unwrap()))
}

/// 10 000 steps: a gap of at most 12 % for nine seeds of ten, and none worse than −200.
#[test]
fn sac_learns_the_pendulum() {
    let halves = [1..=5, 6..=10].map(|seeds| {
        thread::spawn(move || seeds.map(|seed| (seed, policy("sac", seed))).collect::<Vec<_>>())
    });
    let policies: Vec<_> = halves.into_iter().flat_map(|half| half.join().unwrap()).collect();
    let scores: Vec<_> = policies.iter().map(|(seed, blob)| (seed, score(blob))).collect();
    for (seed, (mean, gap)) in &scores {
        println!("sac, seed {seed}: return {mean:.1}, gap {gap:.1} %");
    }
    let close = scores.iter().filter(|(_, (_, gap))| *gap <= 12.0).count();
    assert!(close >= 9, "{scores:?}");
    assert!(scores.iter().all(|(_, (mean, _))| *mean >= -200.0), "{scores:?}");

    // The firmware's sample is what `trainer` alone gives: trained on another machine, with the
    // same bits. After a change on purpose: copy runs/sac/{policy,recording}.bin there.
    let sample = include_bytes!("../../firmware-example/sample/policy.bin");
    assert!(policies[0].1.bytes() == sample, "seed 1 is not the firmware's sample any more");
}

/// Pinned: if this changes, every published result does. Whatever changes it must say so in the
/// changelog.
#[test]
fn a_run_has_its_pinned_fingerprint() {
    let agent = trained("sac", &["seed=1".into(), "steps=800".into()]);
    assert_eq!(fingerprint(&agent.parameters().value), "baeb5b2d4ee6d64c");
}
