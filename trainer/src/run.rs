//! One run from settings to artifacts: train, export, check, evaluate, write.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crc::{CRC_64_XZ, Crc};
use serde::Serialize;

use crate::config::{ConfigError, RunConfig};
use crate::eval::{EvalError, Starts, evaluate};
use crate::export::{Blob, ExportError, HostPolicy, export};
use crate::interface::{Algorithm, Environment, Spec};
use crate::rng::{Stream, stream};
use crate::train::{Episode, Observer, TrainError, train};
use crate::{algos, envs, plot, recording};

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
    /// A file or directory cannot be written.
    #[error("cannot write {}: {error}; choose another directory with --out", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// What `summary.json` holds.
#[derive(Debug, Clone, Serialize)]
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
    /// Environment steps.
    pub steps: usize,
    /// Updates.
    pub updates: usize,
    /// Wall-clock time of training alone [s].
    pub train_seconds: f64,
    /// Processor time of the process over training [s]; `null` where the system does not tell.
    pub train_cpu_seconds: Option<f64>,
    /// Of the exported policy, run by `policy-core`.
    pub evaluation: EvaluationSummary,
    /// The exported policy.
    pub policy: PolicySummary,
    /// The trained network against the exported policy.
    pub parity: Parity,
    /// CRC-64/XZ over the bits of all parameters, online and target, little-endian.
    pub parameters_fingerprint: String,
}

/// An evaluation without its single returns.
#[derive(Debug, Clone, Serialize)]
pub struct EvaluationSummary {
    /// Number of starts.
    pub starts: usize,
    /// Mean return.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
    /// The lowest return.
    pub worst: f64,
    /// Mean of the optimal returns from the same starts, where known.
    pub optimal_mean: Option<f64>,
    /// 100 (optimal − mean) / |optimal|
    pub gap_percent: Option<f64>,
}

/// What was exported.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
pub struct Parity {
    /// Observations compared.
    pub observations: usize,
    /// Largest difference of an action entry, in the action's unit.
    pub max_difference: f64,
}

/// Told of the run's progress.
pub trait Progress {
    /// An environment step was made.
    fn step(&mut self, step: usize);
    /// An episode has ended with this return.
    fn episode(&mut self, episode_return: f64);
}

/// Runs the settings and writes to `directory`: `policy.bin`, `recording.bin`, `config.toml`,
/// `metrics.csv`, `learning_curve.svg` and, when all else is there, `summary.json`. Each file
/// appears whole or not at all; those of an earlier run are replaced as this one finishes.
pub fn run(
    config: &RunConfig,
    directory: &Path,
    progress: &mut dyn Progress,
) -> Result<Summary, RunError> {
    let mut environment = envs::make(&config.environment).ok_or_else(|| {
        ConfigError::unknown("environment", &config.environment, envs::NAMES.iter().copied())
    })?;
    let spec = environment.spec().clone();
    let mut initialisation = stream(config.training.seed, Stream::Initialisation);
    let batch_size = config.training.batch_size;
    let mut agent =
        algos::make(&config.algorithm, &config.agent, &spec, batch_size, &mut initialisation)?;

    let mut recorder = Recorder::new(directory, &*agent, progress)?;
    let (wall, processor) = (Instant::now(), processor_time());
    let updates = train(&mut *environment, &mut *agent, &config.training, &mut recorder)?;
    let train_seconds = wall.elapsed().as_secs_f64();
    let used = processor_time().zip(processor).map(|(after, before)| after.saturating_sub(before));
    let episodes = recorder.finish()?;

    let blob = export(&agent.policy(), &spec)?;
    let policy = HostPolicy::from_bytes(blob.bytes()).map_err(ExportError::from)?;
    let (evaluation, parity) = (
        summarise(&policy, &mut *environment, &config.environment)?,
        parity(&policy, &mut *agent, &spec),
    );
    let summary = Summary {
        schema: 1,
        preset: config.preset.clone(),
        algorithm: config.algorithm.clone(),
        environment: config.environment.clone(),
        seed: config.training.seed,
        steps: config.training.steps,
        updates,
        train_seconds,
        train_cpu_seconds: used.map(|time| time.as_secs_f64()),
        evaluation,
        policy: PolicySummary {
            file: "policy.bin".into(),
            bytes: blob.bytes().len(),
            parameters: policy.header().parameters(),
            checksum: format!("{:08x}", policy.checksum()),
        },
        parity,
        parameters_fingerprint: fingerprint(&agent.parameters().value),
    };
    write_artifacts(config, directory, &blob, &policy, &episodes)?;
    let text = serde_json::to_string_pretty(&summary).expect("a summary is plain data") + "\n";
    write_whole(&directory.join("summary.json"), text.as_bytes())?;
    Ok(summary)
}

