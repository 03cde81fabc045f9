//! From the last layer's output to an action in physical units.

use core::iter;

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    BlobError,
    action::{self, Action},
    error::Part,
    gaussian,
};

/// What the last layer's output z means.
///
/// tanh and clamp let NaN through, and [`Grid`](Head::Grid) answers it with NaN, so that
/// [`Policy::act`](crate::Policy::act) refuses an overflow whatever the head is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Head {
    /// The squashed Gaussian of SAC: z = (μ, ζ), log σ = bound(ζ),
    /// a = scale · tanh(u) + bias with u = μ (greedy) or u = μ + σε, ε ~ N(0, 1) (sampled).
    SquashedGaussian {
        /// Half the width of each action's range, in the action's unit.
        scale: Action,
        /// The middle of each action's range, in the action's unit.
        bias: Action,
        /// How ζ becomes log σ.
        log_std: LogStdBound,
    },
    /// The bounded actor of DDPG (Lillicrap et al., 2015, arXiv:1509.02971) and TD3 (Fujimoto et al.,
    /// 2018, arXiv:1802.09477): a = scale · tanh(z) + bias. Deterministic.
    Tanh {
        /// Half the width of each action's range, in the action's unit.
        scale: Action,
        /// The middle of each action's range, in the action's unit.
        bias: Action,
    },
    /// A linear actor, limited: a = min(max(z, low), high). Deterministic.
    Clamp {
        /// Lowest action, in the action's unit.
        low: Action,
        /// Highest action, in the action's unit.
        high: Action,
    },
    /// A Gaussian, limited after the noise: z = (μ, ζ), σ = min(max(exp ζ, std_min), std_max),
    /// a = min(max(u, low), high) with u = μ (greedy) or u = μ + σε, ε ~ N(0, 1) (sampled).
    ClampedGaussian {
        /// Lowest action, in the action's unit.
        low: Action,
        /// Highest action, in the action's unit.
        high: Action,
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    pub fn apply(self, z: f32) -> f32 {
        match self {
            LogStdBound::Clamp { min, max } => action::clamp(z, min, max),
            LogStdBound::Tanh { min, max } => min + 0.5 * (max - min) * (libm::tanhf(z) + 1.0),
        }
    }

    /// (min, max).
    pub fn range(self) -> (f32, f32) {
        match self {
            LogStdBound::Clamp { min, max } | LogStdBound::Tanh { min, max } => (min, max),
        }
    }
}

impl Head {
    /// Entries of the action.
    pub fn action_size(&self) -> usize {
        match self {
            Head::SquashedGaussian { scale, .. } | Head::Tanh { scale, .. } => scale.len(),
            Head::Clamp { low, .. } | Head::ClampedGaussian { low, .. } => low.len(),
            Head::Grid { .. } => 1,
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
                (low.clone(), high.clone())
            }
            Head::Grid { low, high, .. } => {
                (Action::from_array([*low]), Action::from_array([*high]))
            }
        }
    }

    /// Are there actions, are all numbers finite, scales and σ positive, bounds in order, and is every
    /// action in range finite? `FORMAT.md` has the order.
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        if self.action_size() == 0 {
            return Err(BlobError::Empty { part: Part::Action });
        }
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
        if scale.len() != bias.len() {
            return Err(BlobError::ActionSize { scale: scale.len(), bias: bias.len() });
        }
        require(scale.iter().all(|&x| x.is_finite() && x > 0.0), Part::ActionScale)?;
        require(bias.iter().all(|x| x.is_finite()), Part::ActionBias)?;
        let (lowest, highest) = self.range();
        require(lowest.iter().chain(&highest).all(|x| x.is_finite()), Part::ActionRange)
    }

    /// The greedy action for the last layer's output `z`.
    pub(crate) fn greedy(&self, z: &[f32]) -> Action {
        let u = z.iter().copied();
        match self {
            Head::SquashedGaussian { scale, bias, .. } | Head::Tanh { scale, bias } => {
                squash(scale, bias, u)
            }
            Head::Clamp { low, high } | Head::ClampedGaussian { low, high, .. } => {
                limit(low, high, u)
            }
            Head::Grid { low, high, points } => {
                let best = action::argmax(z);
                let a = best.map_or(f32::NAN, |i| action::grid_action(*low, *high, *points, i));
                Action::from_array([a])
            }
        }
    }

    /// An action drawn from the policy's distribution; it takes two words per action entry from the
    /// generator. A deterministic head takes none and gives its greedy action.
    pub(crate) fn sampled<R: Rng + ?Sized>(&self, z: &[f32], rng: &mut R) -> Action {
        match self {
            Head::SquashedGaussian { scale, bias, log_std } => {
                let std = |raw| libm::expf(log_std.apply(raw));
                squash(scale, bias, noisy(z, scale.len(), std, rng))
            }
            Head::ClampedGaussian { low, high, std_min, std_max } => {
                let std = |raw| action::clamp(libm::expf(raw), *std_min, *std_max);
                limit(low, high, noisy(z, low.len(), std, rng))
            }
            Head::Tanh { .. } | Head::Clamp { .. } | Head::Grid { .. } => self.greedy(z),
        }
    }
}

