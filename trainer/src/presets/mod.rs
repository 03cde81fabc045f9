//! Named settings, one TOML file each. A preset is complete: it has every key there is.

use toml::Table;

use crate::config::{ConfigError, parse};

/// Name and text of every preset.
pub const ALL: &[(&str, &str)] = &[("sac", include_str!("sac.toml"))];

/// A preset's table.
pub fn table(name: &str) -> Result<Table, ConfigError> {
    match ALL.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => parse(&format!("preset {name}"), text),
        None => Err(ConfigError::unknown("preset", name, ALL.iter().map(|(known, _)| *known))),
    }
}
