//! Reading a policy file.

use std::path::Path;

use super::Failure;
use crate::export::Blob;

/// The bytes of a policy file, aligned.
pub(super) fn read(path: &Path) -> Result<Blob, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Blob::from_bytes(&bytes)),
        Err(error) => {
            let hint = "give the path of a policy.bin that `trainer train` wrote";
            Err(Failure::Failed(format!("cannot read {}: {error}; {hint}", path.display())))
        }
    }
}

/// What is wrong with a policy file.
pub(super) fn refused(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{} is no usable policy: {error}", path.display()))
}
