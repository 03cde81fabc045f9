use std::ffi::OsStr;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// A path of these bytes, on systems where paths are bytes.
#[cfg(unix)]
fn of_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

struct Json(PathBuf);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        path(&self.0, serializer)
    }
}

#[test]
fn what_terminals_obey_is_shown() {
    for (text, safe) in [
        ("plain, θ̇ and ∓", "plain, θ̇ and ∓"),
        ("\u{1b}[2J\r\n", "\\u{1b}[2J\\r\\n"),
        ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
        ("a\u{202e}b\u{2028}\u{ffff}\0", "a\\u{202e}b\\u{2028}\\u{ffff}\\u{0}"),
    ] {
        assert_eq!(line(text), safe);
    }
    assert_eq!(lines("one\n\u{1b}two\n"), "one\n\\u{1b}two\n");
    let printed = json(&["\u{1b}[2J", "\u{9b}\u{202e}"], false);
    assert_eq!(printed, "[\"\\u001b[2J\",\"\\u009b\\u202e\"]");
    let read: Vec<String> = serde_json::from_str(&printed).unwrap();
    assert_eq!(read, ["\u{1b}[2J", "\u{9b}\u{202e}"]);
}

#[cfg(unix)]
#[test]
fn paths_are_shown_as_shells_read_them() {
    for (bytes, shown) in [
        (&b"runs/sac"[..], "runs/sac"),
        ("läufe/a b".as_bytes(), "läufe/a b"),
        (b"d\xe9/f.gif", "$'d\\xE9/f.gif'"),
        (b"a'\\\x1b[2J\n", "$'a\\'\\\\\\x1B[2J\\x0A'"),
        (b"$'a'", "$'$\\'a\\''"),
    ] {
        assert_eq!(of_bytes(bytes).shown().to_string(), shown);
    }
}

#[cfg(unix)]
#[test]
fn paths_in_json_are_themselves_or_references() {
    for (bytes, shown) in [
        (&b"runs/a b"[..], "runs/a b"),
        (b"d\xe9/f g.gif", "file:d%E9/f%20g.gif"),
        (b"file:x", "file:file%3Ax"),
    ] {
        let text = json(&Json(of_bytes(bytes)), false);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), shown);
    }
}

proptest! {
    #[cfg(unix)]
    #[test]
    fn no_path_is_lost(bytes in prop::collection::vec(1_u8.., 1..40)) {
        let path = of_bytes(&bytes);
        let shown = path.shown().to_string();
        prop_assert!(shown.chars().all(is_plain));
        // As bash has it.
        let read = match shown.strip_prefix("$'").and_then(|rest| rest.strip_suffix('\'')) {
            None => shown.clone().into_bytes(),
            Some(inner) => unquoted(inner.as_bytes(), b'\\'),
        };
        prop_assert_eq!(&read, &bytes);
        let text: String = serde_json::from_str(&json(&Json(path), false)).unwrap();
        let read = match text.strip_prefix("file:") {
            None => text.into_bytes(),
            Some(encoded) => unquoted(encoded.as_bytes(), b'%'),
        };
        prop_assert_eq!(&read, &bytes);
    }
}

/// The bytes that stand behind `\xHH` and `\c`, or `%HH`.
#[cfg(unix)]
fn unquoted(mut text: &[u8], sign: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [first, rest @ ..] = text {
        let hexadecimal = match (sign, rest) {
            (b'\\', [b'x', digits @ ..]) | (b'%', digits) => digits.first_chunk::<2>(),
            _ => None,
        };
        let (left, byte) = match (*first == sign, hexadecimal) {
            (true, Some(digits)) => {
                let digits = std::str::from_utf8(digits).unwrap();
                let length = if sign == b'\\' { 3 } else { 2 };
                (&rest[length..], u8::from_str_radix(digits, 16).unwrap())
            }
            (true, None) => (&rest[1..], rest[0]),
            (false, _) => (rest, *first),
        };
        bytes.push(byte);
        text = left;
    }
    bytes
}
