//! The tiled product, once for every vector type.
//!
//! ```text
//! for each block of at most K_BLOCK of k:                 // later ones go on from what C holds
//!     for each block of rows of C:                        // all rows, unless A is packed
//!         pack A's block, if A is a transposed matrix
//!         for each strip of VECTORS · lanes columns of C:
//!             pack B's strip, if there are many rows or B is a transposed matrix
//!             for each panel of at most ROWS rows:
//!                 tile = start                            // in registers
//!                 for p in the block of k:
//!                     for each row i, vector v:
//!                         tile[i][v] += a[i][p] · b[p][v] // fused
//!                 C's tile = tile
//! ```
//!
//! A single column of C is a case of its own (`column`): its rows are vectorised. What is left at the
//! right edge is done with strips of two vectors or one, the last of which may read and write only
//! its first lanes; what is left at the bottom with lower tiles. No element's sum changes its order by
//! any of that: a block of k begins with the sums that the one before it stored, and an `f32` is
//! stored exactly.

mod ahead;
mod column;
mod instructions;

#[cfg(target_arch = "aarch64")]
pub(super) use instructions::run_neon;
#[cfg(target_arch = "x86_64")]
pub(super) use instructions::{run_avx2, run_avx512};

use super::factors::{Left, Right, Start};
use super::lanes::Lanes;
use super::pack::{self, K_BLOCK, M_BLOCK, Scratch};
use super::parallel::Divisible;

/// With fewer rows than this, B's numbers are used too seldom to be copied first.
const ROWS_TO_PACK: usize = 24;
/// With fewer columns than this, A's numbers are.
const COLUMNS_TO_PACK: usize = 48;

/// Matrices up to so many bytes are in the second level cache soon enough by themselves.
const NEAR: usize = 1 << 17;

/// A product whose shapes have been checked.
pub(super) struct Product<'a> {
    a: Left<'a>,
    b: Right<'a>,
    start: Start<'a>,
    c: &'a mut [f32],
    m: usize,
    k: usize,
    n: usize,
}

/// A part of A or B: the first number, and the distance to the next row and column.
#[derive(Clone, Copy)]
struct Part {
    data: *const f32,
    row_stride: usize,
    column_stride: usize,
}

/// A block of the product: these rows of C, and these k.
#[derive(Clone, Copy)]
struct Block {
    row: usize,
    rows: usize,
    p: usize,
    depth: usize,
    /// The rows of A, packed: the panel of row i begins at `i · depth` and holds column after
    /// column.
    packed: Option<*const f32>,
}

impl<'a> Product<'a> {
    /// Checks the shapes; the unsafe code below rests on these lines.
    pub(super) fn new(
        a: Left<'a>,
        b: Right<'a>,
        n: usize,
        start: Start<'a>,
        c: &'a mut [f32],
    ) -> Self {
        assert!(
            n > 0 && c.len().is_multiple_of(n) && b.data.len().is_multiple_of(n),
            "matmul: shape of B or C"
        );
        let (m, k) = (c.len() / n, b.data.len() / n);
        // k > 0, so that no pointer below starts past its slice; and no product of sizes wraps.
        assert!(k > 0, "matmul: shape of B, it is empty");
        assert_eq!(Some(a.data.len()), m.checked_mul(k), "matmul: shape of A");
        let strides = (a.row_stride, a.column_stride);
        assert!(strides == (k, 1) || strides == (1, m), "matmul: shape of A, strides {strides:?}");
        if let Start::Row(bias) = start {
            assert_eq!(bias.len(), n, "matmul: shape of the bias");
        }
        // A single column cannot be vectorised across columns. Where A's rows are adjacent, C and
        // Cᵀ = bᵀAᵀ are the same numbers in memory, and Cᵀ can.
        if n == 1 && strides == (1, m) && !matches!(start, Start::Row(_)) {
            let (a, b) = (Left::rows(b.data, k), Right::rows(a.data));
            return Product { a, b, start, c, m: 1, k, n: m };
        }
        // A single row, or column, is the same numbers in memory as its transpose.
        let transposed = b.transposed && k > 1 && n > 1;
        Product { a, b: Right { transposed, ..b }, start, c, m, k, n }
    }

