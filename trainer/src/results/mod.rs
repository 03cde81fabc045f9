//! What the files of finished runs hold, read back.
//!
//! A run of another version of this program may have other settings than this one knows, so they are read as
//! they stand there, not as [`crate::config::RunConfig`].

mod groups;
mod metrics;

pub use groups::groups;
pub use metrics::Metrics;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::envs;
use crate::export::Blob;
use crate::input;
use crate::policy::AnyPolicy;
use crate::run::{Summary, place};
use crate::settings::{self, ConfigError};
use crate::text::{self, Shown};

/// No file of a run is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// Why there is nothing to show of a run.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// No such directory.
    #[error("there is no directory {}: name one that `trainer train` wrote, such as runs/sac", path.shown())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// No summary, so the run goes on or was interrupted.
    #[error("{} holds no finished run, as it has no summary.json: wait until the run has ended, or go on with it by `trainer train --resume --out {}`", directory.shown(), directory.shown())]
    Unfinished {
        /// The directory.
        directory: PathBuf,
    },
    /// Runs are in it.
    #[error("{} is no run itself: name the runs in it, such as {}", directory.shown(), run.shown())]
    Folder {
        /// The directory.
        directory: PathBuf,
        /// The first of them.
        run: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}; the run's directory is not whole, so train again with the config.toml in it", path.shown())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file is not what a run writes.
    #[error("{} is damaged: {message}; restore it, or train again", path.shown())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, in one line.
        message: String,
    },
    /// The policy is another one's.
    #[error("{} is not the policy of the summary.json beside it: train it again", path.shown())]
    OtherPolicy {
        /// The policy's file.
        path: PathBuf,
    },
    /// The environment is none of this program's.
    #[error("{}: {error}", path.shown())]
    Environment {
        /// The file that names it.
        path: PathBuf,
        /// What is wrong.
        error: ConfigError,
    },
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Results {
    /// Where it is.
    pub directory: PathBuf,
    /// `config.toml`, as it stands there.
    pub settings: Table,
    /// `summary.json`.
    pub summary: Summary,
    /// `metrics.csv`.
    pub metrics: Metrics,
}

impl Results {
    /// Reads the files of a run.
    ///
    /// # Errors
    ///
    /// If the run is not finished, or a file is missing or damaged.
    pub fn read(directory: &Path) -> Result<Results, ResultsError> {
        let path = directory.join(place::SUMMARY);
        if !path.exists() {
            return Err(missing(directory));
        }
        let summary = Summary::read(&bytes(&path)?).map_err(|message| damaged(&path, &message))?;
        Results::with_summary(directory, summary)
    }

    /// Reads the other files of a run, whose summary is known.
    ///
    /// # Errors
    ///
    /// If a file is missing or damaged.
    pub fn with_summary(directory: &Path, summary: Summary) -> Result<Results, ResultsError> {
        let path = directory.join(place::CONFIG);
        let settings = read_settings(&text(&path)?).map_err(|message| damaged(&path, &message))?;
        envs::make(&environment(&settings))
            .map_err(|error| ResultsError::Environment { path, error })?;
        let path = directory.join(place::METRICS);
        let metrics = Metrics::parse(&text(&path)?).map_err(|message| damaged(&path, &message))?;
        let (rows, episodes) = (metrics.episodes.len(), summary.training_return.episodes);
        if rows != episodes {
            let message =
                format!("it has rows of {rows} episodes, but summary.json tells of {episodes}");
            return Err(damaged(&path, &message));
        }
        Ok(Results { directory: directory.into(), settings, summary, metrics })
    }

    /// The `[environment]` table.
    pub fn environment(&self) -> Table {
        environment(&self.settings)
    }

    /// What `policy.bin` holds.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or holds another policy than the summary tells of.
    pub fn policy(&self) -> Result<Blob, ResultsError> {
        let path = self.directory.join(place::POLICY);
        let blob = Blob::from_bytes(&bytes(&path)?);
        match AnyPolicy::from_bytes(blob.bytes()) {
            Ok(policy) if !self.summary.is_of(&policy) => Err(ResultsError::OtherPolicy { path }),
            // What is no policy at all is for its reader to refuse.
            _ => Ok(blob),
        }
    }

    /// Of all random streams.
    fn seed(&self) -> u64 {
        self.summary.seed
    }

    /// Whether iterations end the episodes that are under way, whose returns are then of fewer steps.
    pub fn cuts_episodes_off(&self) -> bool {
        let training = self.settings.get("training").and_then(Value::as_table);
        let setting = training.and_then(|training| training.get("reset_each_iteration"));
        setting.and_then(Value::as_bool).unwrap_or(false)
    }

    /// The settings without the seed: runs that agree in them belong together.
    fn without_seed(&self) -> Table {
        let mut settings = self.settings.clone();
        if let Some(Value::Table(training)) = settings.get_mut("training") {
            training.remove("seed");
        }
        settings
    }
}

