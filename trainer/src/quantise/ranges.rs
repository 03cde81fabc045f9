//! Does a policy meet what its integers were made for?
//!
//! The blob has the ranges: t = (o − shift) · scale is limited to ±4 · 32 767 (`core/FORMAT.md`), so that an entry is from
//! shift − 4 · 32 767 / scale to shift + 4 · 32 767 / scale for the policy, whatever it is.

use policy_core::WeightKind;

use super::layer::LIMIT;
use crate::policy::AnyPolicy;

/// An end of a range is passed by more than what `f32` rounds: this share of half the range.
const PASSED: f64 = 1e-5;
/// Digits of the numbers in a warning.
const DIGITS: i32 = 4;

/// Counts the observations that leave the ranges for which a policy was quantised; a policy with `f32` weights has none.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    entries: Vec<Entry>,
    observations: usize,
    /// Of these, how many leave a range.
    outside: usize,
}

/// An entry of the observation.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    name: String,
    unit: String,
    /// Its range is middle ± half.
    middle: f64,
    half: f64,
    /// The value farthest from the middle of those outside.
    farthest: Option<f64>,
    outside: usize,
}

impl Watch {
    /// Nothing was seen yet.
    pub fn new(policy: &AnyPolicy<'_>) -> Self {
        let none = (policy.kind() == WeightKind::F32).then(Vec::new);
        let entries = none.unwrap_or_else(|| entries(policy));
        Watch { entries, observations: 0, outside: 0 }
    }

    /// The policy acts on this observation.
    pub fn see(&mut self, observation: &[f32]) {
        let mut is_outside = false;
        for (entry, o) in self.entries.iter_mut().zip(observation) {
            is_outside |= entry.see(f64::from(*o));
        }
        self.observations += 1;
        self.outside += usize::from(is_outside);
    }

    /// How many observations had an entry outside its range.
    pub fn outside(&self) -> usize {
        self.outside
    }

    /// Which entries left their range, how far and how often, in a sentence; `None` where none has.
    pub fn warning(&self) -> Option<String> {
        let count = self.observations;
        let told = |entry: &Entry| {
            let farthest = entry.farthest?;
            let (low, high) = (entry.middle - entry.half, entry.middle + entry.half);
            let unit = match entry.unit.as_str() {
                "" => String::new(),
                unit => format!(" {unit}"),
            };
            Some(format!(
                "{} is {}{unit}, its range ends at {}{unit}, left by {} of {count} observations",
                entry.name,
                short(farthest),
                short(if farthest < entry.middle { low } else { high }),
                entry.outside,
            ))
        };
        let told: Vec<String> = self.entries.iter().filter_map(told).collect();
        (!told.is_empty()).then(|| {
            format!(
                "observations leave the ranges that the policy was quantized for, beyond which it sees only their ends: {}; \
                 quantize it where it starts as it does here (--set)",
                told.join("; ")
            )
        })
    }
}

impl Entry {
    /// Is this value outside?
    fn see(&mut self, o: f64) -> bool {
        let distance = (o - self.middle).abs();
        // No number (NaN) has no place at all; policies refuse it.
        let is_outside = distance > self.half * (1.0 + PASSED);
        if is_outside {
            self.outside += 1;
            if self.farthest.is_none_or(|farthest| distance > (farthest - self.middle).abs()) {
                self.farthest = Some(o);
            }
        }
        is_outside
    }
}

/// The entries of a policy with integer weights, with their names if its contract can be read.
fn entries(policy: &AnyPolicy<'_>) -> Vec<Entry> {
    let Some(normalisation) = policy.normalisation() else { return Vec::new() };
    let channels: Vec<_> =
        policy.contract().map_or(Vec::new(), |contract| contract.observation().collect());
    let ranges = normalisation.shift.iter().zip(normalisation.scale).enumerate();
    let entry = |(index, (shift, scale)): (usize, (&f32, &f32))| {
        let channel = channels.get(index);
        Entry {
            name: channel.map_or(format!("entry {index}"), |channel| channel.name.to_string()),
            unit: channel.map_or(String::new(), |channel| channel.unit.to_string()),
            middle: f64::from(*shift),
            half: 4.0 * LIMIT / f64::from(*scale),
            farthest: None,
            outside: 0,
        }
    };
    ranges.map(entry).collect()
}

/// A number with few digits.
fn short(x: f64) -> String {
    let magnitude = x.abs().log10().floor();
    if !x.is_finite() {
        return x.to_string();
    }
    if !(-4.0..9.0).contains(&magnitude) && x != 0.0 {
        return format!("{x:.*e}", DIGITS as usize - 1);
    }
    let decimals = if x == 0.0 { 0 } else { (DIGITS - 1 - magnitude as i32).max(0) };
    format!("{x:.*}", decimals as usize)
}

#[cfg(test)]
mod tests;
