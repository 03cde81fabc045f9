//! Does it learn? The presets as they ship, on seeds that they were not tuned on.
//!
//! `SEEDS=20` runs seeds 1 to 20 of everything on the pendulum, and 1 to 5 on the inverted one and of
//! those that stand, as docs/RESULTS.md reports them; without it, a few.

use std::sync::Mutex;
use std::thread;

use trainer::config::{RunConfig, environment};
use trainer::envs;
use trainer::eval::{Evaluation, Starts, evaluate};
use trainer::export::{Blob, export};
use trainer::interface::Algorithm;
use trainer::linalg::VARIABLE;
use trainer::linalg::parallel::with_threads;
use trainer::linalg::zeros::{self, Zeros};
use trainer::policy::AnyPolicy;
use trainer::run::{Options, Progress, Start, fingerprint, run, start};
use trainer::statistics::median;
use trainer::train::{Unobserved, train};

/// Trains a preset and gives the agent, for the caller to look at.
fn trained(preset: &str, settings: &[String]) -> Box<dyn Algorithm> {
    let config = RunConfig::resolve(Some(preset), None, settings).unwrap();
    let Start { mut environments, mut agent } = start(&config).unwrap();
    train(&mut *environments, &mut *agent, &config.training, &mut Unobserved).unwrap();
    agent
}

/// The policy of a preset on an environment, for a seed.
fn policy(preset: &str, on: &str, seed: u64) -> Blob {
    let agent = trained(preset, &[format!("seed={seed}"), format!("environment.name={on}")]);
    let table = envs::defaults(on).unwrap();
    let (machine, fingerprint) = (envs::make(&table).unwrap(), envs::fingerprint(&table).unwrap());
    export(&agent.policy(), machine.spec(), fingerprint).unwrap()
}

/// How many seeds: a few, or as many as the variable says, up to a number.
fn seeds(few: u64, most: u64) -> u64 {
    let given = std::env::var("SEEDS").map_or(Ok(few), |seeds| seeds.parse());
    let seeds = given
        .ok()
        .filter(|seeds| *seeds > 0)
        .expect("SEEDS must be a number from 1, as in SEEDS=20");
    seeds.min(most)
}

/// The policies of seeds 1, 2, …, trained two at a time.
fn policies(preset: &str, on: &str, count: u64) -> Vec<Blob> {
    let (next, done) = (Mutex::new(1..=count), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(seed) = next.lock().unwrap().next() else { break };
                    let blob = policy(preset, on, seed);
                    done.lock().unwrap().push((seed, blob));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, blob)| blob).collect()
}

/// From the environment's own starts, with settings over its defaults.
fn score(blob: &Blob, on: &str, settings: &[&str]) -> (Evaluation, Option<f64>) {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let table = environment(on, &settings).unwrap();
    let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
    let starts = Starts::builtin(&table).unwrap();
    let evaluation =
        evaluate(&policy, &mut *starts.environments(&table).unwrap(), &starts).unwrap();
    let gap = starts.best_known_mean().map(|best| evaluation.gap_percent(best));
    (evaluation, gap)
}

/// Every seed better than −200, and the median of the gaps to the best known return within a bound, in percent.
fn swings_up(preset: &str, few: u64, bound: f64) -> Vec<Blob> {
    let policies = policies(preset, "pendulum", seeds(few, u64::MAX));
    let mut gaps = Vec::new();
    for (index, blob) in policies.iter().enumerate() {
        let (evaluation, gap) = score(blob, "pendulum", &[]);
        let (seed, gap) = (index + 1, gap.expect("the pendulum has best known returns"));
        println!("{preset}, seed {seed}: return {:.1}, gap {gap:.1} %", evaluation.mean);
        assert!(evaluation.mean >= -200.0, "{preset}, seed {seed}: {}", evaluation.mean);
        gaps.push(gap);
    }
    let (middle, worst) = (median(&gaps), gaps.iter().copied().fold(f64::MIN, f64::max));
    println!("{preset}: gap {middle:.1} % at the median, {worst:.1} % at most");
    assert!(middle <= bound, "{preset}: {gaps:?}");
    policies
}

#[test]
fn sac_swings_the_pendulum_up() {
    let policies = swings_up("sac", 4, 9.0);
    // The firmware's sample is what `trainer train --preset sac` gives: trained on another machine,
    // with the same bits. After a change on purpose: copy runs/sac/{policy,recording}.bin there, and make the
    // others of it with `trainer quantize`.
    let sample = include_bytes!("../../firmware-example/sample/f32/policy.bin");
    assert!(policies[0].bytes() == sample, "seed 1 is not the firmware's sample any more");
}

#[test]
fn td3_swings_the_pendulum_up() {
    swings_up("td3", 4, 9.0);
}

#[test]
fn ddpg_swings_the_pendulum_up() {
    swings_up("ddpg", 4, 9.0);
}

#[test]
fn sac_v_swings_the_pendulum_up() {
    swings_up("sac-v", 2, 9.0);
}

#[test]
fn dqn_swings_the_pendulum_up() {
    swings_up("dqn", 2, 15.0);
    swings_up("double-dqn", 2, 15.0);
}

/// Shows nothing.
struct Unwatched;

impl Progress for Unwatched {
    fn step(&mut self, _step: usize) {}
    fn episode(&mut self, _episode_return: f64) {}
}

