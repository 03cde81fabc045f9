//! Products whose left factor has many zeros, as what a ReLU lets through and derivatives behind one
//! have. Their terms are left out, which saves more time than it takes to find them:
//!
//! ```text
//! for each block of at most DEPTH of k and BLOCK_ROWS rows of C:  // later ones go on from what C holds
//!     mask[i] = a bit for each a[i][p] ≠ 0
//!     for each strip of at most STRIP columns of C:
//!         pack B's strip, unless B is one strip and aligned
//!         for each row i, or two at a time:
//!             sums = start                                  // in registers
//!             for each bit p of mask[i], the lowest first:
//!                 sums += a[i][p] · b[p]                    // fused
//!             C's row = sums, with the last block of k: finished
//! ```
//!
//! Two rows at a time where both together have no more sums than it takes to keep the multipliers
//! busy: they share nothing, but the sums of one need not wait for those of the other.

use super::masks::{DEPTH, lowest};
use super::{Part, Product, even};
use crate::linalg::factors::{Finish, Start};
use crate::linalg::lanes::Lanes;
use crate::linalg::pack::{self, Scratch};

/// Rows of a block.
const BLOCK_ROWS: usize = 256;
/// Columns of a strip, and the distance from one row of a copy to the next.
const STRIP: usize = 64;
/// Columns that strips have a multiple of, but for the last one.
const UNIT: usize = 16;
/// With fewer rows than this, finding zeros and copying B costs more than it saves.
const LEAST_ROWS: usize = 8;
/// The same for k, and for columns.
const LEAST_DEPTH: usize = 16;
const LEAST_COLUMNS: usize = 48;
// No strip is narrower than two units: `rows_of_width` has none for it.
const _: () = assert!(LEAST_COLUMNS > 2 * UNIT);
/// Sums that keep the multipliers busy: two a cycle, four cycles each.
const BUSY: usize = 8;

/// Columns of C, and B's for a block of k.
#[derive(Clone, Copy)]
struct Strip {
    /// The first k of the block.
    p: usize,
    column: usize,
    /// B's rows, `STRIP` apart.
    b: *const f32,
}

/// Whether a product of these sizes is large enough to leave zeros out.
pub(in crate::linalg) fn fits(m: usize, k: usize, n: usize) -> bool {
    m >= LEAST_ROWS && k >= LEAST_DEPTH && n >= LEAST_COLUMNS
}

