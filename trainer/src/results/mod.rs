//! What the files of finished runs hold, read back.
//!
//! A run of another version of this program may have other settings than this one knows, so they are read as
//! they stand there, not as [`crate::config::RunConfig`].

mod metrics;

pub use metrics::Metrics;

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::envs;
use crate::export::Blob;
use crate::policy::AnyPolicy;
use crate::run::{Summary, place};
use crate::settings::{self, ConfigError, last_part};

/// No file of a run is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// Why there is nothing to show of a run.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// No such directory.
    #[error("there is no directory {}: name one that `trainer train` wrote, such as runs/sac", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// No summary, so the run goes on or was interrupted.
    #[error("{} holds no finished run, as it has no summary.json: wait until the run has ended, or go on with it by `trainer train --resume --out {}`", directory.display(), directory.display())]
    Unfinished {
        /// The directory.
        directory: PathBuf,
    },
    /// Runs are in it.
    #[error("{} is no run itself: name the runs in it, such as {}", directory.display(), run.display())]
    Folder {
        /// The directory.
        directory: PathBuf,
        /// The first of them.
        run: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}; the run's directory is not whole, so train again with the config.toml in it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file is not what a run writes.
    #[error("{} is damaged: {message}; restore it, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, in one line.
        message: String,
    },
    /// The policy is another one's.
    #[error("{} is not the policy of the summary.json beside it: train it again", path.display())]
    OtherPolicy {
        /// The policy's file.
        path: PathBuf,
    },
    /// The environment is none of this program's.
    #[error("{}: {error}", path.display())]
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
        let summary = serde_json::from_slice(&bytes(&path)?)
            .map_err(|error| damaged(&path, &error.to_string()))?;
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
///
/// # Errors
///
/// If a directory is none of both.
pub fn directories(named: &[PathBuf]) -> Result<Vec<PathBuf>, ResultsError> {
    let mut all = Vec::new();
    for directory in named {
        if directory.join(place::SUMMARY).exists() {
            all.push(directory.clone());
            continue;
        }
        let seeds = seeds(directory)?;
        if seeds.is_empty() {
            return Err(missing(directory));
        }
        all.extend(seeds);
    }
    once_each(all)
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

/// Runs of the same settings but for their seeds, in the order in which they were given, and what tells them from the
/// other groups: the preset, and where several have the same one, settings that differ. A run whose seed its group has
/// already is a copy, or the same trained again, and is left out.
pub fn groups(runs: &[Results]) -> Vec<(String, Vec<&Results>)> {
    let mut groups: Vec<(Table, Vec<&Results>)> = Vec::new();
    for run in runs {
        let settings = run.without_seed();
        match groups.iter_mut().find(|(others, _)| *others == settings) {
            Some((_, members)) if members.iter().any(|member| member.seed() == run.seed()) => {}
            Some((_, members)) => members.push(run),
            None => groups.push((settings, vec![run])),
        }
    }
    let leaves: Vec<Vec<(String, String)>> =
        groups.iter().map(|(settings, _)| leaves(settings)).collect();
    let name = |(index, (_, members)): (usize, &(Table, Vec<&Results>))| {
        let preset = members[0].summary.preset.clone();
        let alike = |other: &usize| groups[*other].1[0].summary.preset == preset;
        let others: Vec<usize> = (0..groups.len()).filter(|o| *o != index && alike(o)).collect();
        let differs = |leaf: &&(String, String)| others.iter().any(|o| !leaves[*o].contains(leaf));
        let own = leaves[index].iter().filter(differs);
        let own: Vec<String> =
            own.take(3).map(|(key, value)| format!("{} = {value}", last_part(key))).collect();
        match own.is_empty() {
            true => preset,
            false => format!("{preset} ({})", own.join(", ")),
        }
    };
    let names: Vec<String> = groups.iter().enumerate().map(name).collect();
    names.into_iter().zip(groups.into_iter().map(|(_, members)| members)).collect()
}

/// `table.key` and value of each setting, as a reader writes it: text without quotes.
pub fn leaves(settings: &Table) -> Vec<(String, String)> {
    let shown = |value: Value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    settings::leaves(settings).into_iter().map(|(key, value)| (key, shown(value))).collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, ResultsError> {
    at_most(path, LARGEST)
}

fn at_most(path: &Path, largest: u64) -> Result<Vec<u8>, ResultsError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(largest + 1).read_to_end(&mut bytes));
    read.map_err(|error| ResultsError::Read { path: path.into(), error })?;
    match bytes.len() as u64 > largest {
        true => Err(damaged(path, &format!("it has more than {largest} bytes"))),
        false => Ok(bytes),
    }
}

