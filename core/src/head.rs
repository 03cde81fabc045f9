//! From the last layer's output to an action in physical units.

use core::{iter, ops::Deref};

use rand_core::Rng;

use crate::{
    BlobError,
    action::{self, Action},
    error::Part,
    gaussian,
    layer::kernel::Outputs,
};

/// What the last layer's output z means.
///
/// tanh and clamp let NaN through, and [`Grid`](Head::Grid) answers it with NaN, so that
/// [`Policy::act`](crate::Policy::act) refuses an overflow whatever the head is.
///
/// `V` is where its lists are: an [`Action`] of its own, or `&[f32]` in a blob.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Head<V = Action> {
    /// The squashed Gaussian of SAC: z = (μ, ζ), log σ = bound(ζ),
    /// a = scale · tanh(u) + bias with u = μ (greedy) or u = μ + σε, ε ~ N(0, 1) (sampled).
    SquashedGaussian {
        /// Half the width of each action's range, in the action's unit.
        scale: V,
        /// The middle of each action's range, in the action's unit.
        bias: V,
        /// How ζ becomes log σ.
        log_std: LogStdBound,
    },
    /// The bounded actor of DDPG (Lillicrap et al., 2015, arXiv:1509.02971) and TD3 (Fujimoto et al.,
    /// 2018, arXiv:1802.09477): a = scale · tanh(z) + bias. Deterministic.
    Tanh {
        /// Half the width of each action's range, in the action's unit.
        scale: V,
        /// The middle of each action's range, in the action's unit.
        bias: V,
    },
    /// A linear actor, limited: a = min(max(z, low), high). Deterministic.
    Clamp {
        /// Lowest action, in the action's unit.
        low: V,
        /// Highest action, in the action's unit.
        high: V,
    },
    /// A Gaussian, limited after the noise: z = (μ, ζ), σ = min(max(exp ζ, std_min), std_max),
    /// a = min(max(u, low), high) with u = μ (greedy) or u = μ + σε, ε ~ N(0, 1) (sampled).
    ClampedGaussian {
        /// Lowest action, in the action's unit.
        low: V,
        /// Highest action, in the action's unit.
        high: V,
        /// Least σ, in the action's unit.
        std_min: f32,
        /// Largest σ, in the action's unit.
        std_max: f32,
    },
    /// The values of DQN (Mnih et al., 2015): z = Q of each of `points` evenly spaced actions of one
    /// actuator; a = low + (high − low) · i / (points − 1) with i = argmax z, the first of equals, and
    /// exactly `high` for the last. Deterministic.
    ///
    /// Every Q must be finite. An infinite one is refused as NaN is: its sign points to no end of the
    /// action's range, and two of them hide which was greater.
    Grid {
        /// First and lowest action, in the action's unit.
        low: f32,
        /// Last and highest action, in the action's unit.
        high: f32,
        /// Number of actions, at least 2.
        points: u16,
    },
}

/// How a raw output ζ becomes log σ within [min, max].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LogStdBound {
    /// log σ = min(max(ζ, min), max)
    Clamp {
        /// Least log σ.
        min: f32,
        /// Largest log σ.
        max: f32,
    },
    /// log σ = min + ½ (max − min) (tanh ζ + 1)
    Tanh {
        /// Least log σ.
        min: f32,
        /// Largest log σ.
        max: f32,
    },
}

impl LogStdBound {
    /// log σ.
    #[inline]
    fn apply(self, z: f32, tanh: fn(f32) -> f32) -> f32 {
        match self {
            LogStdBound::Clamp { min, max } => action::clamp(z, min, max),
            LogStdBound::Tanh { min, max } => min + 0.5 * (max - min) * (tanh(z) + 1.0),
        }
    }

    /// (min, max).
    pub fn range(self) -> (f32, f32) {
        match self {
            LogStdBound::Clamp { min, max } | LogStdBound::Tanh { min, max } => (min, max),
        }
    }
}

impl<V: Deref<Target = [f32]>> Head<V> {
    /// Entries of the action.
    pub fn action_size(&self) -> usize {
        self.first().len()
    }

