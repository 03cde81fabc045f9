//! tanh x, eˣ, ln x and normal numbers for whole slices, with the bits of `libm`.
//!
//! `libm` looks at one number and chooses a formula by its size. Here every number goes through all the
//! formulas that it may need, and keeps one result, so that there is no branch and the compiler can
//! lay numbers side by side in registers ([`Backend::vectorise`]). What is computed, constants
//! included, is what `libm` computes, in its order (its functions are those of FreeBSD's msun), so
//! the bits are the same. Whatever lies outside of a usual range is left to `libm`.

mod circular;
mod exponential;
mod logarithm;
mod normal;
mod tangent;

pub use circular::sines_and_cosines;
pub use exponential::{decay, exp};
pub use logarithm::ln;
pub use normal::fill_normal;
pub use tangent::tanh;

use crate::linalg::Backend;

/// y = f(x) where `usual` holds, by a branchless function; elsewhere by another.
///
/// # Panics
///
/// Unless x and y are of one length.
#[inline(always)]
fn map(
    backend: Backend,
    x: &[f32],
    y: &mut [f32],
    f: impl Fn(f32) -> f32,
    usual: impl Fn(f32) -> bool,
    otherwise: impl Fn(f32) -> f32,
) {
    assert_eq!(x.len(), y.len(), "as many results as numbers");
    let mut all_usual = true;
    backend.vectorise(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = f(*x);
            }
            all_usual = x.iter().fold(true, |all, x| all & usual(*x));
        },
    );
    if !all_usual {
        for (y, x) in y.iter_mut().zip(x).filter(|(_, x)| !usual(**x)) {
            *y = otherwise(*x);
        }
    }
}

/// 2ᵏ for −126 ≤ k ≤ 127, k given as a float.
#[inline(always)]
fn power_of_two(k: f32) -> f32 {
    /// 3 · 2²²: the last bits of a sum with it are those of an integer.
    const SHIFT: f32 = 12_582_912.0;
    let k = (k + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits());
    f32::from_bits(0x3f80_0000_u32.wrapping_add(k << 23))
}

#[cfg(test)]
mod tests {
    use crate::linalg::Backend;

    /// Bit patterns all over the line of numbers, and those about some limits.
    pub(super) fn numbers(limits: &[f32]) -> Vec<f32> {
        let spread = (0..=u32::MAX).step_by(2039);
        let near = limits.iter().flat_map(|limit| {
            let bits = limit.to_bits();
            bits.saturating_sub(300)..=bits + 300
        });
        let specials = [0, 1, 0x007f_ffff, 0x0080_0000, 0x3f80_0000, 0x7f80_0000, 0x7fc0_0000];
        let all = spread.chain(near).chain(specials);
        all.flat_map(|bits| [bits, bits ^ 0x8000_0000]).map(f32::from_bits).collect()
    }

    /// A function of a slice.
    type Function = fn(Backend, &[f32], &mut [f32]);

    /// The same bits on every backend, or both no number.
    pub(super) fn check(f: Function, libm: fn(f32) -> f32, limits: &[f32]) {
        let numbers = numbers(limits);
        let wanted: Vec<f32> = numbers.iter().map(|x| libm(*x)).collect();
        for backend in Backend::available() {
            let mut results = vec![7.0; numbers.len()];
            f(backend, &numbers, &mut results);
            for ((x, y), wanted) in numbers.iter().zip(results).zip(&wanted) {
                let same = y.to_bits() == wanted.to_bits() || y.is_nan() && wanted.is_nan();
                assert!(same, "{backend}: f({x:e}) = {y:e}, not {wanted:e}");
            }
        }
    }
}
