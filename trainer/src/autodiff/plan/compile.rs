//! From a tape to instructions.

use std::ops::Range;

use super::instruction::{BufferId, Instruction};
use super::simplify;
use crate::autodiff::Tape;
use crate::autodiff::ops::{Linear, Op, Put, Saved, Side, Unary};

/// Instructions with buffers that have sizes but no places yet.
pub(super) struct Compiled {
    pub(super) instructions: Vec<Instruction>,
    /// Size of each buffer, in numbers.
    pub(super) sizes: Vec<usize>,
    /// Which buffers have many zeros.
    pub(super) zeros: Vec<bool>,
    pub(super) loss: Option<BufferId>,
    pub(super) keep: Vec<BufferId>,
    /// Parts of the gradient that a run begins with zeros: no instruction is sure to write them.
    pub(super) cleared: Vec<Range<usize>>,
}

/// Writes the instructions: values in the order of recording, derivatives in reverse.
pub(super) fn compile(tape: &Tape) -> Compiled {
    let mut compiler = Compiler {
        tape,
        fused: find_fusions(tape),
        instructions: Vec::new(),
        sizes: Vec::new(),
        values: vec![None; tape.nodes.len()],
        gradients: vec![None; tape.nodes.len()],
        written: Vec::new(),
    };
    for id in (0..tape.nodes.len()).filter(|&id| tape.live[id]) {
        compiler.forward(id);
    }
    if let Some(loss) = tape.loss {
        let (out, _) = compiler.gradient(loss);
        compiler.instructions.push(Instruction::One { out });
        for id in (0..=loss).rev().filter(|&id| tape.differentiated[id]) {
            compiler.backward(id);
        }
    }
    let loss = tape.loss.map(|id| compiler.value(id));
    let keep: Vec<BufferId> = tape.keep.iter().map(|&id| compiler.value(id)).collect();
    let instructions = simplify::simplify(compiler.instructions, &keep);
    Compiled {
        zeros: zeros(&instructions, compiler.sizes.len()),
        instructions,
        cleared: without(&tape.with_respect_to, &compiler.written),
        loss,
        keep,
        sizes: compiler.sizes,
    }
}

/// The buffers of what a ReLU lets through, and of derivatives behind one.
fn zeros(instructions: &[Instruction], buffers: usize) -> Vec<bool> {
    let mut zeros = vec![false; buffers];
    for instruction in instructions {
        let through_relu = match *instruction {
            Instruction::Linear { activation, .. } => activation == Some(Unary::Relu),
            Instruction::Unary { f, .. } | Instruction::ActivationBackward { f, .. } => {
                f == Unary::Relu
            }
            Instruction::InputBackward { relu, .. } => relu.is_some(),
            Instruction::Concat { x, y, .. } => zeros[x] && zeros[y],
            _ => false,
        };
        if let Some(out) = instruction.output() {
            zeros[out] |= through_relu;
        }
    }
    zeros
}

/// What is left of the ranges without others, each of which lies within one of them.
fn without(ranges: &[Range<usize>], others: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut left = ranges.to_vec();
    for other in others {
        left = left
            .into_iter()
            .flat_map(|Range { start, end }| match start <= other.start && other.end <= end {
                true => [start..other.start, other.end..end],
                false => [start..end, end..end],
            })
            .filter(|range| !range.is_empty())
            .collect();
    }
    left
}

/// For each node, the layer it is fused with: a ReLU or tanh that is the only reader of a layer
/// becomes one instruction with it.
fn find_fusions(tape: &Tape) -> Vec<Option<(Linear, usize, Unary)>> {
    let mut readers = vec![0; tape.nodes.len()];
    for id in (0..tape.nodes.len()).filter(|&id| tape.live[id]) {
        tape.nodes[id].op.operands().for_each(|operand| readers[operand] += 1);
    }
    tape.keep.iter().chain(&tape.loss).for_each(|&id| readers[id] += 1);
    let fusion = |op: &Op| match *op {
        Op::Unary(f @ (Unary::Relu | Unary::Tanh), linear) if readers[linear] == 1 => {
            match tape.nodes[linear].op {
                Op::Linear(layer, x) => Some((layer, x, f)),
                _ => None,
            }
        }
        _ => None,
    };
    let live = tape.nodes.iter().zip(&tape.live);
    live.map(|(node, live)| if *live { fusion(&node.op) } else { None }).collect()
}

