//! Where the zeros of a left factor are.

use super::Product;
use crate::linalg::lanes::Lanes;

/// Bits of a mask, and so the most k of a block. A strip of B of so many rows takes half of a first level
/// cache.
pub(super) const DEPTH: usize = 64;

impl Product<'_> {
    /// The masks of rows of A from `row` on, for k from `p` on.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; the rows and `depth` ≤ `DEPTH` of k lie within A.
    #[inline(always)]
    pub(super) unsafe fn find_nonzeros<L: Lanes>(
        &self,
        masks: &mut [u64],
        row: usize,
        p: usize,
        depth: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.a.column_stride == 1 {
                for (i, mask) in masks.iter_mut().enumerate() {
                    *mask = nonzero::<L>(self.left(row + i, p).data, depth);
                }
                return;
            }
            for (square, masks) in masks.chunks_mut(DEPTH).enumerate() {
                let mut bits = [0; DEPTH];
                for (q, bits) in bits[..depth].iter_mut().enumerate() {
                    let from = self.left(row + square * DEPTH, p + q).data;
                    *bits = nonzero::<L>(from, masks.len());
                }
                transpose(&mut bits);
                masks.copy_from_slice(&bits[..masks.len()]);
            }
        }
    }
}

/// Takes the lowest bit from a mask that has one, and says which it was.
#[inline(always)]
pub(super) fn lowest(mask: &mut u64) -> usize {
    let bit = mask.trailing_zeros() as usize;
    *mask &= *mask - 1;
    bit
}

/// A bit for each of `count` ≤ 64 numbers that is not 0; that of the first is the lowest.
///
/// # Safety
///
/// The processor has the instructions of `L`, and the numbers can be read.
#[inline(always)]
unsafe fn nonzero<L: Lanes>(from: *const f32, count: usize) -> u64 {
    let (mut mask, whole) = (0, count - count % L::COUNT);
    // SAFETY: the caller's promise.
    unsafe {
        for at in (0..whole).step_by(L::COUNT) {
            mask |= L::load(from.add(at)).nonzero() << at;
        }
        if whole < count {
            mask |= L::load_first(from.add(whole), count - whole).nonzero() << whole;
        }
    }
    mask
}

/// Bit i of number j becomes bit j of number i (after Warren, Hacker's Delight, 2nd edition, section
/// 7-3): squares of half the size beside the diagonal change places, then those within each square.
#[inline(always)]
fn transpose(bits: &mut [u64; DEPTH]) {
    let (mut half, mut low) = (DEPTH / 2, u64::MAX >> (DEPTH / 2));
    while half > 0 {
        for squares in bits.chunks_exact_mut(2 * half) {
            let (upper, lower) = squares.split_at_mut(half);
            for (upper, lower) in upper.iter_mut().zip(lower) {
                let differing = ((*upper >> half) ^ *lower) & low;
                *upper ^= differing << half;
                *lower ^= differing;
            }
        }
        half /= 2;
        low ^= low << half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_transposed() {
        let before: [u64; DEPTH] =
            std::array::from_fn(|i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut after = before;
        transpose(&mut after);
        for (i, j) in (0..DEPTH * DEPTH).map(|at| (at / DEPTH, at % DEPTH)) {
            assert_eq!(after[i] >> j & 1, before[j] >> i & 1, "{i}, {j}");
        }
    }
}
