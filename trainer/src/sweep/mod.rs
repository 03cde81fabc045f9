//! Many runs of settings that vary: a grid, or random draws, over presets and seeds.
//!
//! ```toml
//! presets = ["sac", "td3"]
//! seeds = [101, 102, 103]          # or { first = 101, count = 3 }
//!
//! [settings]                       # for every trial
//! steps = 5000
//!
//! [grid]                           # every combination of these
//! gamma = [0.98, 0.99]
//! hidden = [[64, 64], [128, 128]]
//! ```
//!
//! or, in the place of `[grid]`,
//!
//! ```toml
//! [random]
//! trials = 20                      # draws; each with every preset and every seed
//! seed = 7                         # of the draws [default: 1]
//! actor_learning_rate = { low = 1e-4, high = 1e-2, scale = "log" }
//! gamma = { low = 0.9, high = 0.999 }
//! batch_size = { low = 32, high = 256 }              # two whole numbers: whole numbers are drawn
//! hidden = { choice = [[64, 64], [128, 128]] }
//! ```
//!
//! A *trial* is one of these settings with one seed. Its directory is named after what varies, as
//! `sac-gamma=0.98/seed-101`: more values, draws or seeds in the file leave those of before as they are, so
//! that finished ones are found again. `[settings]` do not show in the name: whether a finished trial has
//! the same ones is seen from its config.toml.

mod file;
mod name;

pub use file::{Setting, Space, SweepFile, Varied};

use std::collections::HashMap;

use crate::config::RunConfig;
use crate::run;
use crate::settings::ConfigError;

/// The most trials of one sweep.
pub const MOST: usize = 10_000;

/// All trials of a sweep, every one of them checked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is tried, with all seeds each.
    pub candidates: Vec<Candidate>,
    /// By candidate, then by seed.
    pub trials: Vec<Trial>,
    /// Last parts of the keys that vary.
    pub keys: Vec<String>,
    /// Draws that came out as one of before, and are not tried again.
    pub repeated: usize,
}

/// Settings to be tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Of its directory.
    pub name: String,
    /// What it starts from.
    pub preset: String,
    /// Last part of each key that varies, and its value.
    pub varied: Vec<Setting>,
}

/// A candidate with a seed.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Its candidate.
    pub candidate: usize,
    /// `CANDIDATE/seed-N`
    pub name: String,
    /// All of its settings.
    pub config: RunConfig,
}

/// Why there is no such sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// It was told to stop.
    #[error("interrupted before the first trial began")]
    Interrupted,
    /// It is no TOML; the error names the file and the line.
    #[error(transparent)]
    Toml(ConfigError),
    /// Its form is wrong.
    #[error(transparent)]
    File(ConfigError),
    /// The settings of a trial make no run.
    #[error("trial {trial}: {error}")]
    Trial {
        /// Its name.
        trial: String,
        /// What is wrong.
        error: Box<ConfigError>,
    },
    /// There are too many trials.
    #[error("{} trials are more than {MOST}: leave out some values or seeds", count.map_or("2⁶⁴ or more".into(), |count| count.to_string()))]
    Many {
        /// How many, unless that is beyond counting.
        count: Option<usize>,
    },
    /// Returns of different environments cannot be ranked.
    #[error(
        "trials {first} and {other} are on different environments, whose returns do not compare, {difference}: make a sweep of each"
    )]
    Environments {
        /// A trial.
        first: String,
        /// Another trial.
        other: String,
        /// Where they differ.
        difference: String,
    },
    /// Two trials would share a directory.
    #[error("two trials would have the same directory {name}: leave one of them out")]
    Same {
        /// The directory.
        name: String,
    },
}

