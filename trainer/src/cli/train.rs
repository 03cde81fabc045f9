//! `trainer train`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};

use super::interrupt::Interrupt;
use super::names::{ENVIRONMENTS, PRESETS};
use super::numbers::{number, whole};
use super::output::{self, Outputs};
use super::progress::Bar;
use super::{Failure, json, seeds, warn};
use crate::config::{ENVIRONMENT_NAME, RunConfig};
use crate::control;
use crate::input;
use crate::linalg::parallel::{MAX_THREADS, with_threads};
use crate::run::{self, Begin, CHECKPOINT_EVERY, Options, RunError, Summary, place};
use crate::settings::ConfigError;
use crate::statistics::{counted, percent, with_error};
use crate::text::Shown;

/// The largest number that TOML holds.
pub(super) const MAX_SEED: u64 = i64::MAX as u64;
/// No file of settings is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// Train a policy and export it
#[derive(Debug, Args)]
#[command(
    after_help = "Example: trainer train --preset sac --seed 3 --set gamma=0.98 --out runs/mine"
)]
pub(super) struct Train {
    /// The settings to start from; `trainer presets` lists them
    #[arg(long, value_name = "NAME", value_parser = PRESETS, hide_possible_values = true)]
    preset: Option<String>,
    /// Environment, in the place of the preset's
    #[arg(long, value_name = "NAME", value_parser = ENVIRONMENTS, hide_possible_values = true)]
    env: Option<String>,
    /// Seed of all random streams, at most 2⁶³ − 1
    #[arg(long, allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u64>(0..=MAX_SEED))]
    seed: Option<u64>,
    /// Environment steps
    #[arg(long, allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u64>(0..=i64::MAX as u64))]
    steps: Option<u64>,
    /// Change a setting, as often as you like; config.toml of a run shows them all
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
    /// Settings that go over the preset's
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Threads of a run; its results do not depend on them. More than one pays where hidden layers
    /// have 256 units or more, and other processors are idle
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u8>(1..=MAX_THREADS as u64))]
    threads: u8,
    /// Train with so many seeds, `--seed` the first, as many at a time as there are processors; each
    /// has the results that it has alone
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u16>(1..=1000), conflicts_with = "threads")]
    seeds: Option<u16>,
    /// Go on with the run that was interrupted in the directory of the results, to the same bits as if it
    /// had not been. Its settings are known there: only --steps can change
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Drop the run that was interrupted there
    #[arg(long)]
    restart: bool,
    /// Time from one checkpoint to the next, in s
    #[arg(long, value_name = "SECONDS", default_value_t = CHECKPOINT_EVERY.as_secs_f64(), allow_negative_numbers = true)]
    #[arg(value_parser = seconds)]
    checkpoint_every: f64,
    /// Directory of the results [default: runs/PRESET]; with --seeds, each has its own seed-N in there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

impl Train {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let text = self.config.as_ref().map(|path| {
            let read = input::text(path, LARGEST);
            read.map_err(|error| ConfigError::Read { path: path.clone(), error })
        });
        let text = text.transpose()?;
        let origin = self.config.as_deref().map(|path| path.shown().to_string());
        let file = origin.as_deref().zip(text.as_deref());
        let mut assignments = self.assignments;
        let flags = [
            ("seed", "training.seed", self.seed.map(|seed| seed.to_string())),
            ("steps", "training.steps", self.steps.map(|steps| steps.to_string())),
            ("env", ENVIRONMENT_NAME, self.env),
        ];
        let given = flags.into_iter().filter_map(|(flag, path, value)| Some((flag, path, value?)));
        for (flag, path, value) in given {
            let key = path.rsplit('.').next().unwrap_or(path);
            let set = |given: &String| {
                given.split('=').next().is_some_and(|given| given == key || given == path)
            };
            if assignments.iter().any(set) {
                let text =
                    format!("`{key}` is given twice, by --{flag} and by --set: leave one out");
                return Err(Failure::Usage(text));
            }
            assignments.push(format!("{path}={value}"));
        }
        let known = match &self.out {
            Some(directory) if self.resume && self.preset.is_none() && file.is_none() => {
                Some(override_steps(known(directory)?, &assignments)?)
            }
            _ => None,
        };
        let config = match known {
            Some(config) => config,
            None => RunConfig::resolve(self.preset.as_deref(), file, &assignments)?,
        };
        let directory = self.out.unwrap_or_else(|| Path::new("runs").join(&config.preset));
        run::check_no_trial(&directory)?;
        if let Some(config) = &self.config {
            refuse_input(config, &directory)?;
        }
        let interrupt = Interrupt::listen()?;
        let begin = match (self.resume, self.restart) {
            (true, _) => Begin::Resume,
            (_, true) => Begin::Restart,
            _ => Begin::Fresh,
        };
        let checkpoint_every = Duration::from_secs_f64(self.checkpoint_every);
        let options = Options { begin, checkpoint_every, interrupted: interrupt.flag() };
        if let Some(count) = self.seeds {
            return seeds::train(&config, count.into(), &directory, &options, &interrupt, as_json);
        }
        let threads = at_most_processors(self.threads);
        let bar = Bar::new(&config.preset, config.training.steps);
        let work = || train(&config, &directory, &options, bar);
        let summary = with_threads(threads, work)
            .map_err(|error| Failure::Failed(format!("cannot start {threads} threads: {error}")))?;
        let summary = summary.map_err(|error| match error {
            RunError::Interrupted { .. } => interrupt.failure(error.to_string()),
            RunError::Write { .. } => Failure::Failed(told(&error, &directory)),
            RunError::Altered { .. } => Failure::Usage(told(&error, &directory)),
            _ => error.into(),
        })?;
        Ok(if as_json { json(&summary) } else { table(&[(summary, directory)]) })
    }
}

