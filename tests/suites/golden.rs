//! The trainer against numbers from gymnasium, torch and dynamic programming.
//!
//! Reads every file of `GOLDEN_DIR` (by default `tests/golden/`), and takes shapes, settings and
//! variants from the file.

use serde_json::Value;
use tests::agents::{gradient, values};
use tests::golden::{self, Comparison, Golden, Kind, numbers, rows, say};
use tests::inverted_pendulum_file::{
    Episode, LIMIT_TOLERANCE, STEP_TOLERANCE, Spread, limit_in_reach, step_from,
};
use tests::losses_file::{Compared, losses};
use tests::updates_file::{Case, reported, to_ours};
use trainer::autodiff::{Interpreter, Plan, Program};
use trainer::envs::{self, InvertedPendulum, Pendulum};
use trainer::eval::Starts;
use trainer::interface::{Environment, Step};

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

/// The evaluation's starts and best known returns are those of dynamic programming.
#[test]
fn pendulum_best_known() {
    for file in files(Kind::PendulumBestKnown) {
        let rows = rows(&file.json["states"]);
        let starts: Vec<Vec<f64>> = rows.iter().map(|row| row[..2].to_vec()).collect();
        let best_known: Vec<f64> = rows.iter().map(|row| row[3]).collect();
        let builtin = Starts::builtin(&envs::defaults("pendulum").expect("an environment"))
            .expect("the pendulum has starts");
        if builtin.states != starts {
            say(&format!("{}: NOT COMPARED, other starts than the evaluation's", file.name));
            assert!(std::env::var_os("GOLDEN_DIR").is_some(), "the trainer's starts have changed");
            continue;
        }
        let mut comparison = Comparison::new(format!("{}, best known returns", file.name), 0.0);
        comparison.compare("return", &builtin.best_known_returns, &best_known);
        comparison.finish();
    }
}

/// One step from each recorded state of MuJoCo, and whole episodes from their start.
///
/// The latter are compared for as long as their bound says something, see [`Spread`].
#[test]
fn inverted_pendulum_trajectories() {
    /// A replay this far off, in m, rad, m/s or rad/s, has nothing to do with the recording.
    const LOST: f64 = 1e-2;
    for file in files(Kind::InvertedPendulum) {
        let compare =
            |what: &str, tolerance| Comparison::new(format!("{}, {what}", file.name), tolerance);
        let mut one_step = compare("states, one step", STEP_TOLERANCE);
        let mut at_limits = compare("states, one step near a limit", LIMIT_TOLERANCE);
        let mut outcomes = compare("rewards and ends, one step", 0.0);
        let mut free = compare("states, free-running", LOST);
        let mut bounded = compare("the same, relative to the bound of each step", 1.0);
        let (mut steps, mut followed) = (0, 0);
        for episode in Episode::all(&file) {
            let (mut spread, mut observation) = (Spread::default(), [0.0_f32; 4]);
            let mut environment = InvertedPendulum::new(0.0);
            environment.restore(&episode.start, &mut observation);
            for (t, (before, recorded)) in episode.before().zip(&episode.steps).enumerate() {
                let name = format!("{}, step {t}", episode.name);
                let (state, step) = step_from(before, recorded.action);
                match limit_in_reach(before, &recorded.state) {
                    true => at_limits.compare(&name, &state, &recorded.state),
                    false => one_step.compare(&name, &state, &recorded.state),
                }
                let numbers = |step: Step| [step.reward, f64::from(u8::from(step.terminated))];
                outcomes.compare(&name, &numbers(step), &numbers(recorded.step));
                steps += 1;

                // Once lost, a replay is not found again, even where errors shrink.
                if spread.bound() < LOST {
                    spread.advance(before, recorded.action, &recorded.state);
                }
                if spread.bound() < LOST {
                    environment.step(&[recorded.action], &mut observation);
                    let state = environment.state();
                    assert_eq!(observation, state.map(|x| x as f32), "{name}: observation");
                    free.compare(&name, &state, &recorded.state);
                    let relative = |state: &[f64; 4]| state.map(|x| x / spread.bound());
                    bounded.compare(&name, &relative(&state), &relative(&recorded.state));
                    followed += 1;
                }
            }
        }
        say(&format!("{}: {followed} of {steps} steps followed free-running", file.name));
        outcomes.finish();
        for comparison in [one_step, at_limits, free, bounded] {
            // A file may have no step near a limit, or no other.
            if !comparison.is_empty() {
                comparison.finish();
            }
        }
    }
}

