//! The settings of a run: a preset, a user's file over it, `--set` over both.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::autodiff::GraphError;
use crate::presets;

/// Settings that make no run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No preset, environment, algorithm or key of that name.
    #[error("there is no {kind} `{name}`{}; choose from: {}", suggest(nearest.as_deref()), choices.join(", "))]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// The name given.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
        /// All names.
        choices: Vec<String>,
    },
    /// A value of the wrong type or out of its range.
    #[error("`{key}` must be {needed}, not {value}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What it must be.
        needed: String,
        /// The value given.
        value: String,
    },
    /// Not TOML, or not of the form of a preset.
    #[error("{origin}: {message}")]
    Toml {
        /// A file, or a table of the settings.
        origin: String,
        /// What is wrong, in one line.
        message: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// `--set` without `=`.
    #[error("`--set {given}` is not of the form key=value, such as gamma=0.98")]
    Assignment {
        /// What was given.
        given: String,
    },
    /// Neither `--preset` nor a `preset` line in the file.
    #[error("no preset is named: use --preset NAME or a line `preset = \"NAME\"` in the file")]
    NoPreset,
    /// Sizes that make no network.
    #[error("these settings make no agent: {0}")]
    Graph(#[from] GraphError),
}

fn suggest(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

impl ConfigError {
    /// A name that is none of `choices`.
    pub fn unknown<'a>(
        kind: &'static str,
        name: &str,
        choices: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let choices: Vec<String> = choices.into_iter().map(String::from).collect();
        // Swapped letters count as one mistake, a shared beginning counts for much.
        let likeness = |choice: &str| {
            let (name, choice) = (last_part(name), last_part(choice));
            let edits = strsim::normalized_damerau_levenshtein(name, choice);
            edits.max(strsim::jaro_winkler(name, choice))
        };
        let nearest = choices.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|choice| likeness(choice) > 0.65).cloned();
        ConfigError::Unknown { kind, name: name.into(), nearest, choices }
    }
}

/// An error unless the condition holds for the value.
pub fn check(
    key: &str,
    value: impl std::fmt::Debug,
    needed: &str,
    holds: bool,
) -> Result<(), ConfigError> {
    match holds {
        true => Ok(()),
        false => Err(ConfigError::Value {
            key: key.into(),
            needed: needed.into(),
            value: format!("{value:?}"),
        }),
    }
}

/// A table as the settings type it stands for; errors name the key within `name`.
pub fn from_table<T: DeserializeOwned>(name: &str, table: &Table) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let origin = match name {
            "" => format!("`{}`", error.path()),
            _ => format!("`{name}.{}`", error.path()),
        };
        ConfigError::Toml { origin, message: error.inner().message().replace('\n', " ") }
    })
}

/// Everything that decides a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The preset it started from.
    pub preset: String,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Name of the environment.
    pub environment: String,
    /// Where the preset's settings come from.
    pub source: String,
    /// Of the training loop.
    pub training: TrainingConfig,
    /// Of the algorithm, as its own `Config` reads them.
    pub agent: Table,
}

/// Settings of the training loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Of all random streams.
    pub seed: u64,
    /// Environment steps.
    pub steps: usize,
    /// Steps with uniformly random actions, at the beginning.
    pub start_steps: usize,
    /// Updates begin after so many steps.
    pub update_after: usize,
    /// Updates after each environment step.
    pub updates_per_step: usize,
    /// Transitions in a minibatch, B.
    pub batch_size: usize,
    /// Transitions that the replay buffer holds.
    pub buffer_size: usize,
}

impl TrainingConfig {
    fn check(&self) -> Result<(), ConfigError> {
        check("training.steps", self.steps, "at least 1", self.steps >= 1)?;
        let updates = (1..=10_000).contains(&self.updates_per_step);
        check("training.updates_per_step", self.updates_per_step, "1 to 10000", updates)?;
        let batch = (1..=65_536).contains(&self.batch_size);
        check("training.batch_size", self.batch_size, "1 to 65536", batch)?;
        let buffer = (1..=100_000_000).contains(&self.buffer_size);
        check("training.buffer_size", self.buffer_size, "1 to 100000000", buffer)
    }
}

