//! Settings that make no run: what is wrong with them, in one sentence that names the key.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::autodiff::GraphError;
use crate::numbers::{Grammar, mistake, rewrite};
use crate::text::Shown;

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
    #[error("`{key}` must be {needed}, not {value}{}", reason(*why))]
    Value {
        /// The key, with its table.
        key: String,
        /// What it must be.
        needed: String,
        /// Why, where that is not plain.
        why: Option<&'static str>,
        /// The value given.
        value: String,
    },
    /// A change to a setting that nothing reads while another has its value.
    #[error("`{key}` does nothing while {reason}: leave it out, or change that")]
    Idle {
        /// The key.
        key: String,
        /// What makes it idle.
        reason: String,
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
    #[error("cannot read {}: {error}", path.shown())]
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
    #[error(
        "no preset is named: use --preset NAME or a line `preset = \"NAME\"` in the file, or to go on with a run --resume and its --out"
    )]
    NoPreset,
    /// Sizes that make no network.
    #[error("these settings make no agent: {0}")]
    Graph(#[from] GraphError),
}

fn reason(why: Option<&str>) -> String {
    why.map_or(String::new(), |why| format!(": {why}"))
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
        let nearest = nearest.filter(|choice| likeness(choice) > 0.75).cloned();
        ConfigError::Unknown { kind, name: name.into(), nearest, choices }
    }
}

/// An error unless the condition holds for the value.
///
/// # Errors
///
/// [`ConfigError::Value`] unless the condition holds.
pub fn check(
    key: &str,
    value: impl std::fmt::Debug,
    needed: &str,
    holds: bool,
) -> Result<(), ConfigError> {
    check_because(key, value, needed, None, holds)
}

/// The same, with a reason for what is needed.
///
/// # Errors
///
/// [`ConfigError::Value`] unless the condition holds.
pub fn check_because(
    key: &str,
    value: impl std::fmt::Debug,
    needed: &str,
    why: impl Into<Option<&'static str>>,
    holds: bool,
) -> Result<(), ConfigError> {
    match holds {
        true => Ok(()),
        false => Err(ConfigError::Value {
            key: key.into(),
            needed: needed.into(),
            why: why.into(),
            value: format!("{value:?}"),
        }),
    }
}

/// A table as the settings type it stands for; errors name the key within `name`.
///
/// # Errors
///
/// If a key is missing, of the wrong type or out of its range.
pub fn from_table<T: DeserializeOwned>(name: &str, table: &Table) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let path = error.path().to_string();
        let origin = match name {
            "" => format!("`{path}`"),
            _ if path == "." => format!("`{name}`"),
            _ => format!("`{name}.{}`", error.path()),
        };
        // Rust's names of types, as a person says them.
        let mut message = error.inner().message().replace('\n', " ");
        for (name, words) in [
            ("expected usize", "expected a whole number"),
            ("expected u64", "expected a whole number"),
            ("expected u16", "expected a whole number up to 65535"),
            ("expected f64", "expected a number"),
        ] {
            message = message.replace(name, words);
        }
        ConfigError::Toml { origin, message }
    })
}

/// TOML with numbers as people write them, with an error of one line.
///
/// # Errors
///
/// If the text is not TOML.
pub fn parse(origin: &str, text: &str) -> Result<Table, ConfigError> {
    let rewritten = rewrite(text, Grammar::Toml);
    rewritten.parse().map_err(|error: toml::de::Error| {
        let before = |span: std::ops::Range<usize>| rewritten.get(..span.start).unwrap_or_default();
        let line = error.span().map_or(1, |span| 1 + before(span).matches('\n').count());
        let mut message = error.message().lines().next().unwrap_or("not TOML").to_string();
        if let Some((wrong, number, refusal)) = mistake(text, Grammar::Toml)
            && wrong == line
            && let Some(hint) = refusal.hint()
        {
            message += &format!(" (at `{number}`: {hint})");
        }
        ConfigError::Toml { origin: format!("{origin}, line {line}"), message }
    })
}

/// `table.key` and value of everything in a table that is not one itself.
pub(crate) fn leaves(table: &Table) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = leaves(inner).into_iter();
                all.extend(inner.map(|(last, value)| (format!("{key}.{last}"), value)));
            }
            value => all.push((key.clone(), value.clone())),
        }
    }
    all
}

/// `gamma` of `agent.gamma`.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
