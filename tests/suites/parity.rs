//! The trained network and the exported policy, for every activation and bound, and for actions
//! of several entries whose ranges are not symmetric.

use policy_core::{Head, LogStdBound};
use trainer::algos::sac::{Config, Sac};
use trainer::autodiff::{Params, Plan, Program, Tape};
use trainer::config::RunConfig;
use trainer::export::{HostPolicy, export};
use trainer::interface::{Algorithm, Spec};
use trainer::linalg::Backend;
use trainer::recording;
use trainer::replay::{Minibatch, Replay, Transition};
use trainer::rng::{Stream, stream};

fn spec() -> Spec {
    Spec {
        name: "two-actions",
        observation_size: 4,
        state_size: 4,
        action_low: vec![-1.0, 2.0],
        action_high: vec![3.0, 2.5],
        horizon: 10,
        period: 0.1,
    }
}

fn config(settings: &[&str]) -> Config {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let config = RunConfig::resolve(Some("sac"), None, &settings).unwrap();
    Config::from_table(&config.agent).unwrap()
}

fn agent<P: Program>(settings: &[&str]) -> Sac<P> {
    Sac::new(config(settings), &spec(), 32, &mut stream(1, Stream::Initialisation)).unwrap()
}

#[test]
fn the_exported_policy_is_the_trained_one() {
    let observations = recording::observations(3_000, 4, 1);
    let ordinary = observations.chunks_exact(4).filter(|o| o.iter().all(|x| x.abs() < 50.0));
    for activation in ["relu", "tanh"] {
        for form in ["clamp", "tanh"] {
            let settings = [format!("activation={activation}"), format!("log_std_form={form}")];
            let settings: Vec<&str> =
                settings.iter().map(String::as_str).chain(["hidden=[24, 16]"]).collect();
            let mut agent: Sac<Plan> = agent(&settings);
            let blob = export(&Algorithm::policy(&agent), &spec()).unwrap();
            let policy = HostPolicy::from_bytes(blob.bytes()).unwrap();

            let Head::SquashedGaussian { log_std, .. } = &policy.header().head else { panic!() };
            let wanted = match form {
                "clamp" => LogStdBound::Clamp { min: -5.0, max: 2.0 },
                _ => LogStdBound::Tanh { min: -5.0, max: 2.0 },
            };
            assert_eq!(*log_std, wanted);
            let mut trained = [0.0; 2];
            for observation in ordinary.clone() {
                agent.act(observation, &mut trained);
                let exported = policy.act(observation).unwrap();
                for (trained, exported) in trained.iter().zip(&exported) {
                    assert!(
                        (trained - exported).abs() < 2e-5,
                        "{activation}, {form}: {trained} {exported}"
                    );
                }
                assert!((-1.0..=3.0).contains(&exported[0]) && (2.0..=2.5).contains(&exported[1]));
            }
        }
    }
}

#[test]
fn exploring_is_random_and_within_bounds() {
    let mut agent: Sac<Plan> = agent(&[]);
    let mut rng = stream(1, Stream::Exploration);
    let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for _ in 0..1000 {
        let mut action = [0.0; 2];
        agent.explore(&[0.1, -0.2, 0.3, 0.4], &mut rng, &mut action);
        for (j, a) in action.iter().enumerate() {
            low[j] = low[j].min(*a);
            high[j] = high[j].max(*a);
        }
    }
    assert!(low[0] >= -1.0 && high[0] <= 3.0 && high[0] - low[0] > 1.0, "{low:?} {high:?}");
    assert!(low[1] >= 2.0 && high[1] <= 2.5 && high[1] - low[1] > 0.1, "{low:?} {high:?}");
}

/// Mean and log σ of each action are heads of their own to Xavier's rule.
#[test]
fn actor_heads_start_as_layers_of_their_own() {
    let agent: Sac<Plan> = agent(&["initialisation=xavier-uniform", "hidden=[20]"]);
    let (weights, _) = agent.networks().actor.network.layer(&agent.params, 1);
    let most = weights.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    let bound = |outputs: f32| (6.0 / (20.0 + outputs)).sqrt();
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
}

/// 50 whole updates: the bits of all parameters do not depend on the processor's instructions.
#[test]
fn updates_have_the_same_bits_on_every_backend() {
    fn parameters<P: Program<Scalar = f32>>() -> Vec<u32> {
        let mut agent: Sac<P> = agent(&[]);
        let mut replay = Replay::new(200, 4, 2);
        for row in recording::observations(200, 12, 3).chunks_exact(12) {
            let x: Vec<f32> = row.iter().map(|x| if x.abs() < 9.0 { *x } else { 1.0 }).collect();
            replay.push(&Transition {
                observation: &x[0..4],
                action: &x[4..6],
                reward: x[6],
                next_observation: &x[7..11],
                terminated: x[11] > 1.0,
            });
        }
        let mut minibatch = Minibatch::new(32, 4, 2);
        let mut rng = stream(1, Stream::Update);
        for _ in 0..50 {
            replay.sample(&mut rng, &mut minibatch);
            agent.update(&minibatch.batch(), &mut rng);
        }
        agent.params.value.iter().map(|x| x.to_bits()).collect()
    }
    assert!(parameters::<Plan>() == parameters::<Portable>());
}