/// Ten whole updates of each algorithm: losses, first gradients, parameters.
#[test]
fn updates() {
    for file in files(Kind::Updates) {
        for (variant, settings) in file.json["variants"].as_object().expect("variants") {
            let run = &file.json["runs"][format!("{variant}/float64")];
            let case = Case::new(&file, settings);
            let name = |what: &str| format!("{}, {variant}, {what}", file.name);
            replay::<Interpreter>(&case, run, &name("f64 interpreter"), 1e-9);
            // Against torch's float64 too, so that the whole error is ours. SAC-V's logarithm of a
            // saturated tanh is one that single precision cannot keep: torch drifts as far.
            let sac_v = file.json["init"].get("v").is_some();
            let tolerance = if sac_v { 1e-3 } else { 2e-6 };
            replay::<Plan>(&case, run, &name("f32 plan"), tolerance);
        }
    }
}

/// Makes the file's updates and compares losses, first gradients and parameters.
fn replay<P: Program + 'static>(case: &Case<'_>, run: &Value, name: &str, tolerance: f64) {
    let mut parameters = Comparison::new(format!("{name}, parameters"), tolerance);
    // A derivative of that logarithm keeps less than its value does.
    let loose = if tolerance > 1e-4 { 10.0 * tolerance } else { tolerance };
    let mut gradients = Comparison::new(format!("{name}, first gradients (relative)"), loose);
    let mut losses = Comparison::new(format!("{name}, losses (relative)"), tolerance);
    let mut agent = case.agent::<P>();
    let networks = agent.networks();
    let layers = |name: &str| {
        let network = networks.iter().find(|(own, _)| *own == name);
        &network.unwrap_or_else(|| panic!("the agent has no network `{name}`")).1
    };
    for index in 0..case.updates() {
        case.update(&mut *agent, index);
        let reported = reported(&*agent);
        for (key, wanted) in run["losses"][index].as_object().expect("losses") {
            let found = reported.iter().find(|(name, _)| name == key);
            let (_, got) = found.unwrap_or_else(|| panic!("{name}: nothing reports `{key}`"));
            losses.compare_relative(key, &[*got], &[wanted.as_f64().expect("a number")]);
        }
        let empty = serde_json::Map::new();
        if index == 0 {
            let wanted = run.get("grads_first_update").and_then(Value::as_object);
            for (key, wanted) in wanted.unwrap_or(&empty) {
                let got = gradient(agent.params(), layers(key));
                gradients.compare_relative(key, &got, &to_ours(wanted, layers(key)));
            }
        }
        let wanted = run["params_after"].get((index + 1).to_string()).and_then(Value::as_object);
        for (key, wanted) in wanted.unwrap_or(&empty) {
            let got = values(agent.params(), layers(key));
            parameters.compare(key, &got, &to_ours(wanted, layers(key)));
        }
    }
    losses.finish();
    if run.get("grads_first_update").is_some() {
        gradients.finish();
    }
    parameters.finish();
}

/// Single losses that a course published: M3 in its code form, and in its text form.
#[test]
fn single_losses() {
    for file in files(Kind::Losses) {
        for (test, json) in file.json["tests"].as_object().expect("tests") {
            let mut interpreter =
                Comparison::new(format!("{}, {test}, f64 interpreter", file.name), 1e-6);
            let mut plan = Comparison::new(format!("{}, {test}, f32 plan", file.name), 1e-6);
            for Compared { name, got, wanted } in losses::<Interpreter>(test, json) {
                interpreter.compare(&name, &[got], &[wanted]);
            }
            for Compared { name, got, wanted } in losses::<Plan>(test, json) {
                plan.compare(&name, &[got], &[wanted]);
            }
            interpreter.finish();
            plan.finish();
        }
    }
}
