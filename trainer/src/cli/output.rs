//! Writing what a user asks for.

use std::io::{Error, ErrorKind};
use std::path::Path;

use super::Failure;
use crate::run::{RunError, folder, write_whole};

/// An error, with the hint, where a file cannot be written: before the work that is to go into it.
pub(super) fn check(path: &Path, hint: &str) -> Result<(), Failure> {
    let tried = match path.is_dir() {
        true => Err(ErrorKind::IsADirectory.into()),
        false => tempfile::tempfile_in(folder(path)).map(drop),
    };
    tried.map_err(|error| cannot(path, &error, hint))
}

fn cannot(path: &Path, error: &Error, hint: &str) -> Failure {
    Failure::Failed(format!("cannot write {}: {error}; {hint}", path.display()))
}

/// Writes a file whole; where that cannot be done, `hint` says what can.
pub(super) fn write(path: &Path, bytes: &[u8], hint: &str) -> Result<(), Failure> {
    write_whole(path, bytes).map_err(|error| match error {
        RunError::Write { path, error } => cannot(&path, &error, hint),
        error => error.into(),
    })
}
