//! Losses as expressions.

mod error;
mod operators;

use std::cell::{Cell, RefCell};
use std::ops::Range;

pub use error::GraphError;

use super::ops::{Affine, Binary, Linear, Op, Unary};
use super::{Program, Tape};

/// `[B, columns]`, or `[1, 1]` for a single number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// B, or 1 for a single number.
    pub rows: usize,
    /// Entries of a row.
    pub columns: usize,
    /// Is it a single number? A batch of one row with one column is not: what goes together must
    /// not depend on B.
    pub single: bool,
}

impl Shape {
    /// A single number.
    pub const SINGLE: Shape = Shape { rows: 1, columns: 1, single: true };

    /// `[rows, columns]`
    pub fn matrix(rows: usize, columns: usize) -> Self {
        Shape { rows, columns, single: false }
    }

    /// Number of entries.
    #[allow(clippy::len_without_is_empty, reason = "a shape is never empty")]
    pub fn len(self) -> usize {
        self.rows * self.columns
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.single {
            true => f.write_str("[1, 1]"),
            false => write!(f, "[B = {}, {}]", self.rows, self.columns),
        }
    }
}

/// One recorded operation.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does, with the nodes it reads.
    pub op: Op,
    /// Shape of its value.
    pub shape: Shape,
}

/// Records expressions. Cheap to make; the cost is in what it is compiled to.
#[derive(Debug)]
pub struct Graph {
    batch: usize,
    nodes: RefCell<Vec<Node>>,
    inputs: Cell<usize>,
    /// The first mistake: operators cannot return it, so `compile` does.
    error: RefCell<Option<GraphError>>,
}

/// The value of an expression: a matrix `[B, n]`, or a single number `[1, 1]`.
#[derive(Debug, Clone, Copy)]
pub struct Var<'g> {
    graph: &'g Graph,
    id: usize,
}

impl Graph {
    /// A graph whose inputs have `batch` rows.
    pub fn new(batch: usize) -> Self {
        Graph { batch, nodes: RefCell::default(), inputs: Cell::new(0), error: RefCell::new(None) }
    }

    /// The next input `[B, columns]` of the program.
    pub fn input(&self, columns: usize) -> Var<'_> {
        let index = self.inputs.replace(self.inputs.get() + 1);
        self.push(Op::Input(index), Shape::matrix(self.batch, columns))
    }

    /// The single parameter at `index`, as `[1, 1]`.
    pub fn parameter(&self, index: usize) -> Var<'_> {
        self.push(Op::Parameter(index), Shape::SINGLE)
    }

    /// Turns expressions into a program: `loss` (if any) with its derivatives by the parameters in
    /// the ranges `with_respect_to`, and the values of `keep`. Gradients that nobody asked for are
    /// not computed: whatever the loss also depends on is held constant.
    ///
    /// # Errors
    ///
    /// If operands do not go together, the loss is not a single number, or a range cuts through a layer
    /// or is one that the loss does not depend on.
    pub fn compile<P: Program>(
        &self,
        loss: Option<Var<'_>>,
        with_respect_to: &[Range<usize>],
        keep: &[Var<'_>],
    ) -> Result<P, GraphError> {
        if let Some(error) = self.error.borrow().clone() {
            return Err(error);
        }
        if loss.iter().chain(keep).any(|var| !std::ptr::eq(var.graph, self)) {
            return Err(GraphError::TwoGraphs { operation: "compile" });
        }
        let keep = keep.iter().map(|var| var.id).collect();
        let nodes = self.nodes.borrow().clone();
        Tape::new(nodes, loss.map(|var| var.id), with_respect_to, keep).map(P::from_tape)
    }

    /// Records an operation; one that was recorded before is not recorded, nor computed, again, so
    /// that formulas may repeat themselves.
    fn push(&self, op: Op, shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(id) = nodes.iter().position(|node| node.op == op && node.shape == shape) {
            return Var { graph: self, id };
        }
        nodes.push(Node { op, shape });
        Var { graph: self, id: nodes.len() - 1 }
    }

    fn fail(&self, error: GraphError) {
        self.error.borrow_mut().get_or_insert(error);
    }
}

// `min`, `mean` and the like are the names of the formulas.
impl<'g> Var<'g> {
    /// The graph it belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// Shape of the value.
    pub fn shape(self) -> Shape {
        self.graph.nodes.borrow()[self.id].shape
    }

    /// xW + b for a layer of the parameters, `[B, inputs]` → `[B, outputs]`.
    pub fn linear(self, layer: Linear) -> Self {
        let shape = self.shape();
        if shape.columns != layer.inputs {
            let needed = layer.inputs;
            self.graph.fail(GraphError::Inputs { needed, found: shape });
        }
        self.graph.push(Op::Linear(layer, self.id), Shape::matrix(shape.rows, layer.outputs))
    }

    /// max(x, 0)
    pub fn relu(self) -> Self {
        self.unary(Unary::Relu)
    }