fn write_artifacts(
    config: &RunConfig,
    directory: &Path,
    blob: &Blob,
    policy: &HostPolicy<'_>,
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
    let title =
        format!("{} on {}, seed {}", config.preset, config.environment, config.training.seed);
    let picture = plot::learning_curve(&title, episodes);
    write_whole(&directory.join("learning_curve.svg"), picture.as_bytes())
}

/// Evaluates on the environment's fixed starts.
fn summarise(
    policy: &HostPolicy<'_>,
    environment: &mut dyn Environment,
    name: &str,
) -> Result<EvaluationSummary, RunError> {
    let starts = Starts::builtin(name).expect("every environment has fixed starts");
    let evaluation = evaluate(policy, environment, &starts)?;
    let optimal_mean = starts.optimal_mean();
    Ok(EvaluationSummary {
        starts: starts.states.len(),
        mean: evaluation.mean,
        standard_error: evaluation.standard_error,
        worst: evaluation.worst,
        optimal_mean,
        gap_percent: optimal_mean.map(|optimal| evaluation.gap_percent(optimal)),
    })
}

/// The largest difference between the trained network and the exported policy over the ordinary
/// observations of a recording.
fn parity(policy: &HostPolicy<'_>, agent: &mut dyn Algorithm, spec: &Spec) -> Parity {
    let mut trained = vec![0.0; spec.action_size()];
    let mut parity = Parity { observations: 0, max_difference: 0.0 };
    let observations = recording::observations(recording::ROWS, spec.observation_size, 0);
    for observation in observations.chunks_exact(spec.observation_size) {
        if observation.iter().any(|x| !x.is_finite() || x.abs() > 100.0) {
            continue;
        }
        agent.act(observation, &mut trained);
        parity.observations += 1;
        let exported = policy.act(observation).unwrap_or_default();
        for (index, trained) in trained.iter().enumerate() {
            let exported = exported.get(index).copied().unwrap_or(f32::NAN);
            let difference = f64::from((trained - exported).abs());
            // A refusal where the network answers must not hide: a NaN stays.
            if difference.is_nan() || difference > parity.max_difference {
                parity.max_difference = difference;
            }
        }
    }
    parity
}

/// CRC-64/XZ over the bits of the parameters, little-endian, as 16 hexadecimal digits.
pub fn fingerprint(parameters: &[f32]) -> String {
    let crc = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = crc.digest();
    parameters.iter().for_each(|x| digest.update(&x.to_le_bytes()));
    format!("{:016x}", digest.finalize())
}

/// Time that this process has computed; `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}

/// Writes a file beside its place and renames it, so that a reader never sees a part of it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        allow_reading(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| RunError::Write { path: path.into(), error })
}

/// Temporary files are private at first; artifacts are not secret.
fn allow_reading(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Writes a row of metrics.csv for each episode, under another name until the run is over.
struct Recorder<'a> {
    part: PathBuf,
    whole: PathBuf,
    csv: csv::Writer<BufWriter<File>>,
    episodes: Vec<(usize, f64)>,
    progress: &'a mut dyn Progress,
}

impl<'a> Recorder<'a> {
    fn new(
        directory: &Path,
        agent: &dyn Algorithm,
        progress: &'a mut dyn Progress,
    ) -> Result<Self, RunError> {
        let (part, whole) = (directory.join("metrics.csv.part"), directory.join("metrics.csv"));
        std::fs::create_dir_all(directory)
            .map_err(|error| RunError::Write { path: directory.into(), error })?;
        let file =
            File::create(&part).map_err(|error| RunError::Write { path: part.clone(), error })?;
        let mut csv = csv::Writer::from_writer(BufWriter::new(file));
        let columns = ["step", "episode", "return", "length", "updates"];
        csv.write_record(columns.into_iter().chain(agent.metrics().iter().map(|m| m.name)))
            .map_err(|error| RunError::Write { path: part.clone(), error: error.into() })?;
        Ok(Recorder { part, whole, csv, episodes: Vec::new(), progress })
    }

    /// Puts metrics.csv in its place and gives (step, return) of each episode.
    fn finish(mut self) -> Result<Vec<(usize, f64)>, RunError> {
        self.csv
            .flush()
            .and_then(|()| std::fs::rename(&self.part, &self.whole))
            .map_err(|error| RunError::Write { path: self.whole, error })?;
        Ok(self.episodes)
    }
}

impl Observer for Recorder<'_> {
    fn on_step(&mut self, step: usize) {
        self.progress.step(step);
    }

    fn on_episode(&mut self, e: &Episode<'_>) -> Result<(), TrainError> {
        self.progress.episode(e.episode_return);
        self.episodes.push((e.step, e.episode_return));
        let counts = [e.step as f64, e.episode as f64, e.episode_return];
        let counts = counts.into_iter().chain([e.length as f64, e.updates as f64]);
        let row = counts.chain(e.metrics.iter().map(|m| m.value)).map(|x| x.to_string());
        self.csv
            .write_record(row)
            .map_err(|error| TrainError::Write { path: self.part.clone(), error: error.into() })
    }
}