    /// Multiplications that it takes.
    pub(super) fn multiplications(&self) -> usize {
        self.m * self.k * self.n
    }

    /// Computes the product with tiles of at most `ROWS` rows and `VECTORS` vectors of type `L`,
    /// or at most two vectors and `HIGH` rows.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    pub(super) unsafe fn run<L, const ROWS: usize, const HIGH: usize, const VECTORS: usize>(
        mut self,
    ) where
        L: Lanes,
    {
        const { assert!(ROWS <= HIGH && HIGH <= 8 && VECTORS * L::COUNT <= pack::WIDTH) };
        let mut scratch = Scratch::new();
        // Rows that lie side by side in memory are far apart along k.
        let pack_a = self.a.column_stride > 1 && self.m > 1 && self.n >= COLUMNS_TO_PACK;
        let (k_block, m_block) = (even(self.k, K_BLOCK, 1), even(self.m, M_BLOCK, ROWS));
        let m_block = if pack_a { m_block } else { self.m };
        let mut first = 0;
        if self.n == 1 && self.a.column_stride == 1 && L::COUNT > 1 {
            // SAFETY: the caller's promise.
            first = unsafe { self.column::<L>(&mut scratch) };
        }
        for p in (0..self.k).step_by(k_block) {
            let depth = k_block.min(self.k - p);
            for row in (first..self.m).step_by(m_block) {
                let rows = m_block.min(self.m - row);
                let mut block = Block { row, rows, p, depth, packed: None };
                // SAFETY: the caller's promise about `L`; the block lies within A and C and has at
                // most M_BLOCK rows if it is packed, and at most K_BLOCK of k.
                unsafe {
                    if pack_a {
                        block.packed = Some(self.pack_a::<ROWS>(&block, &mut scratch));
                        self.block::<L, ROWS, ROWS, VECTORS>(&block, &mut scratch);
                    } else {
                        self.block::<L, ROWS, HIGH, VECTORS>(&block, &mut scratch);
                    }
                }
            }
            self.start = Start::Accumulate;
        }
    }

    /// Copies a block of the transposed A, panel by panel, and returns where it lies.
    ///
    /// # Safety
    ///
    /// The block lies within A, and has at most `M_BLOCK` rows and `K_BLOCK` of k.
    #[inline(always)]
    unsafe fn pack_a<const ROWS: usize>(&self, block: &Block, scratch: &mut Scratch) -> *const f32 {
        let to = scratch.a();
        let mut i = 0;
        while i < block.rows {
            let height = height::<ROWS>(block.rows - i);
            // SAFETY: rows [i, i + height) are within the block, which the caller has within A
            // and the scratch; their panel ends at (i + height) · depth.
            unsafe {
                let from = self.left(block.row + i, block.p).data;
                pack::columns::<ROWS>(
                    from,
                    self.a.column_stride,
                    height,
                    block.depth,
                    to.add(i * block.depth),
                );
            }
            i += height;
        }
        to
    }

    /// A from a row and column on.
    ///
    /// # Safety
    ///
    /// They lie within A.
    #[inline(always)]
    unsafe fn left(&self, row: usize, p: usize) -> Part {
        let Left { data, row_stride, column_stride } = self.a;
        // SAFETY: the caller's promise.
        let data = unsafe { data.as_ptr().add(row * row_stride + p * column_stride) };
        Part { data, row_stride, column_stride }
    }

    /// All columns of a block.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`. The block lies within A and C, has at most
    /// `K_BLOCK` of k, and if it is packed, with panels of `ROWS` = `HIGH`.
    #[inline(always)]
    unsafe fn block<L, const ROWS: usize, const HIGH: usize, const VECTORS: usize>(
        &mut self,
        block: &Block,
        scratch: &mut Scratch,
    ) where
        L: Lanes,
    {
        let mut column = 0;
        // SAFETY: the caller's promise; each strip of columns ends within n.
        unsafe {
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
        let Block { row, rows, p, depth, packed } = *block;
        // SAFETY: B's rows [p, p + depth) and this strip's columns are within it; the scratch has
        // room for K_BLOCK rows of VECTORS vectors. Each tile ends within the block.
        unsafe {
            let width = VECTORS * L::COUNT;
            let packed_b = Part { data: scratch.b(), row_stride: width, column_stride: 1 };
            let b = if self.b.transposed {
                let from = self.b.data.as_ptr().add(column * self.k + p);
                let count = width.min(self.n - column);
                pack::transposed::<L>(from, self.k, count, depth, scratch.b(), width);
                packed_b
            } else {
                let from = self.b.data.as_ptr().add(p * self.n + column);
                if rows >= ROWS_TO_PACK && !PARTIAL {
                    pack::rows::<L, VECTORS>(from, self.n, depth, scratch.b());
                    packed_b
                } else {
                    Part { data: from, row_stride: self.n, column_stride: 1 }
                }
            };
            let tiles = rows.div_ceil(ROWS);
            let mut i = 0;
            while i < rows {
                let height = height::<ROWS>(rows - i);
                if 4 * self.b.data.len().max(self.c.len()) > NEAR {
                    self.fetch_ahead::<L>(block, (i, height), column, width, tiles);
                }
                let a = match packed {
                    Some(data) => {
                        let data = data.add(i * depth);
                        Part { data, row_stride: 1, column_stride: height }
                    }
                    None => self.left(row + i, p),
                };
                let at = (row + i, column);
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
                i += height;
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
        // SAFETY: where a strip is partial, `lanes` are left of each row.
        let load = |from: *const f32| unsafe {
            if PARTIAL { L::load_first(from, lanes) } else { L::load(from) }
        };
        let c = self.c.as_mut_ptr();
        let at = |i: usize, v: usize| (row + i) * self.n + column + v * L::COUNT;
        // SAFETY: `new` has checked that A is [m, k] with these strides, B [k, n], C [m, n] and a
        // bias [n]; the caller's tile has row + ROWS ≤ m and column + VECTORS · lanes ≤ n.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; ROWS];
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    match self.start {
                        Start::Zero => {}
                        Start::Row(bias) => *sum = load(bias.as_ptr().add(column + v * L::COUNT)),
                        Start::Accumulate => *sum = load(c.add(at(i, v))),
                    }
                }
            }
            let (mut left, mut right) = (a.data, b.data);
            for _ in 0..depth {
                let mut vectors = [L::splat(0.0); VECTORS];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    *vector = load(right.add(v * L::COUNT));
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
                for (v, sum) in sums.iter().enumerate() {
                    if PARTIAL {
                        sum.store_first(c.add(at(i, v)), lanes);
                    } else {
                        sum.store(c.add(at(i, v)));
                    }
                }
            }
        }
    }
}

