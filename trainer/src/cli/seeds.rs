//! `trainer train --seeds K`: the same settings with several seeds.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::interrupt::Interrupt;
use super::progress::Bar;
use super::train::{MAX_SEED, processors, table, told, train as train_one};
use super::{Failure, json, pool, print};
use crate::config::RunConfig;
use crate::run::{self, Begin, Home, Options, RunError, Summary, start};
use crate::statistics::{self, counted};

/// How one of the runs ended.
type Ended = (usize, PathBuf, Result<Summary, RunError>);

/// Trains with `count` seeds, the settings' own the first, each into a directory of its own, and
/// reports on all of them. What others have finished is kept and reported where some fail.
pub(super) fn train(
    config: &RunConfig,
    count: usize,
    directory: &Path,
    options: &Options<'_>,
    interrupt: &Interrupt,
    as_json: bool,
) -> Result<String, Failure> {
    let first = config.training.seed;
    if first > MAX_SEED - (count as u64 - 1) {
        let text = format!("--seeds {count} from seed {first} on goes beyond {MAX_SEED}");
        return Err(Failure::Usage(text));
    }
    // Settings that make no run are a mistake of the user's, not a failure of each seed.
    drop(start(config)?);
    let place = |index: usize| directory.join(format!("seed-{}", first + index as u64));
    let _home = Home::take(directory)?;
    // Before any begins.
    for directory in std::iter::once(directory.to_path_buf()).chain((0..count).map(place)) {
        run::check(&directory, run::Use::Run(options.begin))?;
    }
    if options.begin == Begin::Fresh {
        refuse_interrupted((0..count).map(place))?;
    }
    let work = |index: usize| {
        if options.interrupted.load(Ordering::Relaxed) {
            return None;
        }
        let mut config = config.clone();
        config.training.seed = first + index as u64;
        let name = format!("seed {}", config.training.seed);
        let bar = Bar::new(&name, config.training.steps);
        Some((index, place(index), train_one(&config, &place(index), options, bar)))
    };
    let ended = pool::each(processors(1), count, work);
    let interrupted = options.interrupted.load(Ordering::Relaxed);
    report(ended, first, count, interrupted.then_some(interrupt), as_json)
}

/// An error where one of the directories holds a run that was interrupted: before any other begins.
fn refuse_interrupted(mut directories: impl Iterator<Item = PathBuf>) -> Result<(), Failure> {
    directories.try_for_each(|directory| match run::interrupted(&directory)? {
        None => Ok(()),
        Some((config, step)) => {
            let steps = config.training.steps;
            Err(RunError::Unfinished { directory, step, steps }.into())
        }
    })
}

fn report(
    ended: Vec<Ended>,
    first: u64,
    count: usize,
    interrupt: Option<&Interrupt>,
    as_json: bool,
) -> Result<String, Failure> {
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (index, directory, result) in ended {
        match result {
            Ok(summary) => rows.push((summary, directory)),
            Err(RunError::Interrupted { .. }) => {}
            Err(error) => {
                let seed = first + index as u64;
                failures.push(format!("seed {seed}: {}", told(&error, &directory)));
            }
        }
    }
    let text = match as_json {
        true => json(&rows.iter().map(|(summary, _)| summary).collect::<Vec<_>>()),
        false if rows.is_empty() => String::new(),
        false => table(&rows) + &overall(&rows),
    };
    let finished = rows.len();
    if let Some(interrupt) = interrupt
        && finished + failures.len() < count
    {
        print(&text);
        failures.push(format!(
            "interrupted: {finished} of {count} seeds are finished, and those under way are saved; go on with the same command and --resume"
        ));
        return Err(interrupt.failure(failures.join("; ")));
    }
    if failures.is_empty() {
        return Ok(text);
    }
    print(&text);
    Err(Failure::Failed(failures.join("; ")))
}

/// A line about all seeds.
fn overall(rows: &[(Summary, PathBuf)]) -> String {
    let mut returns: Vec<f64> = rows.iter().map(|(s, _)| s.evaluation.mean).collect();
    returns.sort_by(f64::total_cmp);
    let median = statistics::median(&returns);
    let (worst, best) = (returns[0], returns[returns.len() - 1]);
    let trained = counted(rows.len(), "seed");
    if rows.len() < 2 {
        return format!("{trained} trained: return {median:.1}\n");
    }
    format!("{trained} trained: return {median:.1} in the median, {worst:.1} to {best:.1}\n")
}
