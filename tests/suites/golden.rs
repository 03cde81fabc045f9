//! The trainer against numbers from gymnasium, torch and dynamic programming.
//!
//! Reads every file of `GOLDEN_DIR` (by default `tests/golden/`), and takes shapes, settings and
//! variants from the file.

use serde_json::Value;
use tests::golden::{self, Comparison, Golden, Kind, numbers, rows, say};
use tests::sac_file::{Case, gradient, to_ours, values};
use trainer::autodiff::{Interpreter, Plan, Program};
use trainer::envs::Pendulum;
use trainer::eval::Starts;
use trainer::interface::Environment;

fn files(kind: Kind) -> Vec<Golden> {
    let files: Vec<Golden> = golden::all().into_iter().filter(|file| file.kind == kind).collect();
    if files.is_empty() {
        say(&format!("no file of kind {kind:?} in {}", golden::directory().display()));
        let own = std::env::var_os("GOLDEN_DIR").is_none();
        assert!(!own, "the project's own directory has files of every kind");
    }
    files
}

/// What is not compared is said, not passed over.
#[test]
fn every_file_is_accounted_for() {
    for file in golden::all() {
        if let Kind::NotYet(why) = file.kind {
            say(&format!("{}: NOT COMPARED, {why}", file.name));
        }
    }
}

/// One step from each recorded state, and whole episodes from their start.
///
/// The file's `_about`: a port with gymnasium's roundings matches states bit for bit, and rewards
/// to 2.4e-10; one without is up to 1.2e-8 off in a step and 2.5e-3 in a free-running episode.
/// Ours has its roundings, but takes sines from `libm`, so as to give the same bits on every
/// machine; in one step of 140 their last bit is not that of the platform which recorded the file,
/// and near upright an episode makes that bit grow.
#[test]
fn pendulum_trajectories() {
    for file in files(Kind::Pendulum) {
        let compare =
            |what: &str, tolerance| Comparison::new(format!("{}, {what}", file.name), tolerance);
        let mut one_step = compare("states, one step", 1e-13);
        let mut free = compare("states, free-running", 1e-7);
        let mut rewards = compare("rewards, one step", 2.4e-10);
        let mut observations = compare("observations, free-running", 1e-6);
        for episode in file.json["episodes"].as_array().expect("episodes") {
            let (states, observed) = (rows(&episode["state"]), rows(&episode["obs"]));
            let (actions, recorded) = (numbers(&episode["action"]), numbers(&episode["reward"]));
            let init = numbers(&episode["init"]);
            let widen = |observation: [f32; 3]| observation.map(f64::from);

            let (mut pendulum, mut observation) = (Pendulum::new(), [0.0_f32; 3]);
            let (mut restarted, mut ignored) = (Pendulum::new(), [0.0_f32; 3]);
            pendulum.restore(&init, &mut observation);
            observations.compare("obs0", &widen(observation), &numbers(&episode["obs0"]));
            for (t, action) in actions.iter().enumerate() {
                let action = [*action as f32];
                let before = if t == 0 { &init } else { &states[t - 1] };
                restarted.restore(before, &mut ignored);
                let outcome = restarted.step(&action, &mut ignored);
                let (angle, speed) = restarted.state();
                one_step.compare("state", &[angle, speed], &states[t]);
                rewards.compare("reward", &[outcome.reward], &[recorded[t]]);

                let outcome = pendulum.step(&action, &mut observation);
                assert!(!outcome.terminated);
                let (angle, speed) = pendulum.state();
                free.compare("state", &[angle, speed], &states[t]);
                observations.compare("obs", &widen(observation), &observed[t]);
            }
        }
        [one_step, free, rewards, observations].into_iter().for_each(Comparison::finish);
    }
}

/// The evaluation's starts and optimal returns are those of dynamic programming.
#[test]
fn pendulum_optimal() {
    for file in files(Kind::PendulumOptimal) {
        let rows = rows(&file.json["states"]);
        let starts: Vec<Vec<f64>> = rows.iter().map(|row| row[..2].to_vec()).collect();
        let optimal: Vec<f64> = rows.iter().map(|row| row[3]).collect();
        let builtin = Starts::builtin("pendulum").expect("the pendulum has starts");
        if builtin.states != starts {
            say(&format!("{}: NOT COMPARED, other starts than the evaluation's", file.name));
            assert!(std::env::var_os("GOLDEN_DIR").is_some(), "the trainer's starts have changed");
            continue;
        }
        let mut comparison = Comparison::new(format!("{}, optimal returns", file.name), 0.0);
        comparison.compare("return", &builtin.optimal_returns, &optimal);
        comparison.finish();
    }
}

#[test]
fn sac_updates() {
    for file in files(Kind::Sac) {
        for (variant, settings) in file.json["variants"].as_object().expect("variants") {
            let run = &file.json["runs"][format!("{variant}/float64")];
            let case = Case::new(&file, settings);
            let name = |what: &str| format!("{}, {variant}, {what}", file.name);
            replay::<Interpreter>(&case, run, &name("f64 interpreter"), 1e-9);
            // Against torch's float64 too, so that the whole error is ours.
            replay::<Plan>(&case, run, &name("f32 plan"), 2e-6);
        }
    }
}

/// Makes the file's updates and compares losses, first gradients and parameters.
fn replay<P: Program>(case: &Case<'_>, run: &Value, name: &str, tolerance: f64) {
    let mut parameters = Comparison::new(format!("{name}, parameters"), tolerance);
    let mut gradients = Comparison::new(format!("{name}, first gradients (relative)"), tolerance);
    let mut losses = Comparison::new(format!("{name}, losses (relative)"), tolerance);
    let mut agent = case.agent::<P>();
    for index in 0..case.updates() {
        case.update(&mut agent, index);
        let reported = Case::reported(&agent);
        for (key, wanted) in run["losses"][index].as_object().expect("losses") {
            let found = reported.iter().find(|(name, _)| name == key);
            let (_, got) = found.unwrap_or_else(|| panic!("{name}: nothing reports `{key}`"));
            losses.compare_relative(key, &[*got], &[wanted.as_f64().expect("a number")]);
        }
        let networks = Case::networks(&agent);
        if let (0, Some(wanted)) = (index, run.get("grads_first_update")) {
            for (key, network) in networks.iter().filter(|(key, _)| wanted.get(key).is_some()) {
                let got = gradient(&agent.params, network);
                gradients.compare_relative(key, &got, &to_ours(&wanted[key], network));
            }
        }
        if let Some(wanted) = run["params_after"].get((index + 1).to_string()) {
            for (key, network) in &networks {
                let got = values(&agent.params, network);
                parameters.compare(key, &got, &to_ours(&wanted[key], network));
            }
        }
    }
    losses.finish();
    if run.get("grads_first_update").is_some() {
        gradients.finish();
    }
    parameters.finish();
}
