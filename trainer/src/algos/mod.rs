//! The algorithms: each one file, to be read top to bottom as formula, loss, configuration, update.
//! They know no environment, log or terminal.
//!
//! A new one is one file here, one entry in [`ALL`], its number in the policy file
//! (`policy_core::Algorithm`), and one learning test.

pub mod sac;

use policy_core::action::MAX_ACTION_SIZE;

use crate::config::{ConfigError, check};
use crate::interface::{Algorithm, Spec};
use crate::rng::Rng;

/// Makes an agent with the settings of a preset's `[agent]` table, for an environment and batches
/// of some size; its first parameters are drawn from the generator.
pub type Make = fn(&toml::Table, &Spec, usize, &mut Rng) -> Result<Box<dyn Algorithm>, ConfigError>;

/// All algorithms, by name.
pub const ALL: &[(&str, Make)] = &[("sac", sac::make)];

/// An agent of the algorithm of that name, see [`Make`].
pub fn make(
    name: &str,
    agent: &toml::Table,
    spec: &Spec,
    batch_size: usize,
    rng: &mut Rng,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    let actions = spec.action_size();
    check("environment", spec.name, "one of at most 8 action entries", actions <= MAX_ACTION_SIZE)?;
    match ALL.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => make(agent, spec, batch_size, rng),
        None => Err(ConfigError::unknown("algorithm", name, ALL.iter().map(|(known, _)| *known))),
    }
}
