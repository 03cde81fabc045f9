//! The algorithms: each one file, to be read top to bottom as formula, loss, configuration, update.
//! They know no environment, log or terminal.
//!
//! A new one is one file here, one line in [`make`], and one learning test.

pub mod sac;

use policy_core::action::MAX_ACTION_SIZE;

use crate::autodiff::Plan;
use crate::config::{ConfigError, check};
use crate::interface::{Algorithm, Spec};
use crate::rng::Rng;

/// Names of all algorithms.
pub const NAMES: &[&str] = &["sac"];

/// The algorithm of that name with the settings of a preset's `[agent]` table, for an environment;
/// its first parameters are drawn from `rng`.
pub fn make(
    name: &str,
    agent: &toml::Table,
    spec: &Spec,
    batch_size: usize,
    rng: &mut Rng,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    let actions = spec.action_size();
    check("environment", spec.name, "one of at most 8 action entries", actions <= MAX_ACTION_SIZE)?;
    match name {
        "sac" => {
            let config = sac::Config::from_table(agent)?;
            Ok(Box::new(sac::Sac::<Plan>::new(config, spec, batch_size, rng)?))
        }
        _ => Err(ConfigError::unknown("algorithm", name, NAMES.iter().copied())),
    }
}