fn damaged(path: &Path, message: &str) -> ResultsError {
    let message = message.lines().next().unwrap_or_default().into();
    ResultsError::Damaged { path: path.into(), message }
}

fn read_settings(text: &str) -> Result<Table, String> {
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_string())?;
    match table.get("environment").is_some_and(Value::is_table) {
        true => Ok(table),
        false => Err("it has no table [environment]".into()),
    }
}

fn environment(settings: &Table) -> Table {
    settings.get("environment").and_then(Value::as_table).cloned().unwrap_or_default()
}

/// The directories of runs below those named, each once: a run's own, or those of its seeds, `seed-1` before `seed-10`.
/// Where there are both, it is the run's own, and `notice` is told.
///
/// # Errors
///
/// If a directory is none of both.
pub fn directories(
    named: &[PathBuf],
    notice: &mut dyn FnMut(&str),
) -> Result<Vec<PathBuf>, ResultsError> {
    let mut all = Vec::new();
    for directory in named {
        let seeds = seeds(directory)?;
        if directory.join(place::SUMMARY).exists() {
            if !seeds.is_empty() {
                notice(&taken_alone(directory));
            }
            all.push(directory.clone());
            continue;
        }
        if seeds.is_empty() {
            return Err(missing(directory));
        }
        all.extend(seeds);
    }
    once_each(all)
}

/// What there is to say of a directory that is a run and has seeds, too.
pub fn taken_alone(directory: &Path) -> String {
    let shown = directory.shown();
    format!(
        "{shown} is taken for the run in it; those in {shown}/seed-N were passed over, {shown}/seed-* names them"
    )
}

/// Without those that are the same as an earlier one, by whatever path.
fn once_each(directories: Vec<PathBuf>) -> Result<Vec<PathBuf>, ResultsError> {
    let (mut seen, mut all) = (HashSet::new(), Vec::new());
    for directory in directories {
        let real = directory
            .canonicalize()
            .map_err(|error| ResultsError::Read { path: directory.clone(), error })?;
        if seen.insert(real) {
            all.push(directory);
        }
    }
    Ok(all)
}

fn seeds(directory: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    if !directory.is_dir() {
        return Err(missing(directory));
    }
    place::seeds(directory).map_err(|error| ResultsError::Read { path: directory.into(), error })
}

fn missing(directory: &Path) -> ResultsError {
    if !directory.is_dir() {
        return ResultsError::Missing { path: directory.into() };
    }
    match first_run(directory) {
        Some(run) => ResultsError::Folder { directory: directory.into(), run },
        None => ResultsError::Unfinished { directory: directory.into() },
    }
}

/// The first directory in one that is a finished run, or has seeds.
fn first_run(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    let has_seeds = |path: &Path| place::seeds(path).is_ok_and(|seeds| !seeds.is_empty());
    entries.filter(|path| path.join(place::SUMMARY).exists() || has_seeds(path)).min()
}

/// `table.key` and value of each setting, as a reader writes it: text without quotes.
pub fn leaves(settings: &Table) -> Vec<(String, String)> {
    let shown = |value: Value| match value {
        Value::String(text) => text::line(&text).into_owned(),
        value => text::line(&value.to_string()).into_owned(),
    };
    settings::leaves(settings)
        .into_iter()
        .map(|(key, value)| (text::line(&key).into_owned(), shown(value)))
        .collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, ResultsError> {
    input::bytes(path, LARGEST).map_err(|error| ResultsError::Read { path: path.into(), error })
}

fn text(path: &Path) -> Result<String, ResultsError> {
    input::text(path, LARGEST).map_err(|error| ResultsError::Read { path: path.into(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_found_in_their_order() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["seed-10", "seed-2", "seed-x", "other"] {
            std::fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let named = [scratch.path().to_path_buf()];
        let found = |named: &[PathBuf]| {
            directories(named, &mut |note| panic!("there is nothing to say: {note}"))
        };
        let both = [scratch.path().join("seed-2"), scratch.path().join("seed-10")];
        assert_eq!(found(&named).unwrap(), both);
        let twice = [scratch.path().to_path_buf(), scratch.path().join("other/..")];
        assert_eq!(found(&twice).unwrap(), both);
        let error = found(&both).unwrap_err();
        assert!(matches!(error, ResultsError::Unfinished { .. }), "{error}");
        let error = found(&[scratch.path().join("nowhere")]).unwrap_err();
        assert!(matches!(error, ResultsError::Missing { .. }), "{error}");
        // With a run of its own, that is what is meant; and it is said.
        std::fs::write(scratch.path().join(place::SUMMARY), "").unwrap();
        let mut notes = 0;
        assert_eq!(directories(&named, &mut |_| notes += 1).unwrap(), named);
        assert_eq!(notes, 1);
    }
}
