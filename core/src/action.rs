//! The action, and the formulas that heads share.

use heapless::Vec;

/// The most entries an action may have.
pub const MAX_ACTION_SIZE: usize = 8;

/// An action, one number per actuator, in the unit of the environment (N·m for the pendulum).
pub type Action = Vec<f32, MAX_ACTION_SIZE>;

/// The action of one point of a [`Grid`](crate::Head::Grid), in the action's unit:
/// low + (high − low) · index / (points − 1), from left to right; exactly `high` for the last point.
///
/// Public so that a trainer plays the very actions that the exported policy will give.
///
/// ```
/// use policy_core::action::grid_action;
///
/// let torques = [0, 1, 2, 3, 4].map(|i| grid_action(-2.0, 2.0, 5, i)); // N·m
/// assert_eq!(torques, [-2.0, -1.0, 0.0, 1.0, 2.0]);
/// ```
#[inline]
pub fn grid_action(low: f32, high: f32, points: u16, index: usize) -> f32 {
    if index >= usize::from(points.saturating_sub(1)) {
        // The formula may round to a neighbour of `high`.
        return high;
    }
    // Both counts are below 2¹⁶, so their f32 are exact.
    low + (high - low) * index as f32 / (f32::from(points) - 1.0)
}

/// min(max(x, low), high); NaN stays one.
///
/// Comparisons rather than `f32::clamp`, which panics on bounds out of order, or `f32::max`, which
/// drops NaN: an overflow would become a valid action.
#[inline]
pub(crate) fn clamp(x: f32, low: f32, high: f32) -> f32 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// The place of the greatest of some numbers, the first of equals; none if any of them is not finite.
///
/// An infinity hides which of two overflowed entries was greater, and unlike the z of other heads its
/// sign points to no end of the action's range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Argmax {
    greatest: f32,
    best: usize,
    count: usize,
    finite: bool,
}

impl Default for Argmax {
    fn default() -> Self {
        Argmax { greatest: f32::NEG_INFINITY, best: 0, count: 0, finite: true }
    }
}

impl Argmax {
    /// The next number.
    #[inline]
    pub(crate) fn push(&mut self, value: f32) {
        self.finite &= value.is_finite();
        if value > self.greatest {
            (self.best, self.greatest) = (self.count, value);
        }
        self.count = self.count.wrapping_add(1);
    }

    pub(crate) fn index(&self) -> Option<usize> {
        (self.finite && self.count > 0).then_some(self.best)
    }
}

/// aᵢ = f(firstᵢ, secondᵢ, uᵢ), all `[action_size]`.
#[inline]
pub(crate) fn map(
    first: &[f32],
    second: &[f32],
    u: impl Iterator<Item = f32>,
    f: impl Fn(f32, f32, f32) -> f32,
) -> Action {
    let mut action = Action::new();
    for ((a, b), u) in first.iter().zip(second).zip(u) {
        // No head has more entries than an action. Not `collect`, which panics where the room is too small.
        let _ = action.push(f(*a, *b, u));
    }
    action
}

/// A copy of numbers that are no more than an action has.
pub(crate) fn from_slice(values: &[f32]) -> Action {
    let mut action = Action::new();
    let _ = action.extend_from_slice(values);
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argmax(q: &[f32]) -> Option<usize> {
        let mut argmax = Argmax::default();
        q.iter().for_each(|q| argmax.push(*q));
        argmax.index()
    }

    #[test]
    fn the_grid_is_evenly_spaced() {
        let grid: std::vec::Vec<f32> = (0..5).map(|i| grid_action(-2.0, 4.0, 5, i)).collect();
        assert_eq!(grid, [-2.0, -0.5, 1.0, 2.5, 4.0]);
        // Multiplied before divided: 41 · 1 / 41 is exact, 41 · (1 / 41) is not.
        for i in 0..=41_u8 {
            assert_eq!(grid_action(0.0, 41.0, 42, i.into()), f32::from(i));
        }
        assert_eq!(grid_action(-2.0, 2.0, 2, 0), -2.0);
        assert_eq!(grid_action(-2.0, 2.0, 2, 1), 2.0);
    }

    #[test]
    fn the_grid_ends_exactly_where_it_says() {
        // Bounds with which the formula alone misses the last point.
        let (low, high) = (-0.3_f32, 0.1_f32);
        assert_ne!(low + (high - low), high, "another example is needed");
        for points in [2, 3, 7, 100, u16::MAX] {
            let last = usize::from(points) - 1;
            assert_eq!(grid_action(low, high, points, 0).to_bits(), low.to_bits());
            assert_eq!(grid_action(low, high, points, last).to_bits(), high.to_bits());
            let grid = (0..=last).map(|i| grid_action(low, high, points, i));
            assert!(grid.clone().zip(grid.skip(1)).all(|(a, b)| a < b), "{points}");
        }
    }

    #[test]
    fn an_index_past_the_grid_gives_its_end() {
        for (points, index) in [(3, 3), (3, usize::MAX), (1, 0), (0, 0), (0, 7)] {
            assert_eq!(grid_action(-1.0, 2.0, points, index), 2.0);
        }
    }

    #[test]
    fn clamp_holds_and_keeps_nan() {
        for (x, expected) in [
            (-3.0, -1.0),
            (-1.0, -1.0),
            (0.25, 0.25),
            (2.0, 2.0),
            (2.5, 2.0),
            (f32::NEG_INFINITY, -1.0),
            (f32::INFINITY, 2.0),
        ] {
            assert_eq!(clamp(x, -1.0, 2.0), expected, "{x}");
        }
        assert!(clamp(f32::NAN, -1.0, 2.0).is_nan());
        assert!(clamp(-f32::NAN, -1.0, 2.0).is_nan());
    }

    #[test]
    fn argmax_is_the_first_of_the_greatest() {
        assert_eq!(argmax(&[1.0, 3.0, 2.0]), Some(1));
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), Some(1));
        assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
        assert_eq!(argmax(&[f32::MIN, f32::MIN]), Some(0));
        assert_eq!(argmax(&[-5.0, -4.0, -3.0]), Some(2));
        assert_eq!(argmax(&[]), None);
        for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..3 {
                let mut q = [1.0, 3.0, 2.0];
                q[at] = value;
                assert_eq!(argmax(&q), None, "{q:?}");
            }
        }
    }
}