/// An error where the file of settings is one that the run would replace.
fn refuse_input(config: &Path, directory: &Path) -> Result<(), Failure> {
    let hint = "choose another directory with --out";
    let outputs = Outputs { kind: output::Kind::Other, inputs: &[config], own: &[], hint };
    let artifacts = place::ARTIFACTS.iter().map(|name| directory.join(name));
    artifacts.filter(|path| path.is_file()).try_for_each(|path| outputs.check_input(&path))
}

/// The settings of the run that was interrupted or finished in a directory.
fn known(directory: &Path) -> Result<RunConfig, Failure> {
    if let Some((config, _)) = run::interrupted(directory)? {
        return Ok(config);
    }
    let finished = run::finished(directory)?.map(|(_, config)| config);
    let seeds = place::seeds(directory).unwrap_or_default().len();
    finished.ok_or_else(|| {
        let directory = directory.shown();
        if seeds > 0 {
            return Failure::Usage(format!(
                "{directory} has the runs of {seeds} seeds: to go on with them, name their preset and --seeds, too"
            ));
        }
        Failure::Usage(format!(
            "there is no run in {directory} to go on with: look at --out, or name the preset of a run that is to begin there"
        ))
    })
}

/// A run's own settings, but for the number of steps.
fn override_steps(config: RunConfig, assignments: &[String]) -> Result<RunConfig, Failure> {
    if let Some(other) = assignments.iter().find(|given| !given.starts_with("training.steps=")) {
        let text = format!(
            "--resume goes on with the run's own settings, of which only --steps can change, not {other}: leave it out, or name the preset, too"
        );
        return Err(Failure::Usage(text));
    }
    let text = toml::to_string(&config).expect("settings came from TOML");
    Ok(RunConfig::resolve(None, Some(("checkpoint", &text)), assignments)?)
}

/// A time from 0 on.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = number(text)?;
    let is_time = (0.0..=1e9).contains(&seconds);
    is_time.then_some(seconds).ok_or_else(|| "must be from 0 to 1e9 s".into())
}

/// Why a run ended early; where something could not be written, also what is saved of it.
pub(super) fn told(error: &RunError, directory: &Path) -> String {
    let is_in_the_way = matches!(
        error,
        RunError::Write { .. } | RunError::Altered { .. } | RunError::Foreign { .. }
    );
    if is_in_the_way && let Ok(Some((_, step))) = run::interrupted(directory) {
        return format!("{error}; step {step} is saved, --resume goes on from it");
    }
    error.to_string()
}

/// How many threads this process may run at a time; `otherwise` where the system does not tell.
pub(super) fn processors(otherwise: usize) -> usize {
    std::thread::available_parallelism().map_or(otherwise, usize::from)
}

/// As many threads as are asked for, or if that is fewer, as there are processors, with a warning.
pub(super) fn at_most_processors(threads: u8) -> usize {
    let threads = threads.into();
    let processors = processors(threads);
    if threads > processors {
        warn(&format!(
            "--threads {threads}, but this process may use {processors} at a time: goes on with those"
        ));
    }
    threads.min(processors)
}

/// One run with its progress.
pub(super) fn train(
    config: &RunConfig,
    directory: &Path,
    options: &Options<'_>,
    mut bar: Bar,
) -> Result<Summary, RunError> {
    let summary = run::run(config, directory, options, &mut bar)?;
    drop(bar);
    if summary.updates == 0 {
        let after = config.training.update_after;
        warn(&format!(
            "the policy of seed {} is untrained, no update was made: updates begin after \
             {after} steps (training.update_after), and the run had {}",
            summary.seed, summary.steps
        ));
    }
    Ok(summary)
}

/// One line for each run, and where its results are.
pub(super) fn table(rows: &[(Summary, PathBuf)]) -> String {
    let mut text = format!(
        "{:<12} {:>6}  {:>18}  {:>7}  {:>8}  {:>12}  {:>20}\n",
        "preset", "seed", "return", "gap", "seconds", "policy", "parity host/core"
    );
    for (s, directory) in rows {
        let e = &s.evaluation;
        let gap = e.gap_percent.map_or("–".into(), percent);
        text += &format!(
            "{:<12} {:>6}  {:>18}  {:>7}  {:>8.1}  {:>12}  {:>20}\n",
            s.preset,
            s.seed,
            with_error(e.mean, e.standard_error, 1),
            gap,
            s.train_seconds,
            format!("{} bytes", s.policy.bytes),
            match s.parity.differing {
                0 => format!("within {:.1e}", s.parity.max_difference),
                ties => format!("{ties} ties of {}", s.parity.observations),
            },
        );
        text += &format!(
            "  {}, {} to the end, worst return {:.1}{}; results in {}\n",
            counted(e.starts, "start"),
            e.full_episodes,
            e.worst,
            e.best_known_mean.map_or(String::new(), |best| format!(", best known mean {best:.1}")),
            directory.shown(),
        );
        text += &format!("  {}\n", control::line(e.control.as_ref()));
    }
    text
}
