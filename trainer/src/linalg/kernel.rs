//! The tiled product, once for every vector type.
//!
//! ```text
//! for each block of at most K_BLOCK of k:                 // later ones go on from what C holds
//!     for each block of rows of C:                        // all rows, unless A is packed
//!         pack A's block, if A is a transposed matrix and large
//!         for each strip of VECTORS · lanes columns of C: // with a small B, this loop
//!             pack B's strip, if there are many rows or B is a transposed matrix
//!             for each panel of at most ROWS rows:        // and this one change places
//!                 tile = start                            // in registers
//!                 for p in the block of k:
//!                     for each row i, vector v:
//!                         tile[i][v] += a[i][p] · b[p][v] // fused
//!                 C's tile = tile, with the last block of k: finished
//! ```
//!
//! What is left at the right edge is done with strips of two vectors or one, the last of which may read
//! and write only its first lanes; what is left at the bottom with lower tiles. No element's sum changes
//! its order by any of that: a block of k begins with the sums that the one before it stored, and an
//! `f32` is stored exactly.
//!
//! Cases of their own are a C of one or two columns, whose rows are vectorised (`narrow`), few k
//! (`shallow`), and an A with many zeros (`sparse`).

mod ahead;
mod ends;
mod instructions;
mod masks;
mod narrow;
mod shallow;
mod sparse;
mod strips;
mod tile;

#[cfg(target_arch = "aarch64")]
pub(super) use instructions::run_neon;
#[cfg(target_arch = "x86_64")]
pub(super) use instructions::{chains_avx2, chains_avx512, run_avx2, run_avx512};

pub(super) use sparse::fits as leaves_zeros_out;

use super::count::Multiplications;
use super::factors::{Finish, Left, Right, Start};
use super::lanes::Lanes;
use super::pack::{self, K_BLOCK, M_BLOCK, Scratch};
use super::parallel::Divisible;

/// With fewer columns than this, A's numbers are used too seldom to be copied first.
const COLUMNS_TO_PACK: usize = 48;
/// Fewer columns than this take as long as these.
const FEW: usize = 8;
/// A smaller A than this stays in the first level cache as it lies.
const NUMBERS_TO_PACK: usize = 1 << 13;

