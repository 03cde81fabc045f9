//! A tile of C.

use super::ends::load;
use super::{Part, Product};
use crate::linalg::lanes::Lanes;

impl Product<'_> {
    /// One tile of C of at most `ROWS` rows.
    ///
    /// # Safety
    ///
    /// As for [`Product::tile`] with that many rows.
    #[inline(always)]
    pub(super) unsafe fn low_tile<L, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        height: usize,
        a: Part,
        b: Part,
        depth: usize,
        at: (usize, usize),
    ) where
        L: Lanes,
    {
        // SAFETY: the caller's promise.
        unsafe {
            // Guards, so that no tile is compiled that is higher than ROWS.
            match height {
                1 if ROWS > 1 => self.tile::<L, 1, VECTORS, PARTIAL>(a, b, depth, at),
                2 if ROWS > 2 => self.tile::<L, 2, VECTORS, PARTIAL>(a, b, depth, at),
                3 if ROWS > 3 => self.tile::<L, 3, VECTORS, PARTIAL>(a, b, depth, at),
                4 if ROWS > 4 => self.tile::<L, 4, VECTORS, PARTIAL>(a, b, depth, at),
                5 if ROWS > 5 => self.tile::<L, 5, VECTORS, PARTIAL>(a, b, depth, at),
                6 if ROWS > 6 => self.tile::<L, 6, VECTORS, PARTIAL>(a, b, depth, at),
                7 if ROWS > 7 => self.tile::<L, 7, VECTORS, PARTIAL>(a, b, depth, at),
                _ => self.tile::<L, ROWS, VECTORS, PARTIAL>(a, b, depth, at),
            }
        }
    }

    /// One tile of C, kept in registers over a block of k.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`. The tile lies within C, and A and B hold
    /// `depth` columns and rows from `a` and `b` on.
    #[inline(always)]
    unsafe fn tile<L, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        a: Part,
        b: Part,
        depth: usize,
        (row, column): (usize, usize),
    ) where
        L: Lanes,
    {
        let lanes = if PARTIAL { self.n - column } else { L::COUNT };
        let ends = self.ends();
        // SAFETY: the caller's tile has row + ROWS ≤ m and column + VECTORS · lanes ≤ n; where a
        // strip is partial, `lanes` are left of each row.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; ROWS];
            for (i, sums) in sums.iter_mut().enumerate() {
                *sums = ends.begin::<L, VECTORS, PARTIAL>(row + i, column);
            }
            let (mut left, mut right) = (a.data, b.data);
            for _ in 0..depth {
                let mut vectors = [L::splat(0.0); VECTORS];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    *vector = load::<L, PARTIAL>(right.add(v * L::COUNT), lanes);
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = L::splat(*left.add(i * a.row_stride));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = sum.add_product(x, vector);
                    }
                }
                // One past the last element at the end of the loop, which a pointer may be; with
                // strides it may lie further, so that it is a wrapping step, never read.
                left = left.wrapping_add(a.column_stride);
                right = right.wrapping_add(b.row_stride);
            }
            for (i, sums) in sums.iter().enumerate() {
                ends.end::<L, VECTORS, PARTIAL>(sums, row + i, column);
            }
        }
    }
}
