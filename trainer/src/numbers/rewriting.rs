//! Numbers in TOML and JSON, in the forms that their grammars know.
//!
//! The grammar of TOML refuses `.99`, `1.` and `007`, and that of JSON `+5` and `10_000`, too. A text is read twice: once
//! here, for numbers where values stand, and then by the library. What is inside of strings, comments, keys and headers
//! stays as it is, and so does every line break, so that the numbers of lines in errors are right.

use std::borrow::Cow;
use std::ops::Range;

use super::{Parts, Refusal, read, refusal, whole};

/// Of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    Toml,
    Json,
}

/// The text with its numbers in forms that the grammar knows. A document that the grammar takes keeps its meaning.
pub(crate) fn rewrite(text: &str, grammar: Grammar) -> Cow<'_, str> {
    let mut rewritten = String::new();
    let mut from = 0;
    for token in tokens(text, grammar) {
        let Some(number) = in_grammar(text, &token, grammar) else { continue };
        rewritten += &text[from..token.start];
        rewritten += &number;
        from = token.end;
    }
    if from == 0 { text.into() } else { (rewritten + &text[from..]).into() }
}

/// The first value that is meant for a number but is none, as people write numbers: its line, from 1 on, its text, and what
/// is wrong with it. TOML takes some of these itself.
pub(crate) fn mistake(text: &str, grammar: Grammar) -> Option<(usize, &str, Refusal)> {
    tokens(text, grammar).into_iter().find_map(|token| {
        let refusal = match is_part_of_number(text, &token) {
            true => Refusal::Comma,
            false => refusal_of(&text[token.clone()])?,
        };
        refusal.hint()?;
        let line = 1 + text[..token.start].matches('\n').count();
        Some((line, &text[token], refusal))
    })
}

fn refusal_of(token: &str) -> Option<Refusal> {
    read(token).is_err().then(|| refusal(token))
}

/// The last digits of `1,064`, which is no list of 1 and 64.
fn is_part_of_number(text: &str, token: &Range<usize>) -> bool {
    let digits = &text.as_bytes()[token.clone()];
    let before = text[..token.start].strip_suffix(',');
    digits.len() == 3
        && digits[0] == b'0'
        && digits.iter().all(u8::is_ascii_digit)
        && before.is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
}

/// A number in another form, where the grammar does not know the one that it has.
fn in_grammar(text: &str, token: &Range<usize>, grammar: Grammar) -> Option<String> {
    let written = &text[token.clone()];
    let parts = read(written).ok()?;
    if is_part_of_number(text, token) {
        return None;
    }
    let number = match grammar {
        Grammar::Toml => exact(&parts, written).unwrap_or_else(|| filled(&parts)),
        Grammar::Json => {
            let number = filled(&parts).replace('_', "");
            number.strip_prefix('+').map_or(number.clone(), String::from)
        }
    };
    (number != written).then_some(number)
}

/// With a digit on both sides of the point, and none that means nothing before others.
fn filled(parts: &Parts<'_>) -> String {
    let Parts { sign, whole, fraction, exponent } = *parts;
    let stripped = whole.trim_start_matches(['0', '_']);
    let whole = match whole.starts_with('0') {
        true if stripped.is_empty() => "0",
        true => stripped,
        false if whole.is_empty() => "0",
        false => whole,
    };
    let mut number = format!("{sign}{whole}");
    if let Some(fraction) = fraction {
        number += ".";
        number += if fraction.is_empty() { "0" } else { fraction };
    }
    if let Some(exponent) = exponent {
        number += "e";
        number += exponent;
    }
    number
}

/// A whole number with a point or an exponent as TOML's integer, where a float would be another number.
fn exact(parts: &Parts<'_>, written: &str) -> Option<String> {
    if parts.fraction.is_none() && parts.exponent.is_none() {
        return None;
    }
    let number = i64::try_from(whole(written).ok()?).ok()?;
    (number as f64 as i128 != i128::from(number)).then(|| number.to_string())
}

/// Where bare words and numbers stand as values.
fn tokens(text: &str, grammar: Grammar) -> Vec<Range<usize>> {
    match grammar {
        Grammar::Toml => toml_tokens(text.as_bytes()),
        Grammar::Json => json_tokens(text.as_bytes()),
    }
}

fn toml_tokens(text: &[u8]) -> Vec<Range<usize>> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    // The brackets that are open, and whether a value is expected, not a key or a header.
    let (mut open, mut in_value) = (Vec::new(), false);
    while let Some(&byte) = text.get(at) {
        let mut end = at + 1;
        match byte {
            b'#' => end = find(text, at, |byte| byte == b'\n'),
            b'"' | b'\'' => end = after_string(text, at, in_value),
            b'\n' if open.is_empty() => in_value = false,
            b'=' => in_value = true,
            b'[' | b'{' if in_value => {
                open.push(byte);
                in_value = byte == b'[';
            }
            b']' | b'}' if !open.is_empty() => {
                open.pop();
                in_value = true;
            }
            b',' if !open.is_empty() => in_value = open.last() == Some(&b'['),
            byte if in_value && !byte.is_ascii_whitespace() => {
                // Between the values of a list only is a comma more than a mistake.
                let is_end = |byte: u8| {
                    byte.is_ascii_whitespace()
                        || b"[]{}#=\"'".contains(&byte)
                        || byte == b',' && !open.is_empty()
                };
                end = find(text, at, is_end).max(at + 1);
                tokens.push(at..end);
            }
            _ => {}
        }
        at = end;
    }
    tokens
}

fn json_tokens(text: &[u8]) -> Vec<Range<usize>> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    let is_end = |byte: u8| byte.is_ascii_whitespace() || b"[]{}:,\"".contains(&byte);
    while let Some(&byte) = text.get(at) {
        let end = match byte {
            b'"' => after_string(text, at, false),
            byte if is_end(byte) => at + 1,
            _ => {
                let end = find(text, at, is_end);
                tokens.push(at..end);
                end
            }
        };
        at = end;
    }
    tokens
}

/// The first place from `at` on whose byte is one of those, or the end.
fn find(text: &[u8], at: usize, is_one: impl Fn(u8) -> bool) -> usize {
    text[at..].iter().position(|byte| is_one(*byte)).map_or(text.len(), |found| at + found)
}

/// The place behind a string that begins at `at`. One that is not closed ends with its line, or of several lines with the
/// text.
fn after_string(text: &[u8], at: usize, may_have_lines: bool) -> usize {
    let quote = text[at];
    let is_long = may_have_lines && text[at..].starts_with(&[quote; 3]);
    let mut place = at + if is_long { 3 } else { 1 };
    while let Some(&byte) = text.get(place) {
        match byte {
            b'\n' if !is_long => return place,
            b'\\' if quote == b'"' && text.get(place + 1) != Some(&b'\n') => place += 1,
            byte if byte == quote && !is_long => return place + 1,
            byte if byte == quote && text[place..].starts_with(&[quote; 3]) => {
                // Up to two quotes before the last three belong to the string.
                let quotes = text[place..].iter().take(5).take_while(|byte| **byte == quote);
                return place + quotes.count();
            }
            _ => {}
        }
        place += 1;
    }
    text.len()
}
