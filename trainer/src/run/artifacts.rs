//! What a run leaves: the policy with its evaluation, and the files beside it.

use std::collections::BTreeMap;
use std::path::Path;

use policy_core::Head;

use super::summary::checksum_of;
use super::{EvaluationSummary, Parity, RunError, place, write_whole};
use crate::config::RunConfig;
use crate::eval::{Starts, evaluate};
use crate::export::Blob;
use crate::interface::{Algorithm, Spec};
use crate::policy::AnyPolicy;
use crate::{plot, recording};

/// The files of a directory that a run has written, by name, with their checksums.
pub(super) struct Written<'a> {
    pub(super) directory: &'a Path,
    pub(super) files: BTreeMap<String, String>,
}

impl Written<'_> {
    /// Writes one of them.
    pub(super) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        write_whole(&self.directory.join(name), bytes)?;
        self.files.insert(name.into(), checksum_of(bytes));
        Ok(())
    }

    /// Writes all but networks, page and summary; (step, return) of each episode are drawn, and `rows` are their metrics.
    pub(super) fn write_results(
        &mut self,
        config: &RunConfig,
        spec: &Spec,
        blob: &Blob,
        policy: &AnyPolicy<'_>,
        (rows, episodes): (&str, &[(usize, f64)]),
    ) -> Result<(), RunError> {
        self.write(place::METRICS, rows.as_bytes())?;
        self.write(place::POLICY, blob.bytes())?;
        let (size, seed) = (policy.observation_size(), config.training.seed);
        let observations = recording::observations(recording::ROWS, size, seed);
        if let Some(bytes) = recording::record(policy, &observations) {
            self.write(place::RECORDING, &bytes)?;
        }
        let text = toml::to_string(config).expect("settings came from TOML");
        self.write(place::CONFIG, text.as_bytes())?;
        let title = format!("{} on {}, seed {seed}", config.preset, spec.name);
        self.write(place::CURVE, plot::learning_curve(&title, episodes).as_bytes())
    }
}

/// Evaluates on the environment's fixed starts.
pub(super) fn summarise(
    policy: &AnyPolicy<'_>,
    environment: &toml::Table,
) -> Result<EvaluationSummary, RunError> {
    let starts = Starts::builtin(environment)?;
    let evaluation = evaluate(policy, &mut *starts.environments(environment)?, &starts)?;
    let best_known_mean = starts.best_known_mean();
    Ok(EvaluationSummary {
        starts: starts.states.len(),
        mean: evaluation.mean,
        standard_error: evaluation.standard_error,
        worst: evaluation.worst,
        full_episodes: evaluation.full_episodes,
        best_known_mean,
        gap_percent: best_known_mean.map(|best| evaluation.gap_percent(best)),
        control: evaluation.control,
    })
}

/// The largest difference between the trained network and the exported policy over the ordinary
/// observations of a recording.
pub(super) fn parity(
    policy: &AnyPolicy<'_>,
    agent: &mut dyn Algorithm,
    spec: &Spec,
) -> Result<Parity, RunError> {
    let mut trained = vec![0.0; spec.action_size()];
    let mut parity = Parity { observations: 0, max_difference: 0.0, differing: 0 };
    // Sums that differ by rounding do not come near a thousandth of the action's range.
    let range = spec.action_range();
    let tolerance = 1e-3 * range.scale().into_iter().fold(0.0, f64::max);
    let observations = recording::observations(recording::ROWS, spec.observation_size(), 0);
    for observation in observations.chunks_exact(spec.observation_size()) {
        if observation.iter().any(|x| !x.is_finite() || x.abs() > 100.0) {
            continue;
        }
        agent.act(observation, &mut trained);
        parity.observations += 1;
        let exported = policy.act(observation).unwrap_or_default();
        let mut close = true;
        for (index, trained) in trained.iter().enumerate() {
            let exported = exported.get(index).copied().unwrap_or(f32::NAN);
            let difference = f64::from((trained - exported).abs());
            close &= difference <= tolerance;
            // A refusal where the network answers must not hide: a NaN stays.
            if difference.is_nan() || difference > parity.max_difference {
                parity.max_difference = difference;
            }
        }
        parity.differing += usize::from(!close);
    }
    // Where two actions of a grid are worth the same but for rounding, either may be taken.
    let ties = match policy.head() {
        Head::Grid { .. } => parity.observations / 100,
        _ => 0,
    };
    match parity.observations > 0 && parity.differing <= ties && !parity.max_difference.is_nan() {
        true => Ok(parity),
        false => Err(RunError::Parity { parity }),
    }
}
