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

/// The text of a file, as [`bytes`], without a byte order mark. It is UTF-8, or where a mark says so UTF-16, which
/// PowerShell writes.
pub(crate) fn text(path: &Path, largest: u64) -> Result<String> {
    let bytes = bytes(path, largest)?;
    let text = match bytes.first_chunk() {
        Some([0xff, 0xfe]) => utf16(&bytes[2..], u16::from_le_bytes),
        Some([0xfe, 0xff]) => utf16(&bytes[2..], u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    };
    let Some(mut text) = text else {
        let text = "it is no text in UTF-8: save it in that encoding";
        return Err(Error::new(ErrorKind::InvalidData, text));
    };
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}

/// The byte order mark.
const MARK: char = '\u{feff}';

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let units: Vec<u16> = units.iter().map(|bytes| unit(*bytes)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
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

    #[test]
    fn marks_of_the_byte_order_are_no_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            text(file.path(), 100).map_err(|error| error.to_string())
        };
        assert_eq!(read(b"\xef\xbb\xbfa = 1").as_deref(), Ok("a = 1"));
        assert_eq!(read(b"\xff\xfe\xe9\x00=\x00").as_deref(), Ok("é="));
        assert_eq!(read(b"\xfe\xff\x00\xe9\x00=").as_deref(), Ok("é="));
        assert_eq!(read(b"").as_deref(), Ok(""));
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"d\xe9j\xe0"] {
            assert!(read(bytes).unwrap_err().contains("save it in that encoding"));
        }
    }
}
