//! ln x.

use super::map;
use crate::linalg::Backend;

/// ln 2 in two parts, the first so short that its products with k are exact.
pub(super) const LN_2: (f32, f32) = (0.693_138_1, 9.058_001e-6);
/// Of (ln(1 + s) − ln(1 − s))/s = 2 + s²L₁ + s⁴L₂ + s⁶L₃ + s⁸L₄.
const L: [f32; 4] = [0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79];
/// √½, in bits.
const ROOT_HALF: u32 = 0x3f35_04f3;
const ONE: u32 = 0x3f80_0000;

/// y = ln x, with the bits of `libm::logf`.
///
/// # Panics
///
/// Unless x and y are of one length.
pub fn ln(backend: Backend, x: &[f32], y: &mut [f32]) {
    let usual = |x: f32| (f32::MIN_POSITIVE..f32::INFINITY).contains(&x);
    map(backend, x, y, ln_of_usual, usual, libm::logf);
}

/// With x = 2ᵏ(1 + f), √½ ≤ 1 + f < √2 and s = f/(2 + f):
/// ln x = k ln 2 + f − (f²/2 − s(f²/2 + R)), R = s²L₁ + s⁴L₂ + s⁶L₃ + s⁸L₄.
#[inline(always)]
pub(super) fn ln_of_usual(x: f32) -> f32 {
    let bits = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let k = (bits >> 23) as i32 - 0x7f;
    let f = f32::from_bits((bits & 0x007f_ffff).wrapping_add(ROOT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let r = z * (L[0] + w * L[2]) + w * (L[1] + w * L[3]);
    let half_square = 0.5 * f * f;
    let k = k as f32;
    s * (half_square + r) + k * LN_2.1 - half_square + f + k * LN_2.0
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn it_is_that_of_libm() {
        check(ln, libm::logf, &[1.0, 2.0, f32::from_bits(ROOT_HALF), f32::MIN_POSITIVE]);
    }
}