struct Compiler<'a> {
    tape: &'a Tape,
    fused: Vec<Option<(Linear, usize, Unary)>>,
    instructions: Vec<Instruction>,
    sizes: Vec<usize>,
    /// Buffer of each node's value.
    values: Vec<Option<BufferId>>,
    /// Buffer of each node's derivative, once one has arrived.
    gradients: Vec<Option<BufferId>>,
    /// Layers whose gradients have been written.
    written: Vec<Range<usize>>,
}

impl Compiler<'_> {
    fn columns(&self, id: usize) -> usize {
        self.tape.nodes[id].shape.columns
    }

    fn buffer(&mut self, size: usize) -> BufferId {
        self.sizes.push(size);
        self.sizes.len() - 1
    }

    /// The buffer of a node's value.
    fn value(&mut self, id: usize) -> BufferId {
        match self.values[id] {
            Some(buffer) => buffer,
            None => {
                let buffer = self.buffer(self.tape.nodes[id].shape.len());
                *self.values[id].insert(buffer)
            }
        }
    }

    /// The buffer of a node's derivative, and whether something has arrived there before.
    fn gradient(&mut self, id: usize) -> (BufferId, Put) {
        match self.gradients[id] {
            Some(buffer) => (buffer, Put::Add),
            None => {
                let buffer = self.buffer(self.tape.nodes[id].shape.len());
                (*self.gradients[id].insert(buffer), Put::Set)
            }
        }
    }

    fn forward(&mut self, id: usize) {
        let tape = self.tape;
        let op = &tape.nodes[id].op;
        // A layer fused into its activation is computed there.
        if matches!(op, Op::Linear(..)) && self.reader_is_fused(id) {
            return;
        }
        let out = self.value(id);
        let instruction = match op {
            Op::Input(index) => Instruction::Input { index: *index, out },
            Op::Parameter(index) => Instruction::Parameter { index: *index, out },
            Op::Linear(layer, x) => {
                Instruction::Linear { layer: *layer, activation: None, x: self.value(*x), out }
            }
            Op::Unary(f, x) => match self.fused[id] {
                Some((layer, x, f)) => {
                    Instruction::Linear { layer, activation: Some(f), x: self.value(x), out }
                }
                None => Instruction::Unary { f: *f, x: self.value(*x), out },
            },
            Op::Binary(op, x, y) => {
                Instruction::Binary { op: *op, x: self.value(*x), y: self.value(*y), out }
            }
            Op::Affine(affine, x) => Instruction::Affine {
                affine: affine.clone(),
                x: self.value(*x),
                columns: self.columns(*x),
                out,
            },
            Op::Concat(x, y) => Instruction::Concat {
                x: self.value(*x),
                x_columns: self.columns(*x),
                y: self.value(*y),
                y_columns: self.columns(*y),
                out,
            },
            Op::Columns { x, start } => Instruction::CopyColumns {
                x: self.value(*x),
                x_columns: self.columns(*x),
                start: *start,
                columns: self.columns(id),
                put: Put::Set,
                out,
            },
            Op::Gather { x, index } => Instruction::Gather {
                x: self.value(*x),
                columns: self.columns(*x),
                index: self.value(*index),
                out,
            },
            Op::ArgMax(x) => {
                Instruction::ArgMax { x: self.value(*x), columns: self.columns(*x), out }
            }
            Op::SumColumns(x) => {
                Instruction::SumColumns { x: self.value(*x), columns: self.columns(*x), out }
            }
            Op::Mean(x) => Instruction::Mean { x: self.value(*x), out },
        };
        self.instructions.push(instruction);
    }

    fn reader_is_fused(&self, linear: usize) -> bool {
        self.tape.nodes.iter().zip(&self.fused).any(|(node, fused)| {
            fused.is_some() && matches!(node.op, Op::Unary(_, x) if x == linear)
        })
    }

    fn backward(&mut self, id: usize) {
        let tape = self.tape;
        // Fused into its activation, the layer has no derivative of its own.
        let Some(dy) = self.gradients[id] else { return };
        let wanted = |x: &usize| tape.differentiated[*x];
        match &tape.nodes[id].op {
            Op::Input(_) | Op::ArgMax(_) => {}
            Op::Parameter(index) => {
                self.instructions.push(Instruction::ParameterBackward { index: *index, dy });
            }
            Op::Linear(layer, x) => self.linear_backward(*layer, *x, dy),
            Op::Unary(f, x) => {
                if let Some((layer, x, f)) = self.fused[id] {
                    let y = self.value(id);
                    self.instructions.push(Instruction::ActivationBackward { f, y, out: dy });
                    self.linear_backward(layer, x, dy);
                    return;
                }
                let saved = self.value(if f.saved() == Saved::Input { *x } else { id });
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::UnaryBackward { f: *f, saved, dy, put, out });
            }
            Op::Binary(op, left, right) => {
                let (x, y) = (self.value(*left), self.value(*right));
                for (side, operand) in [(Side::Left, left), (Side::Right, right)] {
                    if wanted(operand) {
                        let (out, put) = self.gradient(*operand);
                        let op = *op;
                        self.instructions.push(Instruction::BinaryBackward {
                            op,
                            side,
                            x,
                            y,
                            dz: dy,
                            put,
                            out,
                        });
                    }
                }
            }
            Op::Affine(affine, x) => {
                let (affine, columns) = (affine.clone(), self.columns(*x));
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::AffineBackward {
                    affine,
                    dy,
                    columns,
                    put,
                    out,
                });
            }
            Op::Concat(x, y) => {
                for (operand, start) in [(x, 0), (y, self.columns(*x))] {
                    if wanted(operand) {
                        let (x_columns, columns) = (self.columns(id), self.columns(*operand));
                        let (out, put) = self.gradient(*operand);
                        self.instructions.push(Instruction::CopyColumns {
                            x: dy,
                            x_columns,
                            start,
                            columns,
                            put,
                            out,
                        });
                    }
                }
            }
            Op::Columns { x, start } => {
                let (y_columns, columns, start) = (self.columns(id), self.columns(*x), *start);
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::AddColumns {
                    dy,
                    y_columns,
                    start,
                    columns,
                    put,
                    out,
                });
            }
            Op::Gather { x, index } => {
                let (columns, index) = (self.columns(*x), self.value(*index));
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::Scatter { dy, index, columns, put, out });
            }
            Op::SumColumns(x) => {
                let columns = self.columns(*x);
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::Spread { dy, columns, put, out });
            }
            Op::Mean(x) => {
                let (out, put) = self.gradient(*x);
                self.instructions.push(Instruction::SpreadMean { dy, put, out });
            }
        }
    }

    fn linear_backward(&mut self, layer: Linear, x: usize, dy: BufferId) {
        if self.tape.wants(&layer.range()) {
            let x = self.value(x);
            let first = !self.written.contains(&layer.range());
            let put = if first { Put::Set } else { Put::Add };
            self.instructions.push(Instruction::WeightsBackward { layer, x, dy, put });
            self.written.push(layer.range());
        }
        if self.tape.differentiated[x] {
            let (out, put) = self.gradient(x);
            let (inputs, relu) = (0..layer.inputs, None);
            self.instructions.push(Instruction::InputBackward {
                layer,
                inputs,
                dy,
                put,
                relu,
                out,
            });
        }
    }
}
