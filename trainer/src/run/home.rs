//! What a directory is, and which command has it.
//!
//! A directory is a *run's*, with the files of [`place::ARTIFACTS`] and checkpoints; one with *seeds*, each in a `seed-N` of its own (it may be a run's besides);
//! or a *sweep's*, with a sweep.csv, whose trials are `CANDIDATE/seed-N`. Whoever writes to one holds its [`place::LOCK`], whatever it is.
//!
//! Nothing that a person put there is overwritten or removed. What a finished run has written is in its summary.json, with
//! checksums; a file of such a name that is not as it stands there is a person's, and so is one of any other name than those
//! that commands use. A directory with such a file is refused before training ([`check`]), and looked at again before
//! results are written.

use std::fs::{self, DirEntry, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoints;
use super::files::{self, WRITING, lock};
use super::sealed::Kind;
use super::summary::{self, Summary};
use super::{Begin, CHECKPOINT_EVERY, RunError, place};
use crate::tensorboard;

/// A directory that one command holds; others are refused until this is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    /// Closed after the name is gone, so that nobody locks the old file in between.
    _lock: File,
}

impl Home {
    /// Creates a directory where there is none, and takes it.
    ///
    /// # Errors
    ///
    /// If another command has it, or it cannot be written to.
    pub(crate) fn take(directory: &Path) -> Result<Home, RunError> {
        files::create(directory)?;
        let path = directory.join(place::LOCK);
        let _lock = lock(&path)?.ok_or_else(|| RunError::Busy { directory: directory.into() })?;
        files::remove_strays(&[directory, &directory.join(place::CHECKPOINTS)]);
        Ok(Home { path, _lock })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // If it stays, it only looks untidy.
        let _ = fs::remove_file(&self.path);
    }
}

/// What a command makes of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A run's, or one with seeds.
    Run(Begin),
    /// A sweep's.
    Sweep,
}

/// An error where a directory is something else than a command makes of it, or has anything in it that no command wrote. A run
/// that goes on leaves files of other names alone; only those that it would replace must be its own.
///
/// # Errors
///
/// What is there, and where.
pub(crate) fn check(directory: &Path, wanted: Use) -> Result<(), RunError> {
    match wanted {
        Use::Run(begin) => Inspection::of(directory)?.check(begin),
        Use::Sweep if directory.join(place::SWEEP).exists() => Ok(()),
        Use::Sweep => no_runs(directory),
    }
}

/// What is in a directory; nothing where there is none, for whoever writes there says what is wrong.
fn entries(directory: &Path) -> Result<Vec<DirEntry>, RunError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.and_then(Iterator::collect),
    };
    entries.map_err(|error| RunError::Read { path: directory.into(), error })
}

/// An error where a directory is that of a sweep's candidate or trial: only the sweep trains there.
///
/// # Errors
///
/// The sweep's directory.
pub(crate) fn check_no_trial(directory: &Path) -> Result<(), RunError> {
    let Ok(directory) = directory.canonicalize() else { return Ok(()) };
    let is_candidate = place::seeds(&directory).is_ok_and(|seeds| !seeds.is_empty());
    let is_trial = place::seed(&directory).is_some();
    for (sweep, belongs) in directory.ancestors().skip(1).zip([is_candidate, is_trial]) {
        if belongs && sweep.join(place::SWEEP).exists() {
            return Err(RunError::Trial { sweep: sweep.into(), directory: directory.clone() });
        }
    }
    Ok(())
}

/// For a sweep that begins: nothing but directories that other commands made.
fn no_runs(directory: &Path) -> Result<(), RunError> {
    for entry in entries(directory)? {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_runs = place::ARTIFACTS.contains(&&*name) || name == place::CHECKPOINTS;
        if is_runs || place::seed(&path).is_some() {
            return Err(RunError::OfRun { directory: directory.into() });
        }
        let is_known = is_ours(&name) || path.is_dir() && has_ours(&path);
        if !is_known {
            return Err(RunError::Foreign { directory: directory.into(), path });
        }
    }
    Ok(())
}

/// A lock, or a file that is being written.
fn is_ours(name: &str) -> bool {
    name == place::LOCK || name.starts_with(WRITING)
}

/// Has a command made a directory?
pub(crate) fn has_ours(directory: &Path) -> bool {
    let marks = [place::SUMMARY, place::CHECKPOINTS, place::METRICS_PART, place::SWEEP];
    marks.iter().any(|name| directory.join(name).exists())
        || place::seeds(directory).is_ok_and(|seeds| !seeds.is_empty())
}

/// A run's directory, looked at.
#[derive(Debug)]
pub(super) struct Inspection<'a> {
    directory: &'a Path,
    /// Of the run that has finished there.
    summary: Option<Summary>,
    /// Can there be results without a summary, of a run that was killed while it wrote them?
    half_written: bool,
}

