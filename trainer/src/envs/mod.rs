//! Environments: equations of machines, in `f64`, with `f32` observations. They know no network.
//!
//! A new one is one file here, one entry in [`ALL`], and one learning test.

pub mod inverted_pendulum;
pub mod pendulum;

pub use inverted_pendulum::InvertedPendulum;
pub use pendulum::Pendulum;

use crate::config::ConfigError;
use crate::interface::Environment;

/// An environment by name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in presets and policies.
    pub name: &'static str,
    /// Makes one.
    pub make: fn() -> Box<dyn Environment>,
    /// Its fixed starts, as JSON of [`crate::eval::Starts`].
    pub starts: &'static str,
}

/// All environments.
pub const ALL: &[Entry] = &[
    Entry {
        name: "pendulum",
        make: || Box::new(Pendulum::new()),
        starts: include_str!("pendulum_starts.json"),
    },
    Entry {
        name: "inverted-pendulum",
        make: || Box::new(InvertedPendulum::new(0.01)),
        // The corners of where it starts.
        starts: include_str!("inverted_pendulum_starts.json"),
    },
];

/// The environment of that name.
pub fn find(name: &str) -> Result<Entry, ConfigError> {
    let entry = ALL.iter().find(|entry| entry.name == name).copied();
    entry.ok_or_else(|| {
        ConfigError::unknown("environment", name, ALL.iter().map(|entry| entry.name))
    })
}

/// An environment of that name.
pub fn make(name: &str) -> Result<Box<dyn Environment>, ConfigError> {
    find(name).map(|entry| (entry.make)())
}
