//! The tiled product, once for every vector type.
//!
//! ```text
//! for each block of ROWS rows and VECTORS · lanes columns of C:
//!     tile = start                                   // in registers
//!     for p in 0..k:
//!         for each row i, vector v:  tile[i][v] += a[i][p] · b[p][v]      // fused
//!     C's block = tile
//! ```
//!
//! What is left at the right edge is done with narrower tiles, at last with single columns; what
//! is left at the bottom with single rows. No element's sum changes its order by that.

use super::lanes::Lanes;

/// The left factor A: element (i, p) is `data[i · row_stride + p · column_stride]`, so that a
/// transposed matrix needs no copy.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    pub(super) data: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Left<'a> {
    /// A row-major `[m, columns]` matrix.
    pub fn rows(data: &'a [f32], columns: usize) -> Self {
        Left { data, row_stride: columns, column_stride: 1 }
    }

    /// The transpose `[rows, k]` of a row-major `[k, rows]` matrix.
    pub fn columns(data: &'a [f32], rows: usize) -> Self {
        Left { data, row_stride: 1, column_stride: rows }
    }
}

/// What the sums start from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// 0
    Zero,
    /// The same row `[n]` (a bias) for each row of C.
    Row(&'a [f32]),
    /// What C holds already.
    Accumulate,
}

/// A product whose shapes have been checked.
pub(super) struct Product<'a> {
    a: Left<'a>,
    b: &'a [f32],
    start: Start<'a>,
    c: &'a mut [f32],
    m: usize,
    k: usize,
    n: usize,
}

impl<'a> Product<'a> {
    /// Checks the shapes; the unsafe code below rests on these lines.
    pub(super) fn new(
        a: Left<'a>,
        b: &'a [f32],
        n: usize,
        start: Start<'a>,
        c: &'a mut [f32],
    ) -> Self {
        assert!(
            n > 0 && c.len().is_multiple_of(n) && b.len().is_multiple_of(n),
            "matmul: shape of B or C"
        );
        let (m, k) = (c.len() / n, b.len() / n);
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
            return Product { a: Left::rows(b, k), b: a.data, start, c, m: 1, k, n: m };
        }
        Product { a, b, start, c, m, k, n }
    }

    /// Computes the product with tiles of `ROWS` rows and `VECTORS` vectors of type `L`.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`.
    #[inline(always)]
    pub(super) unsafe fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let mut column = 0;
        // SAFETY: the caller's promise about `L`; each strip of columns ends within n.
        unsafe {
            while column + VECTORS * L::COUNT <= self.n {
                self.strip::<L, ROWS, VECTORS>(column);
                column += VECTORS * L::COUNT;
            }
            while column + L::COUNT <= self.n {
                self.strip::<L, ROWS, 1>(column);
                column += L::COUNT;
            }
            while column < self.n {
                self.strip::<f32, ROWS, 1>(column);
                column += 1;
            }
        }
    }

    /// All rows of the columns from `column` on, as many as `VECTORS` vectors have lanes.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`, and the columns end within n.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const ROWS: usize, const VECTORS: usize>(&mut self, column: usize) {
        let mut row = 0;
        // SAFETY: the caller's promise; each tile ends within m.
        unsafe {
            while row + ROWS <= self.m {
                self.tile::<L, ROWS, VECTORS>(row, column);
                row += ROWS;
            }
            while row < self.m {
                self.tile::<L, 1, VECTORS>(row, column);
                row += 1;
            }
        }
    }

    /// One tile of C, kept in registers over the whole sum.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `L`, and the tile lies within C.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        row: usize,
        column: usize,
    ) {
        let (a, b, c) = (self.a.data.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let at = |i: usize, v: usize| (row + i) * self.n + column + v * L::COUNT;
        // SAFETY: `new` has checked that A is [m, k] with these strides, B [k, n], C [m, n] and a
        // bias [n]; the caller's tile has row + ROWS ≤ m and column + VECTORS · lanes ≤ n.
        unsafe {
            let mut sums = [[L::splat(0.0); VECTORS]; ROWS];
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    match self.start {
                        Start::Zero => {}
                        Start::Row(bias) => {
                            *sum = L::load(bias.as_ptr().add(column + v * L::COUNT));
                        }
                        Start::Accumulate => *sum = L::load(c.add(at(i, v))),
                    }
                }
            }
            let mut a = a.add(row * self.a.row_stride);
            let mut b = b.add(column);
            for _ in 0..self.k {
                let mut right = [L::splat(0.0); VECTORS];
                for (v, right) in right.iter_mut().enumerate() {
                    *right = L::load(b.add(v * L::COUNT));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let left = L::splat(*a.add(i * self.a.row_stride));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = sum.add_product(left, right);
                    }
                }
                // One past the last element at the end of the loop, which a pointer may be; with
                // strides it may lie further, so that it is a wrapping step, never read.
                a = a.wrapping_add(self.a.column_stride);
                b = b.wrapping_add(self.n);
            }
            for (i, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(c.add(at(i, v)));
                }
            }
        }
    }
}

/// The kernel with AVX2 and FMA: 6 × 2 registers for sums, 2 for B, 1 for A, of 16.
///
/// # Safety
///
/// The processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run_avx2(product: Product<'_>) {
    // SAFETY: the caller's promise.
    unsafe { product.run::<std::arch::x86_64::__m256, 6, 2>() }
}
