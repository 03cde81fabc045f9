//! How a policy controls: what it does once it has come to its machine's goal, and on the way there.
//!
//! A return says little of that: a rod that leans and a motor that rattles cost a few percent. With eₜ the error of state t
//! to the [goal](Goal), aₜ the action taken in it, Δt the period, T the last state of an episode and N = 2 s / Δt,
//!
//! - *rest* is the last two seconds of an episode: states T − N … T, and the N actions between them;
//! - an episode *reaches* the goal where it lasts to its horizon and |eₜ| ≤ `near` in all of rest. A rod that leans by 10° does so;
//!   one that falls, hangs, or turns round and round does not. All figures below are over the starts from which the goal is
//!   reached;
//! - the *rest error* is the mean of |eₜ| over rest;
//! - the *effort* is the mean of |aₜ| over rest, and the *chatter* the standard deviation over rest of aₜ₊₁ − aₜ: 0 for an action
//!   that is constant or a straight line, however large. Of several entries of an action, the largest figure counts;
//! - the *settling time* is t Δt of the first t from which on |e| ≤ `within` to the end. There is none where that is later than
//!   the beginning of rest: whoever comes by in the last moment has not settled;
//! - the *overshoot* is how far it goes beyond the goal. Let b be the first state with |e_b| ≤ `within`, or behind which the
//!   goal lies: eᵦ₋₁ and e_b on either side of 0, and not of ±π. With σ the sign of eᵦ₋₁, from whose side it came,
//!
//! ```text
//! overshoot = max(0, max { −σ eₜ : t ≥ b })          max { |eₜ| : t ≥ 0 } where b = 0, which has both sides before it
//! ```
//!
//!   0 where it never comes so far, up to π where a rod turns over. A machine that comes to stand beyond its goal has at least
//!   that as its overshoot.

mod recent;
mod words;

pub use recent::Recent;
pub use words::{Row, line, rows};

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::envs::{self, Goal};
use crate::interface::Spec;

/// So long is rest, in s.
pub const REST: f64 = 2.0;
/// In fewer periods than this, an action cannot be seen to chatter.
const FEWEST: usize = 3;

/// How a policy controls, over all starts of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What the machine is at its goal, such as `upright`.
    pub goal: String,
    /// What has to come to a target there, such as `θ`.
    pub symbol: String,
    /// Unit of errors.
    pub unit: String,
    /// Where it has to come to.
    pub target: f64,
    /// Errors up to this are none.
    pub within: f64,
    /// Errors up to this throughout rest are those of a policy that reaches the goal.
    pub near: f64,
    /// Unit of actions; empty where their entries have several.
    pub action_unit: String,
    /// Number of starts.
    pub starts: usize,
    /// From so many the goal is reached.
    pub reached: usize,
    /// From so many of these the machine settles at it.
    pub settled: usize,
    /// Mean of |e| over rest.
    pub rest_error: Spread,
    /// Mean of |a| over rest, in the action's unit.
    pub effort: Spread,
    /// Standard deviation over rest of the action's change from period to period, in its unit.
    pub chatter: Spread,
    /// How far it goes beyond the goal.
    pub overshoot: Spread,
    /// Until it stays at the goal, in s.
    pub settling_time: Spread,
}

/// A figure over the starts that reach the goal. Where it is a time of what never happens, that counts as longer than all others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Of an even number, the mean of the two in the middle; `None` without any, or of what never happens.
    pub median: Option<f64>,
    /// The largest.
    pub worst: Option<f64>,
}

impl Spread {
    /// Of figures that are numbers or +∞, which stands for never.
    fn of(mut figures: Vec<f64>) -> Spread {
        figures.sort_unstable_by(f64::total_cmp);
        let n = figures.len();
        let finite = |x: &f64| Some(*x).filter(|x| x.is_finite());
        let middle = figures.get(n.saturating_sub(1) / 2).zip(figures.get(n / 2));
        let median = middle.map(|(low, high)| 0.5 * low + 0.5 * high);
        Spread { median: median.as_ref().and_then(finite), worst: figures.last().and_then(finite) }
    }
}

/// What an episode, or a machine that runs on, does at rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rest {
    /// Mean of |e|.
    pub error: f64,
    /// Mean of |a|.
    pub effort: f64,
    /// Standard deviation of aₜ₊₁ − aₜ.
    pub chatter: f64,
}

impl Rest {
    /// Of the errors `[N + 1]` and the actions `[N, size]` between them; `None` where the goal is not reached.
    fn of(goal: &Goal, errors: &[f64], actions: &[f32], size: usize) -> Option<Rest> {
        let is_near = errors.iter().all(|e| e.abs() <= goal.near);
        if !is_near || actions.iter().any(|a| !a.is_finite()) {
            return None;
        }
        let entry = |i: usize| actions.iter().skip(i).step_by(size).map(|a| f64::from(*a));
        let changes = |i: usize| -> Vec<f64> {
            entry(i).zip(entry(i).skip(1)).map(|(a, next)| next - a).collect()
        };
        let largest = |of: &dyn Fn(usize) -> f64| (0..size).map(of).fold(0.0, f64::max);
        Some(Rest {
            error: mean(errors.iter().map(|e| e.abs())),
            effort: largest(&|i| mean(entry(i).map(f64::abs))),
            chatter: largest(&|i| deviation(&changes(i))),
        })
    }
}

/// What one episode that reaches the goal does.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    rest: Rest,
    overshoot: f64,
    /// `None` where it never settles.
    settling_time: Option<f64>,
}

