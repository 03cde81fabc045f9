//! How good a policy is: its blob, run from fixed starts with the bits of `policy-core`.

mod starts;
mod together;

pub use starts::{MAX_STATE, Starts};

use policy_core::ActError;
use serde::Serialize;

use crate::control::{Control, Gauge};
use crate::interface::{Environments, Spec};
use crate::policy::{AnyPolicy, Batched};
use crate::statistics;
use together::Together;

/// Why a policy cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The starts are not what an evaluation needs.
    #[error("{origin}: {message}")]
    Starts {
        /// The file.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// The policy is for another machine.
    #[error(
        "the policy takes {found_observation} observations and gives {found_action} actions, `{environment}` has {observation} and {action}"
    )]
    Shape {
        /// Name of the environment.
        environment: &'static str,
        /// Entries of its observation.
        observation: usize,
        /// Entries of its action.
        action: usize,
        /// Entries that the policy takes.
        found_observation: usize,
        /// Entries that the policy gives.
        found_action: usize,
    },
    /// The policy gave no action.
    #[error("start {start}, step {step}: {error}")]
    Act {
        /// Index of the start.
        start: usize,
        /// Step of the episode.
        step: usize,
        /// Why.
        error: ActError,
    },
}

/// Returns over a set of starts, undiscounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Mean return.
    pub mean: f64,
    /// Standard error of the mean over the starts; `None` of one start, or where all returns are the same.
    pub standard_error: Option<f64>,
    /// The lowest return.
    pub worst: f64,
    /// Episodes that lasted to their horizon.
    pub full_episodes: usize,
    /// What the policy does at its machine's goal; `None` where nothing can be said of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// The return from each start.
    pub returns: Vec<f64>,
}

/// A state of an episode, from the first to the last, and what the policy does in it.
///
/// Those of one start come in their order; in between there may be some of other starts.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Index of the start.
    pub start: usize,
    /// Periods since then.
    pub step: usize,
    /// The machine's state `[state_size]`.
    pub state: &'a [f64],
    /// What the policy sees of it, `[observation_size]`.
    pub observation: &'a [f32],
    /// What comes next.
    pub then: Then<'a>,
}

/// What comes after a state of an episode.
#[derive(Debug, Clone, Copy)]
pub enum Then<'a> {
    /// The policy acts.
    Acts {
        /// Its action `[action_size]`.
        action: &'a [f32],
        /// What the machine gives for it.
        reward: f64,
    },
    /// Nothing: the episode is over.
    Ends {
        /// In a terminal state, and not at the horizon.
        terminated: bool,
    },
}

impl Evaluation {
    /// Statistics of the returns; nothing is said of control.
    pub(crate) fn new(returns: Vec<f64>, full_episodes: usize) -> Self {
        let mean = statistics::mean(&returns);
        let standard_error = statistics::standard_error(&returns);
        let worst = returns.iter().copied().fold(f64::INFINITY, f64::min);
        Evaluation { mean, standard_error, worst, full_episodes, control: None, returns }
    }

    /// How far the mean lies below the best known one, in percent of it: less than 0 is better than that.
    pub fn gap_percent(&self, best_known_mean: f64) -> f64 {
        gap_percent(self.mean, best_known_mean)
    }
}

/// 100 (best known − mean) / |best known|
pub fn gap_percent(mean: f64, best_known_mean: f64) -> f64 {
    100.0 * (best_known_mean - mean) / best_known_mean.abs()
}

/// Runs the policy for one episode from each start, in as many environments at once as there are.
///
/// # Errors
///
/// If the policy is not one for this environment, or refuses an observation.
pub fn evaluate(
    policy: &AnyPolicy<'_>,
    environments: &mut dyn Environments,
    starts: &Starts,
) -> Result<Evaluation, EvalError> {
    evaluate_watching(policy, environments, starts, |_| ())
}

/// The same; `watch` sees each moment.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_watching(
    policy: &AnyPolicy<'_>,
    environments: &mut dyn Environments,
    starts: &Starts,
    mut watch: impl FnMut(&Moment<'_>),
) -> Result<Evaluation, EvalError> {
    check_shape(policy, environments.spec())?;
    let spec = environments.spec().clone();
    let mut gauge = Gauge::new(&spec, starts.states.len());
    let mut show = |moment: &Moment<'_>| {
        let Moment { start, state, .. } = *moment;
        match (&mut gauge, moment.then) {
            (Some(gauge), Then::Acts { action, .. }) => gauge.acts(start, state, action),
            (Some(gauge), Then::Ends { terminated }) => gauge.ends(start, state, terminated),
            (None, _) => {}
        }
        watch(moment);
    };
    let mut returns = vec![0.0; starts.states.len()];
    let mut full_episodes = 0;
    let mut batched = Batched::new(policy);
    let count = environments.count();
    let mut together = Together::new(&spec, count);
    for (index, states) in starts.states.chunks(count).enumerate() {
        together.begin(environments, index * count, states);
        for step in 0..spec.horizon {
            together.step(environments, &mut batched, &mut returns, step, &mut show)?;
        }
        full_episodes += together.end(environments, spec.horizon, &mut show);
    }
    let control = gauge.map(|gauge| gauge.control());
    Ok(Evaluation { control, ..Evaluation::new(returns, full_episodes) })
}

pub(crate) fn check_shape(policy: &AnyPolicy<'_>, spec: &Spec) -> Result<(), EvalError> {
    let found = (policy.observation_size(), policy.action_size());
    let needed = (spec.observation_size(), spec.action_size());
    if found == needed {
        return Ok(());
    }
    Err(EvalError::Shape {
        environment: spec.name,
        observation: needed.0,
        action: needed.1,
        found_observation: found.0,
        found_action: found.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics() {
        let e = Evaluation::new(vec![-1.0, -3.0, -5.0], 3);
        assert_eq!((e.mean, e.worst), (-3.0, -5.0));
        assert!((e.standard_error.unwrap() - 2.0 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Evaluation::new(vec![-3.0], 1).standard_error, None);
        assert_eq!(Evaluation::new(vec![1000.0; 100], 100).standard_error, None);
        assert!((e.gap_percent(-2.0) - 50.0).abs() < 1e-12);
    }
}