/// The trials of a file with that name and text. Before each candidate is checked, `goes_on` is told how many have been, and
/// of how many; where it gives false, there is no plan.
///
/// # Errors
///
/// If the file is not of its form, or any trial's settings make no run, or `goes_on` gives false.
pub fn plan(
    origin: &str,
    text: &str,
    goes_on: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Plan, SweepError> {
    let file = SweepFile::read(origin, text).map_err(|error| match error {
        ConfigError::Toml { .. } => SweepError::Toml(error),
        error => SweepError::File(error),
    })?;
    let per_combination = file.presets.len() * file.seeds.len();
    let count = file.combinations().and_then(|count| count.checked_mul(per_combination));
    let Some(combinations) = file.combinations().filter(|_| count.is_some_and(|n| n <= MOST))
    else {
        return Err(SweepError::Many { count });
    };
    let mut plan = Plan {
        candidates: Vec::new(),
        trials: Vec::new(),
        keys: file.keys().into_iter().map(|key| crate::settings::last_part(key).into()).collect(),
        repeated: 0,
    };
    let mut taken: HashMap<String, RunConfig> = HashMap::new();
    let all = file.presets.len() * combinations;
    for (index, preset) in file.presets.iter().enumerate() {
        for number in 0..combinations {
            if !goes_on(index * combinations + number, all) {
                return Err(SweepError::Interrupted);
            }
            let combination = file.combination(number);
            let wrong = |error| SweepError::Trial {
                trial: name::candidate(preset, &combination),
                error: Box::new(error),
            };
            let given = file.settings.iter().chain(&combination);
            let assignments: Vec<String> =
                given.map(|(key, value)| format!("{key}={value}")).collect();
            let config = RunConfig::resolve(Some(preset), None, &assignments).map_err(wrong)?;
            run::start(&config).map_err(wrong)?;
            // As the settings have them: 1 where a float belongs is 1.0.
            let varied = name::resolved(&config, &plan.keys);
            let name = name::candidate(preset, &varied);
            // Some file systems do not tell small letters from large ones.
            if let Some(other) = taken.insert(name.to_lowercase(), config.clone()) {
                if other == config && matches!(file.varied, Varied::Random { .. }) {
                    plan.repeated += 1;
                    continue;
                }
                return Err(SweepError::Same { name });
            }
            let candidate = plan.candidates.len();
            plan.candidates.push(Candidate { name: name.clone(), preset: preset.clone(), varied });
            for &seed in &file.seeds {
                let mut config = config.clone();
                config.training.seed = seed;
                let name = format!("{name}/seed-{seed}");
                plan.trials.push(Trial { candidate, name, config });
            }
        }
    }
    one_environment(&plan.trials)?;
    Ok(plan)
}

fn one_environment(trials: &[Trial]) -> Result<(), SweepError> {
    let first = &trials[0];
    let differs = |trial: &&Trial| trial.config.environment != first.config.environment;
    let Some(other) = trials.iter().find(differs) else { return Ok(()) };
    let environment = |trial: &Trial| {
        let settings = trial.config.environment.iter();
        settings.map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
    };
    Err(SweepError::Environments {
        first: first.name.clone(),
        other: other.name.clone(),
        difference: format!("{} and {}", environment(first), environment(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(origin: &str, text: &str) -> Result<Plan, SweepError> {
        super::plan(origin, text, &mut |_, _| true)
    }

    fn names(text: &str) -> Vec<String> {
        let plan = plan("s.toml", text).unwrap();
        plan.trials.into_iter().map(|trial| trial.name).collect()
    }

    #[test]
    fn trials_are_named_after_what_varies() {
        let text = "presets = [\"sac\", \"td3\"]\nseeds = [7, 5]\n[settings]\nsteps = 700\n\
                    [grid]\ngamma = [1, 0.98]\nagent.hidden = [[8, 4]]\n";
        let found = names(text);
        assert_eq!(found[0], "sac-hidden=8x4-gamma=1.0/seed-7");
        assert_eq!(found[3], "sac-hidden=8x4-gamma=0.98/seed-5");
        assert_eq!((found.len(), found[7].as_str()), (8, "td3-hidden=8x4-gamma=0.98/seed-5"));
        let more = names(&text.replace("[1, 0.98]", "[0.5, 1.0, 0.98]"));
        assert!(
            found.iter().all(|name| more.contains(name)),
            "more values leave names as they are"
        );
        let plan = plan("s.toml", text).unwrap();
        let last = &plan.trials[7].config;
        assert_eq!(
            (last.preset.as_str(), last.training.steps, last.training.seed),
            ("td3", 700, 5)
        );
        assert_eq!(last.agent["gamma"].as_float(), Some(0.98));
        assert_eq!(names("presets = [\"sac\"]\nseeds = [1]\n"), ["sac/seed-1"]);
    }

    #[test]
    fn draws_that_repeat_are_tried_once() {
        let text = "presets = [\"sac\"]\nseeds = [1, 2]\n[random]\ntrials = 9\n\
                    activation = { choice = [\"relu\", \"tanh\"] }\n";
        let plan = plan("s.toml", text).unwrap();
        assert_eq!((plan.candidates.len(), plan.trials.len(), plan.repeated), (2, 4, 7));
    }

    #[test]
    fn planning_tells_how_far_it_is_and_can_be_stopped() {
        let text = "presets = [\"sac\", \"td3\"]\nseeds = [1, 2]\n[grid]\ngamma = [0.9, 0.98]\n";
        let mut told = Vec::new();
        let mut all = |done: usize, of: usize| {
            told.push((done, of));
            true
        };
        super::plan("s.toml", text, &mut all).unwrap();
        assert_eq!(told, [(0, 4), (1, 4), (2, 4), (3, 4)]);
        let error = super::plan("s.toml", text, &mut |done, _| done < 2).unwrap_err();
        assert!(matches!(error, SweepError::Interrupted), "{error}");
    }

    #[test]
    fn wrong_trials_are_named() {
        let head = "presets = [\"td3\", \"sac\"]\nseeds = [1]\n";
        for (rest, part) in [
            ("[grid]\ngama = [0.9]\n", "trial td3-gama=0.9: there is no setting `gama` (did"),
            (
                "[grid]\ngamma = [0.9, 2]\n",
                "trial td3-gamma=2: `agent.gamma` must be in [0, 1], not 2",
            ),
            ("[grid]\npolicy_delay = [1]\n", "trial sac-policy_delay=1: there is no setting"),
            ("[grid]\nhidden = [64, 128]\n", "`agent.hidden` must be a list, such as [64, 64]"),
            ("[grid]\nhidden = [[4096, 4096]]\nbatch_size = [65536]\n", "training.b"),
            ("[settings]\nbatch_size = 0\n", "trial td3: `training.batch_size` must be 1"),
            ("[grid]\ngamma = [1, 1.0]\n", "the same directory td3-gamma=1.0: leave one"),
            (
                "[grid]\nname = [\"pendulum\", \"inverted-pendulum\"]\n",
                "on different environments, whose returns do not compare, name = \"pendulum\" and name",
            ),
            ("[grdi]\n", "there is no key of a sweep `grdi`"),
            ("[grid]\ngamma = [\n", "s.toml, line "),
        ] {
            let error = plan("s.toml", &format!("{head}{rest}")).unwrap_err().to_string();
            assert!(error.contains(part), "{rest}: {error}");
        }
        let axis = |key: &str| {
            let values = (1..=200).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
            format!("{key} = [{values}]\n")
        };
        let many = format!("{head}[grid]\n{}{}", axis("batch_size"), axis("n_step"));
        let error = plan("s.toml", &many).unwrap_err().to_string();
        assert!(error.starts_with("80000 trials are more than 10000"), "{error}");
    }
}
