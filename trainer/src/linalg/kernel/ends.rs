//! Where the sums of a product begin and end.

use super::Product;
use crate::linalg::factors::{Finish, Start};
use crate::linalg::lanes::Lanes;

/// A product's start, finish and C. Copied out of the product: then
/// the compiler knows that writing C cannot change them.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    start: Start<'a>,
    finish: Finish<'a>,
    c: *mut f32,
    n: usize,
}

impl<'a> Product<'a> {
    #[inline(always)]
    pub(super) fn ends(&mut self) -> Ends<'a> {
        Ends { start: self.start, finish: self.finish, c: self.c.as_mut_ptr(), n: self.n }
    }
}

impl Ends<'_> {
    /// What the sums of a row start from, from a column on.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; the row is one of C, and so are the columns, which
    /// may go on beyond its last if they are `PARTIAL`.
    #[inline(always)]
    pub(super) unsafe fn begin<L: Lanes, const VECTORS: usize, const PARTIAL: bool>(
        self,
        row: usize,
        column: usize,
    ) -> [L; VECTORS] {
        // SAFETY: `new` has checked that a bias is [n] and C [m, n]; the caller's promise.
        unsafe {
            match self.start {
                Start::Zero => [L::splat(0.0); VECTORS],
                Start::Row(bias) => self.load::<L, VECTORS, PARTIAL>(bias.as_ptr(), 0, column),
                Start::Accumulate => self.load::<L, VECTORS, PARTIAL>(self.c, row, column),
            }
        }
    }

    /// Finishes the sums of a row from a column on and writes them to C.
    ///
    /// # Safety
    ///
    /// As for [`Ends::begin`], and nobody else touches C.
    #[inline(always)]
    pub(super) unsafe fn end<L: Lanes, const VECTORS: usize, const PARTIAL: bool>(
        self,
        sums: &[L; VECTORS],
        row: usize,
        column: usize,
    ) {
        // SAFETY: `new` has checked that y and C are [m, n]; the caller's promise. The choice outside
        // of the loops leaves these without branches.
        unsafe {
            let mut finished = *sums;
            match self.finish {
                Finish::Sums => {}
                Finish::Relu => {
                    for sum in &mut finished {
                        *sum = sum.relu();
                    }
                }
                Finish::WherePositive(y) => {
                    let y = self.load::<L, VECTORS, PARTIAL>(y.as_ptr(), row, column);
                    for (sum, y) in finished.iter_mut().zip(y) {
                        *sum = sum.where_positive(y);
                    }
                }
            }
            for (v, sum) in finished.iter().enumerate() {
                let c = self.c.wrapping_add(row * self.n + column + v * L::COUNT);
                if PARTIAL {
                    sum.store_first(c, self.lanes::<L>(column, v));
                } else {
                    sum.store(c);
                }
            }
        }
    }

    /// Vectors of a row of a matrix of n columns.
    ///
    /// # Safety
    ///
    /// As for [`Ends::begin`], of that matrix.
    #[inline(always)]
    unsafe fn load<L: Lanes, const VECTORS: usize, const PARTIAL: bool>(
        self,
        from: *const f32,
        row: usize,
        column: usize,
    ) -> [L; VECTORS] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut vectors = [L::splat(0.0); VECTORS];
            for (v, vector) in vectors.iter_mut().enumerate() {
                let from = from.wrapping_add(row * self.n + column + v * L::COUNT);
                *vector = load::<L, PARTIAL>(from, self.lanes::<L>(column, v));
            }
            vectors
        }
    }

    /// How many lanes of the v-th vector from a column on are columns.
    #[inline(always)]
    fn lanes<L: Lanes>(self, column: usize, v: usize) -> usize {
        self.n.saturating_sub(column + v * L::COUNT).min(L::COUNT)
    }
}

/// Reads a vector, or if it is `PARTIAL`, as many of its first numbers as there are `lanes`.
///
/// # Safety
///
/// The processor has the instructions of `L`, and the numbers can be read.
#[inline(always)]
pub(super) unsafe fn load<L: Lanes, const PARTIAL: bool>(from: *const f32, lanes: usize) -> L {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { L::load_first(from, lanes) } else { L::load(from) } }
}
