//! What a product is made of.

/// The left factor A: element (i, p) is `data[i · row_stride + p · column_stride]`, so that a
/// transposed matrix needs no copy.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    pub(super) data: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
    /// Are terms of its zeros left out?
    pub(super) sparse: bool,
}

impl<'a> Left<'a> {
    /// A row-major `[m, columns]` matrix.
    pub fn rows(data: &'a [f32], columns: usize) -> Self {
        Left { data, row_stride: columns, column_stride: 1, sparse: false }
    }

    /// The transpose `[rows, k]` of a row-major `[k, rows]` matrix.
    pub fn columns(data: &'a [f32], rows: usize) -> Self {
        Left { data, row_stride: 1, column_stride: rows, sparse: false }
    }

    /// Says that many of its numbers are 0, as of what comes from a ReLU, and that their terms shall be left
    /// out. Products with at least 8 rows, 16 k and 48 columns do so, the whole product or none of its parts. That changes an
    /// element only where such a term is a NaN (0 · ∞, 0 · NaN), which is then not seen, or where it would turn a −0
    /// into a 0. No run that goes on can tell: it stops at a loss or parameter that is not finite, and Adam takes both zeros
    /// of a gradient for 0.
    pub fn with_zeros(self) -> Self {
        Left { sparse: true, ..self }
    }
}

/// The right factor B `[k, n]`.
#[derive(Debug, Clone, Copy)]
pub struct Right<'a> {
    pub(super) data: &'a [f32],
    pub(super) transposed: bool,
}

impl<'a> Right<'a> {
    /// A row-major `[k, n]` matrix.
    pub fn rows(data: &'a [f32]) -> Self {
        Right { data, transposed: false }
    }

    /// The transpose of a row-major `[n, k]` matrix.
    pub fn columns(data: &'a [f32]) -> Self {
        Right { data, transposed: true }
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

/// What becomes of the sums.
#[derive(Debug, Clone, Copy)]
pub enum Finish<'a> {
    /// They are C.
    Sums,
    /// max(sum, 0); a NaN stays one.
    Relu,
    /// The sum where y `[m, n]` is positive, else 0, whatever the sum: the derivative of a ReLU whose
    /// value is y.
    WherePositive(&'a [f32]),
}
