//! What a plan is made of.

use std::ops::Range;

use crate::autodiff::ops::{Affine, Binary, Linear, Put, Side, Unary};
use crate::linalg::zeros::Shape;

/// Index of a buffer of the plan.
pub(super) type BufferId = usize;

/// One step of a plan. `out` is the only buffer it writes; the names are those of the operations.
#[derive(Debug)]
pub(super) enum Instruction {
    // Values.
    Input {
        index: usize,
        out: BufferId,
    },
    Parameter {
        index: usize,
        out: BufferId,
    },
    Linear {
        layer: Linear,
        activation: Option<Unary>,
        x: BufferId,
        out: BufferId,
    },
    Unary {
        f: Unary,
        x: BufferId,
        out: BufferId,
    },
    Binary {
        op: Binary,
        x: BufferId,
        y: BufferId,
        out: BufferId,
    },
    Affine {
        affine: Affine,
        x: BufferId,
        columns: usize,
        out: BufferId,
    },
    Concat {
        x: BufferId,
        x_columns: usize,
        y: BufferId,
        y_columns: usize,
        out: BufferId,
    },
    /// Also the derivative of `Concat`.
    CopyColumns {
        x: BufferId,
        x_columns: usize,
        start: usize,
        columns: usize,
        put: Put,
        out: BufferId,
    },
    Gather {
        x: BufferId,
        columns: usize,
        index: BufferId,
        out: BufferId,
    },
    ArgMax {
        x: BufferId,
        columns: usize,
        out: BufferId,
    },
    SumColumns {
        x: BufferId,
        columns: usize,
        out: BufferId,
    },
    Mean {
        x: BufferId,
        out: BufferId,
    },
    // Derivatives.
    /// dL/dL
    One {
        out: BufferId,
    },
    UnaryBackward {
        f: Unary,
        saved: BufferId,
        dy: BufferId,
        put: Put,
        out: BufferId,
    },
    /// Of an activation fused to its layer: in place.
    ActivationBackward {
        f: Unary,
        y: BufferId,
        out: BufferId,
    },
    BinaryBackward {
        op: Binary,
        side: Side,
        x: BufferId,
        y: BufferId,
        dz: BufferId,
        put: Put,
        out: BufferId,
    },
    AffineBackward {
        affine: Affine,
        dy: BufferId,
        columns: usize,
        put: Put,
        out: BufferId,
    },
    AddColumns {
        dy: BufferId,
        y_columns: usize,
        start: usize,
        columns: usize,
        put: Put,
        out: BufferId,
    },
    /// Of `Gather`.
    Scatter {
        dy: BufferId,
        index: BufferId,
        columns: usize,
        put: Put,
        out: BufferId,
    },
    Spread {
        dy: BufferId,
        columns: usize,
        put: Put,
        out: BufferId,
    },
    SpreadMean {
        dy: BufferId,
        put: Put,
        out: BufferId,
    },
    /// Adds to the gradient, which a run begins with zeros.
    ParameterBackward {
        index: usize,
        dy: BufferId,
    },
    /// Writes or adds to the gradients of the weights and the bias.
    WeightsBackward {
        layer: Linear,
        x: BufferId,
        dy: BufferId,
        put: Put,
    },
    InputBackward {
        layer: Linear,
        /// Which of the layer's inputs.
        inputs: Range<usize>,
        dy: BufferId,
        put: Put,
        /// The value of the ReLU whose output they are, where its derivative follows at once.
        relu: Option<BufferId>,
        out: BufferId,
    },
}

impl Instruction {
    /// Its product, if it has one whose left factor may have zeros: the buffer of that, and the sizes.
    pub(super) fn product(&self, sizes: &[usize]) -> Option<(BufferId, Shape)> {
        let (left, [m, k, n], left_transposed, right_transposed) = match *self {
            Instruction::Linear { layer, x, .. } => {
                (x, [sizes[x] / layer.inputs, layer.inputs, layer.outputs], false, false)
            }
            Instruction::WeightsBackward { layer, x, .. } => {
                (x, [layer.inputs, sizes[x] / layer.inputs, layer.outputs], true, false)
            }
            Instruction::InputBackward { layer, ref inputs, dy, .. } => {
                (dy, [sizes[dy] / layer.outputs, layer.outputs, inputs.len()], false, true)
            }
            _ => return None,
        };
        Some((left, Shape { m, k, n, left_transposed, right_transposed }))
    }

    /// The buffer written.
    pub(super) fn output(&self) -> Option<BufferId> {
        use Instruction as I;
        match *self {
            I::Input { out, .. }
            | I::Parameter { out, .. }
            | I::Linear { out, .. }
            | I::Unary { out, .. }
            | I::Binary { out, .. }
            | I::Affine { out, .. }
            | I::Concat { out, .. }
            | I::CopyColumns { out, .. }
            | I::Gather { out, .. }
            | I::ArgMax { out, .. }
            | I::SumColumns { out, .. }
            | I::Mean { out, .. }
            | I::One { out }
            | I::UnaryBackward { out, .. }
            | I::ActivationBackward { out, .. }
            | I::BinaryBackward { out, .. }
            | I::AffineBackward { out, .. }
            | I::AddColumns { out, .. }
            | I::Scatter { out, .. }
            | I::Spread { out, .. }
            | I::SpreadMean { out, .. }
            | I::InputBackward { out, .. } => Some(out),
            I::ParameterBackward { .. } | I::WeightsBackward { .. } => None,
        }
    }

    /// The buffers read, apart from the one written.
    pub(super) fn reads(&self) -> impl Iterator<Item = BufferId> {
        use Instruction as I;
        let reads = match *self {
            I::Input { .. } | I::Parameter { .. } | I::One { .. } => [None; 3],
            I::Linear { x, .. }
            | I::Unary { x, .. }
            | I::Affine { x, .. }
            | I::CopyColumns { x, .. }
            | I::ArgMax { x, .. }
            | I::SumColumns { x, .. }
            | I::Mean { x, .. } => [Some(x), None, None],
            I::Gather { x, index, .. } => [Some(x), Some(index), None],
            I::Scatter { dy, index, .. } => [Some(dy), Some(index), None],
            I::Binary { x, y, .. } | I::Concat { x, y, .. } => [Some(x), Some(y), None],
            I::UnaryBackward { saved, dy, .. } => [Some(saved), Some(dy), None],
            I::ActivationBackward { y, .. } => [Some(y), None, None],
            I::BinaryBackward { x, y, dz, .. } => [Some(x), Some(y), Some(dz)],
            I::AffineBackward { dy, .. }
            | I::AddColumns { dy, .. }
            | I::Spread { dy, .. }
            | I::SpreadMean { dy, .. }
            | I::ParameterBackward { dy, .. } => [Some(dy), None, None],
            I::InputBackward { dy, relu, .. } => [Some(dy), relu, None],
            I::WeightsBackward { x, dy, .. } => [Some(x), Some(dy), None],
        };
        reads.into_iter().flatten()
    }
}