/// An error about `part` unless the condition holds.
fn require(holds: bool, part: Part) -> Result<(), BlobError> {
    if holds { Ok(()) } else { Err(BlobError::HeaderValue { part }) }
}

fn check_bounds(low: &[f32], high: &[f32]) -> Result<(), BlobError> {
    if low.len() != high.len() {
        return Err(BlobError::BoundSize { low: low.len(), high: high.len() });
    }
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
fn squash(scale: &Action, bias: &Action, u: impl Iterator<Item = f32>) -> Action {
    action::map(scale, bias, u, |scale, bias, u| scale * libm::tanhf(u) + bias)
}

/// aᵢ = min(max(uᵢ, lowᵢ), highᵢ)
#[inline]
fn limit(low: &Action, high: &Action, u: impl Iterator<Item = f32>) -> Action {
    action::map(low, high, u, |low, high, u| action::clamp(u, low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Infallible, SeedableRng, TryRng},
    };
    use std::vec::Vec;

    /// A generator that must not be asked.
    struct Untouched;

    impl TryRng for Untouched {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            panic!("a deterministic head took a word from the generator")
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            panic!("a deterministic head took a word from the generator")
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
            panic!("a deterministic head took bytes from the generator")
        }
    }

    fn action(values: &[f32]) -> Action {
        Action::from_slice(values).unwrap()
    }

    fn squashed_gaussian() -> Head {
        let log_std = LogStdBound::Tanh { min: -5.0, max: 2.0 };
        Head::SquashedGaussian { scale: action(&[2.0]), bias: action(&[0.5]), log_std }
    }

    fn tanh() -> Head {
        Head::Tanh { scale: action(&[2.0, 0.5]), bias: action(&[0.5, -1.0]) }
    }

    fn clamp() -> Head {
        Head::Clamp { low: action(&[-1.0, 0.5]), high: action(&[2.0, 0.75]) }
    }

    fn clamped_gaussian() -> Head {
        let (low, high) = (action(&[-1.0, 0.5]), action(&[2.0, 0.75]));
        Head::ClampedGaussian { low, high, std_min: 0.01, std_max: 0.5 }
    }

    fn grid() -> Head {
        Head::Grid { low: -2.0, high: 4.0, points: 5 }
    }

    /// Draws of the first entry.
    fn draws(head: &Head, z: &[f32]) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        (0..40_000).map(|_| f64::from(head.sampled(z, &mut rng)[0])).collect()
    }

    /// Mean and standard deviation.
    fn moments(draws: &[f64]) -> (f64, f64) {
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        (mean, (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn greedy_is_scaled_and_biased() {
        assert_eq!(squashed_gaussian().greedy(&[f32::MAX, 0.0])[0], 2.5);
        assert_eq!(squashed_gaussian().greedy(&[0.0, 0.0])[0], 0.5);
        assert_eq!(tanh().greedy(&[f32::MAX, f32::NEG_INFINITY])[..], [2.5, -1.5]);
        let a = tanh().greedy(&[0.25, -0.5]);
        assert_eq!(a[..], [2.0 * libm::tanhf(0.25) + 0.5, 0.5 * libm::tanhf(-0.5) - 1.0]);
    }

    #[test]
    fn greedy_is_clamped() {
        // Of the Gaussian's z the last two are ζ, which the greedy action does without.
        for (head, zeta) in [(clamp(), &[][..]), (clamped_gaussian(), &[f32::NAN, f32::NAN])] {
            let greedy = |mean: [f32; 2]| head.greedy(&[&mean, zeta].concat());
            assert_eq!(greedy([0.25, 0.625])[..], [0.25, 0.625]);
            assert_eq!(greedy([-1.5, 0.875])[..], [-1.0, 0.75]);
            assert_eq!(greedy([f32::INFINITY, f32::NEG_INFINITY])[..], [2.0, 0.5]);
        }
    }

    #[test]
    fn the_grid_takes_the_first_of_the_greatest() {
        for (q, a) in [
            ([5.0, 1.0, 2.0, 3.0, 4.0], -2.0),
            ([1.0, 2.0, 5.0, 3.0, 4.0], 1.0),
            ([-4.0, -1.0, -2.0, -1.0, -1.0], -0.5),
            ([1.0, 2.0, 3.0, 4.0, 5.0], 4.0),
            ([0.0; 5], -2.0),
        ] {
            assert_eq!(grid().greedy(&q)[..], [a], "{q:?}");
        }
    }

    #[test]
    fn no_head_hides_an_overflow() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian(), grid()] {
            let (all, greedy) = head.inputs();
            for at in 0..all {
                for nan in [f32::NAN, -f32::NAN] {
                    let mut z = std::vec![0.625; all];
                    z[at] = nan;
                    let finite = |a: Action| a.iter().all(|a| a.is_finite());
                    assert_eq!(finite(head.greedy(&z)), at >= greedy, "{head:?} {at}");
                    assert!(!finite(head.sampled(&z, &mut rng)), "{head:?} {at}");
                }
            }
        }
    }

    #[test]
    fn the_grid_refuses_infinite_values() {
        for infinity in [f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..5 {
                let mut q = [1.0, 2.0, 3.0, 4.0, 5.0];
                q[at] = infinity;
                assert!(grid().greedy(&q)[0].is_nan(), "{q:?}");
            }
        }
    }

    #[test]
    fn deterministic_heads_take_no_noise() {
        for head in [tanh(), clamp(), grid()] {
            let z = [0.25, -3.0, 0.5, 7.0, 7.0];
            let z = &z[..head.inputs().0];
            assert_eq!(head.sampled(z, &mut Untouched), head.greedy(z));
        }
    }

    #[test]
    fn samples_follow_the_distribution() {
        // ζ = −1.5 gives log σ = −5 + 3.5 (tanh(−1.5) + 1) = −4.668, σ = 0.00939: tanh is linear.
        let (mean, std) = moments(&draws(&squashed_gaussian(), &[0.0, -1.5]));
        let sigma = 2.0 * (-5.0 + 3.5 * ((-1.5_f64).tanh() + 1.0)).exp();
        assert!((mean - 0.5).abs() < 4.0 * sigma / 200.0);
        assert!((std / sigma - 1.0).abs() < 0.02);
    }

    #[test]
    fn samples_of_the_clamped_gaussian_follow_the_distribution() {
        // exp ζ within [0.01, 0.5], below and above it; μ is at least 5.77 σ from the bounds except
        // for the last.
        for (zeta, sigma) in [(-3.0, 0.04979), (-30.0, 0.01), (f32::NEG_INFINITY, 0.01)] {
            let (mean, std) = moments(&draws(&clamped_gaussian(), &[0.25, 0.6, zeta, -3.0]));
            assert!((mean - 0.25).abs() < 4.0 * sigma / 200.0, "{zeta}: {mean}");
            assert!((std / sigma - 1.0).abs() < 0.02, "{zeta}: {std}");
        }
        for zeta in [3.0, f32::INFINITY] {
            // With σ = 0.5 and μ = 0.5 both bounds are 3 σ away, so 0.27 % of the draws lie on them.
            let draws = draws(&clamped_gaussian(), &[0.5, 0.6, zeta, -3.0]);
            let (mean, std) = moments(&draws);
            assert!((mean - 0.5).abs() < 0.01 && (std / 0.5 - 1.0).abs() < 0.02, "{mean} {std}");
            assert!(draws.iter().all(|a| (-1.0..=2.0).contains(a)));
            let at = |end: f64| draws.iter().filter(|&&a| a == end).count();
            assert!((20..100).contains(&at(-1.0)) && (20..100).contains(&at(2.0)));
        }
    }

    #[test]
    fn ranges_are_reached_and_not_left() {
        let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
        for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian()] {
            let n = head.inputs().0;
            assert_eq!(head.range(), (head.greedy(&[low; 4][..n]), head.greedy(&[high; 4][..n])));
        }
        assert_eq!(tanh().range(), (action(&[-1.5, -1.5]), action(&[2.5, -0.5])));
        assert_eq!(clamp().range(), (action(&[-1.0, 0.5]), action(&[2.0, 0.75])));
        assert_eq!(clamped_gaussian().range(), clamp().range());
        assert_eq!(grid().range(), (action(&[-2.0]), action(&[4.0])));
    }

    #[test]
    fn bounds_hold() {
        for bound in
            [LogStdBound::Clamp { min: -20.0, max: 2.0 }, LogStdBound::Tanh { min: -5.0, max: 2.0 }]
        {
            let (min, max) = bound.range();
            assert_eq!(bound.apply(-1e30), min);
            assert_eq!(bound.apply(1e30), max);
        }
    }
}
