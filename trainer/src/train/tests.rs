//! The loop with an environment that counts and an agent that remembers.

mod collecting;

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::actions::ActionSpace;
use crate::autodiff::Params;
use crate::interface::{Batch, Environment, PolicyNetwork, Spec, Step, channel};
use crate::rng::Rng;
use rand_core::Rng as _;

/// What an environment was given: its actions, and the first number of each reset's generator.
#[derive(Debug, Clone, Default)]
struct Given {
    actions: Rc<RefCell<Vec<f32>>>,
    starts: Rc<RefCell<Vec<u32>>>,
}

/// Counts: its state is the number of steps since the reset, plus 100 for each episode, plus an
/// offset.
struct Counter {
    spec: Spec,
    state: f32,
    first: f32,
    terminal_after: f32,
    given: Given,
}

impl Counter {
    /// Truncated after 3 steps, terminal after `terminal_after`.
    fn new(terminal_after: f32, offset: f32) -> Self {
        let spec = Spec {
            name: "counter",
            observation: vec![channel("count", "", 0.0, f32::INFINITY)],
            state_size: 1,
            action: vec![channel("", "", -2.0, 4.0)],
            horizon: 3,
            period: 1.0,
        };
        Counter { spec, state: 0.0, first: offset, terminal_after, given: Given::default() }
    }
}

impl Environment for Counter {
    fn spec(&self) -> &Spec {
        &self.spec
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f32]) {
        self.given.starts.borrow_mut().push(rng.next_u32());
        self.first += 100.0;
        self.state = 0.0;
        observation[0] = self.first;
    }
    fn restore(&mut self, _: &[f64], _: &mut [f32]) {}
    fn save(&self) -> Vec<f64> {
        Vec::new()
    }
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!((-2.0..=4.0).contains(&action[0]));
        self.given.actions.borrow_mut().push(action[0]);
        self.state += 1.0;
        observation[0] = self.first + self.state;
        Step { reward: 1.0, terminated: self.state == self.terminal_after }
    }
}

/// A transition that was replayed: s, r, s′, 1 − d.
type Row = (f32, f32, f32, f32);

/// Learns nothing, but remembers the transitions that it was shown, and what it was told.
struct Memory {
    params: Params<f32>,
    actions: ActionSpace,
    seen: Vec<Row>,
    /// log π of each environment's action, if it has any.
    likelihoods: Option<Vec<f32>>,
    /// Later entropies that were replayed.
    entropies: Vec<f32>,
    calls: String,
}

impl Memory {
    fn new() -> Self {
        let actions = ActionSpace::continuous(&Counter::new(0.0, 0.0).spec, true);
        let (seen, entropies) = (Vec::new(), Vec::new());
        let (params, likelihoods, calls) = (Params::new(3), None, String::new());
        Memory { params, actions, seen, likelihoods, entropies, calls }
    }
}

impl Algorithm for Memory {
    fn action_space(&self) -> &ActionSpace {
        &self.actions
    }
    fn discount(&self) -> f64 {
        0.5
    }
    fn act(&mut self, _: &[f32], _: &mut [f32]) {}
    fn explore(&mut self, _: &[f32], _: &mut Rng, actions: &mut [f32]) {
        actions.fill(0.75); // 3.25 for the environment
    }
    fn log_likelihoods(&self) -> Option<&[f32]> {
        self.likelihoods.as_deref()
    }
    fn episode_started(&mut self, environment: usize) {
        self.calls += &environment.to_string();
    }
    fn iteration_ended(&mut self, progress: f64) {
        self.calls += "i";
        assert!((0.0..=1.0).contains(&progress));
    }
    fn update(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng) {
        self.update_critics(batch, rng);
        self.update_actor(batch, rng);
        self.update_targets();
    }
    fn update_critics(&mut self, batch: &Batch<'_, f32>, _: &mut Rng) {
        self.calls += "c";
        assert!(batch.action().iter().all(|a| (-1.0..=1.0).contains(a)), "not the agent's actions");
        let s = batch.observation().iter().zip(batch.next_observation());
        let r = batch.reward().iter().zip(batch.not_terminated());
        self.entropies.extend(batch.later_entropy());
        self.seen.extend(s.zip(r).map(|((s, next), (r, n))| (*s, *r, *next, *n)));
    }
    fn update_actor(&mut self, _: &Batch<'_, f32>, _: &mut Rng) {
        self.calls += "a";
    }
    fn update_targets(&mut self) {
        self.calls += "t";
    }
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
    fn losses_are_finite(&mut self) -> bool {
        self.params.value[1].is_finite()
    }
    fn value(&mut self, _: &[f32]) -> f32 {
        unreachable!("nothing is valued")
    }
    fn walk_networks(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.numbers(&mut self.params.value)
    }
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.walk_networks(walk)
    }
    fn parameters(&self) -> &Params<f32> {
        &self.params
    }
    fn policy(&self) -> PolicyNetwork<'_> {
        unreachable!("nothing is exported")
    }
}