impl Product<'_> {
    /// Computes the product without the terms of zeros of A.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    pub(super) unsafe fn run_sparse<L: Lanes>(mut self, scratch: &mut Scratch) {
        const { assert!(UNIT.is_multiple_of(L::COUNT) && DEPTH * STRIP <= pack::ROOM_FOR_B) };
        let (k_block, m_block) = (even(self.k, DEPTH, 1), even(self.m, BLOCK_ROWS, 2));
        let finish = self.finish;
        let mut masks = [0; BLOCK_ROWS];
        for p in (0..self.k).step_by(k_block) {
            let depth = k_block.min(self.k - p);
            self.finish = if p + depth == self.k { finish } else { Finish::Sums };
            for row in (0..self.m).step_by(m_block) {
                let masks = &mut masks[..m_block.min(self.m - row)];
                // SAFETY: the caller's promise about `L`; rows and k lie within A, and so do columns
                // within C.
                unsafe {
                    self.find_nonzeros::<L>(masks, row, p, depth);
                    let mut column = 0;
                    while column < self.n {
                        let width = next_width(self.n - column);
                        let b = self.strip_of_b::<L>(p, depth, column, width, scratch);
                        let strip = Strip { p, column, b };
                        if column + width <= self.n {
                            self.rows_of_width::<L, false>(masks, row, strip, width);
                        } else {
                            self.rows_of_width::<L, true>(masks, row, strip, width);
                        }
                        column += width;
                    }
                }
            }
            self.start = Start::Accumulate;
        }
    }

    /// A strip of B, `STRIP` from one row to the next, and zeros beyond its last column.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; `depth` ≤ `DEPTH` of k from `p` on lie within B, and
    /// so do the columns from `column` on, but for fewer than `UNIT` of `width`.
    #[inline(always)]
    unsafe fn strip_of_b<L: Lanes>(
        &self,
        p: usize,
        depth: usize,
        column: usize,
        width: usize,
        scratch: &mut Scratch,
    ) -> *const f32 {
        let (b, to, count) = (self.b.data.as_ptr(), scratch.b(), width.min(self.n - column));
        // SAFETY: the caller's promise; a copy of at most DEPTH rows of STRIP fits in the scratch.
        unsafe {
            if self.b.transposed {
                for row in 0..depth {
                    for vector in (width - UNIT..width).step_by(L::COUNT) {
                        L::splat(0.0).store(to.add(row * STRIP + vector));
                    }
                }
                pack::transposed::<L>(b.add(column * self.k + p), self.k, count, depth, to, STRIP);
                return to;
            }
            let from = b.add(p * self.n + column);
            if self.n == STRIP && from.align_offset(L::COUNT * size_of::<f32>()) == 0 {
                return from;
            }
            for row in 0..depth {
                let (from, to) = (from.add(row * self.n), to.add(row * STRIP));
                for at in (0..width).step_by(L::COUNT) {
                    let lanes = count.saturating_sub(at);
                    let vector = match lanes >= L::COUNT {
                        true => L::load(from.add(at)),
                        false => L::load_first(from.wrapping_add(at), lanes),
                    };
                    vector.store(to.add(at));
                }
            }
            to
        }
    }

    /// The rows of a strip of `width` columns, of which C lacks the last ones if it is `PARTIAL`.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; the rows lie within A and C, the strip's columns
    /// within C but for fewer than `UNIT`, and the masks' bits are k of the strip; `width` is one of
    /// [`next_width`].
    #[inline(always)]
    unsafe fn rows_of_width<L: Lanes, const PARTIAL: bool>(
        &mut self,
        masks: &[u64],
        row: usize,
        strip: Strip,
        width: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match (L::COUNT, width) {
                (1, 64) => self.rows_of::<L, 64, PARTIAL>(masks, row, strip),
                (1, 48) => self.rows_of::<L, 48, PARTIAL>(masks, row, strip),
                (1, 32) => self.rows_of::<L, 32, PARTIAL>(masks, row, strip),
                (4, 64) => self.rows_of::<L, 16, PARTIAL>(masks, row, strip),
                (4, 48) => self.rows_of::<L, 12, PARTIAL>(masks, row, strip),
                (4, 32) => self.rows_of::<L, 8, PARTIAL>(masks, row, strip),
                (8, 64) => self.rows_of::<L, 8, PARTIAL>(masks, row, strip),
                (8, 48) => self.rows_of::<L, 6, PARTIAL>(masks, row, strip),
                (8, 32) => self.rows_of::<L, 4, PARTIAL>(masks, row, strip),
                (16, 64) => self.rows_of::<L, 4, PARTIAL>(masks, row, strip),
                (16, 48) => self.rows_of::<L, 3, PARTIAL>(masks, row, strip),
                (16, 32) => self.rows_of::<L, 2, PARTIAL>(masks, row, strip),
                (lanes, width) => unreachable!("strips of {width} columns for {lanes} lanes"),
            }
        }
    }

    /// The same for strips of so many vectors.
    ///
    /// # Safety
    ///
    /// The same.
    #[inline(always)]
    unsafe fn rows_of<L: Lanes, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        masks: &[u64],
        row: usize,
        strip: Strip,
    ) {
        let mut i = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while 2 * VECTORS <= BUSY && i + 2 <= masks.len() {
                self.together::<L, 2, VECTORS, PARTIAL>([masks[i], masks[i + 1]], row + i, strip);
                i += 2;
            }
            while i < masks.len() {
                self.together::<L, 1, VECTORS, PARTIAL>([masks[i]], row + i, strip);
                i += 1;
            }
        }
    }

    /// `TOGETHER` rows of a strip.
    ///
    /// # Safety
    ///
    /// The same.
    #[inline(always)]
    unsafe fn together<
        L: Lanes,
        const TOGETHER: usize,
        const VECTORS: usize,
        const PARTIAL: bool,
    >(
        &mut self,
        mut masks: [u64; TOGETHER],
        row: usize,
        strip: Strip,
    ) {
        let ends = self.ends();
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; TOGETHER];
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = ends.begin::<L, VECTORS, PARTIAL>(row + r, strip.column);
            }
            let a: [_; TOGETHER] = std::array::from_fn(|r| self.left(row + r, strip.p));
            while TOGETHER > 1 && masks.iter().all(|mask| *mask != 0) {
                for r in 0..TOGETHER {
                    add::<L, VECTORS>(&mut sums[r], &mut masks[r], a[r], strip.b);
                }
            }
            for r in 0..TOGETHER {
                while masks[r] != 0 {
                    add::<L, VECTORS>(&mut sums[r], &mut masks[r], a[r], strip.b);
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                ends.end::<L, VECTORS, PARTIAL>(sums, row + r, strip.column);
            }
        }
    }
}

/// sums += a[p] · b[p] for the lowest bit p of a mask, which is taken from it.
///
/// # Safety
///
/// The processor has the instructions of `L`, and so many vectors can be read.
#[inline(always)]
unsafe fn add<L: Lanes, const VECTORS: usize>(
    sums: &mut [L; VECTORS],
    mask: &mut u64,
    a: Part,
    b: *const f32,
) {
    let p = lowest(mask);
    // SAFETY: the caller's promise.
    unsafe {
        let (x, b) = (L::broadcast(a.data.add(p * a.column_stride)), b.add(p * STRIP));
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = sum.add_product(x, L::load(b.add(v * L::COUNT)));
        }
    }
}

/// The next strip of the columns that are left: all strips have about the same number of vectors.
#[inline(always)]
fn next_width(left: usize) -> usize {
    let units = left.div_ceil(UNIT);
    let strips = units.div_ceil(STRIP / UNIT);
    units.div_ceil(strips) * UNIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_alike() {
        for n in LEAST_COLUMNS..1000 {
            let (mut column, mut widths) = (0, Vec::new());
            while column < n {
                widths.push(next_width(n - column));
                column += widths[widths.len() - 1];
            }
            assert!(column < n + UNIT, "{n}: {widths:?}");
            assert!(widths.iter().all(|w| [32, 48, 64].contains(w)), "{n}: {widths:?}");
        }
    }
}
