//! Reading a policy file.

use std::path::Path;

use super::{Failure, input};
use crate::export::Blob;

/// No policy is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// The bytes of a policy file, aligned.
pub(super) fn read(path: &Path) -> Result<Blob, Failure> {
    let bytes = input::bytes(path, LARGEST).map_err(|error| {
        let hint = "give the path of a policy.bin that `trainer train` wrote";
        Failure::Failed(format!("cannot read {}: {error}; {hint}", path.display()))
    })?;
    Ok(Blob::from_bytes(&bytes))
}

/// What is wrong with a policy file.
pub(super) fn refused(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{} is no usable policy: {error}", path.display()))
}
