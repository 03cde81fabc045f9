//! How good a policy is: its blob, run by `policy-core` from fixed starts.

use policy_core::ActError;
use serde::{Deserialize, Serialize};

use crate::envs::{self, Starting};
use crate::interface::{Environment, Spec};
use crate::policy::AnyPolicy;
use crate::rng::{Stream, stream};
use crate::settings::ConfigError;

/// States beyond ± this are taken for mistakes.
pub const MAX_STATE: f64 = 1e6;

/// Initial states, with the best return that is possible from each where it is known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// States `[state_size]`.
    pub states: Vec<Vec<f64>>,
    /// The optimal return from each state; empty where unknown.
    pub optimal_returns: Vec<f64>,
}

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
    /// Standard error of the mean over the starts.
    pub standard_error: f64,
    /// The lowest return.
    pub worst: f64,
    /// Episodes that lasted to their horizon.
    pub full_episodes: usize,
    /// The return from each start.
    pub returns: Vec<f64>,
}

impl Evaluation {
    /// Statistics of the returns.
    pub(crate) fn new(returns: Vec<f64>, full_episodes: usize) -> Self {
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
        let variance = if n > 1.0 { squares / (n - 1.0) } else { 0.0 };
        let worst = returns.iter().copied().fold(f64::INFINITY, f64::min);
        let standard_error = (variance / n).sqrt();
        Evaluation { mean, standard_error, worst, full_episodes, returns }
    }

    /// How far the mean lies below the optimal one, in percent of it: 0 is perfect.
    pub fn gap_percent(&self, optimal_mean: f64) -> f64 {
        gap_percent(self.mean, optimal_mean)
    }
}

/// 100 (optimal − mean) / |optimal|
pub fn gap_percent(mean: f64, optimal_mean: f64) -> f64 {
    100.0 * (optimal_mean - mean) / optimal_mean.abs()
}

impl Starts {
    /// The starts of the environment of an `[environment]` table, always the same ones: for the
    /// pendulum, 200 random ones whose optimal returns were found by dynamic programming.
    ///
    /// # Errors
    ///
    /// If there is no such environment.
    pub fn builtin(table: &toml::Table) -> Result<Starts, ConfigError> {
        match envs::find(envs::name(table))?.starts {
            Starting::Fixed(json) => {
                Ok(serde_json::from_str(json).expect("every entry's starts are read by a test"))
            }
            Starting::Drawn(count) => {
                let mut environment = envs::make(table)?;
                let mut observation = vec![0.0; environment.spec().observation_size()];
                let mut rng = stream(0, Stream::Evaluation);
                let mut draw = || {
                    environment.reset(&mut rng, &mut observation);
                    environment.save()
                };
                let states = (0..count).map(|_| draw()).collect();
                Ok(Starts { states, optimal_returns: Vec::new() })
            }
        }
    }

    /// A JSON array of states, `[[θ, θ̇], …]`; more columns than a state has are ignored.
    ///
    /// # Errors
    ///
    /// If the text is not such an array, is empty, or has a state that is too short or not finite.
    pub fn from_json(origin: &str, text: &str, spec: &Spec) -> Result<Starts, EvalError> {
        let wrong = |message: String| EvalError::Starts { origin: origin.into(), message };
        let size = spec.state_size;
        let shape = format!("needed is a JSON array of states of {size} numbers, [[…], …]");
        let mut states: Vec<Vec<f64>> =
            serde_json::from_str(text).map_err(|error| wrong(format!("{shape}: {error}")))?;
        if states.is_empty() {
            return Err(wrong(format!("{shape}, this one is empty")));
        }
        for (index, state) in states.iter_mut().enumerate() {
            if state.len() < size {
                return Err(wrong(format!("{shape}, state {index} has {}", state.len())));
            }
            state.truncate(size);
            if let Some(x) = state.iter().find(|x| x.abs() > MAX_STATE) {
                return Err(wrong(format!("{shape} up to ±{MAX_STATE}, state {index} has {x}")));
            }
        }
        Ok(Starts { states, optimal_returns: Vec::new() })
    }

    /// Mean of the optimal returns.
    pub fn optimal_mean(&self) -> Option<f64> {
        let n = self.optimal_returns.len();
        (n > 0).then(|| self.optimal_returns.iter().sum::<f64>() / n as f64)
    }
}

/// Runs the policy for one episode from each start.
///
/// # Errors
///
/// If the policy is not one for this environment, or refuses an observation.
pub fn evaluate(
    policy: &AnyPolicy<'_>,
    environment: &mut dyn Environment,
    starts: &Starts,
) -> Result<Evaluation, EvalError> {
    evaluate_watching(policy, environment, starts, |_, _| ())
}

/// The same; `watch` sees the environment, and the index of the start, in each state from the first to the last.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_watching(
    policy: &AnyPolicy<'_>,
    environment: &mut dyn Environment,
    starts: &Starts,
    mut watch: impl FnMut(usize, &dyn Environment),
) -> Result<Evaluation, EvalError> {
    check_shape(policy, environment.spec())?;
    let horizon = environment.spec().horizon;
    let mut observation = vec![0.0; environment.spec().observation_size()];
    let mut returns = Vec::with_capacity(starts.states.len());
    let mut full_episodes = starts.states.len();
    for (start, state) in starts.states.iter().enumerate() {
        environment.restore(state, &mut observation);
        watch(start, environment);
        let mut sum = 0.0;
        for step in 0..horizon {
            let action = policy.act(&observation);
            let action = action.map_err(|error| EvalError::Act { start, step, error })?;
            let outcome = environment.step(&action, &mut observation);
            watch(start, environment);
            sum += outcome.reward;
            if outcome.terminated {
                full_episodes -= 1;
                break;
            }
        }
        returns.push(sum);
    }
    Ok(Evaluation::new(returns, full_episodes))
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
    use crate::envs::Pendulum;

    #[test]
    fn statistics() {
        let e = Evaluation::new(vec![-1.0, -3.0, -5.0], 3);
        assert_eq!((e.mean, e.worst), (-3.0, -5.0));
        assert!((e.standard_error - 2.0 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert!((e.gap_percent(-2.0) - 50.0).abs() < 1e-12);
    }

    #[test]
    fn builtin_starts_are_whole() {
        for entry in envs::ALL {
            let table = envs::defaults(entry.name).unwrap();
            let starts = Starts::builtin(&table).unwrap();
            let environment = envs::make(&table).unwrap();
            assert_eq!(environment.spec().name, entry.name);
            let size = environment.spec().state_size;
            assert!(!starts.states.is_empty() && starts.states.iter().all(|s| s.len() == size));
        }
        let starts = Starts::builtin(&envs::defaults("pendulum").unwrap()).unwrap();
        assert_eq!((starts.states.len(), starts.optimal_returns.len()), (200, 200));
        assert!((starts.optimal_mean().unwrap() + 141.405_523_867).abs() < 1e-6);
    }

    #[test]
    fn starts_from_json() {
        let pendulum = Pendulum::new();
        let read = |text| Starts::from_json("starts.json", text, pendulum.spec());
        assert_eq!(read("[[1, 2, 3], [4, 5]]").unwrap().states, [[1.0, 2.0], [4.0, 5.0]]);
        for text in ["[[1]]", "[]", "{\"a\": 1}", "[[1, 2], [\"x\", 2]]", "[[1e200, 0]]", ""] {
            assert!(read(text).unwrap_err().to_string().starts_with("starts.json: needed is"));
        }
    }
}
