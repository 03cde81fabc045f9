//! Settings that do nothing while others have certain values.

use toml::{Table, Value};

use crate::settings::{ConfigError, last_part, leaves};

/// A setting, and those that make it idle: each has one of the values, as TOML writes them.
type Idle = (&'static str, &'static [(&'static str, &'static [&'static str])]);

const IDLE: &[Idle] = &[
    ("actor_updates", &[("separate_updates", &["false"])]),
    ("huber_delta", &[("critic_loss", &["squared"])]),
    ("epsilon_min", &[("epsilon_decay", &["1.0"])]),
    ("noise_std_min", &[("noise_decay", &["1.0"]), ("noise_decay_period", &["0"])]),
    ("ou_theta", &[("noise", &["gaussian"])]),
    ("ou_dt", &[("noise", &["gaussian", "ornstein-uhlenbeck"])]),
    ("target_noise_clip", &[("target_noise_std", &["0.0"])]),
    ("target_noise_unit", &[("target_noise_std", &["0.0"])]),
    ("noise_std", &[("policy", &["gaussian"])]),
    ("noise_clip", &[("policy", &["gaussian"])]),
    ("log_std_form", &[("policy", &["deterministic"])]),
    ("log_std_min", &[("policy", &["deterministic"])]),
    ("log_std_max", &[("policy", &["deterministic"])]),
    ("alpha_loss", &[("learn_alpha", &["false"])]),
    ("alpha_learning_rate", &[("learn_alpha", &["false"])]),
    ("target_entropy_per_action", &[("learn_alpha", &["false"])]),
    ("target_entropy_change", &[("learn_alpha", &["false"])]),
    ("alpha", &[("milestone", &["m1", "m2"])]),
    ("entropy_form", &[("milestone", &["m1", "m2"])]),
];

/// An error if one of the keys given changes a setting that does nothing: whoever sets it expects
/// that it does. `before` is what the settings were without them.
pub(super) fn check(before: &Table, after: &Table, given: &[String]) -> Result<(), ConfigError> {
    let (old, new) = (leaves(before), leaves(after));
    let value = |leaves: &[(String, Value)], key: &str| {
        leaves.iter().find(|(path, _)| last_part(path) == key).map(|(_, value)| value.clone())
    };
    for (key, conditions) in IDLE {
        let told = given.iter().any(|path| last_part(path) == *key);
        if !told || value(&old, key) == value(&new, key) {
            continue;
        }
        let reasons = conditions.iter().map(|(condition, values)| {
            let text = value(&new, condition)?.to_string();
            let text = text.trim_matches('"');
            values.contains(&text).then(|| format!("{condition} is {text}"))
        });
        if let Some(reasons) = reasons.collect::<Option<Vec<_>>>() {
            let (key, reason) = ((*key).into(), reasons.join(" and "));
            return Err(ConfigError::Idle { key, reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::presets;

    fn resolve(preset: &str, assignments: &[&str]) -> Result<RunConfig, ConfigError> {
        let assignments: Vec<String> = assignments.iter().map(ToString::to_string).collect();
        RunConfig::resolve(Some(preset), None, &assignments)
    }

    #[test]
    fn settings_that_would_do_nothing_are_refused() {
        for (preset, assignment, reason) in [
            ("sac", "noise_std=0.3", "policy is gaussian"),
            ("sac-v", "huber_delta=2", "critic_loss is squared"),
            ("lab-sac", "alpha_loss=exp-alpha", "learn_alpha is false"),
            ("hw2-sac-m1", "agent.alpha=0.5", "milestone is m1"),
            ("td3", "noise_std_min=0.01", "noise_decay is 1.0 and noise_decay_period is 0"),
            ("td3", "actor_updates=3", "separate_updates is false"),
        ] {
            let error = resolve(preset, &[assignment]).unwrap_err().to_string();
            assert!(error.contains(reason), "{preset} {assignment}: {error}");
        }
        let both = ["critic_loss=huber", "huber_delta=2"];
        resolve("sac-v", &both).expect("with Huber's loss it does something");
        resolve("sac", &["noise_std=0.1"]).expect("what it was anyway");
    }

    #[test]
    fn the_settings_exist() {
        let all: Vec<_> = presets::ALL
            .iter()
            .flat_map(|(name, _)| leaves(&presets::table(name).unwrap()))
            .collect();
        let exists = |key: &str| all.iter().any(|(path, _)| last_part(path) == key);
        for (key, conditions) in IDLE {
            assert!(exists(key), "{key}");
            conditions.iter().for_each(|(condition, _)| assert!(exists(condition), "{condition}"));
        }
    }
}
