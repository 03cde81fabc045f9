//! The trained network and the exported policy, for every kind of policy, and for actions of
//! several entries whose ranges are not symmetric; the same bits on every backend.

use policy_core::{Head, LogStdBound};
use tests::agents::{Arrays, Settings, values};
use trainer::algos::{self, Draws, Setup};
use trainer::autodiff::{Params, Plan, Program, Tape};
use trainer::config::RunConfig;
use trainer::export::{HostPolicy, export};
use trainer::interface::{Algorithm, Spec, channel};
use trainer::linalg::Backend;
use trainer::recording;
use trainer::rng::{Stream, stream};
use trainer::state::{StateError, Walk};

/// Entries of the observations here.
const OBSERVATION: usize = 4;

fn spec(actions: usize) -> Spec {
    let action = [channel("push", "N", -1.0, 3.0), channel("turn", "N·m", 2.0, 2.5)];
    Spec {
        name: "made-up",
        observation: vec![channel("entry", "", -1.0, 1.0); OBSERVATION],
        state_size: 4,
        action: action[..actions].to_vec(),
        horizon: 10,
        period: 0.1,
    }
}

/// A policy of each kind: preset, settings over it, entries of an action, name of its head.
const POLICIES: &[(&str, &[&str], usize, &str)] = &[
    ("sac", &["hidden=[24, 16]"], 2, "SquashedGaussian"),
    ("sac", &["hidden=[24, 16]", "activation=tanh"], 2, "SquashedGaussian"),
    ("sac", &["log_std_form=clamp"], 2, "SquashedGaussian"),
    ("sac", &["log_std_form=clamp", "activation=tanh"], 2, "SquashedGaussian"),
    ("sac", &["normalise_actions=true"], 2, "SquashedGaussian"),
    ("sac", &["policy=deterministic", "learn_alpha=false", "alpha=0"], 2, "Tanh"),
    ("sac-v", &[], 2, "SquashedGaussian"),
    ("sac-v", &["normalise_actions=true"], 2, "SquashedGaussian"),
    ("hw2-sac-m1", &[], 2, "ClampedGaussian"),
    ("hw2-sac-m3", &[], 2, "ClampedGaussian"),
    ("ddpg", &[], 2, "Tanh"),
    ("ddpg", &["critic=branched", "normalise_actions=true"], 2, "Tanh"),
    ("ddpg", &["actor_output=clamp"], 2, "Clamp"),
    ("td3", &[], 2, "Tanh"),
    ("td3", &["normalise_actions=true", "activation=tanh"], 2, "Tanh"),
    ("dqn", &["grid_points=7"], 1, "Grid"),
    ("double-dqn", &[], 1, "Grid"),
];

fn agent(preset: &str, settings: &[&str], actions: usize) -> Box<dyn Algorithm> {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let config = RunConfig::resolve(Some(preset), None, &settings).unwrap();
    let setup = Setup {
        spec: &spec(actions),
        batch_size: 32,
        environments: 1,
        n_step: 1,
        actor_updates: None,
    };
    let rng = &mut stream(1, Stream::Initialisation);
    algos::make(&config.algorithm, &config.agent, &setup, rng).unwrap()
}

#[test]
fn the_exported_policy_is_the_trained_one() {
    let observations = recording::observations(3_000, OBSERVATION, 1);
    let rows = observations.chunks_exact(OBSERVATION);
    let ordinary: Vec<&[f32]> = rows.filter(|o| o.iter().all(|x| x.abs() < 50.0)).collect();
    for (preset, settings, actions, head) in POLICIES {
        let case = format!("{preset} {settings:?}");
        let mut agent = agent(preset, settings, *actions);
        let spec = spec(*actions);
        let blob = export(&agent.policy(), &spec, 0).unwrap();
        let policy = HostPolicy::from_bytes(blob.bytes()).unwrap();
        let found = format!("{:?}", policy.head());
        assert!(found.starts_with(&format!("{head} {{")), "{case}: {found}");

        let (mut trained, mut differ) = (vec![0.0; *actions], 0);
        let mut seen: Vec<u32> = Vec::new();
        for observation in &ordinary {
            agent.act(observation, &mut trained);
            let exported = policy.act(observation).unwrap();
            let close = |(t, e): (&f32, &f32)| (t - e).abs() < 2e-5;
            differ += usize::from(!trained.iter().zip(&exported).all(close));
            for (j, a) in exported.iter().enumerate() {
                let (low, high) = (spec.action[j].low, spec.action[j].high);
                assert!((low..=high).contains(a), "{case}: {a}");
            }
            seen.push(exported[0].to_bits());
        }
        // Where two actions of a grid are worth the same but for rounding, either may be taken.
        let most = if *head == "Grid" { ordinary.len() / 500 } else { 0 };
        assert!(differ <= most, "{case}: {differ} of {} differ", ordinary.len());
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 1, "{case}: always the same action");
    }
}

