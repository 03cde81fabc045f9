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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::rng::{Stream, stream};
    use crate::{algos, envs};

    #[test]
    fn every_preset_makes_an_agent() {
        for (name, _) in ALL {
            let config = RunConfig::resolve(Some(name), None, &[]).unwrap();
            let environment = envs::make(&config.environment).unwrap();
            let rng = &mut stream(1, Stream::Initialisation);
            algos::make(&config.algorithm, &config.agent, environment.spec(), 2, rng).unwrap();
        }
    }
}
