//! What is wrong with an expression.

use super::Shape;

/// Why an expression cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two operands do not go together.
    #[error("{operation} does not take {left} and {right}")]
    Shapes {
        /// The operation.
        operation: &'static str,
        /// Shape of the left operand.
        left: Shape,
        /// Shape of the right operand.
        right: Shape,
    },
    /// A layer with another number of inputs.
    #[error("a layer of {needed} inputs does not take {found}")]
    Inputs {
        /// Inputs of the layer.
        needed: usize,
        /// Shape of the operand.
        found: Shape,
    },
    /// Columns that an operand does not have.
    #[error("{operation} needs columns {start}..{end} of an operand of shape {found}")]
    Columns {
        /// The operation.
        operation: &'static str,
        /// First column.
        start: usize,
        /// One past the last column.
        end: usize,
        /// Shape of the operand.
        found: Shape,
    },
    /// The loss is not a single number.
    #[error("a loss is a single number, this has shape {found}: take its mean()")]
    NotScalar {
        /// Shape of the expression.
        found: Shape,
    },
    /// Expressions of two graphs in one.
    #[error("{operation} takes expressions of one graph, these belong to two")]
    TwoGraphs {
        /// The operation.
        operation: &'static str,
    },
    /// A range to differentiate by that cuts through a layer.
    #[error("the parameters {start}..{end} to differentiate by end within a layer")]
    Cut {
        /// First parameter of the range.
        start: usize,
        /// One past the last.
        end: usize,
    },
    /// A range to differentiate by that the loss does not depend on.
    #[error("the loss does not depend on the parameters {start}..{end}")]
    Independent {
        /// First parameter of the range.
        start: usize,
        /// One past the last.
        end: usize,
    },
}
