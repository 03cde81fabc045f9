//! Writing what a user asks for, and nothing else: what a command reads, keys, and what others have written stay as they are,
//! however a path to them is spelt.

#[cfg(unix)]
use std::fs;
use std::fs::File;
use std::io::{Error, Read};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::run::{RunError, Sealed, Target, folder, has_ours, place, write_whole};
use crate::text::Shown;

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A policy, or its recording.
    Policy,
    /// A signed policy.
    Signed,
    /// Pictures, films, tables.
    Other,
}

/// How files begin that took work to make, which kind they are, and what they are called.
const PRECIOUS: [(&[u8], Option<Kind>, &str); 6] = [
    (b"-----BEGIN ", None, "a key"),
    (&policy_core::format::MAGIC, Some(Kind::Policy), "a policy"),
    (&policy_core::recording::MAGIC, Some(Kind::Policy), "a recording of a policy"),
    (&policy_core::update::MAGIC, Some(Kind::Signed), "a signed policy"),
    (&Sealed::Agent.magic(), None, "the networks of a run"),
    (&Sealed::Checkpoint.magic(), None, "a checkpoint of a run"),
];

/// What a command is about to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outputs<'a> {
    pub kind: Kind,
    /// What it reads.
    pub inputs: &'a [&'a Path],
    /// Names that are its own in a run's directory.
    pub own: &'a [&'a str],
    /// What can be done where a file cannot be written.
    pub hint: &'static str,
}

impl Outputs<'_> {
    /// An error where a file cannot be written, or must not be: before the work that is to go into it.
    pub(super) fn check(&self, path: &Path) -> Result<(), Failure> {
        let target = Target::of(path).map_err(|error| cannot(path, &error, self.hint))?;
        let Target::File { path: real, existing } = target else { return Ok(()) };
        self.check_input(path)?;
        if let Some(directory) = run_of(&real).filter(|_| !self.is_own(&real)) {
            let what = format!("a file of the run or sweep in {}", directory.shown());
            return Err(self.refused(path, &what));
        }
        if existing.is_some()
            && let Some(what) = self.precious(&real)
        {
            return Err(self.refused(path, what));
        }
        let tried = tempfile::tempfile_in(folder(&real)).map(drop);
        tried.map_err(|error| cannot(path, &error, self.hint))
    }

    /// An error where a file is one that the command reads.
    pub(super) fn check_input(&self, path: &Path) -> Result<(), Failure> {
        let Some(input) = self.inputs.iter().find(|input| is_same(input, path)) else {
            return Ok(());
        };
        Err(match *input == path {
            true => self.refused(path, "what this command reads"),
            false => self.refused(path, &format!("{}, which this command reads", input.shown())),
        })
    }

    fn refused(&self, path: &Path, what: &str) -> Failure {
        let path = path.shown();
        Failure::Usage(format!("{path} is {what}, and is not overwritten: {}", self.hint))
    }

    /// The same for a file whose folder may not be there yet: whoever creates that says what is wrong.
    pub(super) fn check_existing(&self, path: &Path) -> Result<(), Failure> {
        match path.symlink_metadata() {
            Ok(_) => self.check(path),
            Err(_) => Ok(()),
        }
    }

    /// Checks a file, and writes it whole.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.check(path)?;
        write_whole(path, bytes).map_err(|error| match error {
            RunError::Write { path, error } => cannot(&path, &error, self.hint),
            error => error.into(),
        })
    }

    fn is_own(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.own.iter().any(|own| name == *own))
    }

    /// What a file is that this command does not make.
    fn precious(&self, path: &Path) -> Option<&'static str> {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
        let found = PRECIOUS.iter().find(|(begin, ..)| read.is_ok() && head.starts_with(begin));
        found.filter(|(_, kind, _)| *kind != Some(self.kind)).map(|(.., what)| *what)
    }
}

/// The directory of the run or sweep whose file this is.
fn run_of(path: &Path) -> Option<PathBuf> {
    let directory = folder(path);
    let is_named = |path: &Path, names: &[&str]| {
        path.file_name().is_some_and(|name| names.iter().any(|known| name == *known))
    };
    if is_named(path, &place::FILES) && has_ours(directory) {
        return Some(directory.into());
    }
    let is_within = is_named(directory, &place::FOLDERS) && has_ours(folder(directory));
    is_within.then(|| folder(directory).into())
}

/// Do two paths lead to one file?
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let [one, other] =
            [one, other].map(|path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino())));
        one.is_some() && one == other
    }
    #[cfg(not(unix))]
    {
        one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
    }
}

fn cannot(path: &Path, error: &Error, hint: &str) -> Failure {
    Failure::Failed(format!("cannot write {}: {error}; {hint}", path.shown()))
}
