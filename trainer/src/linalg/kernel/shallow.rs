//! Products with few k, such as a layer of a few inputs: B's strip stays in registers.
//!
//! ```text
//! for each strip of VECTORS · lanes columns of C:
//!     for each row i:
//!         sums = start
//!         for p in 0..DEPTH: sums += a[i][p] · b[p]      // fused
//!         C's row = finish(sums)
//! ```

use super::{Block, Product};
use crate::linalg::lanes::Lanes;
use crate::linalg::pack::Scratch;

/// The largest k.
pub(super) const MOST: usize = 4;
/// With fewer rows than this, tiles are as good.
pub(super) const LEAST_ROWS: usize = 8;

impl Product<'_> {
    /// Computes a product whose k is at most [`MOST`].
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`, and k is at most [`MOST`].
    #[inline(always)]
    pub(super) unsafe fn run_shallow<L: Lanes, const VECTORS: usize>(
        mut self,
        scratch: &mut Scratch,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.k {
                1 => self.strips_of_depth::<L, 1, VECTORS>(scratch),
                2 => self.strips_of_depth::<L, 2, VECTORS>(scratch),
                3 => self.strips_of_depth::<L, 3, VECTORS>(scratch),
                4 => self.strips_of_depth::<L, 4, VECTORS>(scratch),
                k => unreachable!("{k} is more than {MOST}"),
            }
        }
    }

    /// All strips.
    ///
    /// # Safety
    ///
    /// The same, and k is `DEPTH`.
    #[inline(always)]
    unsafe fn strips_of_depth<L: Lanes, const DEPTH: usize, const VECTORS: usize>(
        &mut self,
        scratch: &mut Scratch,
    ) {
        let mut column = 0;
        // SAFETY: the caller's promise; each strip ends within n, but for lanes of a partial one.
        unsafe {
            while column + VECTORS * L::COUNT <= self.n {
                self.strip_of_depth::<L, DEPTH, VECTORS, false>(column, scratch);
                column += VECTORS * L::COUNT;
            }
            while column < self.n {
                self.strip_of_depth::<L, DEPTH, 1, true>(column, scratch);
                column += L::COUNT;
            }
        }
    }

    /// One strip.
    ///
    /// # Safety
    ///
    /// The same, and the strip ends within n, or has a single vector and is `PARTIAL`.
    #[inline(always)]
    unsafe fn strip_of_depth<
        L: Lanes,
        const DEPTH: usize,
        const VECTORS: usize,
        const PARTIAL: bool,
    >(
        &mut self,
        column: usize,
        scratch: &mut Scratch,
    ) {
        let whole = Block { row: 0, rows: self.m, p: 0, depth: DEPTH, packed: None };
        // SAFETY: the caller's promise.
        unsafe {
            let (b, stride) = if self.b.transposed {
                self.pack_b::<L, VECTORS>(&whole, column, scratch.b());
                (scratch.b().cast_const(), VECTORS * L::COUNT)
            } else {
                (self.b.data.as_ptr().add(column), self.n)
            };
            let mut right = [[L::splat(0.0); VECTORS]; DEPTH];
            for (p, right) in right.iter_mut().enumerate() {
                for (v, right) in right.iter_mut().enumerate() {
                    let (at, lanes) = (b.add(p * stride + v * L::COUNT), self.n - column);
                    *right = match PARTIAL && lanes < L::COUNT {
                        true => L::load_first(at, lanes),
                        false => L::load(at),
                    };
                }
            }
            let (a, ends) = (self.left(0, 0), self.ends());
            for i in 0..self.m {
                let mut sums = ends.begin::<L, VECTORS, PARTIAL>(i, column);
                for (p, right) in right.iter().enumerate() {
                    let x = L::splat(*a.data.add(i * a.row_stride + p * a.column_stride));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = sum.add_product(x, *right);
                    }
                }
                ends.end::<L, VECTORS, PARTIAL>(&sums, i, column);
            }
        }
    }
}
