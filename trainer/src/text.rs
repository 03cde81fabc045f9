//! Other people's text, made safe to show: paths, names in policy files and from boards, keys and values of TOML.
//!
//! Not safe are what a terminal obeys (control characters, U+0000 to U+001F and U+007F to U+009F), what changes the
//! order in which a line is read (bidirectional marks), what breaks lines elsewhere (U+2028, U+2029), and what XML cannot
//! hold (U+FFFE, U+FFFF). Whoever prints or draws text passes it through here:
//!
//! | for | by | what becomes of ESC |
//! |---|---|---|
//! | one line of a terminal, a table's cell, a picture's text | [`line()`] | `\u{1b}` |
//! | a whole report | [`lines`] | `\u{1b}`; line breaks stay |
//! | a path on a terminal | [`Shown`] | `$'\x1b'`, as shells read it |
//! | JSON | [`json`] | `\u001b` |
//! | a path in JSON | [`path`], [`optional_path`] | `\u001b`, and for paths that are not UTF-8 a `file:` reference |
//!
//! Templates of pages and writers of CSV and SVG escape what is special there (`<`, quotes) by themselves.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::path::Path;

use serde::{Serialize, Serializer};

/// Is there nothing in it that a terminal obeys, or a reader cannot see?
fn is_plain(c: char) -> bool {
    let is_mark = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_or_is_none = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    !c.is_control() && !is_mark && !breaks_or_is_none
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match stays(c) {
            true => safe.push(c),
            false => safe.extend(c.escape_default()),
        }
    }
    safe.into()
}

/// One line: whatever is not plain, line breaks too, as Rust writes it in a string.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_plain)
}

/// Several lines: the same, but for `\n`.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_plain(c) || c == '\n')
}

/// A value as JSON, over several lines where `pretty`; characters that are not plain are escaped, so that JSON on a terminal
/// is harmless, too.
///
/// # Panics
///
/// If the value is not plain data: a map whose keys are not text, for example.
pub fn json<T: Serialize>(value: &T, pretty: bool) -> String {
    let text = match pretty {
        true => serde_json::to_string_pretty(value),
        false => serde_json::to_string(value),
    };
    let text = text.expect("reports are plain data");
    // Outside of strings JSON has ASCII only, and within them its own writer has escaped what is below U+0020.
    let stays = |c: char| is_plain(c) || c == '\n';
    if text.chars().all(stays) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match stays(c) {
            true => safe.push(c),
            // All of them are below U+10000.
            false => {
                let _ = write!(safe, "\\u{:04x}", c as u32);
            }
        }
    }
    safe
}

/// A path as a person reads it, in [`Display`]: as it is, or where it is not plain UTF-8, as `$'…'` with the bytes in question as
/// `\xHH`, which bash, zsh and ksh read as that path.
#[derive(Debug, Clone, Copy)]
pub struct ShownPath<'a>(&'a Path);

/// Paths that can be shown.
pub trait Shown {
    /// The path as a person reads it.
    fn shown(&self) -> ShownPath<'_>;
}

impl<T: AsRef<Path> + ?Sized> Shown for T {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self.as_ref())
    }
}

impl Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.0.to_str()
            && text.chars().all(is_plain)
            && !text.starts_with("$'")
        {
            return f.pad(text);
        }
        let mut quoted = String::from("$'");
        for chunk in self.0.as_os_str().as_encoded_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' | '\'' => quoted.extend(['\\', c]),
                    c if is_plain(c) => quoted.push(c),
                    c => hexadecimal(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes(), "\\x"),
                }
            }
            hexadecimal(&mut quoted, chunk.invalid(), "\\x");
        }
        f.pad(&(quoted + "'"))
    }
}

fn hexadecimal(text: &mut String, bytes: &[u8], before: &str) {
    for byte in bytes {
        let _ = write!(text, "{before}{byte:02X}");
    }
}

/// How a path begins in JSON where it is not UTF-8.
const REFERENCE: &str = "file:";

/// A path as JSON has it, for `#[serde(serialize_with = …)]`: as it is, or where it is not UTF-8, `file:` and the path with its
/// bytes percent-encoded (RFC 3986, section 2.1). So that nothing is ambiguous, a path that begins with `file:` is
/// written in this way, too.
///
/// # Errors
///
/// Those of the serialiser.
pub fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) if !text.starts_with(REFERENCE) => serializer.serialize_str(text),
        _ => serializer.serialize_str(&reference(path)),
    }
}

/// The same for a path that may be missing: `null`.
///
/// # Errors
///
/// Those of the serialiser.
pub fn optional_path<S: Serializer>(
    path: &Option<std::path::PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => self::path(path, serializer),
        None => serializer.serialize_none(),
    }
}

fn reference(path: &Path) -> String {
    let mut text = String::from(REFERENCE);
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(*byte));
            }
            byte => hexadecimal(&mut text, &[*byte], "%"),
        }
    }
    text
}

#[cfg(test)]
mod tests;
