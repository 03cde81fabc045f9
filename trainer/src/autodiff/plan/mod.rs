//! The compiled program: `f32`, fused, without allocations.
//!
//! Compiling writes a list of instructions (`compile.rs`), each with at most one buffer to write,
//! and then gives every buffer its place in one arena by the time it is in use (`places.rs`).
//! Running walks the list once. A layer and the activation after it are one instruction;
//! derivatives that nobody asked for have none, and neighbours are done together where that costs
//! less (`simplify.rs`).

mod compile;
mod instruction;
mod places;
mod simplify;

use std::ops::Range;

use instruction::{BufferId, Instruction};
use places::LINE;

use super::ops::{self, Put, Unary};
use super::{Params, Program, Tape};
use crate::elementary;
use crate::linalg::{self, Backend, Finish, Left, Right, Start, zeros};
use crate::state::{StateError, Walk};

/// A loss compiled to run many times.
#[derive(Debug)]
pub struct Plan {
    instructions: Vec<Instruction>,
    /// Where each buffer lies in the arena.
    places: Vec<Range<usize>>,
    arena: Vec<f32>,
    /// For each instruction, whether its product leaves out the terms of zeros.
    without_zeros: Vec<bool>,
    loss: Option<BufferId>,
    keep: Vec<BufferId>,
    /// Parts of the gradient that a run begins with zeros.
    cleared: Vec<Range<usize>>,
    /// Sizes of the inputs, in their order.
    inputs: Vec<usize>,
    /// Length that the parameters must have at least.
    parameters: usize,
    /// As many as a batch has rows.
    ones: Vec<f32>,
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
        for (instruction, without_zeros) in self.instructions.iter().zip(&self.without_zeros) {
            let out = instruction.output().map_or(0..0, |id| self.places[id].clone());
            let mut arena = Arena::lend(&mut self.arena, out, &self.places, *without_zeros);
            instruction.run(&mut arena, params, inputs, &self.ones, self.backend);
        }
    }

    fn kept(&self, index: usize) -> &[f32] {
        &self.arena[self.places[self.keep[index]].clone()]
    }

    fn loss(&self) -> f32 {
        self.loss.map_or(0.0, |id| self.arena[self.places[id].start])
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        for id in self.loss.iter().chain(&self.keep) {
            walk.numbers(&mut self.arena[self.places[*id].clone()])?;
        }
        Ok(())
    }
}