#[test]
fn bounds_of_log_sigma_are_exported() {
    for (form, wanted) in [
        ("clamp", LogStdBound::Clamp { min: -5.0, max: 2.0 }),
        ("tanh", LogStdBound::Tanh { min: -5.0, max: 2.0 }),
    ] {
        let agent = agent("sac", &[&format!("log_std_form={form}")], 2);
        let Head::SquashedGaussian { log_std, .. } = agent.policy().head else { panic!("{form}") };
        assert_eq!(log_std, wanted);
    }
}

#[test]
fn exploring_is_random_and_within_bounds() {
    for (preset, settings, actions, _) in POLICIES {
        let mut agent = agent(preset, settings, *actions);
        let mut rng = stream(1, Stream::Exploration);
        let range = agent.action_space().range();
        let (low, high) = (range.low, range.high);
        let noisy = settings.contains(&"policy=deterministic");
        let slack = if noisy { 0.25 } else { 0.0 };
        for j in 0..*actions {
            let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
            for _ in 0..1000 {
                let mut action = vec![0.0; *actions];
                agent.explore(&[0.1, -0.2, 0.3, 0.4], &mut rng, &mut action);
                least = least.min(f64::from(action[j]));
                largest = largest.max(f64::from(action[j]));
            }
            let case = format!("{preset} {settings:?}: {least} to {largest}");
            assert!(least >= low[j] - slack && largest <= high[j] + slack, "{case}");
            assert!(largest - least > 0.1 * (high[j] - low[j]), "{case}");
        }
    }
}

/// Mean and log σ of each action are heads of their own to Xavier's rule.
#[test]
fn actor_heads_start_as_layers_of_their_own() {
    let mut settings = Settings::of_preset("sac");
    settings.set("initialisation", "xavier-uniform");
    settings.set("hidden", vec![20]);
    let mut agent = settings.agent::<Plan>(&spec(2), 32);
    let networks = agent.networks();
    let (_, layers) = networks.iter().find(|(name, _)| *name == "actor").unwrap();
    let most = values(agent.params(), &layers[1..]).iter().fold(0.0_f64, |m, w| m.max(w.abs()));
    let bound = |outputs: f64| (6.0 / (20.0 + outputs)).sqrt();
    assert!(most > bound(4.0) && most <= bound(2.0), "{most}");
}

/// A plan with the products of the portable backend.
struct Portable(Plan);

impl Program for Portable {
    type Scalar = f32;
    fn from_tape(tape: Tape) -> Self {
        let portable = *Backend::available().last().expect("one is always there");
        Portable(Plan::new(&tape, portable))
    }
    fn run(&mut self, params: &mut Params<f32>, inputs: &[&[f32]]) {
        self.0.run(params, inputs);
    }
    fn kept(&self, index: usize) -> &[f32] {
        self.0.kept(index)
    }
    fn loss(&self) -> f32 {
        self.0.loss()
    }
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.0.walk(walk)
    }
}

/// 50 whole updates of every algorithm: the bits of all parameters do not depend on the
/// processor's instructions.
#[test]
fn updates_have_the_same_bits_on_every_backend() {
    fn parameters<P: Program<Scalar = f32> + 'static>(preset: &str, actions: usize) -> Vec<u32> {
        let (spec, rows) = (spec(actions), 32);
        let mut agent = Settings::of_preset(preset).agent::<P>(&spec, rows);
        for update in 0..50 {
            let numbers = |length: usize, of: u64| -> Vec<f32> {
                let numbers = recording::observations(rows, length, 10 * update + of);
                numbers.iter().map(|x| if x.abs() < 9.0 { *x } else { 1.0 }).collect()
            };
            let mut a = numbers(actions, 1);
            if preset.contains("dqn") {
                // Indices of a grid of two points or more.
                a.iter_mut().for_each(|a| *a = f32::from(*a > 0.0));
            }
            let s = numbers(OBSERVATION, 0);
            let (r, next_s) = (numbers(1, 2), numbers(OBSERVATION, 3));
            let not_terminated = numbers(1, 4).iter().map(|x| f32::from(*x < 1.0)).collect();
            let arrays = Arrays::new(&spec, rows, [s, a, r, next_s, not_terminated]);
            let [target, actor, temperature] = [5, 6, 7].map(|of| numbers(actions, of));
            agent.update(&arrays.batch(), &Draws { target, actor, temperature });
        }
        agent.params().value.iter().map(|x| x.to_bits()).collect()
    }
    for (preset, actions) in
        [("sac", 2), ("sac-v", 2), ("hw2-sac-m3", 2), ("ddpg", 2), ("td3", 2), ("double-dqn", 1)]
    {
        let (plan, portable) =
            (parameters::<Plan>(preset, actions), parameters::<Portable>(preset, actions));
        assert!(plan == portable, "{preset}");
    }
}
