//! Products with one or two columns, such as a critic's value or an actor's mean and spread.

use super::Product;
use crate::linalg::factors::{Finish, Start};
use crate::linalg::lanes::Lanes;

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
    pub(super) unsafe fn narrow<L: Lanes, const N: usize>(&mut self) -> usize {
        let mut row = 0;
        // SAFETY: the caller's promise; each group of rows ends within m.
        unsafe {
            while row + TOGETHER * L::COUNT <= self.m {
                self.group::<L, N, TOGETHER>(row);
                row += TOGETHER * L::COUNT;
            }
            // A last group of rows, of which some were computed before: they get the same sums once more,
            // but where C is added to, they would be added twice.
            let vectors = (self.m - row).div_ceil(L::COUNT);
            if self.m >= vectors * L::COUNT && !matches!(self.start, Start::Accumulate) {
                row = self.m;
                match vectors {
                    0 => {}
                    1 => self.group::<L, N, 1>(row - L::COUNT),
                    2 => self.group::<L, N, 2>(row - 2 * L::COUNT),
                    3 => self.group::<L, N, 3>(row - 3 * L::COUNT),
                    _ => self.group::<L, N, TOGETHER>(row - TOGETHER * L::COUNT),
                }
            }
            while row + L::COUNT <= self.m {
                self.group::<L, N, 1>(row);
                row += L::COUNT;
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
    unsafe fn group<L: Lanes, const N: usize, const VECTORS: usize>(&mut self, row: usize) {
        // Values of their own, as for `Ends`.
        let (k, a, b) = (self.k, self.a, self.b);
        let (start, finish, c) = (self.start, self.finish, self.c.as_mut_ptr());
        let (b_row, b_column) = if b.transposed { (1, k) } else { (N, 1) };
        let rows_are_adjacent = a.row_stride == 1;
        let whole = if rows_are_adjacent { 0 } else { k - k % L::COUNT };
        let lane = |v: usize, l: usize| row + v * L::COUNT + l;
        // SAFETY: `new` has checked that A is [m, k], B [k, n], C and y [m, n], a bias [n]; the
        // group's rows end within m.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; N];
            for (j, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = match start {
                        Start::Zero => L::splat(0.0),
                        Start::Row(bias) => L::splat(bias[j]),
                        Start::Accumulate => gather(c.add(lane(v, 0) * N + j), N),
                    };
                }
            }
            let left = |i: usize, p: usize| {
                a.data.as_ptr().wrapping_add(i * a.row_stride + p * a.column_stride)
            };
            let right =
                |p: usize, j: usize| L::splat(*b.data.as_ptr().add(p * b_row + j * b_column));
            for p in (0..whole).step_by(L::COUNT) {
                for v in 0..VECTORS {
                    let columns = L::columns(left(lane(v, 0), p), a.row_stride);
                    for (q, column) in columns.as_ref().iter().enumerate() {
                        for (j, sums) in sums.iter_mut().enumerate() {
                            sums[v] = sums[v].add_product(*column, right(p + q, j));
                        }
                    }
                }
            }
            for p in whole..k {
                for v in 0..VECTORS {
                    let column = match rows_are_adjacent {
                        true => L::load(left(lane(v, 0), p)),
                        false => gather(left(lane(v, 0), p), a.row_stride),
                    };
                    for (j, sums) in sums.iter_mut().enumerate() {
                        sums[v] = sums[v].add_product(column, right(p, j));
                    }
                }
            }
            for (j, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    let at = lane(v, 0) * N + j;
                    let sum = match finish {
                        Finish::Sums => *sum,
                        Finish::Relu => sum.relu(),
                        Finish::WherePositive(y) => {
                            sum.where_positive(gather(y.as_ptr().add(at), N))
                        }
                    };
                    if N == 1 {
                        sum.store(c.add(at));
                    } else {
                        let mut lanes = [0.0; 16];
                        sum.store(lanes.as_mut_ptr());
                        (0..L::COUNT).for_each(|l| *c.add(at + l * N) = lanes[l]);
                    }
                }
            }
        }
    }
}

/// A vector of numbers that are `stride` apart.
///
/// # Safety
///
/// The processor has the instructions of `L`, and the numbers can be read.
#[inline(always)]
unsafe fn gather<L: Lanes>(from: *const f32, stride: usize) -> L {
    const { assert!(L::COUNT <= 16) };
    let mut lanes = [0.0; 16];
    // SAFETY: the caller's promise; the array has room for every type.
    unsafe {
        for (l, lane) in lanes[..L::COUNT].iter_mut().enumerate() {
            *lane = *from.add(l * stride);
        }
        L::load(lanes.as_ptr())
    }
}
