//! Environments: equations of machines, in `f64`, with `f32` observations. They know no network.
//!
//! A new one is one file here, one entry in [`ALL`], and one learning test.

mod angle;
mod goal;
pub mod inverted_pendulum;
pub mod pendulum;
mod plane;

pub use goal::Goal;
pub use inverted_pendulum::InvertedPendulum;
pub use pendulum::{Pendulum, Pendulums};
pub use plane::{Axis, Plane};

use std::collections::BTreeMap;
use std::f64::consts::PI;

use crc::{CRC_32_ISO_HDLC, Crc};
use policy_core::gaussian::uniform;
use serde::Deserialize;
use toml::Table;

use crate::interface::{Environment, Environments};
use crate::rng::{Stream, stream};
use crate::settings::{ConfigError, check, from_table};

/// Makes so many environments of an `[environment]` table.
type MakeLanes = fn(&Table, usize) -> Result<Box<dyn Environments>, ConfigError>;

/// An environment by name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in presets and policies.
    pub name: &'static str,
    /// Makes one with the settings of an `[environment]` table.
    make: fn(&Table) -> Result<Box<dyn Environment>, ConfigError>,
    /// Makes so many side by side in lanes, if that has been written for it.
    lanes: Option<MakeLanes>,
    /// Its settings where a preset has none for it, as TOML.
    defaults: &'static str,
    /// Where its evaluations start.
    pub starts: Starting,
    /// Symbol and unit of each entry of its state.
    pub state: &'static [(&'static str, &'static str)],
    /// What its policies are for.
    pub goal: Goal,
    /// The plane that pictures show.
    pub plane: Plane,
}

/// From as many on, lanes are faster than one after the other.
const LANES: usize = 8;

