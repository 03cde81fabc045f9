//! From the last layer's output to an action in physical units.

use core::{iter, ops::Deref};

use rand_core::Rng;

use crate::{
    action::{self, Action},
    compact::barrier,
    gaussian,
    layer::kernel::Outputs,
    tanh,
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
        /// Number of actions, at least 1.
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
    fn first(&self) -> &[f32] {
        match self {
            Head::SquashedGaussian { scale: first, .. }
            | Head::Tanh { scale: first, .. }
            | Head::Clamp { low: first, .. }
            | Head::ClampedGaussian { low: first, .. } => first,
            Head::Grid { low, .. } => core::slice::from_ref(low),
        }
    }

    /// The second list: bias or highest actions.
    fn second(&self) -> &[f32] {
        match self {
            Head::SquashedGaussian { bias: second, .. }
            | Head::Tanh { bias: second, .. }
            | Head::Clamp { high: second, .. }
            | Head::ClampedGaussian { high: second, .. } => second,
            Head::Grid { high, .. } => core::slice::from_ref(high),
        }
    }

    /// The greedy action of the last layer's outputs z, in the action's unit, as [`Policy::act`](crate::Policy::act) makes
    /// it with `f32` weights.
    ///
    /// Public so that a trainer can compute the layers of many observations together.
    pub fn greedy(&self, z: &[f32]) -> Action {
        let raw = self.raw();
        let mut action = Action::new();
        let mut outputs = Outputs::new(action.as_mut_view());
        z.iter().take(raw.needed()).for_each(|z| outputs.push(*z));
        let best = outputs.best.index();
        action.truncate(raw.first.len());
        raw.greedy(&mut action, best, tanh::float);
        action
    }

    /// As a blob has it.
    pub(crate) fn raw(&self) -> Raw<'_> {
        let (code, [min, max]) = match self {
            Head::SquashedGaussian { log_std: LogStdBound::Clamp { min, max }, .. } => {
                (0, [*min, *max])
            }
            Head::SquashedGaussian { log_std: LogStdBound::Tanh { min, max }, .. } => {
                (1, [*min, *max])
            }
            Head::Tanh { .. } => (2, [0.0; 2]),
            Head::Clamp { .. } => (3, [0.0; 2]),
            Head::ClampedGaussian { std_min, std_max, .. } => (4, [*std_min, *std_max]),
            Head::Grid { .. } => (5, [0.0; 2]),
        };
        let outputs = self.inputs().0;
        Raw { code, first: self.first(), second: self.second(), min, max, outputs }
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
}

/// A head as a blob has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Raw<'a> {
    /// Which: 0 and 1 are squashed Gaussians, with log σ clamped or by tanh, 2 is tanh, 3 clamp, 4 the clamped
    /// Gaussian and 5 the grid.
    pub(crate) code: u8,
    pub(crate) first: &'a [f32],
    pub(crate) second: &'a [f32],
    /// Bounds of log σ or of σ; 0 where there is no σ.
    pub(crate) min: f32,
    pub(crate) max: f32,
    /// Outputs of the last layer.
    pub(crate) outputs: usize,
}

impl<'a> Raw<'a> {
    /// The head of that code after a layer of so many outputs, from its first and its second list and two bounds.
    #[inline(always)]
    pub(crate) fn new(code: u8, numbers: &'a [f32], outputs: usize) -> Self {
        let (lists, [min, max]) = numbers.split_last_chunk::<2>().unwrap_or((&[], &[0.0; 2]));
        let (first, second) = lists.split_at_checked(lists.len() / 2).unwrap_or_default();
        Raw { code, first, second, min: *min, max: *max, outputs }
    }

