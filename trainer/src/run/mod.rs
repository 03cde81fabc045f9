//! One run from settings to artifacts: train, export, check, evaluate, write; with checkpoints, from
//! which a run that was interrupted goes on.

mod artifacts;
mod checkpoint;
mod clock;
mod error;
mod files;
mod home;
pub mod place;
mod recorder;
mod sealed;
mod selection;
mod session;
mod summary;
mod trained;

pub use checkpoint::CheckpointError;
pub use clock::processor_time;
pub use error::RunError;
pub(crate) use sealed::Kind as Sealed;
pub use sealed::SealError;
pub use selection::Selected;
pub use summary::{EvaluationSummary, Parity, PolicySummary, Summary, TrainingReturn, fingerprint};
pub use trained::Trained;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::algos::Setup;
use crate::config::RunConfig;
use crate::export::{ExportError, export};
use crate::interface::{Algorithm, Environments};
use crate::linalg::Backend;
use crate::policy::AnyPolicy;
use crate::report::{self, ReportError};
use crate::results::Results;
use crate::rng::{Stream, stream};
use crate::settings::ConfigError;
use crate::text::Shown;
use crate::{algos, envs};
use artifacts::{Written, parity, summarise};
use checkpoint::Checkpoints;
pub(crate) use files::{Target, folder, remove, take_lost, write_whole};
use home::Inspection;
pub(crate) use home::{Home, Use, check, check_no_trial, has_ours};
use recorder::Recorder;
use session::Session;

/// Told of the run's progress.
pub trait Progress {
    /// Each environment made a step; all of them together have made `step`.
    fn step(&mut self, step: usize);
    /// An episode has ended with this return.
    fn episode(&mut self, episode_return: f64);
    /// The run goes on from a checkpoint of this step.
    fn goes_on(&mut self, _step: usize) {}
    /// All steps are made; the policy is evaluated, and results are written.
    fn trained(&mut self) {}
    /// Something that the user should know.
    fn notice(&mut self, _text: &str) {}
}

/// What to do where the directory holds a run that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: an error says what can be done.
    Fresh,
    /// Drop it.
    Restart,
    /// Go on with it; without one, begin, but for a run of the same settings that is finished.
    Resume,
}

/// How a run goes about its work; its results do not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Where a run was interrupted.
    pub begin: Begin,
    /// Time from one checkpoint to the next.
    pub checkpoint_every: Duration,
    /// Set to true, it makes the run save its state and end with [`RunError::Interrupted`].
    pub interrupted: &'a AtomicBool,
}

/// As often as this a run is saved where nobody says otherwise.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

static NEVER: AtomicBool = AtomicBool::new(false);

impl Default for Options<'_> {
    fn default() -> Self {
        let (begin, checkpoint_every) = (Begin::Fresh, CHECKPOINT_EVERY);
        Options { begin, checkpoint_every, interrupted: &NEVER }
    }
}

/// What a run begins with.
#[allow(missing_debug_implementations, reason = "environments and agents are trait objects")]
pub struct Start {
    /// As many as the settings say, all alike.
    pub environments: Box<dyn Environments>,
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
    let environments = envs::make_many(&config.environment, training.environments)?;
    let setup = Setup {
        spec: environments.spec(),
        batch_size: training.batch_size,
        environments: training.environments,
        n_step: training.n_step,
        actor_updates: training.separate_updates.then_some(training.actor_updates),
    };
    let mut rng = stream(training.seed, Stream::Initialisation);
    let agent = algos::make(&config.algorithm, &config.agent, &setup, &mut rng)?;
    Ok(Start { environments, agent })
}

