//! A run that goes on from its written state is the unbroken one, in every bit of its state: for every
//! preset, at moments drawn at random.

use rand_core::Rng as _;
use trainer::config::RunConfig;
use trainer::presets;
use trainer::rng::{Rng, Stream, index, stream};
use trainer::run::{Start, start};
use trainer::state::Walk;
use trainer::train::{Episode, Observer, TrainError, Training};

/// Moments at which each preset is interrupted.
const MOMENTS: usize = 5;

/// Small networks, few steps, a buffer that overflows, returns over three steps.
const SMALL: [&str; 12] = [
    "hidden=[8, 8]",
    "steps=400",
    "start_steps=30",
    "update_after=60",
    "batch_size=8",
    "buffer_size=150",
    "updates_per_iteration=2",
    "n_step=3",
    "rollout_steps=2",
    "gamma=0.95",
    "target_update_interval=3",
    "final_learning_rate_factor=0.1",
];

/// What was told of every episode.
#[derive(Debug, Default, PartialEq)]
struct Told(Vec<String>);

impl Observer for Told {
    fn on_step(&mut self, _step: usize) {}
    fn on_episode(&mut self, episode: &Episode<'_>) -> Result<(), TrainError> {
        self.0.push(format!("{episode:?}"));
        Ok(())
    }
}

fn state(training: &mut Training<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    training.walk(&mut Walk::writing(&mut bytes)).unwrap();
    bytes
}

/// The state after each iteration, and what was told, of an unbroken run.
fn unbroken(config: &RunConfig) -> (Vec<Vec<u8>>, Told) {
    let (Start { mut environments, mut agent }, mut told) =
        (start(config).unwrap(), Told::default());
    let mut training = Training::new(&mut *environments, &mut *agent, &config.training);
    let mut states = Vec::new();
    while !training.is_over() {
        training.iterate(&mut told).unwrap();
        states.push(state(&mut training));
    }
    (states, told)
}

/// The last state of a run that goes on from a written one, and what was told since.
fn resumed(config: &RunConfig, from: &[u8]) -> (Vec<u8>, Told) {
    let (Start { mut environments, mut agent }, mut told) =
        (start(config).unwrap(), Told::default());
    let mut training = Training::new(&mut *environments, &mut *agent, &config.training);
    let mut walk = Walk::reading(from);
    training.walk(&mut walk).unwrap();
    walk.end().unwrap();
    assert!(state(&mut training) == from, "what was read is what was written");
    while !training.is_over() {
        training.iterate(&mut told).unwrap();
    }
    (state(&mut training), told)
}

fn small(preset: &str) -> RunConfig {
    let mut settings = SMALL.map(String::from).to_vec();
    // Separate updates have a schedule of their own.
    if presets::table(preset).unwrap()["agent"].get("policy_delay").is_some() {
        settings.push("policy_delay=2".into());
    }
    // It keeps no entropy of the steps between.
    if preset == "hw2-sac-m3" {
        settings.push("n_step=1".into());
    }
    RunConfig::resolve(Some(preset), None, &settings).unwrap()
}

#[test]
fn every_preset_goes_on_from_any_moment() {
    let mut rng: Rng = stream(20, Stream::Recording);
    for (preset, _) in presets::ALL {
        let config = small(preset);
        let (states, told) = unbroken(&config);
        assert!(!told.0.is_empty(), "{preset}: no episode ended");
        let last = &states[states.len() - 1];
        for _ in 0..MOMENTS {
            let at = index(&mut rng, states.len());
            let (end, since) = resumed(&config, &states[at]);
            assert!(end == *last, "{preset}: interrupted after iteration {at}");
            let all = &told.0;
            assert!(all.ends_with(&since.0), "{preset}: told other things after iteration {at}");
        }
    }
}

/// Bytes that pass for a state may be anything: they are refused, or taken, but nothing panics and
/// nothing is read beyond them.
#[test]
fn altered_states_do_no_harm() {
    let config = small("sac");
    let (states, _) = unbroken(&config);
    let whole = &states[states.len() - 1];
    let mut rng: Rng = stream(21, Stream::Recording);
    let (mut refused, count) = (0, 300);
    for _ in 0..count {
        let mut bytes = whole.clone();
        bytes.truncate(index(&mut rng, whole.len() + 1));
        for _ in 0..index(&mut rng, 4) {
            let at = index(&mut rng, whole.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.next_u32() as u8;
            }
        }
        let Start { mut environments, mut agent } = start(&config).unwrap();
        let mut training = Training::new(&mut *environments, &mut *agent, &config.training);
        refused += usize::from(training.walk(&mut Walk::reading(&bytes)).is_err());
    }
    assert!(refused > count * 9 / 10, "{refused} of {count}: a state that ends early is refused");
}

#[test]
fn states_of_other_settings_are_refused() {
    let config = small("td3");
    let (states, _) = unbroken(&config);
    for settings in ["hidden=[9, 8]", "environments=2", "buffer_size=100"] {
        let mut other = SMALL.map(String::from).to_vec();
        other.push(settings.into());
        let config = RunConfig::resolve(Some("td3"), None, &other).unwrap();
        let Start { mut environments, mut agent } = start(&config).unwrap();
        let mut training = Training::new(&mut *environments, &mut *agent, &config.training);
        let mut walk = Walk::reading(&states[states.len() - 1]);
        let read = training.walk(&mut walk).and_then(|()| walk.end());
        assert!(read.is_err(), "{settings}");
    }
}