    /// Is the code known, has the last layer the outputs that the head needs, is the range of each action entry a range, and are
    /// the bounds in order?
    #[inline(always)]
    pub(crate) fn is_usable(&self) -> bool {
        /// No range is wider.
        const LARGEST: u32 = 1e30_f32.to_bits();
        for (a, b) in self.first.iter().zip(self.second) {
            barrier();
            #[expect(clippy::eq_op, reason = "NaN for a bias that is not finite")]
            let width = if self.is_squashed() { a + (b - b) } else { b - a };
            // Bits of a number above 0; NaN has larger ones.
            if width.to_bits().wrapping_sub(1) >= LARGEST {
                return false;
            }
        }
        let needed = match self.code {
            0 | 1 | 4 => 2 * self.first.len(),
            2 | 3 => self.first.len(),
            5 if self.first.len() == 1 => self.outputs,
            _ => return false,
        };
        needed == self.outputs && self.min <= self.max
    }

    fn is_squashed(&self) -> bool {
        self.code <= 2
    }

    /// Outputs that the greedy action needs.
    pub(crate) fn needed(&self) -> usize {
        if self.code == 5 { self.outputs } else { self.first.len() }
    }

    /// Which one it is.
    pub(crate) fn view(&self) -> Head<&'a [f32]> {
        let Raw { code, first, second, min, max, outputs } = *self;
        match code {
            0 => Head::SquashedGaussian {
                scale: first,
                bias: second,
                log_std: LogStdBound::Clamp { min, max },
            },
            1 => Head::SquashedGaussian {
                scale: first,
                bias: second,
                log_std: LogStdBound::Tanh { min, max },
            },
            2 => Head::Tanh { scale: first, bias: second },
            3 => Head::Clamp { low: first, high: second },
            4 => Head::ClampedGaussian { low: first, high: second, std_min: min, std_max: max },
            _ => {
                let entry = |list: &[f32]| list.first().copied().unwrap_or_default();
                Head::Grid { low: entry(first), high: entry(second), points: outputs as u16 }
            }
        }
    }

    /// Is there noise?
    pub(crate) fn is_gaussian(&self) -> bool {
        matches!(self.code, 0 | 1 | 4)
    }

    /// Makes the greedy action of the last layer's outputs, which are in its place: of their first ones, or for a grid of
    /// the place of the best.
    #[inline(always)]
    pub(crate) fn greedy(&self, action: &mut Action, best: Option<usize>, tanh: fn(f32) -> f32) {
        if let (5, [low], [high]) = (self.code, self.first, self.second) {
            let points = self.outputs as u16;
            let a = best.map_or(f32::NAN, |i| action::grid_action(*low, *high, points, i));
            *action = Action::from_array([a]);
        } else {
            self.act(action, tanh);
        }
    }

    /// An action drawn from the Gaussian of the last layer's outputs (μ, ζ) = z, `[2 · action_size]`; it takes two words
    /// per action entry from the generator.
    pub(crate) fn sampled<R: Rng + ?Sized>(
        &self,
        z: &[f32],
        tanh: fn(f32) -> f32,
        rng: &mut R,
    ) -> Action {
        let mut action = Action::new();
        for (mean, raw) in z.iter().zip(z.iter().skip(self.first.len())) {
            let (min, max) = (self.min, self.max);
            let std = match self.code {
                0 => libm::expf(LogStdBound::Clamp { min, max }.apply(*raw, tanh)),
                1 => libm::expf(LogStdBound::Tanh { min, max }.apply(*raw, tanh)),
                _ => action::clamp(libm::expf(*raw), min, max),
            };
            // uᵢ = μᵢ + σᵢε. No head has more entries than an action.
            let _ = action.push(mean + std * gaussian::normal_pair(rng).0);
        }
        self.act(&mut action, tanh);
        action
    }

    /// aᵢ = scaleᵢ · tanh(uᵢ) + biasᵢ, or aᵢ = min(max(uᵢ, lowᵢ), highᵢ), in the place of uᵢ
    #[inline(always)]
    fn act(&self, u: &mut [f32], tanh: fn(f32) -> f32) {
        for ((first, second), u) in self.first.iter().zip(self.second).zip(u) {
            barrier();
            *u = match self.is_squashed() {
                true => first * tanh(*u) + second,
                false => action::clamp(*u, *first, *second),
            };
        }
    }
}

#[cfg(test)]
mod tests;