    /// The first list: scale or lowest actions.
    pub(crate) fn first(&self) -> &[f32] {
        match self {
            Head::SquashedGaussian { scale: first, .. }
            | Head::Tanh { scale: first, .. }
            | Head::Clamp { low: first, .. }
            | Head::ClampedGaussian { low: first, .. } => first,
            Head::Grid { low, .. } => core::slice::from_ref(low),
        }
    }

    /// The second list: bias or highest actions.
    pub(crate) fn second(&self) -> &[f32] {
        match self {
            Head::SquashedGaussian { bias: second, .. }
            | Head::Tanh { bias: second, .. }
            | Head::Clamp { high: second, .. }
            | Head::ClampedGaussian { high: second, .. } => second,
            Head::Grid { high, .. } => core::slice::from_ref(high),
        }
    }

    /// The same with its lists borrowed.
    pub fn as_slices(&self) -> Head<&[f32]> {
        match self {
            Head::SquashedGaussian { scale, bias, log_std } => {
                Head::SquashedGaussian { scale, bias, log_std: *log_std }
            }
            Head::Tanh { scale, bias } => Head::Tanh { scale, bias },
            Head::Clamp { low, high } => Head::Clamp { low, high },
            Head::ClampedGaussian { low, high, std_min, std_max } => {
                Head::ClampedGaussian { low, high, std_min: *std_min, std_max: *std_max }
            }
            Head::Grid { low, high, points } => {
                Head::Grid { low: *low, high: *high, points: *points }
            }
        }
    }

    /// Outputs of the last layer that the head consumes, and how many of them, the first ones, are
    /// needed for the greedy action.
    pub fn inputs(&self) -> (usize, usize) {
        let size = self.action_size();
        match self {
            Head::SquashedGaussian { .. } | Head::ClampedGaussian { .. } => (2 * size, size),
            Head::Tanh { .. } | Head::Clamp { .. } => (size, size),
            Head::Grid { points, .. } => ((*points).into(), (*points).into()),
        }
    }

    /// The lowest and the highest action, `[action_size]` each, in the action's unit. No action, greedy
    /// or sampled, lies outside: where tanh reaches ±1 the head rounds to these very bits, and rounding
    /// keeps the order of everything in between.
    pub fn range(&self) -> (Action, Action) {
        match self {
            Head::SquashedGaussian { scale, bias, .. } | Head::Tanh { scale, bias } => (
                action::map(scale, bias, iter::repeat(-1.0), |s, b, end| s * end + b),
                action::map(scale, bias, iter::repeat(1.0), |s, b, end| s * end + b),
            ),
            Head::Clamp { low, high } | Head::ClampedGaussian { low, high, .. } => {
                (action::from_slice(low), action::from_slice(high))
            }
            Head::Grid { low, high, .. } => {
                (Action::from_array([*low]), Action::from_array([*high]))
            }
        }
    }

