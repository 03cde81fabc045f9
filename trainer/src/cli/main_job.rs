//! The main job, of `trainer` alone: each algorithm's policy that stands.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::interrupt::Interrupt;
use super::progress::Bar;
use super::train::{processors, table, train};
use super::{Failure, json, pool, print};
use crate::config::RunConfig;
use crate::run::{self, Begin, Options, RunError, Summary};

/// Its presets: each algorithm's own whose policy stands straight and still.
const STILL: [&str; 4] = ["dqn-still", "ddpg-still", "td3-still", "sac-still"];

/// Trains them, as many runs at a time as there are processors.
pub(super) fn run(as_json: bool) -> Result<String, Failure> {
    let interrupt = Interrupt::listen()?;
    let place = |preset| Path::new("runs").join(preset);
    // Before the first one trains.
    for preset in STILL {
        run::check_no_trial(&place(preset))?;
        run::check(&place(preset), run::Use::Run(Begin::Fresh))?;
    }
    let work = |index: usize| {
        if interrupt.flag().load(Ordering::Relaxed) {
            return None;
        }
        let directory = place(STILL[index]);
        Some((train_or_go_on(STILL[index], &directory, &interrupt), directory))
    };
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (result, directory) in pool::each(processors(1), STILL.len(), work) {
        match result {
            Ok(summary) => rows.push((summary, directory)),
            Err(failure) => failures.push(failure),
        }
    }
    let text = match as_json {
        true => json(&rows.iter().map(|(summary, _)| summary).collect::<Vec<_>>()),
        false if rows.is_empty() => String::new(),
        false => table(&rows),
    };
    match failures.into_iter().reduce(Failure::and) {
        None => Ok(text),
        Some(failure) => {
            print(&text);
            Err(failure)
        }
    }
}

/// One of its runs.
fn train_or_go_on(
    preset: &str,
    directory: &Path,
    interrupt: &Interrupt,
) -> Result<Summary, Failure> {
    let config = RunConfig::resolve(Some(preset), None, &[])?;
    // The bits are the same: so it can as well go on.
    let begin = match run::interrupted(directory) {
        Ok(Some((interrupted, _))) if interrupted == config => Begin::Resume,
        // Where there is one that cannot be gone on with, that is told.
        _ => Begin::Fresh,
    };
    let options = Options { begin, interrupted: interrupt.flag(), ..Options::default() };
    let bar = Bar::new(preset, config.training.steps);
    train(&config, directory, &options, bar).map_err(|error| match error {
        RunError::Interrupted { step, steps, .. } => interrupt.failure(format!(
            "interrupted at step {step} of {steps} of {preset}, which is saved; the same command goes on"
        )),
        // Those options are not this command's.
        RunError::Checkpoint { .. } => Failure::Failed(options_of(preset, &error)),
        RunError::Unfinished { .. } => Failure::Usage(options_of(preset, &error)),
        error => error.into(),
    })
}

/// An error that names options, and whose they are.
fn options_of(preset: &str, error: &RunError) -> String {
    format!("{error} (options of `trainer train --preset {preset}`)")
}
