//! How a policy controls, as text: in the same words wherever it stands.

use super::{Control, Spread};
use crate::statistics::counted;

/// What cannot be said.
const NONE: &str = "–";
/// Decimals of a figure, and the most of one that would look like 0 with these.
const DECIMALS: [usize; 2] = [3, 4];

/// A figure in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// Over the starts, with its unit.
    pub median: String,
    /// The same.
    pub worst: String,
    /// What it means, for those who read it for the first time.
    pub meaning: &'static str,
}

/// All figures; without them, of a run of before, dashes.
pub fn rows(control: Option<&Control>) -> [Row; 5] {
    let row = |name, meaning, of: fn(&Control) -> (Spread, &str)| {
        let (spread, unit) = control.map_or((Spread { median: None, worst: None }, ""), of);
        Row {
            name,
            median: figure(spread.median, unit),
            worst: figure(spread.worst, unit),
            meaning,
        }
    };
    [
        row("rest error", "mean distance from the goal over the last two seconds", |c| {
            (c.rest_error, &c.unit)
        }),
        row("effort at rest", "mean size of the action over the last two seconds", |c| {
            (c.effort, &c.action_unit)
        }),
        row(
            "chatter",
            "standard deviation of the action's change from period to period there",
            |c| (c.chatter, &c.action_unit),
        ),
        row("overshoot", "farthest beyond the goal after coming to it", |c| (c.overshoot, &c.unit)),
        row("settling time", "until it stays at the goal to the end", |c| (c.settling_time, "s")),
    ]
}

/// One line: from how many starts the goal is reached, and what the policy does there.
pub fn line(control: Option<&Control>) -> String {
    let Some(control) = control else { return format!("at the goal: {NONE}") };
    let text = reached(control);
    if control.reached == 0 {
        return text;
    }
    let error = figure(control.rest_error.median, &control.unit);
    let worst = figure(control.rest_error.worst, "");
    let chatter = figure(control.chatter.median, &control.action_unit);
    let settled = match (control.settling_time.median, control.reached - control.settled) {
        (Some(time), 0) => format!("settled after {time:.2} s"),
        (Some(time), never) => format!("settled after {time:.2} s, but never from {never}"),
        (None, _) if control.settled == 0 => "never settled".into(),
        (None, _) => format!("settled from {}", control.settled),
    };
    format!("{text}: {error} off at rest (worst {worst}), chatter {chatter}, {settled}")
}

/// From how many starts the goal is reached.
fn reached(control: &Control) -> String {
    let Control { goal, reached, starts, .. } = control;
    format!("{goal} from {reached} of {}", counted(*starts, "start"))
}

impl Control {
    /// What its figures are over, and what they are measured by.
    pub fn scope(&self) -> String {
        let Control { settled, symbol, within, target, unit, .. } = self;
        format!(
            "{}, settled from {settled} of them ({symbol} within {} of {target})",
            reached(self),
            with_unit(&decimals(*within), unit)
        )
    }
}

/// A number with its unit, as far as there are any.
fn figure(x: Option<f64>, unit: &str) -> String {
    x.map_or(NONE.into(), |x| with_unit(&decimals(x), unit))
}

/// Three decimals, or so many more that a digit is seen.
pub(super) fn decimals(x: f64) -> String {
    let [few, most] = DECIMALS;
    let is_seen = |d: &usize| format!("{x:.d$}").contains(|c| ('1'..='9').contains(&c));
    let d = (few..=most).find(is_seen).unwrap_or(few);
    format!("{x:.d$}")
}

/// A unit such as `100 N` is a number already.
fn with_unit(number: &str, unit: &str) -> String {
    match unit.chars().next() {
        None => number.into(),
        Some(first) if first.is_ascii_digit() => format!("{number} × {unit}"),
        Some(_) => format!("{number} {unit}"),
    }
}