impl RunConfig {
    /// Resolves a preset (named here, or else in the file's `preset` line), a file's text with its
    /// name, and `key=value` assignments; later ones win. A key can be given as `gamma` or
    /// `agent.gamma`.
    pub fn resolve(
        preset: Option<&str>,
        file: Option<(&str, &str)>,
        assignments: &[String],
    ) -> Result<RunConfig, ConfigError> {
        let mut over = match file {
            Some((origin, text)) => parse(origin, text)?,
            None => Table::new(),
        };
        let named = match over.remove("preset") {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(value) => {
                let (key, needed) = ("preset".into(), "the name of a preset".into());
                return Err(ConfigError::Value { key, needed, value: value.to_string() });
            }
        };
        let name = preset.or(named.as_deref()).ok_or(ConfigError::NoPreset)?;
        let mut table = presets::table(name)?;
        for (section, _) in over.iter().filter(|(_, value)| value.is_table()) {
            if !table.get(section).is_some_and(Value::is_table) {
                let sections = table.iter().filter(|(_, value)| value.is_table());
                let names = sections.map(|(name, _)| name.as_str());
                return Err(ConfigError::unknown("table", section, names));
            }
        }
        let mut leaves = Vec::new();
        collect_leaves(&over, "", &mut leaves);
        for (key, value) in leaves {
            assign(&mut table, &key, value)?;
        }
        for given in assignments {
            let Some((key, text)) = given.split_once('=') else {
                return Err(ConfigError::Assignment { given: given.clone() });
            };
            assign(&mut table, key.trim(), parse_value(text.trim()))?;
        }
        table.insert("preset".into(), name.into());
        let config: RunConfig = from_table("", &table)?;
        config.training.check()?;
        Ok(config)
    }
}

/// TOML, with an error of one line.
pub(crate) fn parse(origin: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let message = error.message().lines().next().unwrap_or("not TOML").to_string();
        ConfigError::Toml { origin: format!("{origin}, line {line}"), message }
    })
}

/// A value as TOML writes it; anything else is text.
fn parse_value(text: &str) -> Value {
    let table: Result<Table, _> = format!("value = {text}").parse();
    match table.ok().and_then(|mut table| (table.len() == 1).then(|| table.remove("value"))) {
        Some(Some(value)) => value,
        _ => Value::String(text.into()),
    }
}

/// `table.key` and value of everything that is not a table.
fn collect_leaves(table: &Table, prefix: &str, out: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => collect_leaves(inner, &format!("{prefix}{key}."), out),
            _ => out.push((format!("{prefix}{key}"), value.clone())),
        }
    }
}

