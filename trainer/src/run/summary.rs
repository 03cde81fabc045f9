//! What a run reports.

use std::collections::BTreeMap;

use crc::{CRC_64_XZ, Crc};
use serde::{Deserialize, Serialize};

use super::selection::Selected;
use crate::control::Control;
use crate::policy::AnyPolicy;

/// What `summary.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// Version of these fields.
    pub schema: u32,
    /// Name of the preset.
    pub preset: String,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Name of the environment.
    pub environment: String,
    /// Of all random streams.
    pub seed: u64,
    /// Environment steps that the settings ask for; with several environments, the last ones together
    /// may make a few more.
    pub steps: usize,
    /// Updates.
    pub updates: usize,
    /// Wall-clock time of training alone, in s.
    pub train_seconds: f64,
    /// Processor time of training, of all its threads, in s; `null` where the system does not tell.
    pub train_cpu_seconds: Option<f64>,
    /// What the products were computed with; the results do not depend on it.
    pub backend: String,
    /// Of the episodes of training.
    pub training_return: TrainingReturn,
    /// Of the exported policy, run by `policy-core`.
    pub evaluation: EvaluationSummary,
    /// The exported policy.
    pub policy: PolicySummary,
    /// The trained network against the exported policy.
    pub parity: Parity,
    /// Which policy it is, where the best of several was kept; else it is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
    /// CRC-64/XZ over the bits of all parameters, online and target, little-endian.
    pub parameters_fingerprint: String,
    /// The other files that the run wrote, each with the CRC-64/XZ of its bytes: by it, a later run knows them from
    /// what a person put in their place. Empty in those of before.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

impl Summary {
    /// What [`Summary::schema`] is now.
    pub(super) const SCHEMA: u32 = 1;

    /// Reads `summary.json`.
    ///
    /// # Errors
    ///
    /// If it is none, or one of another version of its fields.
    pub fn read(text: &[u8]) -> Result<Summary, String> {
        // First of all, for the fields may be others then.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let wrong = |error: serde_json::Error| error.to_string();
        let Version { schema } = serde_json::from_slice(text).map_err(wrong)?;
        if schema != Self::SCHEMA {
            let known = Self::SCHEMA;
            return Err(format!(
                "its schema is {schema}, which another version of the trainer reads; this one reads {known}"
            ));
        }
        serde_json::from_slice(text).map_err(wrong)
    }

    /// What `summary.json` holds of it.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a summary is plain data") + "\n"
    }

    /// Is this the policy that it tells of?
    pub fn is_of(&self, policy: &AnyPolicy<'_>) -> bool {
        self.policy.checksum == checksum(policy)
    }
}

/// The checksum of a policy, as [`PolicySummary`] has it.
pub(super) fn checksum(policy: &AnyPolicy<'_>) -> String {
    format!("{:08x}", policy.checksum())
}

/// The checksum of a file, as [`Summary::files`] has it.
pub(super) fn checksum_of(bytes: &[u8]) -> String {
    format!("{:016x}", Crc::<u64>::new(&CRC_64_XZ).checksum(bytes))
}

/// Returns of the last episodes of training, with the noise of exploring; those that an iteration's
/// end cut off included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingReturn {
    /// Episodes in all.
    pub episodes: usize,
    /// Mean over the last 100, or all where there are fewer; `null` without any.
    pub last_100_mean: Option<f64>,
    /// The same over the last 10.
    pub last_10_mean: Option<f64>,
}

impl TrainingReturn {
    /// Of (step, return) of each episode.
    pub fn new(episodes: &[(usize, f64)]) -> Self {
        let mean = |count: usize| {
            let last = &episodes[episodes.len().saturating_sub(count)..];
            let sum: f64 = last.iter().map(|(_, episode_return)| episode_return).sum();
            (!last.is_empty()).then(|| sum / last.len() as f64)
        };
        let (last_100_mean, last_10_mean) = (mean(100), mean(10));
        TrainingReturn { episodes: episodes.len(), last_100_mean, last_10_mean }
    }
}

/// An evaluation without its single returns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvaluationSummary {
    /// Number of starts.
    pub starts: usize,
    /// Mean return.
    pub mean: f64,
    /// Standard error of the mean; `None` of one start, or where all returns are the same.
    pub standard_error: Option<f64>,
    /// The lowest return.
    pub worst: f64,
    /// Episodes that lasted to their horizon.
    pub full_episodes: usize,
    /// Mean of the best known returns from the same starts, where there are any; it was `optimal_mean` once.
    #[serde(alias = "optimal_mean")]
    pub best_known_mean: Option<f64>,
    /// 100 (best known − mean) / |best known|
    pub gap_percent: Option<f64>,
    /// What the policy does at its machine's goal; `None` where nothing can be said of that, and in those of before.
    #[serde(default)]
    pub control: Option<Control>,
}

/// What was exported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicySummary {
    /// File name within the run's directory.
    pub file: String,
    /// Its size.
    pub bytes: usize,
    /// Weights and biases in it.
    pub parameters: u64,
    /// CRC-32, as the blob carries it.
    pub checksum: String,
}

/// The trained network (fused multiply-adds) against `policy-core` (none): the same up to rounding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parity {
    /// Observations compared.
    pub observations: usize,
    /// Largest difference of an action entry, in the action's unit.
    pub max_difference: f64,
    /// Observations whose actions differ by more than rounding: only with a grid of actions, where
    /// two of them are worth the same.
    pub differing: usize,
}

/// CRC-64/XZ over the bits of the parameters, little-endian, as 16 hexadecimal digits.
pub fn fingerprint(parameters: &[f32]) -> String {
    let crc = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = crc.digest();
    parameters.iter().for_each(|x| digest.update(&x.to_le_bytes()));
    format!("{:016x}", digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that said too much: summaries with it are still read, and written with the new one.
    #[test]
    fn the_old_name_of_the_best_known_mean_is_read() {
        for (old, error) in [("optimal_mean", "0.0"), ("best_known_mean", "null")] {
            let text = format!(
                r#"{{"starts": 1, "mean": -2.0, "standard_error": {error}, "worst": -2.0,
                     "full_episodes": 1, "{old}": -1.0, "gap_percent": 100.0}}"#
            );
            let read: EvaluationSummary = serde_json::from_str(&text).unwrap();
            assert_eq!((read.best_known_mean, &read.control), (Some(-1.0), &None));
            let written = serde_json::to_value(&read).unwrap();
            assert_eq!(
                (&written["best_known_mean"], written.get("optimal_mean")),
                (&(-1.0).into(), None)
            );
        }
    }

    #[test]
    fn other_schemas_are_refused() {
        let error = Summary::read(b"{\"schema\": 2}").unwrap_err();
        assert!(error.starts_with("its schema is 2, "), "{error}");
        let error = Summary::read(b"{\"schema\": 1}").unwrap_err();
        assert!(error.starts_with("missing field `preset`"), "{error}");
        assert!(Summary::read(b"{}").unwrap_err().starts_with("missing field `schema`"));
    }
}