impl<'a> Inspection<'a> {
    /// Reads what tells whose the files of a directory are.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub(super) fn of(directory: &'a Path) -> Result<Self, RunError> {
        let text = fs::read(directory.join(place::SUMMARY));
        let summary = text.ok().and_then(|text| Summary::read(&text).ok());
        let checkpoints = Checkpoints::of(directory, CHECKPOINT_EVERY);
        let half_written = match checkpoints.newest(&mut |_| ()) {
            Ok(Some(checkpoint)) => checkpoint.step >= checkpoint.config.training.steps,
            Ok(None) => false,
            // Of which step it is cannot be known.
            Err(RunError::Checkpoint { .. }) => true,
            Err(error) => return Err(error),
        };
        Ok(Inspection { directory, summary, half_written })
    }

    /// An error where anything in it was not written by a run; done again before results are written, it finds what a person put
    /// there meanwhile.
    ///
    /// # Errors
    ///
    /// The first such file.
    pub(super) fn check(&self, begin: Begin) -> Result<(), RunError> {
        if self.directory.join(place::SWEEP).exists() {
            return Err(RunError::OfSweep { directory: self.directory.into() });
        }
        for entry in &entries(self.directory)? {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            if place::ARTIFACTS.contains(&name) {
                self.artifact(entry, name)?;
            } else if name == place::CHECKPOINTS {
                self.checkpoints(&path, begin)?;
            } else if name == place::METRICS_PART {
                self.part(entry)?;
            } else if begin != Begin::Resume && !self.is_known(&path, name) {
                return Err(self.foreign(path));
            }
        }
        Ok(())
    }

    fn foreign(&self, path: PathBuf) -> RunError {
        RunError::Foreign { directory: self.directory.into(), path }
    }

    fn is_known(&self, path: &Path, name: &str) -> bool {
        is_ours(name)
            || place::BESIDE.contains(&name)
            || tensorboard::is_ours(path)
            || place::seed(path).is_some() && path.is_dir()
    }

    /// One of a finished run is as it was written; one of a run that was killed meanwhile is a file at least.
    fn artifact(&self, entry: &DirEntry, name: &str) -> Result<(), RunError> {
        let path = entry.path();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let as_written = match &self.summary {
            Some(_) if name == place::SUMMARY => true,
            Some(summary) => match fs::read(&path) {
                Ok(bytes) => summary.wrote(name, &bytes),
                Err(error) => return Err(RunError::Read { path, error }),
            },
            None => name != place::SUMMARY && self.half_written,
        };
        match is_file && as_written {
            true => Ok(()),
            false => {
                Err(RunError::Altered { directory: self.directory.into(), path, is_link: !is_file })
            }
        }
    }

    /// Is there anything of a run but checkpoints?
    fn was_under_way(&self) -> bool {
        let part = self.directory.join(place::METRICS_PART);
        let has_head = |head: Vec<u8>| head.starts_with(place::COLUMNS[0].as_bytes());
        self.summary.is_some() || fs::read(part).is_ok_and(has_head)
    }

    /// The beginning of a metrics.csv.
    fn part(&self, entry: &DirEntry) -> Result<(), RunError> {
        let path = entry.path();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let head = place::COLUMNS.join(",");
        match is_file && begins(&path, head.as_bytes())? {
            true => Ok(()),
            false => Err(self.foreign(path)),
        }
    }

    fn checkpoints(&self, folder: &Path, begin: Begin) -> Result<(), RunError> {
        let unreadable = |error| RunError::Read { path: folder.into(), error };
        if !folder.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            return Err(self.foreign(folder.into()));
        }
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let known = match Checkpoints::step(&path) {
                // Where a run was under way, what is none any more was damaged.
                Some(_) => {
                    is_file && (self.was_under_way() || begins(&path, &Kind::Checkpoint.magic())?)
                }
                None => begin == Begin::Resume || is_ours(&entry.file_name().to_string_lossy()),
            };
            if !known {
                return Err(self.foreign(path));
            }
        }
        Ok(())
    }
}

/// Does a file begin so, as far as it goes? One that was cut off does, too.
fn begins(path: &Path, head: &[u8]) -> Result<bool, RunError> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(head.len() as u64).read_to_end(&mut bytes));
    read.map_err(|error| RunError::Read { path: path.into(), error })?;
    Ok(head.starts_with(&bytes))
}

impl Summary {
    /// Is a file of this name as the run wrote it? Runs of before did not say what they had written.
    fn wrote(&self, name: &str, bytes: &[u8]) -> bool {
        self.files.is_empty()
            || self.files.get(name).is_some_and(|checksum| *checksum == summary::checksum_of(bytes))
    }
}

#[cfg(test)]
mod tests;
