//! How good a policy is: its blob, run from fixed starts with the bits of `policy-core`.

mod together;

use std::collections::HashSet;

use policy_core::ActError;
use serde::{Deserialize, Serialize};

use crate::control::{Control, Gauge};
use crate::envs::{self, Starting};
use crate::interface::{Environments, Spec};
use crate::numbers::{Grammar, mistake, rewrite};
use crate::policy::{AnyPolicy, Batched};
use crate::rng::{Stream, stream};
use crate::settings::ConfigError;
use crate::statistics;
use together::Together;

/// States beyond ± this are taken for mistakes.
pub const MAX_STATE: f64 = 1e6;

/// Episodes that run at the same time.
const MOST_TOGETHER: usize = 256;

/// Initial states, with the best return that is known from each where there is one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// States `[state_size]`.
    pub states: Vec<Vec<f64>>,
    /// The best known return from each state; empty where there is none.
    ///
    /// Those of the pendulum were found by dynamic programming on a grid, and then run: they can be reached, and are lower
    /// bounds of the best possible ones, which nobody knows (docs/reading-results.md).
    pub best_known_returns: Vec<f64>,
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

impl Starts {
    /// The starts of the environment of an `[environment]` table, always the same ones: for the
    /// pendulum, 200 random ones with the best known returns from them.
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
                Ok(Starts { states, best_known_returns: Vec::new() })
            }
        }
    }

    /// A JSON array of states, `[[θ, θ̇], …]`, each taken once, and how many were left out since they are there already.
    /// More columns than a state has are ignored.
    ///
    /// # Errors
    ///
    /// If the text is not such an array, is empty, or has a state that is too short or not finite.
    pub fn from_json(origin: &str, text: &str, spec: &Spec) -> Result<(Starts, usize), EvalError> {
        let wrong = |message: String| EvalError::Starts { origin: origin.into(), message };
        let size = spec.state_size;
        let shape = format!("needed is a JSON array of states of {size} numbers, [[…], …]");
        let states = serde_json::from_str(&rewrite(text, Grammar::Json));
        let mut states: Vec<Vec<f64>> = states.map_err(|error| {
            let mistake = mistake(text, Grammar::Json);
            let hint = mistake.and_then(|(line, number, refusal)| {
                Some(format!("; line {line}, `{number}`: {}", refusal.hint()?))
            });
            wrong(format!("{shape}: {error}{}", hint.unwrap_or_default()))
        })?;
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
        let all = states.len();
        // A start that counts twice would make figures look surer than they are. Adding 0 makes 0 of −0.
        let mut seen = HashSet::new();
        states.retain(|state| {
            seen.insert(state.iter().map(|x| (x + 0.0).to_bits()).collect::<Vec<_>>())
        });
        let left_out = all - states.len();
        Ok((Starts { states, best_known_returns: Vec::new() }, left_out))
    }

    /// Environments of a table to run episodes from these starts in, many at a time.
    ///
    /// # Errors
    ///
    /// If the table makes none.
    pub fn environments(&self, table: &toml::Table) -> Result<Box<dyn Environments>, ConfigError> {
        envs::make_many(table, self.states.len().clamp(1, MOST_TOGETHER))
    }

    /// Mean of the best known returns.
    pub fn best_known_mean(&self) -> Option<f64> {
        let n = self.best_known_returns.len();
        (n > 0).then(|| self.best_known_returns.iter().sum::<f64>() / n as f64)
    }
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
    use crate::envs::Pendulum;
    use crate::interface::Environment;

    #[test]
    fn statistics() {
        let e = Evaluation::new(vec![-1.0, -3.0, -5.0], 3);
        assert_eq!((e.mean, e.worst), (-3.0, -5.0));
        assert!((e.standard_error.unwrap() - 2.0 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Evaluation::new(vec![-3.0], 1).standard_error, None);
        assert_eq!(Evaluation::new(vec![1000.0; 100], 100).standard_error, None);
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
        assert_eq!((starts.states.len(), starts.best_known_returns.len()), (200, 200));
        assert!((starts.best_known_mean().unwrap() + 141.405_523_867).abs() < 1e-6);
    }

    #[test]
    fn starts_from_json() {
        let pendulum = Pendulum::new();
        let counted = |text| Starts::from_json("starts.json", text, pendulum.spec());
        let read = |text| counted(text).map(|(starts, _)| starts);
        let (starts, left_out) =
            counted("[[1, 2], [0, 1], [1, 2, 3], [-0.0, 1.0], [1, 3]]").unwrap();
        assert_eq!((starts.states.len(), left_out), (3, 2), "in their order: {:?}", starts.states);
        assert_eq!(starts.states[1], [0.0, 1.0]);
        assert_eq!(read("[[1, 2, 3], [4, 5]]").unwrap().states, [[1.0, 2.0], [4.0, 5.0]]);
        assert_eq!(read("[[.5, 1.], [+5, 1e-1]]").unwrap().states, [[0.5, 1.0], [5.0, 0.1]]);
        for (text, hint) in [
            ("[[1, nan]]", "line 1, `nan`: a number must be finite"),
            ("[[1, 2],\n[1, −5]]", "line 2, `−5`: the sign of a number is a hyphen"),
            ("[[0x1, 2]]", "`0x1`: a number is written in decimal digits"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
        for text in ["[[1]]", "[]", "{\"a\": 1}", "[[1, 2], [\"x\", 2]]", "[[1e200, 0]]", ""] {
            assert!(read(text).unwrap_err().to_string().starts_with("starts.json: needed is"));
        }
    }
}
