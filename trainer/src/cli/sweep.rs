//! `trainer sweep`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::Args;

use super::interrupt::Interrupt;
use super::numbers::whole;
use super::output::{self, Outputs};
use super::progress::{self, Bar, Wait};
use super::rows;
use super::sweep_csv::{Earlier, write};
use super::sweep_report::{Outcome, line, table};
use super::train::processors;
use super::{Failure, pool, print, warn};
use crate::config::RunConfig;
use crate::input;
use crate::run::{self, Begin, Home, Options, RunError, finished, interrupted, place};
use crate::statistics::FEW;
use crate::sweep::{Plan, SweepError, Trial, plan};
use crate::text::{self, Shown};

/// No file of a sweep is larger, in bytes.
const LARGEST: u64 = 1 << 20;
/// Where the trials cannot be.
const HINT: &str = "choose another directory with --out";
/// The most runs at a time.
const MOST_JOBS: u64 = 1024;

/// Train with settings that vary, on all processors, and rank them
///
/// Every trial is checked before the first one runs. A trial has a directory of its own in DIR, named after what varies,
/// with the files of `trainer train` and the same bits. What has finished there with the same settings is not trained
/// again, so that the same command goes on after an interruption, or after more values, seeds or draws were added to
/// FILE.toml; a finished trial of other settings is an error. One that failed, for example because training diverged, does
/// not stop the others, and is tried again next time.
///
/// A line tells of each trial as it ends; at last the settings are ranked by the interquartile mean over their seeds.
/// DIR/sweep.csv has a row for each trial that has ended. With --json every line is a JSON object.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Sweep {
    /// What to try, as below
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Directory of the trials [default: runs/FILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Trials at a time [default: as many as there are processors]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u16>(1..=MOST_JOBS))]
    jobs: Option<u16>,
}

