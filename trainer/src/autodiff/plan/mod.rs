//! The compiled program: `f32`, fused, without allocations.
//!
//! Compiling writes a list of instructions (`compile.rs`), each with at most one buffer to write,
//! and then gives every buffer its place in one arena by the time it is in use (`places.rs`).
//! Running walks the list once. A layer and the activation after it are one instruction;
//! derivatives that nobody asked for have none.

mod compile;
mod instruction;
mod places;

use std::ops::Range;

use instruction::{BufferId, Instruction};

use super::ops::{self, Put, Unary};
use super::{Params, Program, Tape};
use crate::linalg::{self, Backend, Left, Right, Start};

/// A loss compiled to run many times.
#[derive(Debug)]
pub struct Plan {
    instructions: Vec<Instruction>,
    /// Where each buffer lies in the arena.
    places: Vec<Range<usize>>,
    arena: Vec<f32>,
    loss: Option<BufferId>,
    keep: Vec<BufferId>,
    /// Parts of the gradient that a run begins with zeros.
    cleared: Vec<Range<usize>>,
    /// Sizes of the inputs, in their order.
    inputs: Vec<usize>,
    /// Length that the parameters must have at least.
    parameters: usize,
    backend: Backend,
}

impl Program for Plan {
    type Scalar = f32;

    fn from_tape(tape: Tape) -> Self {
        Plan::new(&tape, Backend::current())
    }

    fn run(&mut self, params: &mut Params<f32>, inputs: &[&[f32]]) {
        assert!(params.value.len() >= self.parameters, "the program needs more parameters");
        let sizes = inputs.iter().map(|input| input.len());
        assert!(sizes.eq(self.inputs.iter().copied()), "the program needs inputs of other sizes");
        for range in &self.cleared {
            params.gradient[range.clone()].fill(0.0);
        }
        for instruction in &self.instructions {
            let out = instruction.output().map_or(0..0, |id| self.places[id].clone());
            let mut arena = Arena::lend(&mut self.arena, out, &self.places);
            instruction.run(&mut arena, params, inputs, self.backend);
        }
    }

    fn kept(&self, index: usize) -> &[f32] {
        &self.arena[self.places[self.keep[index]].clone()]
    }

    fn loss(&self) -> f32 {
        self.loss.map_or(0.0, |id| self.arena[self.places[id].start])
    }
}

impl Plan {
    /// The plan of a tape, with the products of a backend. The bits do not depend on it.
    pub fn new(tape: &Tape, backend: Backend) -> Self {
        let compiled = compile::compile(tape);
        let (places, size) = places::assign(&compiled);
        Plan {
            instructions: compiled.instructions,
            places,
            arena: vec![0.0; size],
            loss: compiled.loss,
            keep: compiled.keep,
            cleared: compiled.cleared,
            inputs: tape.inputs.clone(),
            parameters: tape.parameters(),
            backend,
        }
    }

    /// Number of instructions.
    #[allow(clippy::len_without_is_empty, reason = "a plan is never empty")]
    pub fn len(&self) -> usize {
        self.instructions.len()
    }
}

/// The arena with one buffer lent out for writing and all others for reading.
struct Arena<'a> {
    before: &'a [f32],
    out: &'a mut [f32],
    after: &'a [f32],
    places: &'a [Range<usize>],
}

impl<'a> Arena<'a> {
    fn lend(arena: &'a mut [f32], out: Range<usize>, places: &'a [Range<usize>]) -> Self {
        let (before, rest) = arena.split_at_mut(out.start);
        let (out, after) = rest.split_at_mut(out.len());
        Arena { before, out, after, places }
    }

    /// A buffer other than the one being written.
    fn read(&self, id: BufferId) -> &'a [f32] {
        let place = &self.places[id];
        let shift = self.before.len() + self.out.len();
        if place.start < self.before.len() {
            &self.before[place.clone()]
        } else {
            &self.after[place.start - shift..place.end - shift]
        }
    }
}

