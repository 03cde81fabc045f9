//! Environments: equations of machines, in `f64`, with `f32` observations. They know no network.
//!
//! A new one is one file here, one entry in [`ALL`], and one learning test.

pub mod inverted_pendulum;
pub mod pendulum;

pub use inverted_pendulum::InvertedPendulum;
pub use pendulum::Pendulum;

use serde::Deserialize;
use toml::Table;

use crate::interface::Environment;
use crate::settings::{ConfigError, check, from_table};

/// An environment by name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in presets and policies.
    pub name: &'static str,
    /// Makes one with the settings of an `[environment]` table.
    make: fn(&Table) -> Result<Box<dyn Environment>, ConfigError>,
    /// Its settings where a preset has none for it, as TOML.
    defaults: &'static str,
    /// Where its evaluations start.
    pub starts: Starting,
}

/// Where the evaluations of an environment start.
#[derive(Debug, Clone, Copy)]
pub enum Starting {
    /// In fixed states, as JSON of [`crate::eval::Starts`].
    Fixed(&'static str),
    /// In this many states, drawn as episodes draw theirs, always the same ones.
    Drawn(usize),
}

/// All environments.
pub const ALL: &[Entry] = &[
    Entry {
        name: "pendulum",
        make: |table| {
            let NoSettings {} = settings(table)?;
            Ok(Box::new(Pendulum::new()))
        },
        defaults: "",
        starts: Starting::Fixed(include_str!("pendulum_starts.json")),
    },
    Entry {
        name: "inverted-pendulum",
        make: |table| {
            let ResetNoise { reset_noise_scale: scale } = settings(table)?;
            let holds = (0.0..=10.0).contains(&scale);
            check("environment.reset_noise_scale", scale, "between 0 and 10", holds)?;
            Ok(Box::new(InvertedPendulum::new(scale)))
        },
        defaults: "reset_noise_scale = 0.01",
        starts: Starting::Drawn(100),
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetNoise {
    /// Each entry of a start state is drawn from ± this, in its unit.
    reset_noise_scale: f64,
}

/// The settings of an `[environment]` table besides its `name`.
fn settings<T: serde::de::DeserializeOwned>(table: &Table) -> Result<T, ConfigError> {
    let own = table.iter().filter(|(key, _)| *key != "name");
    from_table("environment", &own.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The environment of that name.
///
/// # Errors
///
/// If there is none.
pub fn find(name: &str) -> Result<Entry, ConfigError> {
    let entry = ALL.iter().find(|entry| entry.name == name).copied();
    entry.ok_or_else(|| {
        ConfigError::unknown("environment", name, ALL.iter().map(|entry| entry.name))
    })
}

/// The `[environment]` table of an environment with its default settings.
///
/// # Errors
///
/// If there is no such environment.
pub fn defaults(name: &str) -> Result<Table, ConfigError> {
    let mut table: Table = find(name)?.defaults.parse().expect("defaults are TOML");
    table.insert("name".into(), name.into());
    Ok(table)
}

/// The environment of an `[environment]` table.
///
/// # Errors
///
/// If a key is missing, of the wrong type or out of its range.
pub fn make(table: &Table) -> Result<Box<dyn Environment>, ConfigError> {
    (find(name(table))?.make)(table)
}

/// The name in an `[environment]` table.
pub fn name(table: &Table) -> &str {
    table.get("name").and_then(toml::Value::as_str).unwrap_or_default()
}