/// Runs the settings and writes to `directory`: `policy.bin`, `agent.bin`, `recording.bin`, `config.toml`,
/// `metrics.csv`, `learning_curve.svg`, `report.html` and, when all else is there, `summary.json`. Each file
/// appears whole or not at all; those of an earlier run are replaced as this one finishes.
/// Nothing that no command wrote is replaced or removed: where there is any, that is an error, before training.
/// Meanwhile there are `checkpoints/`; and the event file for TensorBoard ([`crate::tensorboard`]) has its
/// own name from the beginning.
///
/// # Errors
///
/// If the settings make no run, training diverges or is interrupted, or a file cannot be written.
pub fn run(
    config: &RunConfig,
    directory: &Path,
    options: &Options<'_>,
    progress: &mut dyn Progress,
) -> Result<Summary, RunError> {
    let Start { mut environments, mut agent } = start(config)?;
    let spec = environments.spec().clone();
    let _home = match Home::take(directory) {
        // On a disk that is read-only now, perhaps; there is nothing to be written.
        Err(error @ RunError::Write { .. }) if options.begin == Begin::Resume => {
            return finished_alike(directory, config, progress)?.ok_or(error);
        }
        home => home?,
    };
    take_lost().iter().for_each(|text| progress.notice(&format!("warning: {text}")));
    let before = Inspection::of(directory)?;
    before.check(options.begin)?;
    let mut recorder = Recorder::new(directory, progress);
    let mut checkpoints = Checkpoints::of(directory, options.checkpoint_every);
    let found = match options.begin {
        Begin::Restart => checkpoints.clear().map(|()| None)?,
        Begin::Fresh => match checkpoints.newest(&mut |_| ())? {
            Some(checkpoint) => return Err(checkpoint.unfinished(directory)),
            None => None,
        },
        Begin::Resume => checkpoints.newest(&mut |text| recorder.notice(text))?,
    };
    if options.begin == Begin::Resume
        && found.is_none()
        && let Some(summary) = finished_alike(directory, config, recorder.progress())?
    {
        return Ok(summary);
    }

    if let Some(checkpoint) = &found {
        session::may_go_on(checkpoint, config, directory)?;
    }
    let mut session = Session::begin(config, directory, &mut *environments, &mut *agent, recorder)?;
    if let Some(checkpoint) = &found {
        session.resume(checkpoint)?;
    }
    session.train(options, &mut checkpoints)?;
    let (updates, (seconds, processor)) = (session.training.updates(), session.watch.seconds());
    let Session { mut recorder, selection, .. } = session;
    let selected = selection.end(&mut *agent);

    let blob = export(&agent.policy(), &spec, envs::fingerprint(&config.environment)?)?;
    let policy = AnyPolicy::from_bytes(blob.bytes()).map_err(ExportError::from)?;
    let (evaluation, parity) =
        (summarise(&policy, &config.environment)?, parity(&policy, &mut *agent, &spec)?);
    let mut summary = Summary {
        schema: Summary::SCHEMA,
        preset: config.preset.clone(),
        algorithm: config.algorithm.clone(),
        environment: spec.name.into(),
        seed: config.training.seed,
        steps: config.training.steps,
        updates,
        train_seconds: seconds,
        train_cpu_seconds: processor,
        backend: Backend::current().to_string(),
        training_return: TrainingReturn::new(recorder.episodes()),
        evaluation,
        policy: PolicySummary {
            file: place::POLICY.into(),
            bytes: blob.bytes().len(),
            parameters: policy.parameters(),
            checksum: summary::checksum(&policy),
        },
        parity,
        selected,
        parameters_fingerprint: fingerprint(&agent.parameters().value),
        files: BTreeMap::new(),
    };
    before.check(Begin::Resume)?;
    // Only now, when nothing but writing can fail, do the results of an earlier run make way;
    // without a summary a directory is not a finished run.
    remove(&directory.join(place::SUMMARY))?;
    remove(&directory.join(place::RECORDING))?;
    remove(&directory.join(place::REPORT))?;
    recorder.finish()?;
    let mut written = Written { directory, files: BTreeMap::new() };
    let metrics = (recorder.rows(), recorder.episodes());
    written.write_results(config, &spec, &blob, &policy, metrics)?;
    written.write(place::AGENT, &trained::bytes(config, &mut *agent))?;
    match page(directory, &summary) {
        Ok(page) => written.write(place::REPORT, page.as_bytes())?,
        Err(error) => recorder.notice(&format!("there is no {}: {error}", place::REPORT)),
    }
    summary.files = written.files;
    write_whole(&directory.join(place::SUMMARY), summary.to_json().as_bytes())?;
    checkpoints.clear()?;
    recorder.close()?;
    Ok(summary)
}

/// The run's page. Without it a run is finished all the same.
fn page(directory: &Path, summary: &Summary) -> Result<String, RunError> {
    let results = Results::with_summary(directory, summary.clone()).map_err(ReportError::from)?;
    Ok(report::render(&results)?)
}

/// Writes the page of a finished run again, which counts as the run's own then.
///
/// # Errors
///
/// If another command writes to the directory, or a file there is missing, damaged, or cannot be written.
pub fn write_page(results: &Results) -> Result<(), RunError> {
    let directory = &results.directory;
    let _home = Home::take(directory)?;
    let mut summary = results.summary.clone();
    let mut written = Written { directory, files: summary.files };
    written.write(place::REPORT, report::render(results)?.as_bytes())?;
    summary.files = written.files;
    write_whole(&directory.join(place::SUMMARY), summary.to_json().as_bytes())
}

/// The summary of the run that is finished in a directory, with the settings that are asked for; `None` where none is.
fn finished_alike(
    directory: &Path,
    config: &RunConfig,
    progress: &mut dyn Progress,
) -> Result<Option<Summary>, RunError> {
    let Some((summary, settings)) = finished(directory)? else { return Ok(None) };
    session::same_settings(directory, &settings, config)?;
    let steps = settings.training.steps;
    if steps != config.training.steps {
        return Err(RunError::Finished { directory: directory.into(), steps });
    }
    progress.notice(&format!("the run in {} is finished", directory.shown()));
    Ok(Some(summary))
}

/// The settings and the step of the run that was interrupted in a directory, if there is one.
///
/// # Errors
///
/// If there is one, but none of its checkpoints can be used.
pub fn interrupted(directory: &Path) -> Result<Option<(RunConfig, usize)>, RunError> {
    let found = Checkpoints::of(directory, CHECKPOINT_EVERY).newest(&mut |_| ())?;
    Ok(found.map(|checkpoint| (checkpoint.config, checkpoint.step)))
}

/// The summary and the settings of the run that was finished in a directory, if there is one.
///
/// # Errors
///
/// If there is one that cannot be read.
pub fn finished(directory: &Path) -> Result<Option<(Summary, RunConfig)>, RunError> {
    let path = directory.join(place::SUMMARY);
    let text = match std::fs::read(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        text => text.map_err(|error| RunError::Read { path: path.clone(), error })?,
    };
    let unusable = |path: &Path, error: &dyn std::fmt::Display| RunError::Unusable {
        path: path.into(),
        error: error.to_string(),
    };
    let summary = Summary::read(&text).map_err(|error| unusable(&path, &error))?;
    let path = directory.join(place::CONFIG);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| RunError::Read { path: path.clone(), error })?;
    let config = toml::from_str(&text)
        .map_err(|error: toml::de::Error| unusable(&path, &error.message()))?;
    Ok(Some((summary, config)))
}
