//! Angles of which full turns do not count.

use std::f64::consts::{PI, TAU};

/// The same angle, in rad, within [−π, π).
pub(super) fn wrap(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}

/// The same bits without a call, for lanes: what a division leaves is exact however it is computed, and a quotient that was
/// rounded up is one too large.
#[inline(always)]
pub(super) fn wrap_in_lanes(angle: f64) -> f64 {
    let x = angle + PI;
    let left = (-(x / TAU).trunc()).mul_add(TAU, x);
    let too_far = (left < 0.0) & (x > 0.0) | (left > 0.0) & (x < 0.0);
    let left = if too_far { left + TAU.copysign(x) } else { left };
    let left = if left < 0.0 { left + TAU } else { left };
    left - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_wrap() {
        for (angle, wrapped) in [(0.0, 0.0), (PI, -PI), (4.0, 4.0 - TAU), (-4.0, TAU - 4.0)] {
            assert!((wrap(angle) - wrapped).abs() < 1e-15, "{angle}");
        }
    }

    #[test]
    fn angles_wrap_in_lanes_as_one_by_one() {
        let near = (-40..=40).filter(|halves| *halves != 0).flat_map(|halves| {
            let multiple = f64::from(halves) * PI;
            (-50..=50).map(move |by| f64::from_bits(multiple.to_bits().wrapping_add_signed(by)))
        });
        for angle in near.chain((-100_000..100_000).map(|i| f64::from(i) * 1.234_567e-3)) {
            let (found, wanted) = (wrap_in_lanes(angle), wrap(angle));
            assert_eq!(found.to_bits(), wanted.to_bits(), "{angle:e}: {found:e}, not {wanted:e}");
        }
    }
}
