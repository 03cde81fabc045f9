//! The operations. Each file has a value beside its derivative, generic over the number, so that
//! both programs compute the same mathematics.

mod affine;
mod binary;
mod linear;
mod select;
mod shape;
mod unary;

pub use affine::Affine;
pub use binary::{Binary, Side};
pub use linear::Linear;
pub use select::{argmax, gather, scatter};
pub use shape::{add_columns, concat, copy_columns, mean, spread, spread_mean, sum_columns};
pub use unary::{Saved, Unary};

use crate::scalar::Scalar;

/// An operation with the nodes it reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// An input of the program.
    Input(usize),
    /// A single parameter.
    Parameter(usize),
    /// xW + b
    Linear(Linear, usize),
    /// f(x), entry by entry
    Unary(Unary, usize),
    /// x ∘ y, entry by entry
    Binary(Binary, usize, usize),
    /// scaleⱼ xⱼ + shiftⱼ
    Affine(Affine, usize),
    /// (x | y)
    Concat(usize, usize),
    /// Columns of x, from `start` on, as many as the node's shape has.
    Columns {
        /// The node read.
        x: usize,
        /// First column.
        start: usize,
    },
    /// xᵢ of each row, i an entry of `index` `[B, 1]`.
    Gather {
        /// The node read.
        x: usize,
        /// The node with the column of each row.
        index: usize,
    },
    /// argmaxⱼ xⱼ of each row
    ArgMax(usize),
    /// Σⱼ xⱼ
    SumColumns(usize),
    /// The mean of all entries.
    Mean(usize),
}

impl Op {
    /// The nodes read.
    pub fn operands(&self) -> impl Iterator<Item = usize> {
        let (first, second) = match *self {
            Op::Input(_) | Op::Parameter(_) => (None, None),
            Op::Linear(_, x) | Op::Unary(_, x) | Op::Affine(_, x) => (Some(x), None),
            Op::Columns { x, .. } | Op::ArgMax(x) | Op::SumColumns(x) | Op::Mean(x) => {
                (Some(x), None)
            }
            Op::Binary(_, x, y) | Op::Concat(x, y) => (Some(x), Some(y)),
            Op::Gather { x, index } => (Some(x), Some(index)),
        };
        first.into_iter().chain(second)
    }
}

/// How a derivative meets what its buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is the first to arrive.
    Set,
    /// It adds to those before.
    Add,
}

impl Put {
    /// Puts `x` in its place.
    #[inline(always)]
    pub fn to<T: Scalar>(self, place: &mut T, x: T) {
        match self {
            Put::Set => *place = x,
            Put::Add => *place += x,
        }
    }
}
