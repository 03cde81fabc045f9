//! One run from settings to artifacts: train, export, check, evaluate, write.

mod clock;
mod files;
mod summary;

pub use clock::processor_time;
pub use summary::{EvaluationSummary, Parity, PolicySummary, Summary, TrainingReturn, fingerprint};

use std::path::{Path, PathBuf};
use std::time::Instant;

use policy_core::Head;

use crate::algos::Setup;
use crate::config::RunConfig;
use crate::eval::{EvalError, Starts, evaluate};
use crate::export::{Blob, ExportError, export};
use crate::interface::{Algorithm, Environment, Spec};
use crate::linalg::Backend;
use crate::policy::AnyPolicy;
use crate::rng::{Stream, stream};
use crate::settings::ConfigError;
use crate::train::{TrainError, train};
use crate::{algos, envs, plot, recording};
use files::Recorder;
pub(crate) use files::{remove, write_whole};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings make no run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Training stopped early.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The policy cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The policy cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvalError),
    /// Another run writes there.
    #[error("another run is writing to {}; wait for it, or choose another directory with --out", directory.display())]
    Busy {
        /// The directory.
        directory: PathBuf,
    },
    /// The exported policy is not the trained one.
    #[error("the exported policy differs from the trained network by up to {}, for {} of {} observations: a defect of the exporter, please report it", parity.max_difference, parity.differing, parity.observations)]
    Parity {
        /// What was found.
        parity: Parity,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}: {error}; choose another directory with --out", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// Told of the run's progress.
pub trait Progress {
    /// Each environment made a step; all of them together have made `step`.
    fn step(&mut self, step: usize);
    /// An episode has ended with this return.
    fn episode(&mut self, episode_return: f64);
}

/// What a run begins with.
#[allow(missing_debug_implementations, reason = "environments and agents are trait objects")]
pub struct Start {
    /// As many as the settings say, all alike.
    pub environments: Vec<Box<dyn Environment>>,
    /// With its first parameters.
    pub agent: Box<dyn Algorithm>,
}

/// The environments and the agent of a run's settings.
///
/// # Errors
///
/// If the settings do not go together, or not with the environment.
pub fn start(config: &RunConfig) -> Result<Start, ConfigError> {
    let training = &config.training;
    training.check()?;
    let environments = (0..training.environments).map(|_| envs::make(&config.environment));
    let environments: Vec<_> = environments.collect::<Result<_, _>>()?;
    let setup = Setup {
        spec: environments[0].spec(),
        batch_size: training.batch_size,
        environments: environments.len(),
        actor_updates: training.separate_updates.then_some(training.actor_updates),
    };
    let mut rng = stream(training.seed, Stream::Initialisation);
    let agent = algos::make(&config.algorithm, &config.agent, &setup, &mut rng)?;
    Ok(Start { environments, agent })
}

/// Runs the settings and writes to `directory`: `policy.bin`, `recording.bin`, `config.toml`,
/// `metrics.csv`, `learning_curve.svg` and, when all else is there, `summary.json`. Each file
/// appears whole or not at all; those of an earlier run are replaced as this one finishes. Only the
/// event file for TensorBoard ([`crate::tensorboard`]) has its own name from the beginning.
///
/// # Errors
///
/// If the settings make no run, training diverges, or a file cannot be written.
pub fn run(
    config: &RunConfig,
    directory: &Path,
    progress: &mut dyn Progress,
) -> Result<Summary, RunError> {
    let Start { mut environments, mut agent } = start(config)?;
    let spec = environments[0].spec().clone();

    let mut recorder = Recorder::new(directory, &*agent, progress)?;
    let (wall, processor) = (Instant::now(), processor_time());
    let updates = train(&mut environments, &mut *agent, &config.training, &mut recorder)?;
    let train_seconds = wall.elapsed().as_secs_f64();
    let used = processor_time().zip(processor).map(|(after, before)| after.saturating_sub(before));

    let blob = export(&agent.policy(), &spec, envs::fingerprint(&config.environment)?)?;
    let policy = AnyPolicy::from_bytes(blob.bytes()).map_err(ExportError::from)?;
    let (evaluation, parity) =
        (summarise(&policy, &config.environment)?, parity(&policy, &mut *agent, &spec)?);
    let summary = Summary {
        schema: 1,
        preset: config.preset.clone(),
        algorithm: config.algorithm.clone(),
        environment: spec.name.into(),
        seed: config.training.seed,
        steps: config.training.steps,
        updates,
        train_seconds,
        train_cpu_seconds: used.map(|time| time.as_secs_f64()),
        backend: Backend::current().to_string(),
        training_return: TrainingReturn::new(recorder.episodes()),
        evaluation,
        policy: PolicySummary {
            file: "policy.bin".into(),
            bytes: blob.bytes().len(),
            parameters: policy.parameters(),
            checksum: format!("{:08x}", policy.checksum()),
        },
        parity,
        parameters_fingerprint: fingerprint(&agent.parameters().value),
    };
    // Only now, when nothing but writing can fail, do the results of an earlier run make way;
    // without a summary a directory is not a finished run.
    remove(&directory.join("summary.json"))?;
    remove(&directory.join("recording.bin"))?;
    let episodes = recorder.finish()?;
    write_artifacts(config, &spec, directory, &blob, &policy, &episodes)?;
    let text = serde_json::to_string_pretty(&summary).expect("a summary is plain data") + "\n";
    write_whole(&directory.join("summary.json"), text.as_bytes())?;
    Ok(summary)
}

fn write_artifacts(
    config: &RunConfig,
    spec: &Spec,
    directory: &Path,
    blob: &Blob,
    policy: &AnyPolicy<'_>,
    episodes: &[(usize, f64)],
) -> Result<(), RunError> {
    write_whole(&directory.join("policy.bin"), blob.bytes())?;
    let observations =
        recording::observations(recording::ROWS, policy.observation_size(), config.training.seed);
    if let Some(bytes) = recording::record(policy, &observations) {
        write_whole(&directory.join("recording.bin"), &bytes)?;
    }
    let text = toml::to_string(config).expect("settings came from TOML");
    write_whole(&directory.join("config.toml"), text.as_bytes())?;
    let title = format!("{} on {}, seed {}", config.preset, spec.name, config.training.seed);
    let picture = plot::learning_curve(&title, episodes);
    write_whole(&directory.join("learning_curve.svg"), picture.as_bytes())
}

/// Evaluates on the environment's fixed starts.
fn summarise(
    policy: &AnyPolicy<'_>,
    environment: &toml::Table,
) -> Result<EvaluationSummary, RunError> {
    let starts = Starts::builtin(environment)?;
    let evaluation = evaluate(policy, &mut *envs::make(environment)?, &starts)?;
    let optimal_mean = starts.optimal_mean();
    Ok(EvaluationSummary {
        starts: starts.states.len(),
        mean: evaluation.mean,
        standard_error: evaluation.standard_error,
        worst: evaluation.worst,
        full_episodes: evaluation.full_episodes,
        optimal_mean,
        gap_percent: optimal_mean.map(|optimal| evaluation.gap_percent(optimal)),
    })
}

/// The largest difference between the trained network and the exported policy over the ordinary
/// observations of a recording.
fn parity(
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
