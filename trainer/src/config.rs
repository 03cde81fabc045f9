//! The settings of a run: a preset, a user's file over it, `--set` over both.

mod idle;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::envs;
use crate::presets;
use crate::settings::{self, ConfigError, from_table, last_part, parse};
use crate::train::TrainingConfig;

/// Everything that decides a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The preset it started from.
    pub preset: String,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Where the preset's settings come from.
    pub source: String,
    /// The environment's `name`, and its own settings.
    pub environment: Table,
    /// Of the training loop.
    pub training: TrainingConfig,
    /// Of the algorithm, as its own `Config` reads them.
    pub agent: Table,
}

impl RunConfig {
    /// Resolves a preset (named here, or else in the file's `preset` line), a file's text with its
    /// name, and `key=value` assignments; later ones win. A key can be given as `gamma` or
    /// `agent.gamma`.
    ///
    /// # Errors
    ///
    /// If a name, key, type or value is wrong; the error names it, and what there is instead.
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
                return Err(ConfigError::Value {
                    key,
                    needed,
                    why: None,
                    value: value.to_string(),
                });
            }
        };
        if let (Some(given), Some(named)) = (preset, &named)
            && given != named
        {
            let (needed, why) = (format!("`{given}`"), Some("that is what --preset names"));
            let (key, value) = ("preset".into(), format!("`{named}` as in the file"));
            return Err(ConfigError::Value { key, needed, why, value });
        }
        let name = preset.or(named.as_deref()).ok_or(ConfigError::NoPreset)?;
        let mut table = presets::table(name)?;
        let variants = table.remove(VARIANTS);
        for (section, _) in over.iter().filter(|(_, value)| value.is_table()) {
            if !table.get(section).is_some_and(Value::is_table) {
                let sections = table.iter().filter(|(_, value)| value.is_table());
                let names = sections.map(|(name, _)| name.as_str());
                return Err(ConfigError::unknown("table", section, names));
            }
        }
        let mut leaves = settings::leaves(&over);
        let assigned = assignments.iter().map(|given| assignment(given));
        let assigned = assigned.collect::<Result<Vec<_>, _>>()?;
        // Settings of the file's environment mean nothing to another one.
        if assigned.iter().any(|(key, _)| names_environment(key)) {
            leaves.retain(|(key, _)| !key.starts_with("environment."));
        }
        leaves.extend(assigned);
        // First the environment, whose name decides what else there is to set.
        if let Some((_, value)) = leaves.iter().rfind(|(key, _)| names_environment(key)) {
            choose_environment(&mut table, value, variants.as_ref())?;
        }
        leaves.retain(|(key, _)| !names_environment(key));
        let before = table.clone();
        let given: Vec<String> = leaves.iter().map(|(key, _)| key.clone()).collect();
        for (key, value) in leaves {
            assign(&mut table, &key, value)?;
        }
        table.insert("preset".into(), name.into());
        let config: RunConfig = from_table("", &table)?;
        config.training.check()?;
        idle::check(&before, &table, &given)?;
        Ok(config)
    }
}

impl RunConfig {
    /// The first setting in which another run differs from this one, as a sentence; `None` if there is none.
    pub fn difference(&self, other: &RunConfig) -> Option<String> {
        let leaves = |config: &RunConfig| {
            let table = Table::try_from(config).expect("settings came from TOML");
            let mut leaves = settings::leaves(&table);
            leaves.retain(|(key, _)| key != "source");
            leaves
        };
        let (own, others) = (leaves(self), leaves(other));
        let value = |leaves: &[(String, Value)], key: &str| {
            let found = leaves.iter().find(|(name, _)| name == key);
            found.map_or("missing".into(), |(_, value)| value.to_string())
        };
        own.iter().chain(&others).map(|(key, _)| key).find_map(|key| {
            let (own, other) = (value(&own, key), value(&others, key));
            (own != other).then(|| format!("`{key}` is {own} there, {other} here"))
        })
    }
}

/// The key that chooses the environment.
pub const ENVIRONMENT_NAME: &str = "environment.name";
/// Is this that key, or its short form?
fn names_environment(key: &str) -> bool {
    key == ENVIRONMENT_NAME || key == last_part(ENVIRONMENT_NAME)
}

/// The table of a preset with its settings for environments other than its own.
const VARIANTS: &str = "on";

/// Puts the default settings of an environment in the place of another's, and those that the preset
/// has for it, as `[on.NAME.training]` and `[on.NAME.agent]`.
fn choose_environment(
    table: &mut Table,
    name: &Value,
    variants: Option<&Value>,
) -> Result<(), ConfigError> {
    let wrong = || ConfigError::Value {
        key: ENVIRONMENT_NAME.into(),
        needed: "the name of an environment".into(),
        why: None,
        value: name.to_string(),
    };
    let name = name.as_str().ok_or_else(wrong)?;
    let chosen = envs::defaults(name)?;
    if table.get("environment").and_then(Value::as_table).map(envs::name) == Some(name) {
        return Ok(());
    }
    table.insert("environment".into(), Value::Table(chosen));
    let leaves = match variants.and_then(|variants| variants.get(name)) {
        Some(Value::Table(variant)) => settings::leaves(variant),
        _ => Vec::new(),
    };
    leaves.into_iter().try_for_each(|(key, value)| assign(table, &key, value))
}