/// Where the evaluations of an environment start.
#[derive(Debug, Clone, Copy)]
pub enum Starting {
    /// In fixed states, as JSON of [`crate::eval::Starts`].
    Fixed(&'static str),
    /// In this many states, drawn as episodes draw theirs, always the same ones.
    Drawn(usize),
}

/// 2°, in rad.
const TWO_DEGREES: f64 = PI / 90.0;

/// All environments.
pub const ALL: &[Entry] = &[
    Entry {
        name: "pendulum",
        make: |table| {
            let NoSettings {} = settings(table)?;
            Ok(Box::new(Pendulum::new()))
        },
        lanes: Some(|table, count| {
            let NoSettings {} = settings(table)?;
            Ok(Box::new(Pendulums::new(count)))
        }),
        defaults: "",
        starts: Starting::Fixed(include_str!("pendulum_starts.json")),
        state: &[("θ", "rad"), ("θ̇", "rad/s")],
        goal: Goal {
            name: "upright",
            entry: 0,
            symbol: "θ",
            unit: "rad",
            target: 0.0,
            wraps: true,
            within: TWO_DEGREES,
            // The largest torque holds the rod at 0.41 rad.
            near: 0.5,
        },
        plane: Plane {
            horizontal: Axis { entry: 0, name: "θ", unit: "rad", low: -PI, high: PI, wraps: true },
            vertical: Axis {
                entry: 1,
                name: "θ̇",
                unit: "rad/s",
                low: -8.0,
                high: 8.0,
                wraps: false,
            },
            slice: "",
        },
    },
    Entry {
        name: "inverted-pendulum",
        make: |table| {
            let ResetNoise { reset_noise_scale: scale } = settings(table)?;
            let holds = (0.0..=10.0).contains(&scale);
            check("environment.reset_noise_scale", scale, "between 0 and 10", holds)?;
            Ok(Box::new(InvertedPendulum::new(scale)))
        },
        lanes: None,
        defaults: "reset_noise_scale = 0.01",
        starts: Starting::Drawn(100),
        state: &[("x", "m"), ("θ", "rad"), ("ẋ", "m/s"), ("θ̇", "rad/s")],
        goal: Goal {
            name: "upright",
            entry: 1,
            symbol: "θ",
            unit: "rad",
            target: 0.0,
            wraps: false,
            within: TWO_DEGREES,
            // Beyond, the episode is over.
            near: 0.2,
        },
        plane: Plane {
            horizontal: Axis {
                entry: 1,
                name: "θ",
                unit: "rad",
                low: -0.2,
                high: 0.2,
                wraps: false,
            },
            vertical: Axis {
                entry: 3,
                name: "θ̇",
                unit: "rad/s",
                low: -2.0,
                high: 2.0,
                wraps: false,
            },
            slice: "x = 0, ẋ = 0",
        },
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

/// So many environments of an `[environment]` table, in lanes where they are many and the machine has them.
///
/// # Errors
///
/// As [`make`].
pub fn make_many(table: &Table, count: usize) -> Result<Box<dyn Environments>, ConfigError> {
    match find(name(table))?.lanes {
        Some(lanes) if count >= LANES => lanes(table, count),
        _ => {
            let environments = (0..count).map(|_| make(table));
            Ok(Box::new(environments.collect::<Result<Vec<_>, _>>()?))
        }
    }
}

/// The CRC-32 (that of zip) by which a policy names the machine of an `[environment]` table. It is over
///
/// 1. the settings, `name` among them, as TOML: a line `key = value` for each, in the order of their bytes;
/// 2. the physics: number of a step from 0 on, as 4 bytes, bits of the state `[state_size]` and of the reward after it, as
///    8 bytes each, for 100 steps, all little-endian. The actions are drawn evenly from their ranges; so is a start as
///    episodes draw theirs, first and after a terminal state: all from the stream of seed 0 for evaluations.
///
/// So another mass, another equation or another integrator has another fingerprint, though nobody gave it a number; the
/// same machine has the same one everywhere.
///
/// # Errors
///
/// If the table makes no environment.
pub fn fingerprint(table: &Table) -> Result<u32, ConfigError> {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    // Sorted here, whatever order the table keeps.
    let settings: BTreeMap<_, _> = table.iter().collect();
    for (key, value) in settings {
        digest.update(format!("{key} = {value}\n").as_bytes());
    }
    let mut environment = make(table)?;
    let range = environment.spec().action_range();
    let mut observation = vec![0.0; environment.spec().observation_size()];
    let mut rng = stream(0, Stream::Evaluation);
    environment.reset(&mut rng, &mut observation);
    for step in 0_u32..100 {
        let ranges = range.low.iter().zip(&range.high);
        let drawn = ranges.map(|(low, high)| low + (high - low) * f64::from(uniform(&mut rng)));
        let action: Vec<f32> = drawn.map(|a| a as f32).collect();
        let outcome = environment.step(&action, &mut observation);
        digest.update(&step.to_le_bytes());
        for number in environment.save().into_iter().chain([outcome.reward]) {
            digest.update(&number.to_le_bytes());
        }
        if outcome.terminated {
            environment.reset(&mut rng, &mut observation);
        }
    }
    Ok(digest.finalize())
}

/// The name in an `[environment]` table.
pub fn name(table: &Table) -> &str {
    table.get("name").and_then(toml::Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned: if one of these changes, the machine did, or policies of before seem to be for another one.
    #[test]
    fn fingerprints_name_machines() {
        let mut table = defaults("inverted-pendulum").unwrap();
        let narrow = fingerprint(&table).unwrap();
        table.insert("reset_noise_scale".into(), 0.2.into());
        let wide = fingerprint(&table).unwrap();
        let pendulum = fingerprint(&defaults("pendulum").unwrap()).unwrap();
        assert_eq!([pendulum, narrow, wide], [2_546_079_340, 1_147_485_615, 2_446_783_583]);
        table.insert("reset_noise_scale".into(), "wide".into());
        assert!(fingerprint(&table).is_err());
    }
}