/// A product whose shapes have been checked.
pub(super) struct Product<'a> {
    a: Left<'a>,
    b: Right<'a>,
    start: Start<'a>,
    finish: Finish<'a>,
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
        finish: Finish<'a>,
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
        if let Finish::WherePositive(y) = finish {
            assert_eq!(y.len(), c.len(), "matmul: shape of what finishes");
        }
        // A single column cannot be vectorised across columns. Where A's rows are adjacent, C and
        // Cᵀ = bᵀAᵀ are the same numbers in memory, and Cᵀ can.
        if n == 1 && strides == (1, m) && !matches!(start, Start::Row(_)) {
            let (a, b) = (Left::rows(b.data, k), Right::rows(a.data));
            return Product { a, b, start, finish, c, m: 1, k, n: m };
        }
        // A single row, or column, is the same numbers in memory as its transpose.
        let transposed = b.transposed && k > 1 && n > 1;
        // Here, where C is whole: it must not depend on how it is cut.
        let a = Left { sparse: a.sparse && sparse::fits(m, k, n), ..a };
        Product { a, b: Right { transposed, ..b }, start, finish, c, m, k, n }
    }

    /// Multiplications that it takes.
    pub(super) fn multiplications(&self) -> Multiplications {
        let all = (self.m * self.k * self.n) as u64;
        let factors = || self.a.data.iter().filter(|a| **a != 0.0).count();
        let computed = if self.a.sparse { (factors() * self.n) as u64 } else { all };
        Multiplications { all, computed }
    }

    /// Multiplications that would take about as long if there were more columns.
    pub(super) fn cost(&self) -> usize {
        self.m * self.k * self.n.max(FEW)
    }

    /// Computes the product in the way that suits it, with tiles of at most `ROWS` rows and `VECTORS`
    /// vectors of type `L`, or at most two vectors and `HIGH` rows.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    pub(super) unsafe fn run<L, const ROWS: usize, const HIGH: usize, const VECTORS: usize>(
        mut self,
        scratch: &mut Scratch,
    ) where
        L: Lanes,
    {
        // SAFETY: the caller's promise about `L`; each case is asked for before it is chosen.
        unsafe {
            if self.a.sparse {
                return self.run_sparse::<L>(scratch);
            }
            if self.k <= shallow::MOST && self.m >= shallow::LEAST_ROWS && self.n >= L::COUNT {
                return self.run_shallow::<L, VECTORS>(scratch);
            }
            let done = match self.n {
                1 if L::COUNT > 1 => self.narrow::<L, 1>(),
                2 if L::COUNT > 1 => self.narrow::<L, 2>(),
                _ => 0,
            };
            self.run_tiled::<L, ROWS, HIGH, VECTORS>(done, scratch);
        }
    }

    /// Computes the rows from `first` on in tiles, as [`Product::run`].
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    unsafe fn run_tiled<L, const ROWS: usize, const HIGH: usize, const VECTORS: usize>(
        mut self,
        first: usize,
        scratch: &mut Scratch,
    ) where
        L: Lanes,
    {
        const { assert!(ROWS <= HIGH && HIGH <= 8 && VECTORS <= strips::SINGLE) };
        const { assert!(strips::SINGLE * L::COUNT <= pack::WIDTH) };
        // Rows that lie side by side in memory are far apart along k.
        let pack_a = self.a.column_stride > 1
            && self.m > 1
            && self.k * self.m > NUMBERS_TO_PACK
            && self.n >= COLUMNS_TO_PACK;
        let (k_block, m_block) = (even(self.k, K_BLOCK, 1), even(self.m, M_BLOCK, ROWS));
        let m_block = if pack_a { m_block } else { self.m };
        let finish = self.finish;
        for p in (0..self.k).step_by(k_block) {
            let depth = k_block.min(self.k - p);
            self.finish = if p + depth == self.k { finish } else { Finish::Sums };
            for row in (first..self.m).step_by(m_block) {
                let rows = m_block.min(self.m - row);
                let mut block = Block { row, rows, p, depth, packed: None };
                // SAFETY: the caller's promise about `L`; the block lies within A and C and has at
                // most M_BLOCK rows if it is packed, and at most K_BLOCK of k.
                unsafe {
                    if pack_a {
                        block.packed = Some(self.pack_a::<ROWS>(&block, scratch));
                        self.block::<L, ROWS, ROWS, VECTORS>(&block, scratch);
                    } else {
                        self.block::<L, ROWS, HIGH, VECTORS>(&block, scratch);
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
        let Left { data, row_stride, column_stride, .. } = self.a;
        // SAFETY: the caller's promise.
        let data = unsafe { data.as_ptr().add(row * row_stride + p * column_stride) };
        Part { data, row_stride, column_stride }
    }
}

/// In rows of C: no element's sum is cut.
impl Divisible for Product<'_> {
    fn size(&self) -> usize {
        self.m
    }

    fn divide(self, rows: usize) -> (Self, Self) {
        let Product { a, b, start, finish, c, m, k, n } = self;
        let (upper, lower) = c.split_at_mut(rows * n);
        let (first, others) = match finish {
            Finish::WherePositive(y) => {
                let (first, others) = y.split_at(rows * n);
                (Finish::WherePositive(first), Finish::WherePositive(others))
            }
            Finish::Sums | Finish::Relu => (finish, finish),
        };
        // Where A's first rows are left out, what remains still ends where `new` has checked it to.
        let below = Left { data: &a.data[rows * a.row_stride..], ..a };
        let upper = Product { a, b, start, finish: first, c: upper, m: rows, k, n };
        (upper, Product { a: below, b, start, finish: others, c: lower, m: m - rows, k, n })
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