impl Instruction {
    fn run(
        &self,
        arena: &mut Arena<'_>,
        params: &mut Params<f32>,
        inputs: &[&[f32]],
        backend: Backend,
    ) {
        match self {
            Instruction::Input { index, .. } => arena.out.copy_from_slice(inputs[*index]),
            Instruction::Parameter { index, .. } => arena.out[0] = params.value[*index],
            Instruction::Linear { layer, activation, x, .. } => {
                let (weights, bias) = (layer.weights(), &params.value[layer.bias()]);
                let weights = Right::rows(&params.value[weights]);
                let x = Left::rows(arena.read(*x), layer.inputs);
                backend.matmul(x, weights, layer.outputs, Start::Row(bias), arena.out);
                let out = &mut *arena.out;
                match activation {
                    None => {}
                    // Spelt out, it is a loop without a branch.
                    Some(Unary::Relu) => {
                        backend.vectorise(|| Unary::Relu.forward_in_place(out));
                    }
                    Some(f) => f.forward_in_place(out),
                }
            }
            Instruction::Unary { f, x, .. } => f.forward(arena.read(*x), arena.out),
            Instruction::Binary { op, x, y, .. } => {
                op.forward(arena.read(*x), arena.read(*y), arena.out);
            }
            Instruction::Affine { affine, x, columns, .. } => {
                affine.forward(arena.read(*x), *columns, arena.out);
            }
            Instruction::Concat { x, x_columns, y, y_columns, .. } => {
                ops::concat(arena.read(*x), *x_columns, arena.read(*y), *y_columns, arena.out);
            }
            Instruction::CopyColumns { x, x_columns, start, columns, put, .. } => {
                ops::copy_columns(arena.read(*x), *x_columns, *start, arena.out, *columns, *put);
            }
            Instruction::Gather { x, columns, index, .. } => {
                ops::gather(arena.read(*x), *columns, arena.read(*index), arena.out);
            }
            Instruction::ArgMax { x, columns, .. } => {
                ops::argmax(arena.read(*x), *columns, arena.out);
            }
            Instruction::SumColumns { x, columns, .. } => {
                ops::sum_columns(arena.read(*x), *columns, arena.out);
            }
            Instruction::Mean { x, .. } => arena.out[0] = ops::mean(arena.read(*x)),
            Instruction::One { .. } => arena.out.fill(1.0),
            Instruction::UnaryBackward { f, saved, dy, put, .. } => {
                f.backward(arena.read(*saved), arena.read(*dy), arena.out, *put);
            }
            Instruction::ActivationBackward { f, y, .. } => {
                let (y, dy) = (arena.read(*y), &mut *arena.out);
                backend.vectorise(|| match f {
                    // Spelt out, it is a loop without a branch; signs are hard to predict.
                    Unary::Relu => Unary::Relu.backward_in_place(y, dy),
                    f => f.backward_in_place(y, dy),
                });
            }
            Instruction::BinaryBackward { op, side, x, y, dz, put, .. } => {
                let operands = (arena.read(*x), arena.read(*y));
                op.backward(*side, operands, arena.read(*dz), arena.out, *put);
            }
            Instruction::AffineBackward { affine, dy, columns, put, .. } => {
                affine.backward(arena.read(*dy), *columns, arena.out, *put);
            }
            Instruction::AddColumns { dy, y_columns, start, columns, put, .. } => {
                ops::add_columns(arena.read(*dy), *y_columns, *start, arena.out, *columns, *put);
            }
            Instruction::Scatter { dy, index, columns, put, .. } => {
                ops::scatter(arena.read(*dy), arena.read(*index), arena.out, *columns, *put);
            }
            Instruction::Spread { dy, columns, put, .. } => {
                ops::spread(arena.read(*dy), *columns, arena.out, *put);
            }
            Instruction::SpreadMean { dy, put, .. } => {
                ops::spread_mean(arena.read(*dy)[0], arena.out, *put);
            }
            Instruction::ParameterBackward { index, dy } => {
                params.gradient[*index] += arena.read(*dy)[0];
            }
            Instruction::WeightsBackward { layer, x, dy, put } => {
                let (x, dy) = (arena.read(*x), arena.read(*dy));
                let dw = &mut params.gradient[layer.weights()];
                let x = Left::columns(x, layer.inputs);
                backend.matmul(x, Right::rows(dy), layer.outputs, start(*put), dw);
                linalg::column_sums(dy, &mut params.gradient[layer.bias()]);
            }
            Instruction::InputBackward { layer, dy, put, .. } => {
                let dy = Left::rows(arena.read(*dy), layer.outputs);
                let weights = Right::columns(&params.value[layer.weights()]);
                backend.matmul(dy, weights, layer.inputs, start(*put), arena.out);
            }
        }
    }
}

/// What the sums of a product start from.
fn start(put: Put) -> Start<'static> {
    match put {
        Put::Set => Start::Zero,
        Put::Add => Start::Accumulate,
    }
}
