//! Numbers as people write them: the one reader of options, settings and files.
//!
//! ```text
//! number   = [ "+" | "-" ] ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ "+" | "-" ] digits ]
//! digits   = digit { [ "_" ] digit }
//! ```
//!
//! So `.99`, `1.`, `007`, `10_000`, `+5` and `1e5` are numbers. A number is whole by its value, not by its form: `1e5` and
//! `1.5e3` are whole, in exact decimal arithmetic. TOML and JSON know fewer forms; `rewriting` gives them those that they
//! know.

mod rewriting;

pub(crate) use rewriting::{Grammar, mistake, rewrite};

/// Why a text is no number, or not the one that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has a comma.
    Comma,
    /// It is infinite, or no number by name.
    NotFinite,
    /// It is hexadecimal, octal or binary.
    Radix,
    /// Its sign is a dash of typographers.
    Sign,
    /// An underscore does not stand between two digits.
    Underscore,
    /// No type holds it.
    Large,
    /// It has a fraction where a whole number is needed.
    Fraction,
    /// It is something else.
    Other,
}

impl Refusal {
    /// What to write instead; `None` where nobody can tell what was meant.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Refusal::Comma => Some(
                "a number has no comma in it: ten thousand is 10000 or 10_000, and a half is 0.5",
            ),
            Refusal::NotFinite => Some("a number must be finite"),
            Refusal::Radix => Some("a number is written in decimal digits: 16, not 0x10"),
            Refusal::Sign => Some("the sign of a number is a hyphen, as in -5"),
            Refusal::Underscore => Some("an underscore stands between two digits, as in 10_000"),
            Refusal::Large => Some("it is too large"),
            Refusal::Fraction | Refusal::Other => None,
        }
    }
}

/// The parts of a number, each as it was written.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    /// `+`, `-` or nothing.
    sign: &'a str,
    /// Digits before the point.
    whole: &'a str,
    /// Digits behind it; `None` without a point.
    fraction: Option<&'a str>,
    /// Of 10; `None` without an `e`.
    exponent: Option<&'a str>,
}

/// Digits, with underscores between some of them.
fn are_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_')
        && !text.starts_with('_')
        && !text.ends_with('_')
        && !text.contains("__")
}

/// The sign, and what comes after it.
fn split_sign(text: &str) -> (&str, &str) {
    text.split_at(usize::from(text.starts_with(['+', '-'])))
}

fn read(text: &str) -> Result<Parts<'_>, Refusal> {
    let (sign, rest) = split_sign(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let power = exponent.map(|exponent| split_sign(exponent).1);
    let has_digits = !(whole.is_empty() && fraction.unwrap_or("").is_empty());
    let is_number = has_digits
        && power != Some("")
        && [Some(whole), fraction, power].into_iter().flatten().all(are_digits);
    if is_number { Ok(Parts { sign, whole, fraction, exponent }) } else { Err(refusal(text)) }
}

/// Why a text is no number.
fn refusal(text: &str) -> Refusal {
    // Hyphens and dashes that look like a minus.
    const DASHES: [char; 9] = ['−', '‐', '‑', '‒', '–', '—', '﹣', '－', '➖'];
    if DASHES.into_iter().any(|dash| text.contains(dash)) {
        let hyphens = text.replace(DASHES, "-");
        return match read(&hyphens) {
            Ok(_) => Refusal::Sign,
            Err(other) => other,
        };
    }
    let bare = split_sign(text).1.to_ascii_lowercase();
    if ["inf", "infinity", "nan"].contains(&bare.as_str()) {
        return Refusal::NotFinite;
    }
    let is_radix = |prefix: &str, radix: u32| {
        let digits = bare.strip_prefix(prefix).filter(|digits| !digits.is_empty());
        digits.is_some_and(|digits| digits.chars().all(|c| c.is_digit(radix) || c == '_'))
    };
    if is_radix("0x", 16) || is_radix("0o", 8) || is_radix("0b", 2) {
        return Refusal::Radix;
    }
    let without = |letter: char| {
        let rest = text.replace(letter, "");
        text.contains(letter) && read(&rest).is_ok()
    };
    if text.contains(',') && (without(',') || read(&text.replace(',', ".")).is_ok()) {
        return Refusal::Comma;
    }
    if without('_') { Refusal::Underscore } else { Refusal::Other }
}

/// A number.
///
/// # Errors
///
/// If the text is none, or its number is too large for any `f64`.
pub fn float(text: &str) -> Result<f64, Refusal> {
    read(text)?;
    // Rust's own reader takes all forms, but for underscores.
    let x: f64 = text.replace('_', "").parse().map_err(|_| Refusal::Other)?;
    if x.is_finite() { Ok(x) } else { Err(Refusal::Large) }
}

/// A whole number, in whatever form.
///
/// # Errors
///
/// If the text is no number, or one with a fraction, or one too large for any `i128`.
pub fn whole(text: &str) -> Result<i128, Refusal> {
    let parts = read(text)?;
    let fraction = parts.fraction.unwrap_or("");
    let digits: String = [parts.whole, fraction].concat().replace('_', "");
    let behind = fraction.bytes().filter(u8::is_ascii_digit).count();
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // An exponent that no `i64` holds is beyond all that follows, too.
    let exponent = parts.exponent.map_or(Ok(0), |exponent| {
        let exponent = exponent.replace('_', "");
        let beyond = if exponent.starts_with('-') { Refusal::Fraction } else { Refusal::Large };
        exponent.parse::<i64>().map_err(|_| beyond)
    })?;
    // value = ± significant · 10^power
    let power = exponent.saturating_add((digits.len() - significant.len()) as i64);
    let power = power.saturating_sub(behind as i64);
    if power < 0 {
        return Err(Refusal::Fraction);
    }
    let factor = u32::try_from(power).ok().and_then(|power| 10_i128.checked_pow(power));
    let magnitude = significant.parse::<i128>().ok().zip(factor);
    let magnitude = magnitude.and_then(|(significant, factor)| significant.checked_mul(factor));
    let magnitude = magnitude.ok_or(Refusal::Large)?;
    Ok(if parts.sign == "-" { -magnitude } else { magnitude })
}

/// The whole number that TOML has in any form, `None` for another value.
pub(crate) fn whole_value(value: &toml::Value) -> Option<i64> {
    // 2⁶³
    const END: f64 = 9_223_372_036_854_775_808.0;
    match value {
        toml::Value::Integer(i) => Some(*i),
        toml::Value::Float(x) if x.fract() == 0.0 && (-END..END).contains(x) => Some(*x as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
