//! The algorithms: each one file, to be read top to bottom as formula, loss, configuration, update.
//! They know no environment, log or terminal.
//!
//! | module | what is in it |
//! |---|---|
//! | [`dqn`] | DQN, double DQN |
//! | [`ddpg`] | DDPG |
//! | [`td3`] | TD3 |
//! | [`sac`] | SAC with a fixed or a learnt temperature |
//! | [`sac_v`] | SAC with a value network |
//! | [`sac_m`] | SAC-M1, SAC-M2, SAC-M3 |
//! | [`agent`] | what every agent does besides its losses |
//! | [`shared`] | settings and steps that several algorithms have |
//! | [`deterministic`] | settings of the actors of DDPG and TD3 |
//! | [`stochastic`] | the random policies of SAC and SAC-V |
//!
//! A new one is one file here, one entry in [`ALL`], its number in the policy file
//! (`policy_core::Algorithm`), and one learning test.

pub mod agent;
pub mod ddpg;
pub mod deterministic;
pub mod dqn;
mod exploration;
pub mod sac;
pub mod sac_m;
pub mod sac_v;
pub mod shared;
pub mod stochastic;
pub mod td3;

pub use agent::{Agent, Draws, Learning, Setup};

use policy_core::action::MAX_ACTION_SIZE;

use crate::autodiff::Plan;
use crate::interface::Algorithm;
use crate::rng::Rng;
use crate::settings::{ConfigError, check};

type Make = fn(&toml::Table, &Setup<'_>, &mut Rng) -> Result<Box<dyn Algorithm>, ConfigError>;

/// An algorithm by name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in presets.
    pub name: &'static str,
    /// Makes an agent with the settings of a preset's `[agent]` table; its first parameters are
    /// drawn from the generator.
    make: Make,
    /// The settings that it reads from an `[agent]` table.
    pub settings: fn(&toml::Table) -> Result<toml::Table, ConfigError>,
}

/// An entry of [`ALL`] for an algorithm's losses.
macro_rules! entry {
    ($name:literal, $module:ident :: $learning:ident) => {
        Entry {
            name: $name,
            make: |agent, setup, rng| {
                let config = $module::Config::from_table(agent)?;
                Ok(Box::new($module::$learning::<Plan>::agent(config, setup, rng)?))
            },
            settings: |agent| {
                let config = $module::Config::from_table(agent)?;
                Ok(toml::Table::try_from(config).expect("settings came from TOML"))
            },
        }
    };
}

/// All algorithms.
pub const ALL: &[Entry] = &[
    entry!("dqn", dqn::Dqn),
    entry!("ddpg", ddpg::Ddpg),
    entry!("td3", td3::Td3),
    entry!("sac", sac::Sac),
    entry!("sac-v", sac_v::SacV),
    entry!("sac-m", sac_m::SacM),
];

/// The algorithm of that name.
///
/// # Errors
///
/// If there is none.
pub fn find(name: &str) -> Result<Entry, ConfigError> {
    let entry = ALL.iter().find(|entry| entry.name == name).copied();
    entry.ok_or_else(|| ConfigError::unknown("algorithm", name, ALL.iter().map(|entry| entry.name)))
}

/// The most numbers that the hidden layers of one network may hold for a minibatch: 256 MiB.
const MAX_ENTRIES: usize = 1 << 26;

/// An agent of the algorithm of that name with the settings of an `[agent]` table; its first
/// parameters are drawn from the generator.
///
/// # Errors
///
/// If the settings do not go together, or not with the environment.
pub fn make(
    name: &str,
    agent: &toml::Table,
    setup: &Setup<'_>,
    rng: &mut Rng,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    let actions = setup.spec.action_size();
    // Before anything of that size is made.
    let hidden = shared::Shared::from_table(agent)?.hidden;
    let (width, batch) = (hidden.iter().sum::<usize>(), setup.batch_size);
    let needed = format!("at most {} with hidden layers this wide", MAX_ENTRIES / width.max(1));
    check("training.batch_size", batch, &needed, batch * width <= MAX_ENTRIES)?;
    let needed = format!("one of at most {MAX_ACTION_SIZE} action entries");
    check("environment.name", setup.spec.name, &needed, actions <= MAX_ACTION_SIZE)?;
    (find(name)?.make)(agent, setup, rng)
}

#[cfg(test)]
mod tests;