fn config() -> TrainingConfig {
    TrainingConfig {
        seed: 1,
        steps: 200,
        environments: 1,
        rollout_steps: 1,
        reset_each_iteration: false,
        start_steps: 50,
        update_after: 100,
        updates_per_iteration: 2,
        separate_updates: false,
        actor_updates: 1,
        batch_size: 8,
        buffer_size: 150,
        reward_scale: 1.0,
        n_step: 1,
        truncation_is_terminal: false,
        select_every: 0,
    }
}

fn counters(count: usize, terminal_after: f32) -> Vec<Box<dyn Environment>> {
    boxed((0..count).map(|_| Counter::new(terminal_after, 0.0)).collect())
}

fn boxed(counters: Vec<Counter>) -> Vec<Box<dyn Environment>> {
    counters.into_iter().map(|counter| Box::new(counter) as Box<dyn Environment>).collect()
}

/// The agent after a run.
fn trained(terminal_after: f32, config: &TrainingConfig) -> Memory {
    let mut agent = Memory::new();
    let mut environments = counters(config.environments, terminal_after);
    train(&mut environments, &mut agent, config, &mut Unobserved).unwrap();
    agent
}

#[test]
fn running_out_of_time_is_not_terminal() {
    let agent = trained(f32::INFINITY, &config());
    assert_eq!(agent.seen.len(), 100 * 2 * 8);
    for (s, _, next, not_terminated) in agent.seen {
        assert_eq!(next, s + 1.0, "the true next observation, not the next episode's first");
        assert_eq!(not_terminated, 1.0);
    }
    let config = TrainingConfig { truncation_is_terminal: true, ..config() };
    for (_, _, next, not_terminated) in trained(f32::INFINITY, &config).seen {
        assert_eq!(not_terminated == 0.0, next % 100.0 == 3.0);
    }
}

#[test]
fn terminal_states_are_marked() {
    let seen = trained(2.0, &config()).seen;
    assert!(seen.iter().any(|(.., not_terminated)| *not_terminated == 0.0));
    for (s, r, next, not_terminated) in seen {
        assert_eq!((next, r), (s + 1.0, 1.0));
        assert_eq!(not_terminated == 0.0, next % 100.0 == 2.0);
    }
}

/// γ = ½: two steps make 1 + ½, three 1 + ½ + ¼, of rewards that are scaled by 2.
#[test]
fn returns_span_n_steps_but_no_episodes() {
    let config = TrainingConfig { n_step: 3, reward_scale: 2.0, ..config() };
    for (terminal_after, last, end) in [(f32::INFINITY, 3.0, 1.0), (2.0, 2.0, 0.0)] {
        for (s, r, next, not_terminated) in trained(terminal_after, &config).seen {
            assert_eq!(next % 100.0, last, "to the end of an episode of three steps or fewer");
            let factor = match next - s {
                1.0 => (2.0, 1.0),
                2.0 => (3.0, 0.5),
                _ => (3.5, 0.25),
            };
            assert_eq!((r, not_terminated), (factor.0, factor.1 * end), "{s} → {next}");
        }
    }
}

#[test]
fn updates_come_in_their_order() {
    let config = TrainingConfig {
        steps: 8,
        start_steps: 0,
        update_after: 0,
        rollout_steps: 2,
        environments: 2,
        ..config()
    };
    assert_eq!(trained(f32::INFINITY, &config).calls, "01catcati01catcati");
    let config = TrainingConfig { separate_updates: true, actor_updates: 3, ..config };
    assert_eq!(trained(f32::INFINITY, &config).calls, "01ccaaati01ccaaati");
    // Two of three steps, then a reset.
    let config = TrainingConfig { reset_each_iteration: true, ..config };
    let agent = trained(f32::INFINITY, &config);
    assert_eq!(agent.calls, "0101ccaaati01ccaaati");
    assert!(agent.seen.iter().all(|(_, _, next, not)| next % 100.0 < 3.0 && *not == 1.0));
}

#[test]
fn what_is_not_finite_stops_the_run() {
    let mut agent = Memory::new();
    agent.params.value[2] = f32::NAN;
    let mut environments = counters(1, f32::INFINITY);
    let error = train(&mut environments, &mut agent, &config(), &mut Unobserved).unwrap_err();
    assert!(error.to_string().starts_with("training diverged: parameter 2 is NaN at step 3"));
    // A loss is seen in its very iteration, not when an episode ends.
    let mut agent = Memory::new();
    agent.params.value[1] = f32::INFINITY;
    let config = TrainingConfig { update_after: 1, ..config() };
    let error = train(&mut environments, &mut agent, &config, &mut Unobserved).unwrap_err();
    assert!(error.to_string().starts_with("training diverged: parameter 1 is inf at step 2"));
}
