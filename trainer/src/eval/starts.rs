//! Where evaluations start.

use std::collections::HashSet;

use serde::Deserialize;

use super::EvalError;
use crate::envs::{self, Starting};
use crate::interface::{Environments, Spec};
use crate::numbers::{Grammar, mistake, rewrite};
use crate::rng::{Rng, Stream, stream};
use crate::settings::ConfigError;

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
                Starts::drawn(table, count, &mut stream(0, Stream::Evaluation))
            }
        }
    }

    /// States in which so many episodes begin; of the best returns from there nothing is known.
    ///
    /// # Errors
    ///
    /// If the table makes no environment.
    pub fn drawn(table: &toml::Table, count: usize, rng: &mut Rng) -> Result<Starts, ConfigError> {
        let mut environment = envs::make(table)?;
        let mut observation = vec![0.0; environment.spec().observation_size()];
        let mut draw = || {
            environment.reset(rng, &mut observation);
            environment.save()
        };
        let states = (0..count).map(|_| draw()).collect();
        Ok(Starts { states, best_known_returns: Vec::new() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envs::Pendulum;
    use crate::interface::Environment;

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
