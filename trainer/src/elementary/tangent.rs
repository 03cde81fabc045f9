//! tanh x.

use super::exponential::{HALF_LN_2, PER_LN_2, THREE_HALVES_LN_2};
use super::logarithm::LN_2;
use super::power_of_two;
use crate::linalg::Backend;

/// Of (6/r)(1 + 2(1/(eʳ − 1) − 1/r)) = 1 + h(Q₁ + hQ₂), h = r²/2.
const Q: [f32; 2] = [-0.033_333_212, 0.001_580_717];
/// ½ ln 3 and ½ ln 5/3, in bits.
const HALF_LN_3: u32 = 0x3f0c_9f54;
const HALF_LN_FIVE_THIRDS: u32 = 0x3e82_c578;

/// x ← tanh x, with the bits of `libm::tanhf`.
pub fn tanh(backend: Backend, x: &mut [f32]) {
    backend.vectorise(
        #[inline(always)]
        || {
            for x in x {
                *x = tanh_of(*x);
            }
        },
    );
}

/// With t = e^{2|x|} − 1: 1 − 2/(t + 2), or t/(t + 2) where that loses fewer digits; and for small x
/// with t = e^{−2|x|} − 1: −t/(t + 2).
#[inline(always)]
fn tanh_of(x: f32) -> f32 {
    let size = x.abs();
    let bits = size.to_bits();
    let (large, small) = (bits > HALF_LN_3, bits <= HALF_LN_FIVE_THIRDS);
    // Beyond 10 it is 1, and e^{2|x|} may be too large for its formula.
    let argument = if size > 10.5 { 21.0 } else { 2.0 * size };
    let t = exp_less_1(if small { -argument } else { argument });
    let over = if large { 2.0 } else { t };
    let quotient = (if small { -over } else { over }) / (t + 2.0);
    let y = if large { 1.0 - quotient } else { quotient };
    let y = if size > 10.0 { 1.0 } else { y };
    f32::from_bits(y.to_bits() ^ (x.to_bits() & 0x8000_0000))
}

/// eˣ − 1 for −0.52 < x < 22, as `libm::expm1f`: with x = k ln 2 + r, c what r lacks by rounding, and
/// an e so that eʳ − 1 = r − (r·e − r²/2).
#[inline(always)]
fn exp_less_1(x: f32) -> f32 {
    let size = x.abs().to_bits();
    let far = (PER_LN_2 * x + 0.5_f32.copysign(x)).trunc();
    let k = if size < THREE_HALVES_LN_2 { 1.0_f32.copysign(x) } else { far };
    let k = if size > HALF_LN_2 { k } else { 0.0 };
    let (high, low) = (x - k * LN_2.0, k * LN_2.1);
    let r = high - low;
    let c = (high - r) - low;
    let half = 0.5 * r;
    let half_square = r * half;
    let r1 = 1.0 + half_square * (Q[0] + half_square * Q[1]);
    let t = 3.0 - r1 * half;
    let e = half_square * ((r1 - t) / (6.0 - r * t));
    let for_0 = r - (r * e - half_square);
    let e = (r * (e - c) - c) - half_square;
    let for_less = 0.5 * (r - e) - 0.5;
    let for_1 = if r < -0.25 { -2.0 * (e - (r + 0.5)) } else { 1.0 + 2.0 * (r - e) };
    let (power, inverse) = (power_of_two(k), power_of_two(-k));
    let sum = if k < 23.0 { r - e + (1.0 - inverse) } else { r - (e + inverse) + 1.0 };
    let y = if k == 1.0 { for_1 } else { sum * power };
    let y = if k < 0.0 { for_less } else { y };
    let y = if k == 0.0 { for_0 } else { y };
    if size < 0x3300_0000 { x } else { y }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn it_is_that_of_libm() {
        let limits = [HALF_LN_3, HALF_LN_FIVE_THIRDS, HALF_LN_2 - (1 << 23)].map(f32::from_bits);
        // Where k changes, and where x is so small that it is its tangent.
        let steps: Vec<f32> = (1..30).map(|k| 0.5 * (k as f32 + 0.5) / PER_LN_2).collect();
        let limits = [&limits[..], &[10.0, 10.5, 2e-8, 0.52], &steps].concat();
        let f = |backend: Backend, x: &[f32], y: &mut [f32]| {
            y.copy_from_slice(x);
            tanh(backend, y);
        };
        check(f, libm::tanhf, &limits);
    }
}
