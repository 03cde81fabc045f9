//! Writing what a user asks for.

use std::path::Path;

use super::Failure;
use crate::run::{RunError, write_whole};

/// Writes a file whole; where that cannot be done, `hint` says what can.
pub(super) fn write(path: &Path, bytes: &[u8], hint: &str) -> Result<(), Failure> {
    write_whole(path, bytes).map_err(|error| match error {
        RunError::Write { path, error } => {
            Failure::Failed(format!("cannot write {}: {error}; {hint}", path.display()))
        }
        error => error.into(),
    })
}