/// `gamma` of `agent.gamma`.
fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Puts a value in the place of one of the same type. A preset is complete, so that a key it does
/// not have is a mistake.
fn assign(table: &mut Table, key: &str, value: Value) -> Result<(), ConfigError> {
    let mut leaves = Vec::new();
    collect_leaves(table, "", &mut leaves);
    let Some((path, old)) = leaves.iter().find(|(path, _)| path == key || last_part(path) == key)
    else {
        let names = leaves.iter().map(|(path, _)| path.as_str());
        let names = names.map(|path| if key.contains('.') { path } else { last_part(path) });
        return Err(ConfigError::unknown("setting", key, names));
    };
    let wrong = |needed: &str| ConfigError::Value {
        key: path.clone(),
        needed: needed.into(),
        value: value.to_string(),
    };
    let value = match (old, &value) {
        (Value::Float(_), Value::Integer(i)) => Value::Float(*i as f64),
        (Value::Integer(_), Value::Float(x)) if x.fract() == 0.0 && x.abs() < 9e15 => {
            Value::Integer(*x as i64)
        }
        (Value::Integer(_), Value::Integer(i)) if *i < 0 => {
            return Err(wrong("a whole number from 0"));
        }
        (old, new) if old.same_type(new) => value.clone(),
        (Value::Float(_), _) => return Err(wrong("a number")),
        (Value::Integer(_), _) => return Err(wrong("a whole number")),
        (Value::Boolean(_), _) => return Err(wrong("true or false")),
        (Value::Array(_), _) => return Err(wrong("a list, such as [64, 64]")),
        _ => return Err(wrong("text")),
    };
    let place = match path.split_once('.') {
        Some((section, key)) => table.get_mut(section).and_then(|section| section.get_mut(key)),
        None => table.get_mut(path),
    };
    *place.expect("the path was found in this table") = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(assignments: &[&str]) -> Result<RunConfig, ConfigError> {
        let assignments: Vec<String> = assignments.iter().map(ToString::to_string).collect();
        RunConfig::resolve(Some("sac"), None, &assignments)
    }

    fn message(assignment: &str) -> String {
        resolve(&[assignment]).unwrap_err().to_string()
    }

    #[test]
    fn later_settings_win() {
        let file = "preset = \"sac\"\n[training]\nsteps = 5\nseed = 9\n[agent]\ngamma = 0.5";
        let set = ["steps=7".into(), "agent.tau=1".into()];
        let config = RunConfig::resolve(None, Some(("mine.toml", file)), &set).unwrap();
        assert_eq!((config.training.steps, config.training.seed), (7, 9));
        assert_eq!(config.agent["gamma"].as_float(), Some(0.5));
        assert_eq!(config.agent["tau"].as_float(), Some(1.0), "a whole number where a float is");
        assert_eq!(resolve(&["steps=1e4"]).unwrap().training.steps, 10_000);
    }

    #[test]
    fn short_keys_are_unambiguous() {
        for (name, _) in presets::ALL {
            let mut leaves = Vec::new();
            collect_leaves(&presets::table(name).unwrap(), "", &mut leaves);
            let mut keys: Vec<&str> = leaves.iter().map(|(path, _)| last_part(path)).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {keys:?}");
        }
    }

    #[test]
    fn a_resolved_run_resolves_to_itself() {
        let config = resolve(&["gamma=0.9", "hidden=[8]", "activation=tanh"]).unwrap();
        let text = toml::to_string(&config).unwrap();
        let again = RunConfig::resolve(None, Some(("config.toml", &text)), &[]).unwrap();
        assert_eq!(config, again);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            message("gama=1").starts_with("there is no setting `gama` (did you mean `gamma`?)")
        );
        assert!(message("agent.gama=1").contains("did you mean `agent.gamma`?"));
        assert!(message("agent.seed=1").contains("did you mean `training.seed`?"));
        assert_eq!(message("gamma=high"), "`agent.gamma` must be a number, not \"high\"");
        assert_eq!(message("steps=1.5"), "`training.steps` must be a whole number, not 1.5");
        assert_eq!(message("seed=-1"), "`training.seed` must be a whole number from 0, not -1");
        assert_eq!(message("hidden=64"), "`agent.hidden` must be a list, such as [64, 64], not 64");
        assert_eq!(message("batch_size=0"), "`training.batch_size` must be 1 to 65536, not 0");
        assert!(message("gamma").contains("not of the form key=value"));
        let error = RunConfig::resolve(Some("sca"), None, &[]).unwrap_err().to_string();
        assert!(error.starts_with("there is no preset `sca` (did you mean `sac`?)"), "{error}");
        let error = RunConfig::resolve(None, Some(("a.toml", "x = 1\ny = ")), &[]).unwrap_err();
        assert!(error.to_string().starts_with("a.toml, line 2: "), "{error}");
        for (file, start) in [
            ("preset = 5", "`preset` must be the name of a preset, not "),
            ("preset = \"sac\"\n[agnet]\n", "there is no table `agnet` (did you mean `agent`?)"),
        ] {
            let error = RunConfig::resolve(None, Some(("a.toml", file)), &[]).unwrap_err();
            assert!(error.to_string().starts_with(start), "{error}");
        }
        let error = RunConfig::resolve(None, None, &[]).unwrap_err().to_string();
        assert!(error.starts_with("no preset is named"), "{error}");
    }
}