    /// tanh x
    pub fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    /// eˣ
    pub fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }

    /// ln x
    pub fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }

    /// x²
    pub fn square(self) -> Self {
        self.unary(Unary::Square)
    }

    /// sech² x = 1 − tanh² x, without the cancellation of that difference.
    pub fn sech_square(self) -> Self {
        self.unary(Unary::SechSquare)
    }

    /// Huber's loss: ½x² where |x| ≤ δ, δ(|x| − ½δ) beyond (Huber, 1964).
    pub fn huber(self, delta: f64) -> Self {
        self.unary(Unary::Huber { delta })
    }

    /// min(max(x, low), high); its derivative is 1 within the bounds, ends included, 0 outside.
    pub fn clamp(self, low: f64, high: f64) -> Self {
        self.unary(Unary::Clamp { low, high })
    }

    /// The smaller of two, entry by entry; where they are equal each gets half of the derivative.
    pub fn min(self, other: Self) -> Self {
        self.binary(Binary::Min, other)
    }

    /// scaleⱼ xⱼ + shiftⱼ for each column j; one number stands for all columns.
    pub fn affine(self, scale: &[f64], shift: &[f64]) -> Self {
        let shape = self.shape();
        for given in [scale.len(), shift.len()] {
            if given != 1 && given != shape.columns {
                self.graph.fail(GraphError::Columns {
                    operation: "affine",
                    start: 0,
                    end: given,
                    found: shape,
                });
            }
        }
        let affine = Affine { scale: scale.to_vec(), shift: shift.to_vec() };
        self.graph.push(Op::Affine(affine, self.id), shape)
    }

    /// (x | y): the columns of both, side by side.
    pub fn concat(self, other: Self) -> Self {
        let (left, right) = self.shapes("concat", other);
        if left.rows != right.rows || left.single != right.single {
            self.graph.fail(GraphError::Shapes { operation: "concat", left, right });
        }
        let columns = left.columns + right.columns;
        self.graph.push(Op::Concat(self.id, other.id), Shape::matrix(left.rows, columns))
    }

    /// Some of the columns.
    pub fn columns(self, range: Range<usize>) -> Self {
        let found = self.shape();
        let Range { start, end } = range;
        if start >= end || end > found.columns {
            self.graph.fail(GraphError::Columns { operation: "columns", start, end, found });
        }
        let shape = Shape::matrix(found.rows, end.saturating_sub(start).max(1));
        self.graph.push(Op::Columns { x: self.id, start }, shape)
    }

    /// The column of each row that `index` `[B, 1]` names: `[B, n]` → `[B, 1]`. The index is held
    /// constant.
    pub fn gather(self, index: Self) -> Self {
        let (left, right) = self.shapes("gather", index);
        if left.rows != right.rows || right.columns != 1 || left.single || right.single {
            self.graph.fail(GraphError::Shapes { operation: "gather", left, right });
        }
        let op = Op::Gather { x: self.id, index: index.id };
        self.graph.push(op, Shape::matrix(left.rows, 1))
    }

    /// argmaxⱼ xⱼ: the column of each row's largest entry, the first of equals, `[B, n]` → `[B, 1]`.
    /// It has no derivative.
    pub fn argmax(self) -> Self {
        let rows = self.shape().rows;
        self.graph.push(Op::ArgMax(self.id), Shape::matrix(rows, 1))
    }

    /// maxⱼ xⱼ: each row's largest entry, `[B, n]` → `[B, 1]`; where several are equal the first one
    /// gets the derivative.
    pub fn max_columns(self) -> Self {
        self.gather(self.argmax())
    }

    /// Σⱼ xⱼ over the columns: `[B, n]` → `[B, 1]`.
    pub fn sum_columns(self) -> Self {
        let rows = self.shape().rows;
        self.graph.push(Op::SumColumns(self.id), Shape::matrix(rows, 1))
    }

    /// The mean over all entries: a single number `[1, 1]`.
    pub fn mean(self) -> Self {
        self.graph.push(Op::Mean(self.id), Shape::SINGLE)
    }

    /// Both shapes, for an operation of two expressions.
    fn shapes(self, operation: &'static str, other: Self) -> (Shape, Shape) {
        if !std::ptr::eq(self.graph, other.graph) {
            self.graph.fail(GraphError::TwoGraphs { operation });
            // The other's number may mean nothing in this graph; its shape is all that is used.
        }
        (self.shape(), other.shape())
    }

    fn unary(self, op: Unary) -> Self {
        self.graph.push(Op::Unary(op, self.id), self.shape())
    }

    fn binary(self, op: Binary, other: Self) -> Self {
        let (left, right) = self.shapes(op.name(), other);
        let shape = match (left.single, right.single) {
            _ if left == right => left,
            (_, true) => left,
            (true, _) => right,
            _ => {
                self.graph.fail(GraphError::Shapes { operation: op.name(), left, right });
                left
            }
        };
        self.graph.push(Op::Binary(op, self.id, other.id), shape)
    }
}