/// A machine's way: errors `[T + 1]` and actions `[T, size]`.
#[derive(Debug, Clone, Default)]
struct Course {
    errors: Vec<f64>,
    actions: Vec<f32>,
}

impl Course {
    fn figures(&self, scale: &Scale) -> Option<Figures> {
        let (goal, errors) = (&scale.goal, &self.errors[..]);
        let rest_begins = errors.len().checked_sub(scale.periods + 1)?;
        let actions = self.actions.get(rest_begins * scale.size..)?;
        let rest = Rest::of(goal, &errors[rest_begins..], actions, scale.size)?;
        let at_goal = errors.iter().rev().take_while(|e| e.abs() <= goal.within).count();
        let settled = errors.len() - at_goal;
        let settling_time = (settled <= rest_begins).then_some(settled as f64 * scale.period);
        Some(Figures { rest, overshoot: overshoot(goal, errors), settling_time })
    }
}

/// How far errors `[T + 1]` go beyond the goal.
fn overshoot(goal: &Goal, errors: &[f64]) -> f64 {
    let is_at_goal = |t: usize| errors[t].abs() <= goal.within;
    // Through ±π an angle changes its sign, too.
    let is_crossed = |t: usize| {
        let [before, now] = [errors[t - 1], errors[t]];
        before * now < 0.0 && (!goal.wraps || (now - before).abs() < PI)
    };
    let arrived = (0..errors.len()).find(|t| is_at_goal(*t) || *t > 0 && is_crossed(*t));
    match arrived {
        None => 0.0,
        Some(0) => errors.iter().fold(0.0, |beyond, e| beyond.max(e.abs())),
        Some(b) => {
            let side = errors[b - 1].signum();
            errors[b..].iter().fold(0.0, |beyond, e| beyond.max(-side * e))
        }
    }
}

/// By what a machine's courses are measured.
#[derive(Debug, Clone)]
struct Scale {
    goal: Goal,
    /// Δt, in s
    period: f64,
    /// N
    periods: usize,
    /// Entries of an action.
    size: usize,
}

impl Scale {
    /// `None` where the machine is none of [`envs::ALL`], or rest has too few periods.
    fn of(spec: &Spec) -> Option<Scale> {
        let goal = envs::find(spec.name).ok()?.goal;
        let periods = (REST / spec.period).round() as usize;
        let size = spec.action_size();
        (periods >= FEWEST).then_some(Scale { goal, period: spec.period, periods, size })
    }
}

/// Watches the episodes of an evaluation, one from each start; those of several starts may go on side by side.
#[derive(Debug)]
pub struct Gauge {
    scale: Scale,
    action_unit: String,
    /// Those under way; empty before and after.
    courses: Vec<Course>,
    /// Of each start.
    figures: Vec<Option<Figures>>,
}

impl Gauge {
    /// For so many starts; `None` where nothing can be said: the machine is not known here, or its episodes are shorter than rest.
    pub fn new(spec: &Spec, starts: usize) -> Option<Gauge> {
        let scale = Scale::of(spec).filter(|scale| spec.horizon >= scale.periods)?;
        let mut units = spec.action.iter().map(|entry| entry.unit);
        let first = units.next().unwrap_or_default();
        let action_unit = if units.all(|unit| unit == first) { first } else { "" };
        let courses = vec![Course::default(); starts];
        Some(Gauge { scale, action_unit: action_unit.into(), courses, figures: vec![None; starts] })
    }

    /// In the episode from a start, the policy takes an action `[action_size]` in a state `[state_size]`.
    pub fn acts(&mut self, start: usize, state: &[f64], action: &[f32]) {
        let course = &mut self.courses[start];
        course.errors.push(self.scale.goal.error(state));
        course.actions.extend_from_slice(action);
    }

    /// The episode from a start ends in a state `[state_size]`: at its horizon, or terminated.
    pub fn ends(&mut self, start: usize, state: &[f64], terminated: bool) {
        let mut course = std::mem::take(&mut self.courses[start]);
        course.errors.push(self.scale.goal.error(state));
        self.figures[start] = course.figures(&self.scale).filter(|_| !terminated);
    }

    /// Over all starts.
    pub fn control(&self) -> Control {
        let reached: Vec<Figures> = self.figures.iter().flatten().copied().collect();
        let spread = |of: fn(&Figures) -> f64| Spread::of(reached.iter().map(of).collect());
        let goal = &self.scale.goal;
        Control {
            goal: goal.name.into(),
            symbol: goal.symbol.into(),
            unit: goal.unit.into(),
            target: goal.target,
            within: goal.within,
            near: goal.near,
            action_unit: self.action_unit.clone(),
            starts: self.figures.len(),
            reached: reached.len(),
            settled: reached.iter().filter(|figures| figures.settling_time.is_some()).count(),
            rest_error: spread(|figures| figures.rest.error),
            effort: spread(|figures| figures.rest.effort),
            chatter: spread(|figures| figures.rest.chatter),
            overshoot: spread(|figures| figures.overshoot),
            settling_time: spread(|figures| figures.settling_time.unwrap_or(f64::INFINITY)),
        }
    }
}

/// x̄ = 1/n · Σ xᵢ
fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = numbers.len() as f64;
    numbers.sum::<f64>() / n
}

/// √(1/n · Σ (xᵢ − x̄)²)
fn deviation(numbers: &[f64]) -> f64 {
    let middle = mean(numbers.iter().copied());
    mean(numbers.iter().map(|x| (x - middle) * (x - middle))).sqrt()
}

#[cfg(test)]
mod tests;