/// Runs as `trainer train` makes them, with their trials. Bounds, over all seeds and starts: of the gaps' median in percent,
/// of the rest error in rad at the median and at the worst, of the chatter in N·m at the worst.
fn stands(preset: &str, [gap, median, worst, chatter]: [f64; 4]) {
    let (mut gaps, mut errors) = (Vec::new(), Vec::new());
    for seed in 1..=seeds(1, 5) {
        let config = RunConfig::resolve(Some(preset), None, &[format!("seed={seed}")]).unwrap();
        let (directory, options) = (tempfile::tempdir().unwrap(), Options::default());
        let summary = run(&config, directory.path(), &options, &mut Unwatched).unwrap();
        let selected = summary.selected.unwrap();
        assert!(2 * selected.step > config.training.steps && selected.trials >= 50, "{selected:?}");
        let (found, control) =
            (summary.evaluation.gap_percent.unwrap(), summary.evaluation.control.unwrap());
        let (error, unrest) = (control.rest_error, control.chatter.worst.unwrap());
        println!("{preset}, seed {seed}: gap {found:.1} %, rest {error:?}, chatter {unrest:.3}");
        assert_eq!(control.reached, 200, "{preset}, seed {seed}");
        assert!(error.worst.unwrap() <= worst, "{preset}, seed {seed}: {error:?}");
        assert!(unrest <= chatter, "{preset}, seed {seed}: {unrest}");
        gaps.push(found);
        errors.push(error.median.unwrap());
    }
    let (middle_gap, middle_error) = (self::median(&gaps), self::median(&errors));
    println!("{preset}: gap {middle_gap:.1} %, rest error {middle_error:.4} rad at the median");
    assert!(middle_gap <= gap && middle_error <= median, "{preset}: {middle_gap}, {middle_error}");
}

/// The main job's, and that of the smallest gap. DQN pushes now and then: its torque jumps at most half as much as its
/// grid's actions are apart.
#[test]
#[ignore = "a minute; run with --include-ignored"]
fn policies_stand_straight_and_still() {
    stands("sac-best", [2.2, 0.02, 0.05, 0.05]);
    stands("sac-still", [4.0, 0.02, 0.05, 0.05]);
    stands("td3-still", [4.0, 0.02, 0.05, 0.05]);
    stands("ddpg-still", [4.0, 0.02, 0.05, 0.05]);
    stands("dqn-still", [6.0, 0.05, 0.1, 1.0]);
}

/// 1000 of 1000 steps from each of 100 starts.
#[test]
fn the_pole_is_balanced() {
    for preset in ["dqn", "ddpg", "td3", "sac"] {
        for (index, blob) in policies(preset, "inverted-pendulum", seeds(1, 5)).iter().enumerate() {
            let (narrow, _) = score(blob, "inverted-pendulum", &[]);
            let (wide, _) = score(blob, "inverted-pendulum", &["reset_noise_scale=0.2"]);
            println!(
                "{preset}, seed {}: {} of 100 to the end at noise 0.01, {} at 0.2",
                index + 1,
                narrow.full_episodes,
                wide.full_episodes
            );
            assert_eq!(narrow.full_episodes, 100, "{preset}, seed {}", index + 1);
        }
    }
}

/// Pinned: if one of these changes, every published result of that algorithm does. Whatever changes
/// it must say so in the changelog.
#[test]
fn runs_have_their_pinned_fingerprints() {
    // Where a backend is forced, as in an emulator that has no time for others, only one way.
    let ways = match std::env::var_os(VARIABLE) {
        Some(_) => &[Zeros::Measured][..],
        None => &[Zeros::Measured, Zeros::LeftOut, Zeros::Computed],
    };
    let mut changed = Vec::new();
    for (preset, steps, pinned) in [
        ("dqn", 800, "b7bf4041bd4ce782"),
        ("double-dqn", 800, "3660fd9cf6ece0eb"),
        ("ddpg", 1600, "1c669195ecaee04b"),
        ("td3", 1600, "8a4fa1456f7d3636"),
        ("sac", 800, "b2ceb64ddd4e5e6c"),
        ("sac-v", 800, "f579cebced7e8d11"),
        ("sac-best", 2800, "80c32cff186f0e12"),
        ("hw2-sac-m3", 8192, "8c5d2d8e94db36f6"),
    ] {
        for &way in ways {
            let settings = ["seed=1".into(), format!("steps={steps}")];
            let agent = zeros::with(way, || trained(preset, &settings));
            let found = fingerprint(&agent.parameters().value);
            if found != pinned {
                changed.push(format!("{preset}, zeros {way:?}: {found} instead of {pinned}"));
            }
        }
    }
    assert!(changed.is_empty(), "{changed:?}");
}

/// Networks wide enough for work to be shared.
#[test]
fn bits_do_not_depend_on_threads() {
    for preset in ["ddpg", "td3", "sac", "sac-v", "dqn"] {
        let settings = ["hidden=[256,256]", "batch_size=128", "steps=560", "update_after=500"];
        let settings = settings.map(String::from);
        let run = || fingerprint(&trained(preset, &settings).parameters().value);
        let alone = run();
        for threads in [2, 3] {
            assert_eq!(with_threads(threads, run).unwrap(), alone, "{preset}, {threads} threads");
        }
    }
}