/// In rows of C: no element's sum is cut.
impl Divisible for Product<'_> {
    fn size(&self) -> usize {
        self.m
    }

    fn divide(self, rows: usize) -> (Self, Self) {
        let Product { a, b, start, c, m, k, n } = self;
        let (upper, lower) = c.split_at_mut(rows * n);
        // Where A's first rows are left out, what remains still ends where `new` has checked it to.
        let below = Left { data: &a.data[rows * a.row_stride..], ..a };
        let upper = Product { a, b, start, c: upper, m: rows, k, n };
        (upper, Product { a: below, b, start, c: lower, m: m - rows, k, n })
    }
}

/// Rows of the next tile: `ROWS`, but towards the end rather two of a similar height than one
/// with too few sums to keep the multipliers busy.
#[inline(always)]
fn height<const ROWS: usize>(left: usize) -> usize {
    if left > ROWS && left < ROWS + ROWS / 2 + 1 { left.div_ceil(2) } else { left.min(ROWS) }
}

/// The size of blocks that cut `total` into equal parts of at most `most`, each but the last a
/// multiple of `unit`, which `most` is too.
#[inline(always)]
fn even(total: usize, most: usize, unit: usize) -> usize {
    total.div_ceil(total.div_ceil(most).max(1)).next_multiple_of(unit)
}
