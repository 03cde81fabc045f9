//! A tile of C.

use super::{Part, Product};
use crate::linalg::factors::{Finish, Start};
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

/// Where the sums of a product begin and end. A value of its own: of what lies behind a reference, the
/// compiler must assume that each number written changes it.
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
unsafe fn load<L: Lanes, const PARTIAL: bool>(from: *const f32, lanes: usize) -> L {
    // SAFETY: the caller's promise.
    unsafe { if PARTIAL { L::load_first(from, lanes) } else { L::load(from) } }
}
