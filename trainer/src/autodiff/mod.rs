//! Reverse-mode automatic differentiation, by hand.
//!
//! A loss is written once, as an expression over [`Var`]s that reads like its formula. The
//! [`Graph`] records it; [`Graph::compile`] turns it into a [`Program`]:
//!
//! - [`Plan`] trains: `f32`, fused, with a place for every buffer found in advance, so that a run
//!   allocates nothing;
//! - [`Interpreter`] checks: `f64`, one operation after the other, no cleverness. Finite
//!   differences and reference frameworks are compared with it.
//!
//! ```
//! use trainer::autodiff::{Graph, Interpreter, Params, Program};
//! // L = mean (w·x − y)², by the one parameter w
//! let graph = Graph::new(2); // a batch of 2
//! let (x, y) = (graph.input(1), graph.input(1));
//! let w = graph.parameter(0);
//! let loss = (x * w - y).square().mean();
//! let mut program: Interpreter = graph.compile(Some(loss), &[0..1], &[]).unwrap();
//! let mut params = Params::new(1);
//! params.value[0] = 3.0;
//! program.run(&mut params, &[&[1.0, 2.0], &[1.0, 1.0]]);
//! assert_eq!(program.loss(), (4.0 + 25.0) / 2.0);
//! assert_eq!(params.gradient[0], (2.0 * 2.0 * 1.0 + 2.0 * 5.0 * 2.0) / 2.0);
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`graph`] | `Var`, `Graph`, shapes, what can be written |
//! | [`ops`] | each operation: its value beside its derivative, generic over the number |
//! | [`tape`] | what both programs need to know of a graph: what is live, what is differentiated |
//! | [`interpreter`] | the `f64` reference |
//! | [`plan`] | the compiled `f32` program |
//! | [`params`] | all parameters of an agent, back to back |

pub mod graph;
pub mod interpreter;
pub mod ops;
pub mod params;
pub mod plan;
pub mod tape;
#[cfg(test)]
mod tests;

pub use graph::{Graph, GraphError, Shape, Var};
pub use interpreter::Interpreter;
pub use ops::Linear;
pub use params::Params;
pub use plan::Plan;
pub use tape::Tape;

use crate::scalar::Scalar;
use crate::state::{StateError, Walk};

/// A compiled loss, or a compiled value: what algorithms run.
pub trait Program: Send {
    /// `f32` to train, `f64` to check.
    type Scalar: Scalar;

    /// Makes the program for a tape.
    fn from_tape(tape: Tape) -> Self;

    /// Computes the values for the inputs, in the order in which they were declared, row-major;
    /// and where there is a loss, writes its derivatives to `params.gradient`, only in the ranges
    /// it was compiled for.
    ///
    /// # Panics
    ///
    /// If an input does not have its declared size or `params` is shorter than the graph's.
    fn run(&mut self, params: &mut Params<Self::Scalar>, inputs: &[&[Self::Scalar]]);

    /// The value of `keep[index]` after a run, row-major.
    fn kept(&self, index: usize) -> &[Self::Scalar];

    /// The loss after a run; 0 where the program was compiled without one.
    fn loss(&self) -> Self::Scalar;

    /// What the last run left to be read: the loss and what was kept.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another program's.
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError>;
}
