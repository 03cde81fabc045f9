//! eˣ, and the constants of eˣ − 1.

use super::{map, power_of_two};
use crate::linalg::Backend;

/// 1/ln 2
pub(super) const PER_LN_2: f32 = std::f32::consts::LOG2_E;
/// Half of ln 2, in bits: up to here no argument is reduced.
pub(super) const HALF_LN_2: u32 = 0x3eb1_7218;
/// 3/2 ln 2, in bits: up to here k is 1 (for eˣ − 1, below).
pub(super) const THREE_HALVES_LN_2: u32 = 0x3f85_1592;

/// ln 2 in two parts, the first so short that its products with k are exact.
const LN_2: (f32, f32) = (0.693_145_75, 1.428_606_8e-6);
/// Of x(eˣ + 1)/(eˣ − 1) = 2 + x²(P₁ + x²P₂).
const P: [f32; 2] = [0.166_666_25, -0.002_766_733_3];

/// y = eˣ, with the bits of `libm::expf`.
///
/// # Panics
///
/// Unless x and y are of one length.
pub fn exp(backend: Backend, x: &[f32], y: &mut [f32]) {
    // Results that are neither infinite nor subnormal.
    map(backend, x, y, exp_of_usual, |x| x.abs() < 87.0, libm::expf);
}

/// e^(−2|x|), for |x| beyond 43 that of 43, 4e-38; with the bits of `libm::expf`.
#[inline(always)]
pub fn decay(x: f32) -> f32 {
    // What is no number stays none, so that divergence is seen.
    let size = if x.abs() > 43.0 { 43.0 } else { x.abs() };
    exp_of_usual(-2.0 * size)
}

/// With x = k ln 2 + r: eˣ = 2ᵏ (1 + r + r·c/(2 − c)), c = r − r²(P₁ + r²P₂).
#[inline(always)]
fn exp_of_usual(x: f32) -> f32 {
    let size = x.abs().to_bits();
    let half = 0.5_f32.copysign(x);
    let far = (PER_LN_2 * x + half).trunc();
    let near = 1.0_f32.copysign(x);
    let k = if size > THREE_HALVES_LN_2 { far } else { near };
    let k = if size > HALF_LN_2 { k } else { 0.0 };
    let (high, low) = (x - k * LN_2.0, k * LN_2.1);
    let r = high - low;
    let square = r * r;
    let c = r - square * (P[0] + square * P[1]);
    let y = 1.0 + (r * c / (2.0 - c) - low + high);
    if size > 0x3900_0000 { y * power_of_two(k) } else { 1.0 + x }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn decay_is_that_of_libm() {
        let limits = [HALF_LN_2, THREE_HALVES_LN_2, 0x3900_0000].map(f32::from_bits);
        let decays = |backend: Backend, x: &[f32], y: &mut [f32]| {
            backend.vectorise(
                #[inline(always)]
                || y.iter_mut().zip(x).for_each(|(y, x)| *y = decay(*x)),
            );
        };
        let libm = |x: f32| libm::expf(if x.abs() > 43.0 { -86.0 } else { -2.0 * x.abs() });
        check(decays, libm, &[&limits[..], &[43.0]].concat());
    }

    #[test]
    fn it_is_that_of_libm() {
        let limits = [HALF_LN_2, THREE_HALVES_LN_2, 0x3900_0000].map(f32::from_bits);
        check(exp, libm::expf, &[&limits[..], &[87.0, 88.722_84, 103.972_08]].concat());
    }
}