/// The default settings of an environment, with `key=value` assignments over them.
///
/// # Errors
///
/// If there is no such environment, or a key or value that it does not take.
pub fn environment(name: &str, assignments: &[String]) -> Result<Table, ConfigError> {
    let mut table = Table::new();
    table.insert("environment".into(), Value::Table(envs::defaults(name)?));
    for given in assignments {
        let (key, value) = assignment(given)?;
        if names_environment(&key) {
            let (needed, why) = ("left as it is".into(), Some("a policy is for one environment"));
            return Err(ConfigError::Value { key, needed, why, value: value.to_string() });
        }
        assign(&mut table, &key, value)?;
    }
    match table.remove("environment") {
        Some(Value::Table(environment)) => Ok(environment),
        _ => unreachable!("it was put there"),
    }
}

/// `key=value`
fn assignment(given: &str) -> Result<(String, Value), ConfigError> {
    let error = || ConfigError::Assignment { given: given.into() };
    let (key, text) = given.split_once('=').ok_or_else(error)?;
    Ok((key.trim().into(), parse_value(text.trim())))
}

/// A value as TOML writes it; anything else is text.
fn parse_value(text: &str) -> Value {
    let table: Result<Table, _> = format!("value = {text}").parse();
    match table.ok().and_then(|mut table| (table.len() == 1).then(|| table.remove("value"))) {
        Some(Some(value)) => value,
        _ => Value::String(text.into()),
    }
}

/// Puts a value in the place of one of the same type. A preset is complete, so that a key it does
/// not have is a mistake.
fn assign(table: &mut Table, key: &str, value: Value) -> Result<(), ConfigError> {
    if key == "algorithm" && table.get(key).is_some_and(|own| *own != value) {
        let needed = table[key].to_string();
        let (key, why) = (key.into(), Some("it comes with the preset, so choose another preset"));
        return Err(ConfigError::Value { key, needed, why, value: value.to_string() });
    }
    if table.get(key).is_some_and(Value::is_table) {
        let needed = format!("set key by key, such as {key}.KEY=VALUE");
        let why = Some("it is a table");
        return Err(ConfigError::Value { key: key.into(), needed, why, value: value.to_string() });
    }
    let leaves = settings::leaves(table);
    let Some((path, old)) = leaves.iter().find(|(path, _)| path == key || last_part(path) == key)
    else {
        let names = leaves.iter().map(|(path, _)| path.as_str());
        let names = names.map(|path| if key.contains('.') { path } else { last_part(path) });
        return Err(ConfigError::unknown("setting", key, names));
    };
    let wrong = |needed: &str| ConfigError::Value {
        key: path.clone(),
        needed: needed.into(),
        why: None,
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
            let mut table = presets::table(name).unwrap();
            table.remove(VARIANTS);
            let leaves = settings::leaves(&table);
            let mut keys: Vec<&str> = leaves.iter().map(|(path, _)| last_part(path)).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {keys:?}");
        }
    }

    /// Another environment brings its own settings and the preset's for it; both can be set.
    #[test]
    fn environments_change_with_their_settings() {
        let set = ["reset_noise_scale=0.2", "environment.name=inverted-pendulum", "gamma=0.5"];
        let config = resolve(&set).unwrap();
        assert_eq!(envs::name(&config.environment), "inverted-pendulum");
        assert_eq!(config.environment["reset_noise_scale"].as_float(), Some(0.2));
        assert_eq!((config.training.steps, config.agent["gamma"].as_float()), (30_000, Some(0.5)));
        let file = toml::to_string(&config).unwrap();
        let set = ["environment.name=pendulum".into()];
        let back = RunConfig::resolve(None, Some(("config.toml", &file)), &set).unwrap();
        assert_eq!(envs::name(&back.environment), "pendulum");
        let unchanged = resolve(&["name=inverted-pendulum", "environment.name=pendulum"]).unwrap();
        assert_eq!(unchanged, resolve(&[]).unwrap());
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
        let error = RunConfig::resolve(Some("tdd3"), None, &[]).unwrap_err().to_string();
        assert!(error.starts_with("there is no preset `tdd3` (did you mean `td3`?)"), "{error}");
        let error = RunConfig::resolve(None, Some(("a.toml", "x = 1\ny = ")), &[]).unwrap_err();
        assert!(error.to_string().starts_with("a.toml, line 2: "), "{error}");
        for (file, start) in [
            ("preset = 5", "`preset` must be the name of a preset, not "),
            ("preset = \"sac\"\n[agnet]\n", "there is no table `agnet` (did you mean `agent`?)"),
        ] {
            let error = RunConfig::resolve(None, Some(("a.toml", file)), &[]).unwrap_err();
            assert!(error.to_string().starts_with(start), "{error}");
        }
        let unknown = message("environment.name=pendlum");
        assert!(unknown.contains("did you mean `pendulum`?"), "{unknown}");
        assert!(message("environment=pendulum").contains("such as environment.KEY=VALUE"));
        assert!(environment("pendulum", &["name=x".into()]).is_err());
        let error = RunConfig::resolve(None, None, &[]).unwrap_err().to_string();
        assert!(error.starts_with("no preset is named"), "{error}");
    }
}
