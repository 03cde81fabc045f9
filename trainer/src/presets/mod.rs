//! Named settings, one TOML file each. A preset is complete: it has every key there is.

use toml::Table;

use crate::settings::{ConfigError, parse};

/// Name and text of every preset.
pub const ALL: &[(&str, &str)] = &[
    ("dqn", include_str!("dqn.toml")),
    ("double-dqn", include_str!("double-dqn.toml")),
    ("ddpg", include_str!("ddpg.toml")),
    ("td3", include_str!("td3.toml")),
    ("sac", include_str!("sac.toml")),
    ("sac-v", include_str!("sac-v.toml")),
    ("sac-best", include_str!("sac-best.toml")),
    ("dqn-still", include_str!("dqn-still.toml")),
    ("ddpg-still", include_str!("ddpg-still.toml")),
    ("td3-still", include_str!("td3-still.toml")),
    ("sac-still", include_str!("sac-still.toml")),
    ("hw2-dqn", include_str!("hw2-dqn.toml")),
    ("hw2-double-dqn", include_str!("hw2-double-dqn.toml")),
    ("hw2-ddpg", include_str!("hw2-ddpg.toml")),
    ("hw2-sac-m1", include_str!("hw2-sac-m1.toml")),
    ("hw2-sac-m2", include_str!("hw2-sac-m2.toml")),
    ("hw2-sac-m3", include_str!("hw2-sac-m3.toml")),
    ("lab-ddpg", include_str!("lab-ddpg.toml")),
    ("lab-sac", include_str!("lab-sac.toml")),
    ("lab-sac-auto", include_str!("lab-sac-auto.toml")),
    ("lab-sac-deterministic", include_str!("lab-sac-deterministic.toml")),
    ("slides-td3", include_str!("slides-td3.toml")),
    ("slides-sac-v", include_str!("slides-sac-v.toml")),
    ("tutorial-ddpg", include_str!("tutorial-ddpg.toml")),
    ("chapter-ddpg", include_str!("chapter-ddpg.toml")),
    ("chapter-td3", include_str!("chapter-td3.toml")),
    ("chapter-sac", include_str!("chapter-sac.toml")),
    ("chapter-sac-auto", include_str!("chapter-sac-auto.toml")),
];

/// A preset's table.
///
/// # Errors
///
/// If there is no such preset.
pub fn table(name: &str) -> Result<Table, ConfigError> {
    match ALL.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => parse(&format!("preset {name}"), text),
        None => Err(ConfigError::unknown("preset", name, ALL.iter().map(|(known, _)| *known))),
    }
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::{algos, run};

    /// Every preset, and every variant for another environment.
    fn configs() -> Vec<RunConfig> {
        let on = |name: &str, assignments: &[String]| {
            RunConfig::resolve(Some(name), None, assignments).unwrap()
        };
        let mut configs: Vec<_> = ALL.iter().map(|(name, _)| on(name, &[])).collect();
        for (name, text) in ALL {
            let table: Table = text.parse().unwrap();
            for environment in table.get("on").and_then(|on| on.as_table()).into_iter().flatten() {
                let config = on(name, &[format!("environment.name={}", environment.0)]);
                assert_ne!(config, on(name, &[]), "{name} on {}", environment.0);
                configs.push(config);
            }
        }
        configs
    }

    #[test]
    fn every_preset_makes_an_agent() {
        for config in configs() {
            let small = RunConfig {
                training: crate::train::TrainingConfig { batch_size: 2, ..config.training.clone() },
                ..config
            };
            run::start(&small).unwrap();
        }
    }

    /// A key that nothing reads would look like a setting and do nothing.
    #[test]
    fn every_key_is_read() {
        for config in configs() {
            let keys = |table: &Table| table.keys().cloned().collect::<Vec<_>>();
            let read = (algos::find(&config.algorithm).unwrap().settings)(&config.agent).unwrap();
            assert_eq!(keys(&config.agent), keys(&read), "{}", config.preset);
        }
    }
}
