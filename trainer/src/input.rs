//! Reading files that a user names, whatever they are.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The bytes of a file; one that is larger than `largest`, or a device, is not read to its end.
pub(crate) fn bytes(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        let text = format!("it has more than {largest} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// The text of a file, as [`bytes`].
pub(crate) fn text(path: &Path, largest: u64) -> Result<String> {
    String::from_utf8(bytes(path, largest)?)
        .map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_or_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "four").unwrap();
        assert_eq!(bytes(file.path(), 4).unwrap(), b"four");
        let error = bytes(file.path(), 3).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 3 bytes");
    }
}
