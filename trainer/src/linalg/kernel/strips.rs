//! The columns of a block, strip by strip.

use super::{Block, Part, Product, height};
use crate::linalg::lanes::Lanes;
use crate::linalg::pack::{self, K_BLOCK, Scratch};

/// Vectors of a strip where C has a single row.
pub(super) const SINGLE: usize = 8;
/// With fewer rows than this, B's numbers are used too seldom to be copied first.
const ROWS_TO_PACK: usize = 24;
/// A B of so many numbers takes half of a first level cache.
const RESIDENT: usize = 1 << 12;
const _: () = assert!(RESIDENT <= K_BLOCK * pack::WIDTH);
/// Matrices up to so many bytes are in the second level cache soon enough by themselves.
const NEAR: usize = 1 << 17;

impl Product<'_> {
    /// All columns of a block.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`. The block lies within A and C, has at most
    /// `K_BLOCK` of k, and if it is packed, with panels of `ROWS` = `HIGH`.
    #[inline(always)]
    pub(super) unsafe fn block<L, const ROWS: usize, const HIGH: usize, const VECTORS: usize>(
        &mut self,
        block: &Block,
        scratch: &mut Scratch,
    ) where
        L: Lanes,
    {
        let mut column = 0;
        // SAFETY: the caller's promise; each strip of columns ends within n.
        unsafe {
            // One row alone has but one sum for each vector, and a single sum waits for itself.
            while block.rows == 1 && column + SINGLE * L::COUNT <= self.n {
                self.strip::<L, 1, SINGLE, false>(block, column, scratch);
                column += SINGLE * L::COUNT;
            }
            if block.rows >= ROWS_TO_PACK && block.depth * self.n <= RESIDENT {
                column = self.resident::<L, ROWS, VECTORS>(block, scratch);
            }
            while column + VECTORS * L::COUNT <= self.n {
                self.strip::<L, ROWS, VECTORS, false>(block, column, scratch);
                column += VECTORS * L::COUNT;
            }
            while VECTORS > 2 && column + 2 * L::COUNT <= self.n {
                self.strip::<L, HIGH, 2, false>(block, column, scratch);
                column += 2 * L::COUNT;
            }
            while column + L::COUNT <= self.n {
                self.strip::<L, HIGH, 1, false>(block, column, scratch);
                column += L::COUNT;
            }
            if column < self.n {
                self.strip::<L, HIGH, 1, true>(block, column, scratch);
            }
        }
    }

    /// The block's whole strips, and how many columns those are: all of B is copied, and stays in the
    /// first level cache while the rows of A pass by.
    ///
    /// # Safety
    ///
    /// As for [`Product::block`], and B's part in the block has no more numbers than the scratch.
    #[inline(always)]
    unsafe fn resident<L, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        block: &Block,
        scratch: &mut Scratch,
    ) -> usize
    where
        L: Lanes,
    {
        let width = VECTORS * L::COUNT;
        let (strips, size) = (self.n / width, block.depth * width);
        // SAFETY: each strip's columns are within n; the caller's promise.
        unsafe {
            for strip in 0..strips {
                let to = scratch.b().add(strip * size);
                self.pack_b::<L, VECTORS>(block, strip * width, to);
            }
            let mut i = 0;
            while i < block.rows {
                let height = height::<ROWS>(block.rows - i);
                let a = self.rows(block, i, height);
                for strip in 0..strips {
                    let data = scratch.b().add(strip * size).cast_const();
                    let b = Part { data, row_stride: width, column_stride: 1 };
                    let at = (block.row + i, strip * width);
                    self.low_tile::<L, ROWS, VECTORS, false>(height, a, b, block.depth, at);
                }
                i += height;
            }
        }
        strips * width
    }

    /// A block's columns from `column` on, as many as `VECTORS` vectors have lanes; if the strip
    /// is `PARTIAL`, it has one vector and the columns that are left.
    ///
    /// # Safety
    ///
    /// As for [`Product::block`], and the columns end within n.
    #[inline(always)]
    unsafe fn strip<L, const ROWS: usize, const VECTORS: usize, const PARTIAL: bool>(
        &mut self,
        block: &Block,
        column: usize,
        scratch: &mut Scratch,
    ) where
        L: Lanes,
    {
        let Block { row, rows, depth, .. } = *block;
        let width = VECTORS * L::COUNT;
        // SAFETY: the caller's promise; each tile ends within the block.
        unsafe {
            let b = if self.b.transposed || rows >= ROWS_TO_PACK && !PARTIAL {
                self.pack_b::<L, VECTORS>(block, column, scratch.b());
                Part { data: scratch.b(), row_stride: width, column_stride: 1 }
            } else {
                let data = self.b.data.as_ptr().add(block.p * self.n + column);
                Part { data, row_stride: self.n, column_stride: 1 }
            };
            let tiles = rows.div_ceil(ROWS);
            let mut i = 0;
            while i < rows {
                let height = height::<ROWS>(rows - i);
                if 4 * self.b.data.len().max(self.c.len()) > NEAR {
                    self.fetch_ahead::<L>(block, (i, height), column, width, tiles);
                }
                let a = self.rows(block, i, height);
                self.low_tile::<L, ROWS, VECTORS, PARTIAL>(height, a, b, depth, (row + i, column));
                i += height;
            }
        }
    }

    /// Copies a strip of B from `column` on.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`; the strip lies within B but for columns that B
    /// lacks where it is transposed, and in `to` is room for it.
    #[inline(always)]
    pub(super) unsafe fn pack_b<L: Lanes, const VECTORS: usize>(
        &self,
        block: &Block,
        column: usize,
        to: *mut f32,
    ) {
        let width = VECTORS * L::COUNT;
        // SAFETY: the caller's promise.
        unsafe {
            if self.b.transposed {
                let from = self.b.data.as_ptr().add(column * self.k + block.p);
                let count = width.min(self.n - column);
                pack::transposed::<L>(from, self.k, count, block.depth, to, width);
            } else {
                let from = self.b.data.as_ptr().add(block.p * self.n + column);
                pack::rows::<L, VECTORS>(from, self.n, block.depth, to);
            }
        }
    }

    /// Rows of a block of A from its row i on, of a tile of that height.
    ///
    /// # Safety
    ///
    /// They lie within the block, which lies within A, and begin a panel where it is packed.
    #[inline(always)]
    unsafe fn rows(&self, block: &Block, i: usize, height: usize) -> Part {
        match block.packed {
            // SAFETY: the caller's promise.
            Some(data) => unsafe {
                let data = data.add(i * block.depth);
                Part { data, row_stride: 1, column_stride: height }
            },
            // SAFETY: the caller's promise.
            None => unsafe { self.left(block.row + i, block.p) },
        }
    }
}