    /// Are all numbers finite, scales and σ positive, bounds in order, and is every
    /// action in range finite? `FORMAT.md` has the order.
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        match self {
            Head::SquashedGaussian { scale, bias, log_std } => {
                self.check_scale(scale, bias)?;
                let (min, max) = log_std.range();
                let holds = min.is_finite() && max.is_finite() && min <= max;
                require(holds, Part::LogStdBound)
            }
            Head::Tanh { scale, bias } => self.check_scale(scale, bias),
            Head::Clamp { low, high } => check_bounds(low, high),
            Head::ClampedGaussian { low, high, std_min, std_max } => {
                check_bounds(low, high)?;
                // A NaN fails every comparison.
                let holds = *std_min > 0.0 && std_min <= std_max && std_max.is_finite();
                require(holds, Part::StdBound)
            }
            Head::Grid { low, high, points } => {
                if *points < 2 {
                    return Err(BlobError::GridPoints { found: *points });
                }
                check_bounds(&[*low], &[*high])?;
                // The largest number on the way to an action.
                let largest = (high - low) * (f32::from(*points) - 1.0);
                require(largest.is_finite(), Part::GridRange)
            }
        }
    }

    fn check_scale(&self, scale: &[f32], bias: &[f32]) -> Result<(), BlobError> {
        require(scale.iter().all(|&x| x.is_finite() && x > 0.0), Part::ActionScale)?;
        require(bias.iter().all(|x| x.is_finite()), Part::ActionBias)?;
        let (lowest, highest) = self.range();
        require(lowest.iter().chain(&highest).all(|x| x.is_finite()), Part::ActionRange)
    }

    /// The greedy action for the last layer's outputs.
    pub(crate) fn greedy(&self, outputs: &Outputs, tanh: fn(f32) -> f32) -> Action {
        let u = outputs.z.iter().copied();
        match self {
            Head::SquashedGaussian { scale, bias, .. } | Head::Tanh { scale, bias } => {
                squash(scale, bias, u, tanh)
            }
            Head::Clamp { low, high } | Head::ClampedGaussian { low, high, .. } => {
                limit(low, high, u)
            }
            Head::Grid { low, high, points } => {
                let best = outputs.best.index();
                let a = best.map_or(f32::NAN, |i| action::grid_action(*low, *high, *points, i));
                Action::from_array([a])
            }
        }
    }

    /// An action drawn from the policy's distribution; it takes two words per action entry from the
    /// generator. A deterministic head takes none and gives its greedy action.
    pub(crate) fn sampled<R: Rng + ?Sized>(
        &self,
        outputs: &Outputs,
        tanh: fn(f32) -> f32,
        rng: &mut R,
    ) -> Action {
        let z = &*outputs.z;
        match self {
            Head::SquashedGaussian { scale, bias, log_std } => {
                let std = |raw| libm::expf(log_std.apply(raw, tanh));
                squash(scale, bias, noisy(z, scale.len(), std, rng), tanh)
            }
            Head::ClampedGaussian { low, high, std_min, std_max } => {
                let std = |raw| action::clamp(libm::expf(raw), *std_min, *std_max);
                limit(low, high, noisy(z, low.len(), std, rng))
            }
            Head::Tanh { .. } | Head::Clamp { .. } | Head::Grid { .. } => {
                self.greedy(outputs, tanh)
            }
        }
    }
}

/// An error about `part` unless the condition holds.
fn require(holds: bool, part: Part) -> Result<(), BlobError> {
    if holds { Ok(()) } else { Err(BlobError::Value { part }) }
}

fn check_bounds(low: &[f32], high: &[f32]) -> Result<(), BlobError> {
    let mut pairs = low.iter().zip(high);
    // A NaN fails every comparison.
    let holds = pairs.all(|(low, high)| low.is_finite() && high.is_finite() && low < high);
    require(holds, Part::ActionBound)
}

/// uᵢ = μᵢ + σᵢε with (μ, ζ) = z, `[2 · size]`, and σ = std(ζ).
#[inline]
fn noisy<'a, R: Rng + ?Sized>(
    z: &'a [f32],
    size: usize,
    std: impl Fn(f32) -> f32 + 'a,
    rng: &'a mut R,
) -> impl Iterator<Item = f32> + 'a {
    let pairs = z.iter().zip(z.iter().skip(size));
    pairs.map(move |(mean, raw)| mean + std(*raw) * gaussian::normal_pair(rng).0)
}

/// aᵢ = scaleᵢ · tanh(uᵢ) + biasᵢ
#[inline]
fn squash(
    scale: &[f32],
    bias: &[f32],
    u: impl Iterator<Item = f32>,
    tanh: fn(f32) -> f32,
) -> Action {
    action::map(scale, bias, u, |scale, bias, u| scale * tanh(u) + bias)
}

/// aᵢ = min(max(uᵢ, lowᵢ), highᵢ)
#[inline]
fn limit(low: &[f32], high: &[f32], u: impl Iterator<Item = f32>) -> Action {
    action::map(low, high, u, |low, high, u| action::clamp(u, low, high))
}

#[cfg(test)]
mod tests;