fn text(path: &Path) -> Result<String, ResultsError> {
    String::from_utf8(bytes(path)?).map_err(|error| {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
        ResultsError::Read { path: path.into(), error }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(preset: &str, text: &str) -> Results {
        let settings: Table = text.parse().unwrap();
        let summary = serde_json::json!({
            "schema": 1, "preset": preset, "algorithm": "sac", "environment": "pendulum", "seed": settings["training"]["seed"].as_integer(),
            "steps": 1, "updates": 1, "train_seconds": 0.5, "train_cpu_seconds": null,
            "backend": "scalar",
            "training_return": {"episodes": 0, "last_100_mean": null, "last_10_mean": null},
            "evaluation": {"starts": 1, "mean": -1.0, "standard_error": 0.0, "worst": -1.0,
                           "full_episodes": 1, "optimal_mean": null, "gap_percent": null},
            "policy": {"file": "policy.bin", "bytes": 1, "parameters": 1, "checksum": "0"},
            "parity": {"observations": 1, "max_difference": 0.0, "differing": 0},
            "parameters_fingerprint": "0"
        });
        let summary = serde_json::from_value(summary).unwrap();
        Results { directory: "runs".into(), settings, summary, metrics: Metrics::default() }
    }

    #[test]
    fn seeds_belong_together() {
        let runs = [
            run("sac", "[training]\nseed = 1\n[agent]\ngamma = 0.99"),
            run("td3", "[training]\nseed = 1"),
            run("sac", "[training]\nseed = 2\n[agent]\ngamma = 0.99"),
            run("sac", "[training]\nseed = 2\n[agent]\ngamma = 0.9"),
            run("sac", "[training]\nseed = 1\n[agent]\ngamma = 0.99"),
        ];
        let groups = groups(&runs);
        let shown: Vec<(&str, usize)> =
            groups.iter().map(|(name, members)| (name.as_str(), members.len())).collect();
        assert_eq!(shown, [("sac (gamma = 0.99)", 2), ("td3", 1), ("sac (gamma = 0.9)", 1)]);
    }

    #[test]
    fn files_are_whole_or_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "four").unwrap();
        assert_eq!(at_most(file.path(), 4).unwrap(), b"four");
        let error = at_most(file.path(), 3).unwrap_err().to_string();
        assert!(error.contains("it has more than 3 bytes"), "{error}");
    }

    #[test]
    fn seeds_are_found_in_their_order() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["seed-10", "seed-2", "seed-x", "other"] {
            std::fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let named = [scratch.path().to_path_buf()];
        let found = directories(&named).unwrap();
        assert_eq!(found, [scratch.path().join("seed-2"), scratch.path().join("seed-10")]);
        let twice = [scratch.path().to_path_buf(), scratch.path().join("other/..")];
        assert_eq!(directories(&twice).unwrap(), found);
        let error = directories(&found).unwrap_err();
        assert!(matches!(error, ResultsError::Unfinished { .. }), "{error}");
        let error = directories(&[scratch.path().join("nowhere")]).unwrap_err();
        assert!(matches!(error, ResultsError::Missing { .. }), "{error}");
    }
}