const EXAMPLE: &str = "\
FILE.toml:
  presets = [\"sac\", \"td3\"]
  seeds = [101, 102, 103]           # or { first = 101, count = 3 }

  [settings]                        # for every trial
  steps = 5000

  [grid]                            # every combination
  gamma = [0.98, 0.99]
  hidden = [[64, 64], [128, 128]]

or instead of [grid], drawn values:
  [random]
  trials = 20                       # each with every preset and seed
  seed = 7                          # of the draws [default: 1]
  critic_learning_rate = { low = 1e-4, high = 1e-2, scale = \"log\" }
  batch_size = { low = 32, high = 256 }   # whole numbers, as both ends are
  hidden = { choice = [[64, 64], [128, 128]] }

Example: trainer sweep sweep.toml --out runs/sweep && trainer compare runs/sweep/*";

/// What has ended so far, by trial.
struct State {
    outcomes: Vec<Option<Outcome>>,
    /// Why nothing more is begun.
    stopped: Option<Failure>,
}

impl Sweep {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let origin = self.file.shown().to_string();
        let text = input::text(&self.file, LARGEST).map_err(|error| {
            let hint = "`trainer sweep --help` shows what such a file looks like";
            Failure::Usage(format!("cannot read {origin}: {error}; {hint}"))
        })?;
        let interrupt = Interrupt::listen()?;
        let plan = planned(&origin, &text, &interrupt)?;
        let directory = match (self.out, self.file.file_stem()) {
            (Some(directory), _) => directory,
            (None, Some(stem)) => Path::new("runs").join(stem),
            (None, None) => return Err(Failure::Usage(format!("{origin} is no file"))),
        };
        let rows = directory.join(place::SWEEP);
        let (kind, inputs) = (output::Kind::Other, &[self.file.as_path()]);
        Outputs { kind, inputs, own: &[], hint: HINT }.check_input(&rows)?;
        run::check(&directory, run::Use::Sweep)?;
        // What is finished can be looked at on a disk that is read-only.
        let (_home, read_only) = match Home::take(&directory) {
            Err(error @ RunError::Write { .. }) => (None, Some(error)),
            home => (Some(home?), None),
        };
        let earlier = Earlier::read(&rows)?;
        let outcomes = before(&plan, &directory, &interrupt)?;
        if let Some(error) = read_only.filter(|_| outcomes.iter().any(Option::is_none)) {
            return Err(error.into());
        }
        remark(&plan, &outcomes, &earlier, &origin);
        for (trial, outcome) in plan.trials.iter().zip(&outcomes) {
            if let Some(outcome) = outcome {
                tell(&line(&plan, trial, outcome, as_json));
            }
        }
        write(&plan, &rows, &outcomes, &earlier)?;

        let waiting: Vec<usize> = (0..outcomes.len()).filter(|i| outcomes[*i].is_none()).collect();
        let state = Mutex::new(State { outcomes, stopped: None });
        let work = |i: usize| {
            let (index, trial) = (waiting[i], &plan.trials[waiting[i]]);
            let outcome = one(trial, &directory, &interrupt)?;
            let mut state = locked(&state);
            rows::suspend(|| tell(&line(&plan, trial, &outcome, as_json)));
            state.outcomes[index] = Some(outcome);
            if let Err(error) = write(&plan, &rows, &state.outcomes, &earlier) {
                // Those under way are saved, rather than the error told hours later.
                interrupt.flag().store(true, Ordering::Relaxed);
                state.stopped = Some(error);
            }
            state.stopped.is_none().then_some(())
        };
        let jobs = self.jobs.map_or_else(|| processors(1), usize::from);
        pool::each(jobs, waiting.len(), work);
        let State { outcomes, stopped } =
            state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match stopped {
            Some(failure) => Err(failure),
            None => ended(&plan, &outcomes, &interrupt, as_json),
        }
    }
}

/// What there is to train.
fn planned(origin: &str, text: &str, interrupt: &Interrupt) -> Result<Plan, Failure> {
    let wait = Wait::spinner("checking the settings");
    let mut goes_on = |done: usize, all: usize| {
        wait.say(format!("checking the settings, {done} of {all}"));
        !interrupt.flag().load(Ordering::Relaxed)
    };
    plan(origin, text, &mut goes_on).map_err(|error| match error {
        SweepError::Toml(error) => error.into(),
        SweepError::Interrupted => interrupt.failure(error.to_string()),
        error => Failure::Usage(format!("{origin}: {error}")),
    })
}

/// The ranking; an error where a trial failed, or there are some yet to come.
fn ended(
    plan: &Plan,
    outcomes: &[Option<Outcome>],
    interrupt: &Interrupt,
    as_json: bool,
) -> Result<String, Failure> {
    let pairs = plan.trials.iter().zip(outcomes);
    let failed = pairs.filter(|(_, outcome)| matches!(outcome, Some(Outcome::Failed { .. })));
    let failed: Vec<&str> = failed.map(|(trial, _)| trial.name.as_str()).collect();
    let (all, done) = (outcomes.len(), outcomes.iter().flatten().count());
    if done < all {
        let finished = done - failed.len();
        return Err(interrupt.failure(format!(
            "interrupted: {finished} of {all} trials are finished, and those under way are saved; the same command goes on"
        )));
    }
    let summaries = outcomes.iter().flatten().filter_map(Outcome::summary);
    let untrained = summaries.filter(|summary| summary.updates == 0).count();
    if untrained > 0 {
        warn(&format!(
            "the policies of {untrained} trials are untrained, no update was made: give more steps than \
             training.update_after"
        ));
    }
    let report = table(plan, outcomes, as_json);
    if failed.is_empty() {
        return Ok(report);
    }
    print(&report);
    Err(Failure::Failed(format!("{} of {all} trials failed: {}", failed.len(), failed.join(", "))))
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line, at once; a reader that has seen enough is no failure.
fn tell(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{}", text::line(line)).and_then(|()| out.flush());
}

/// Trains one, or goes on with it; `None` where that was interrupted. Here alone a sweep meets a run.
fn one(trial: &Trial, directory: &Path, interrupt: &Interrupt) -> Option<Outcome> {
    let flag = interrupt.flag();
    if flag.load(Ordering::Relaxed) {
        return None;
    }
    let directory = directory.join(&trial.name);
    // What was damaged is begun anew, as `before` said.
    let begin = match interrupted(&directory) {
        Err(RunError::Checkpoint { error, .. }) if error.is_damage() => Begin::Restart,
        _ => Begin::Resume,
    };
    let options = Options { begin, interrupted: flag, ..Options::default() };
    let mut bar = Bar::new(&trial.name, trial.config.training.steps);
    match run::run(&trial.config, &directory, &options, &mut bar) {
        Ok(summary) => Some(Outcome::Finished { summary: Box::new(summary), reused: false }),
        Err(RunError::Interrupted { .. }) => None,
        Err(error) => Some(Outcome::Failed { reason: error.to_string() }),
    }
}

/// What has finished before. An error where anything has begun with other settings than those of now: a
/// sweep neither takes it for its own nor writes over it.
fn before(
    plan: &Plan,
    directory: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<Option<Outcome>>, Failure> {
    let wait = Wait::bar("looking for what has finished", plan.trials.len(), "trials");
    let of = |trial: &Trial| {
        if interrupt.flag().load(Ordering::Relaxed) {
            return Err(interrupt.failure(SweepError::Interrupted.to_string()));
        }
        wait.one_more();
        let directory = directory.join(&trial.name);
        let same = |config: &RunConfig, what: &str| match config.difference(&trial.config) {
            None => Ok(()),
            Some(difference) => Err(Failure::Usage(format!(
                "{} has {what} run of other settings, {difference}: choose another directory with --out, or remove that one",
                directory.shown()
            ))),
        };
        run::check(&directory, run::Use::Run(Begin::Resume))?;
        let done = finished(&directory)?;
        let under_way = match interrupted(&directory) {
            Err(RunError::Checkpoint { path, error }) => {
                let what = format!("cannot go on from {}: {error}", path.shown());
                if !error.is_damage() {
                    let shown = directory.shown();
                    return Err(Failure::Failed(format!(
                        "{what}; choose another directory with --out, or remove {shown}"
                    )));
                }
                if done.is_none() {
                    wait.warn(&format!("{what}; {} begins anew", trial.name));
                }
                None
            }
            found => found?,
        };
        if let Some((config, _)) = &under_way {
            same(config, "an interrupted")?;
        }
        let Some((summary, config)) = done else { return Ok(None) };
        same(&config, "a finished")?;
        // One that was killed when all was written but its checkpoint was still there does the rest.
        Ok(under_way
            .is_none()
            .then(|| Outcome::Finished { summary: Box::new(summary), reused: true }))
    };
    plan.trials.iter().map(of).collect()
}

/// What there is to know before it begins, on standard error.
fn remark(plan: &Plan, outcomes: &[Option<Outcome>], earlier: &Earlier, origin: &str) {
    let (trials, candidates) = (plan.trials.len(), plan.candidates.len());
    let (seeds, done) = (trials / candidates, outcomes.iter().flatten().count());
    let done = if done > 0 { format!(", {done} finished before") } else { String::new() };
    let again = match plan.repeated {
        0 => String::new(),
        repeated => format!(" ({repeated} draws repeat others)"),
    };
    let settings = format!("{candidates} settings{again} with {seeds} seeds each{done}");
    progress::remark(&format!("{trials} trials: {settings}"));
    let names: Vec<&str> = plan.trials.iter().map(|trial| trial.name.as_str()).collect();
    let others = earlier.without(&names).count();
    if others > 0 {
        let file = place::SWEEP;
        warn(&format!(
            "{others} rows of {file} are of trials that {origin} does not name any more: they stay in it"
        ));
    }
    if seeds < FEW {
        warn(&format!("intervals over fewer than {FEW} seeds mean little"));
    }
}
