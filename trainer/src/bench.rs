//! What training costs: time and multiplications.

use std::time::{Duration, Instant};

use crate::config::RunConfig;
use crate::envs;
use crate::interface::Algorithm;
use crate::linalg::{self, Multiplications};
use crate::replay::{Minibatch, Replay, Transition};
use crate::rng::{Rng, Stream, stream};
use crate::run::{RunError, Start, processor_time, start};
use crate::train::{Unobserved, train};

/// Transitions to learn from.
const EXPERIENCE: usize = 10_000;
/// Updates after which an algorithm repeats itself, or a multiple: policies may be updated at every
/// second one.
const PERIOD: usize = 2;
/// Periods whose multiplications are counted, for the zeros are not the same ones in each.
const COUNTED: usize = 5;
/// Updates before the time counts.
const WARM_UP: usize = 20;

/// An agent with experience to learn from, which it collected at random.
#[allow(missing_debug_implementations, reason = "agents are trait objects")]
pub struct Learner {
    agent: Box<dyn Algorithm>,
    replay: Replay,
    minibatch: Minibatch,
    replaying: Rng,
    noise: Rng,
}

/// What an update costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Time of the fastest updates, in s.
    pub seconds: f64,
    /// Multiplications of its matrix products, those included that add up the gradients of biases or
    /// that products leave out because a factor is 0.
    pub multiplications: f64,
    /// Those that are computed, on average of some before and some after the time was measured.
    pub computed: f64,
}

impl Learner {
    /// The agent of a run's settings before its first update.
    ///
    /// # Errors
    ///
    /// If the settings do not go together, or not with the environment.
    pub fn new(config: &RunConfig) -> Result<Self, RunError> {
        let Start { agent, .. } = start(config)?;
        let mut environment = envs::make(&config.environment)?;
        let (obs, act) = (environment.spec().observation_size(), environment.spec().action_size());
        let seed = config.training.seed;
        let [mut starting, mut exploring, replaying, noise] =
            [Stream::Environment, Stream::Exploration, Stream::Replay, Stream::Update]
                .map(|purpose| stream(seed, purpose));
        let mut replay = Replay::for_agent(&*agent, EXPERIENCE, obs, act);
        let (mut observation, mut next) = (vec![0.0; obs], vec![0.0; obs]);
        let mut stored = vec![0.0; act];
        environment.reset(&mut starting, &mut observation);
        for _ in 0..EXPERIENCE {
            agent.action_space().random(&mut exploring, &mut stored);
            let mut action = stored.clone();
            agent.action_space().to_environment(&mut action);
            let step = environment.step(&action, &mut next);
            replay.push(&Transition {
                observation: &observation,
                action: &stored,
                reward: step.reward as f32,
                next_observation: &next,
                not_terminated: if step.terminated { 0.0 } else { 1.0 },
                later_entropy: 0.0,
            });
            observation.copy_from_slice(&next);
            if step.terminated {
                environment.reset(&mut starting, &mut observation);
            }
        }
        let minibatch = Minibatch::new(config.training.batch_size, &replay);
        Ok(Learner { agent, replay, minibatch, replaying, noise })
    }

    /// One whole update from a minibatch of its own.
    pub fn update(&mut self) {
        self.replay.sample(&mut self.replaying, &mut self.minibatch);
        self.agent.update(&self.minibatch.batch(), &mut self.noise);
    }

    /// The cost of an update, measured for about that long.
    pub fn cost(&mut self, budget: Duration) -> Cost {
        (0..WARM_UP).for_each(|_| self.update());
        let mut count = self.count();
        let (begin, mut fastest) = (Instant::now(), f64::INFINITY);
        while fastest.is_infinite() || begin.elapsed() < budget {
            let turn = Instant::now();
            (0..PERIOD).for_each(|_| self.update());
            fastest = fastest.min(turn.elapsed().as_secs_f64());
        }
        count += self.count();
        let [all, computed] =
            [count.all, count.computed].map(|count| count as f64 / (2 * PERIOD * COUNTED) as f64);
        Cost { seconds: fastest / PERIOD as f64, multiplications: all, computed }
    }

    /// Multiplications of some updates.
    fn count(&mut self) -> Multiplications {
        linalg::count_multiplications(|| (0..PERIOD * COUNTED).for_each(|_| self.update()))
    }
}

/// Processor time of a whole run, collecting included, in s for each update; the run makes
/// about so many. Where the system does not tell that time, it is what went by.
///
/// # Errors
///
/// If the settings make no run, or training diverges.
pub fn whole_run(config: &RunConfig, updates: usize) -> Result<f64, RunError> {
    let mut config = config.clone();
    let t = &mut config.training;
    t.check()?;
    let iterations = updates.div_ceil(t.updates_per_iteration);
    t.steps = t.update_after + iterations * t.rollout_steps * t.environments;
    let Start { mut environments, mut agent } = start(&config)?;
    let (wall, processor) = (Instant::now(), processor_time());
    let updates = train(&mut *environments, &mut *agent, &config.training, &mut Unobserved)?;
    let used = processor_time().zip(processor).map(|(after, before)| after.saturating_sub(before));
    Ok(used.unwrap_or_else(|| wall.elapsed()).as_secs_f64() / updates.max(1) as f64)
}
