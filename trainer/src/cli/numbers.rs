//! Options whose values are numbers.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::numbers::{self, Refusal};

/// Ranges that end beyond this are too wide to be told with every mistake.
const WIDE: u64 = 1_000_000;

/// Takes a whole number in this range.
pub(super) fn whole<T>(range: RangeInclusive<u64>) -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let (first, last) = (*range.start(), *range.end());
        let number = numbers::whole(text.trim()).map_err(|refusal| {
            let needed = match last > WIDE {
                true => "must be a whole number such as 10000".into(),
                false => format!("must be a whole number from {first} to {last}"),
            };
            with_hint(needed, text, refusal)
        })?;
        let number = u64::try_from(number).ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("must be from {first} to {last}"))
    }
}

/// Takes a number.
pub(super) fn number(text: &str) -> Result<f64, String> {
    numbers::float(text.trim())
        .map_err(|refusal| with_hint("must be a number such as 0.5".into(), text, refusal))
}

fn with_hint(needed: String, text: &str, refusal: Refusal) -> String {
    match refusal.hint() {
        Some(hint) => format!("{needed}: {hint}"),
        None => format!("{needed}, not {text}"),
    }
}

/// Takes one of a few whole numbers, which shells complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct OneOf(pub(super) &'static [&'static str]);

impl TypedValueParser for OneOf {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        let number = value.to_str().and_then(|text| numbers::whole(text.trim()).ok());
        let usual: Option<OsString> = number.map(|number| number.to_string().into());
        let choices = PossibleValuesParser::new(self.0);
        choices.parse_ref(command, argument, usual.as_deref().unwrap_or(value))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Arguments;

    fn parse(line: &str) -> Result<String, String> {
        let arguments = Arguments::try_parse_from(line.split(' '));
        arguments.map(|found| format!("{:?}", found.command)).map_err(|error| error.to_string())
    }

    /// Each numeric option of each command.
    #[test]
    fn every_numeric_option_has_the_one_reader() {
        for (line, shown) in [
            ("train --seed 007", "seed: Some(7)"),
            ("train --steps 1e5", "steps: Some(100000)"),
            ("train --steps 10_000", "steps: Some(10000)"),
            ("train --seed 1e18", "seed: Some(1000000000000000000)"),
            ("train --seeds +1.", "seeds: Some(1)"),
            ("train --threads 0_2", "threads: 2"),
            ("train --checkpoint-every .5", "checkpoint_every: 0.5"),
            ("bench --threads 2. --seconds 1_0.", "threads: 2, seconds: 10.0"),
            ("record p --start 1e1 --fps 1_0. --size 4e2", "start: Some(10)"),
            ("record p --steps 1.5e3 --seed 1e2", "seed: Some(100), steps: Some(1500)"),
            ("sweep f --jobs 1e0", "jobs: Some(1)"),
            ("quantize p --bits 08 --max-loss .5", "max_loss: Some(0.5)"),
            ("quantize p --bits 1.6e1", "bits: Some(Sixteen)"),
            ("pil p --episodes 1e1 --steps 2.", "episodes: Some(10), steps: Some(2)"),
            ("pil p --serial s --baud 1.152e5", "baud: 115200"),
            (
                "monitor --serial s --baud 9_600 --rate 1. --for 1e1",
                "baud: 9600, policy: None, rate: 1.0, duration: Some(10.0)",
            ),
            ("push p --serial s --baud 009600", "baud: 9600"),
            ("sign p --key k --version 1e1", "version: 10"),
            ("view p --port 8_080.", "port: 8080"),
        ] {
            let found = parse(&format!("trainer {line}")).unwrap_or_else(|error| panic!("{error}"));
            assert!(found.contains(shown), "{line}: {found}");
        }
        for (line, words) in [
            ("train --steps 1.5", "must be a whole number such as 10000, not 1.5"),
            ("train --steps 1,000", "such as 10000: a number has no comma in it"),
            ("train --steps 1e300", "it is too large"),
            ("train --seed 0x10", "a number is written in decimal digits: 16, not 0x10"),
            ("train --seed −5", "the sign of a number is a hyphen"),
            ("train --seed=-1_0", "must be from 0 to 9223372036854775807"),
            ("train --seeds 1001", "must be from 1 to 1000"),
            ("train --threads two", "must be a whole number from 1 to 64, not two"),
            ("train --checkpoint-every inf", "a number must be finite"),
            ("record p --fps nan", "a number must be finite"),
            ("record p --size 1__0", "an underscore stands between two digits"),
            ("monitor --serial s --rate 0,5", "a number has no comma in it"),
            ("quantize p --bits 9", "possible values: 8, 13, 16"),
            ("view p --port 65536", "must be from 0 to 65535"),
        ] {
            let error = parse(&format!("trainer {line}")).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
