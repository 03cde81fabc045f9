//! Reading a policy file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Failure;
use crate::export::Blob;

/// No policy is larger, in bytes; a file that is (or a device) is not read to its end.
const LARGEST: u64 = 1 << 30;

/// The bytes of a policy file, aligned.
pub(super) fn read(path: &Path) -> Result<Blob, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path);
    match file.and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > LARGEST => {
            Err(refused(path, &format!("it has more than {LARGEST} bytes")))
        }
        Ok(_) => Ok(Blob::from_bytes(&bytes)),
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
