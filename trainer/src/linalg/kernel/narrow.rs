//! Products with one or two columns, such as a critic's value or an actor's mean and spread.

use super::Product;
use crate::linalg::factors::{Finish, Start};
use crate::linalg::lanes::Lanes;
use crate::linalg::pack::Scratch;

/// Vectors of rows that are computed at the same time, for a sum alone would wait for itself.
const TOGETHER: usize = 4;

impl Product<'_> {
    /// The first rows of a C of `N` = n columns, as many as fill registers, and how many those are:
    /// such registers hold *rows* of C, and what is multiplied is A's columns, for which squares are
    /// transposed where A's rows are not adjacent.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; n is `N`.
    #[inline(always)]
    pub(super) unsafe fn narrow<L: Lanes, const N: usize>(
        &mut self,
        scratch: &mut Scratch,
    ) -> usize {
        let mut row = 0;
        // SAFETY: the caller's promise; each group of rows ends within m.
        unsafe {
            while row + TOGETHER * L::COUNT <= self.m {
                self.group::<L, N, TOGETHER>(row, scratch);
                row += TOGETHER * L::COUNT;
            }
            while row + L::COUNT <= self.m {
                self.group::<L, N, 1>(row, scratch);
                row += L::COUNT;
            }
            // Rows of a last group that were computed before get the same sums once more.
            if row < self.m && self.m >= L::COUNT && !matches!(self.start, Start::Accumulate) {
                self.group::<L, N, 1>(self.m - L::COUNT, scratch);
                row = self.m;
            }
        }
        row
    }

    /// So many vectors of rows from `row` on.
    ///
    /// # Safety
    ///
    /// As for [`Product::narrow`], and the rows end within m.
    #[inline(always)]
    unsafe fn group<L: Lanes, const N: usize, const VECTORS: usize>(
        &mut self,
        row: usize,
        scratch: &mut Scratch,
    ) {
        // Values of their own, as for `Ends`.
        let (square, k, a, b) = (scratch.b(), self.k, self.a, self.b);
        let (start, finish, c) = (self.start, self.finish, self.c.as_mut_ptr());
        let (b_row, b_column) = if b.transposed { (1, k) } else { (N, 1) };
        let (whole, rows_are_adjacent) = (k - k % L::COUNT, a.row_stride == 1);
        let lane = |v: usize, l: usize| row + v * L::COUNT + l;
        // SAFETY: `new` has checked that A is [m, k], B [k, n], C and y [m, n], a bias [n]; the
        // group's rows end within m; a square of VECTORS · lanes² numbers fits in the scratch.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; N];
            for (j, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = match start {
                        Start::Zero => L::splat(0.0),
                        Start::Row(bias) => L::splat(bias[j]),
                        Start::Accumulate => gather::<L, N>(c.add(lane(v, 0) * N + j)),
                    };
                }
            }
            let mut p = 0;
            let left = |i: usize, p: usize| {
                a.data.as_ptr().wrapping_add(i * a.row_stride + p * a.column_stride)
            };
            while p < k {
                let depth = if p < whole { L::COUNT } else { 1 };
                let (columns, stride) = if rows_are_adjacent {
                    (left(row, p), a.column_stride)
                } else if depth > 1 {
                    for v in 0..VECTORS {
                        let from = left(lane(v, 0), p);
                        let to = square.add(v * L::COUNT);
                        L::transpose(from, a.row_stride, to, VECTORS * L::COUNT);
                    }
                    (square.cast_const(), VECTORS * L::COUNT)
                } else {
                    for i in 0..VECTORS * L::COUNT {
                        *square.add(i) = *left(row + i, p);
                    }
                    (square.cast_const(), 0)
                };
                for q in 0..depth {
                    let mut vectors = [L::splat(0.0); VECTORS];
                    for (v, vector) in vectors.iter_mut().enumerate() {
                        *vector = L::load(columns.add(q * stride + v * L::COUNT));
                    }
                    for (j, sums) in sums.iter_mut().enumerate() {
                        let x = L::splat(*b.data.as_ptr().add((p + q) * b_row + j * b_column));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = sum.add_product(vector, x);
                        }
                    }
                }
                p += depth;
            }
            for (j, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    let at = lane(v, 0) * N + j;
                    let sum = match finish {
                        Finish::Sums => *sum,
                        Finish::Relu => sum.relu(),
                        Finish::WherePositive(y) => {
                            sum.where_positive(gather::<L, N>(y.as_ptr().add(at)))
                        }
                    };
                    if N == 1 {
                        sum.store(c.add(at));
                    } else {
                        sum.store(square);
                        (0..L::COUNT).for_each(|l| *c.add(at + l * N) = *square.add(l));
                    }
                }
            }
        }
    }
}

/// A vector of numbers that are `N` apart.
///
/// # Safety
///
/// The processor has the instructions of `L`, and the numbers can be read.
#[inline(always)]
unsafe fn gather<L: Lanes, const N: usize>(from: *const f32) -> L {
    let mut lanes = [0.0; 16];
    // SAFETY: the caller's promise; no type has more lanes.
    unsafe {
        const { assert!(L::COUNT <= 16) };
        if N == 1 {
            return L::load(from);
        }
        lanes[..L::COUNT].iter_mut().enumerate().for_each(|(l, lane)| *lane = *from.add(l * N));
        L::load(lanes.as_ptr())
    }
}
