//! The settings of a run: a preset, a user's file over it, `--set` over both.

mod idle;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::envs;
use crate::numbers::{self, Grammar, Refusal, mistake, rewrite};
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

/// A value as TOML writes it, with numbers as people write them; anything else is text.
fn parse_value(text: &str) -> Value {
    let line = format!("value = {text}");
    // TOML takes `inf` and `0x10`, which are no numbers here.
    if mistake(&line, Grammar::Toml).is_some() {
        return Value::String(text.into());
    }
    let table: Result<Table, _> = rewrite(&line, Grammar::Toml).parse();
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
    let fitting = fitting(old, &value).map_err(|needed| ConfigError::Value {
        key: path.clone(),
        needed: needed.into(),
        why: hint(old, &value),
        value: value.to_string(),
    })?;
    let place = match path.split_once('.') {
        Some((section, key)) => table.get_mut(section).and_then(|section| section.get_mut(key)),
        None => table.get_mut(path),
    };
    *place.expect("the path was found in this table") = fitting;
    Ok(())
}

/// A value in the type of the one whose place it takes; a number may have any form. The error says what is needed.
fn fitting(old: &Value, new: &Value) -> Result<Value, &'static str> {
    match (old, new) {
        (Value::Float(_), Value::Integer(i)) => Ok(Value::Float(*i as f64)),
        (Value::Float(_), Value::Float(x)) if x.is_finite() => Ok(new.clone()),
        (Value::Float(_), _) => Err("a number such as 0.5"),
        (Value::Integer(_), new) => match numbers::whole_value(new) {
            Some(i @ 0..) => Ok(Value::Integer(i)),
            Some(_) => Err("a whole number from 0"),
            None => Err("a whole number such as 10000"),
        },
        (Value::Array(old), Value::Array(new)) => {
            // What does not fit is told with its place in the list, where the algorithm reads it.
            let each = |new: &Value| {
                let fitting = old.first().and_then(|old| fitting(old, new).ok());
                fitting.unwrap_or_else(|| new.clone())
            };
            Ok(new.iter().map(each).collect::<Vec<_>>().into())
        }
        (Value::Array(_), _) => Err("a list, such as [64, 64]"),
        (Value::Boolean(_), Value::Boolean(_)) | (Value::String(_), Value::String(_)) => {
            Ok(new.clone())
        }
        (Value::Boolean(_), _) => Err("true or false"),
        (old, new) if old.same_type(new) => Ok(new.clone()),
        _ => Err("text"),
    }
}

/// How a number would be right that was given in the place of a value.
fn hint(old: &Value, new: &Value) -> Option<&'static str> {
    let text = match (old, new) {
        (Value::Integer(_) | Value::Float(_), Value::String(text)) => text,
        (Value::Array(_), Value::String(text)) if text.starts_with('[') => text,
        (Value::Float(_), Value::Float(_)) => return Refusal::NotFinite.hint(),
        (Value::Integer(_), Value::Float(x)) if x.fract() == 0.0 => return Refusal::Large.hint(),
        _ => return None,
    };
    let found = mistake(&format!("value = {text}"), Grammar::Toml).map(|(.., refusal)| refusal);
    // A number for this reader, but beyond TOML's.
    let large = || numbers::float(text).err().or(numbers::whole(text).ok().map(|_| Refusal::Large));
    found.or_else(large).and_then(Refusal::hint)
}

#[cfg(test)]
mod tests;
