//! Products with a single column.

use super::Product;
use crate::linalg::factors::{Finish, Start};
use crate::linalg::lanes::Lanes;
use crate::linalg::pack::Scratch;

impl Product<'_> {
    /// The first rows of a C of a single column, as many as fill registers, and how many those are:
    /// such registers hold *rows* of C, and A's transposed squares are what is multiplied.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; n is 1 and A's rows lie one after the other.
    #[inline(always)]
    pub(super) unsafe fn column<L: Lanes>(&mut self, scratch: &mut Scratch) -> usize {
        /// Sums that are computed at the same time, for one alone would wait for itself.
        const TOGETHER: usize = 2;
        let (k, rows) = (self.k, TOGETHER * L::COUNT);
        let (a, b, c) = (self.a.data.as_ptr(), self.b.data.as_ptr(), self.c.as_mut_ptr());
        let whole = k - k % L::COUNT;
        let square = scratch.b();
        let first = |i: usize| i * rows;
        for group in 0..self.m / rows {
            // SAFETY: `new` has checked that A is [m, k], B [k], C and y [m], and a bias a single number;
            // the group's rows end within m, and the squares fit in the scratch.
            unsafe {
                let mut sums = [L::splat(0.0); TOGETHER];
                for (v, sum) in sums.iter_mut().enumerate() {
                    match self.start {
                        Start::Zero => {}
                        Start::Row(bias) => *sum = L::splat(bias[0]),
                        Start::Accumulate => *sum = L::load(c.add(first(group) + v * L::COUNT)),
                    }
                }
                for p in (0..whole).step_by(L::COUNT) {
                    for v in 0..TOGETHER {
                        let from = a.add((first(group) + v * L::COUNT) * k + p);
                        L::transpose(from, k, square.add(v * L::COUNT), rows);
                    }
                    for q in 0..L::COUNT {
                        let x = L::splat(*b.add(p + q));
                        for (v, sum) in sums.iter_mut().enumerate() {
                            let numbers = L::load(square.add(q * rows + v * L::COUNT));
                            *sum = sum.add_product(numbers, x);
                        }
                    }
                }
                for p in whole..k {
                    for i in 0..rows {
                        *square.add(i) = *a.add((first(group) + i) * k + p);
                    }
                    let x = L::splat(*b.add(p));
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add_product(L::load(square.add(v * L::COUNT)), x);
                    }
                }
                for (v, sum) in sums.into_iter().enumerate() {
                    let at = first(group) + v * L::COUNT;
                    let sum = match self.finish {
                        Finish::Sums => sum,
                        Finish::Relu => sum.relu(),
                        Finish::WherePositive(y) => sum.where_positive(L::load(y.as_ptr().add(at))),
                    };
                    sum.store(c.add(at));
                }
            }
        }
        first(self.m / rows)
    }
}