impl Plan {
    /// The plan of a tape, with the products of a backend. The bits do not depend on it.
    pub fn new(tape: &Tape, backend: Backend) -> Self {
        linalg::prepare();
        let compiled = compile::compile(tape);
        let (mut places, size) = places::assign(&compiled);
        // Registers are read fastest from within cache lines; the heap's numbers stay where they are.
        let arena = vec![0.0_f32; size + LINE];
        let start = arena.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        places.iter_mut().for_each(|place| *place = place.start + start..place.end + start);
        let without_zeros = compiled.instructions.iter().map(|instruction| {
            let product = instruction.product(&compiled.sizes);
            product.is_some_and(|(left, shape)| {
                compiled.zeros[left] && zeros::leave_out(backend, shape)
            })
        });
        Plan {
            without_zeros: without_zeros.collect(),
            instructions: compiled.instructions,
            places,
            arena,
            loss: compiled.loss,
            keep: compiled.keep,
            cleared: compiled.cleared,
            inputs: tape.inputs.clone(),
            parameters: tape.parameters(),
            ones: vec![1.0; tape.rows()],
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
    /// Does the product of this instruction leave out the terms of zeros?
    without_zeros: bool,
}

impl<'a> Arena<'a> {
    fn lend(
        arena: &'a mut [f32],
        out: Range<usize>,
        places: &'a [Range<usize>],
        without_zeros: bool,
    ) -> Self {
        let (before, rest) = arena.split_at_mut(out.start);
        let (out, after) = rest.split_at_mut(out.len());
        Arena { before, out, after, places, without_zeros }
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

    /// A buffer `[B, columns]` as the left factor of a product.
    fn rows(&self, id: BufferId, columns: usize) -> Left<'a> {
        let rows = Left::rows(self.read(id), columns);
        if self.without_zeros { rows.with_zeros() } else { rows }
    }

    /// Its transpose.
    fn columns(&self, id: BufferId, columns: usize) -> Left<'a> {
        let columns = Left::columns(self.read(id), columns);
        if self.without_zeros { columns.with_zeros() } else { columns }
    }
}

impl Instruction {
    fn run(
        &self,
        arena: &mut Arena<'_>,
        params: &mut Params<f32>,
        inputs: &[&[f32]],
        ones: &[f32],
        backend: Backend,
    ) {
        match self {
            Instruction::Input { index, .. } => arena.out.copy_from_slice(inputs[*index]),
            Instruction::Parameter { index, .. } => arena.out[0] = params.value[*index],
            Instruction::Linear { layer, activation, x, .. } => {
                let (weights, bias) = (layer.weights(), &params.value[layer.bias()]);
                let weights = Right::rows(&params.value[weights]);
                let x = arena.rows(*x, layer.inputs);
                let finish = match activation {
                    Some(Unary::Relu) => Finish::Relu,
                    _ => Finish::Sums,
                };
                backend.matmul(x, weights, layer.outputs, Start::Row(bias), finish, arena.out);
                if let Some(Unary::Tanh) = activation {
                    elementary::tanh(backend, arena.out);
                }
            }
            Instruction::Unary { f, x, .. } => match (f, arena.read(*x)) {
                (Unary::Tanh, x) => {
                    arena.out.copy_from_slice(x);
                    elementary::tanh(backend, arena.out);
                }
                (Unary::Exp, x) => elementary::exp(backend, x, arena.out),
                (Unary::Ln, x) => elementary::ln(backend, x, arena.out),
                (Unary::SechSquare, x) => {
                    let out = &mut *arena.out;
                    backend.vectorise(
                        #[inline(always)]
                        || Unary::SechSquare.forward(x, out),
                    );
                }
                (f, x) => f.forward(x, arena.out),
            },
            Instruction::Binary { op, x, y, .. } => {
                let (x, y, out) = (arena.read(*x), arena.read(*y), &mut *arena.out);
                backend.vectorise(
                    #[inline(always)]
                    || op.forward(x, y, out),
                );
            }
            Instruction::Affine { affine, x, columns, .. } => {
                let (x, out) = (arena.read(*x), &mut *arena.out);
                backend.vectorise(
                    #[inline(always)]
                    || affine.forward(x, *columns, out),
                );
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
                let (saved, dy, out) = (arena.read(*saved), arena.read(*dy), &mut *arena.out);
                backend.vectorise(
                    #[inline(always)]
                    || match f {
                        Unary::SechSquare => Unary::SechSquare.backward(saved, dy, out, *put),
                        f => f.backward(saved, dy, out, *put),
                    },
                );
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
                let (operands, dz) = ((arena.read(*x), arena.read(*y)), arena.read(*dz));
                let out = &mut *arena.out;
                backend.vectorise(
                    #[inline(always)]
                    || op.backward(*side, operands, dz, out, *put),
                );
            }
            Instruction::AffineBackward { affine, dy, columns, put, .. } => {
                let (dy, out) = (arena.read(*dy), &mut *arena.out);
                backend.vectorise(
                    #[inline(always)]
                    || affine.backward(dy, *columns, out, *put),
                );
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
                let (x, dy) = (*x, Right::rows(arena.read(*dy)));
                let rows = arena.read(x).len() / layer.inputs;
                let (start, finish) = (start(*put), Finish::Sums);
                let dw = &mut params.gradient[layer.weights()];
                let x = arena.columns(x, layer.inputs);
                backend.matmul(x, dy, layer.outputs, start, finish, dw);
                // Its factors are all 1, and fma(1, dy, sum) is sum + dy.
                let (db, ones) = (&mut params.gradient[layer.bias()], &ones[..rows]);
                backend.matmul(Left::rows(ones, rows), dy, layer.outputs, start, finish, db);
            }
            Instruction::InputBackward { layer, inputs, dy, put, relu, .. } => {
                let dy = arena.rows(*dy, layer.outputs);
                let first = layer.weights().start;
                let weights =
                    first + inputs.start * layer.outputs..first + inputs.end * layer.outputs;
                let weights = Right::columns(&params.value[weights]);
                let finish = relu.map_or(Finish::Sums, |y| Finish::WherePositive(arena.read(y)));
                backend.matmul(dy, weights, inputs.len(), start(*put), finish, arena.out);
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
