//! The reference: one operation after the other, in `f64`, as recorded.

use super::ops::{self, Op, Put, Saved, Side};
use super::{Params, Program, Tape};
use crate::state::{StateError, Walk};

/// Runs a tape in `f64`, keeping every value and every derivative.
#[derive(Debug)]
pub struct Interpreter {
    tape: Tape,
    values: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
}

impl Program for Interpreter {
    type Scalar = f64;

    fn from_tape(tape: Tape) -> Self {
        let zeros: Vec<_> = tape.nodes.iter().map(|node| vec![0.0; node.shape.len()]).collect();
        Interpreter { tape, values: zeros.clone(), gradients: zeros }
    }

    fn run(&mut self, params: &mut Params<f64>, inputs: &[&[f64]]) {
        let sizes = inputs.iter().map(|input| input.len());
        assert!(
            sizes.eq(self.tape.inputs.iter().copied()),
            "the program needs inputs of other sizes"
        );
        for id in (0..self.tape.nodes.len()).filter(|&id| self.tape.live[id]) {
            // Operands come before the node, so its own buffer can be lent out.
            let mut value = std::mem::take(&mut self.values[id]);
            self.forward(id, params, inputs, &mut value);
            self.values[id] = value;
        }
        let Some(loss) = self.tape.loss else { return };
        for range in &self.tape.with_respect_to {
            params.gradient[range.clone()].fill(0.0);
        }
        self.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.gradients[loss].fill(1.0);
        for id in (0..=loss).rev() {
            if !self.tape.differentiated[id] {
                continue;
            }
            let gradient = std::mem::take(&mut self.gradients[id]);
            self.backward(id, params, &gradient);
            self.gradients[id] = gradient;
        }
    }

    fn kept(&self, index: usize) -> &[f64] {
        &self.values[self.tape.keep[index]]
    }

    fn loss(&self) -> f64 {
        self.tape.loss.map_or(0.0, |loss| self.values[loss][0])
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        for id in self.tape.loss.iter().chain(&self.tape.keep) {
            walk.numbers(&mut self.values[*id])?;
        }
        Ok(())
    }
}

impl Interpreter {
    /// The node's value.
    fn forward(&self, id: usize, params: &Params<f64>, inputs: &[&[f64]], out: &mut [f64]) {
        let value = |id: usize| &self.values[id][..];
        let columns = |id: usize| self.tape.nodes[id].shape.columns;
        match &self.tape.nodes[id].op {
            Op::Input(index) => out.copy_from_slice(inputs[*index]),
            Op::Parameter(index) => out[0] = params.value[*index],
            Op::Linear(layer, x) => layer.forward(&params.value, value(*x), out),
            Op::Unary(f, x) => f.forward(value(*x), out),
            Op::Binary(op, x, y) => op.forward(value(*x), value(*y), out),
            Op::Affine(affine, x) => affine.forward(value(*x), columns(*x), out),
            Op::Concat(x, y) => ops::concat(value(*x), columns(*x), value(*y), columns(*y), out),
            Op::Columns { x, start } => {
                ops::copy_columns(value(*x), columns(*x), *start, out, columns(id), Put::Set);
            }
            Op::Gather { x, index } => ops::gather(value(*x), columns(*x), value(*index), out),
            Op::ArgMax(x) => ops::argmax(value(*x), columns(*x), out),
            Op::SumColumns(x) => ops::sum_columns(value(*x), columns(*x), out),
            Op::Mean(x) => out[0] = ops::mean(value(*x)),
        }
    }

    /// Passes the node's derivative `dy` on to its operands and parameters.
    fn backward(&mut self, id: usize, params: &mut Params<f64>, dy: &[f64]) {
        let Interpreter { tape, values, gradients } = self;
        let columns = |id: usize| tape.nodes[id].shape.columns;
        let wanted = |x: &usize| tape.differentiated[*x];
        match &tape.nodes[id].op {
            Op::Input(_) | Op::ArgMax(_) => {}
            Op::Parameter(index) => params.gradient[*index] += dy[0],
            Op::Linear(layer, x) => {
                if tape.wants(&layer.range()) {
                    layer.backward_parameters(&values[*x], dy, &mut params.gradient);
                }
                if wanted(x) {
                    layer.backward_input(&params.value, dy, &mut gradients[*x], Put::Add);
                }
            }
            Op::Unary(f, x) => {
                let saved = if f.saved() == Saved::Input { *x } else { id };
                f.backward(&values[saved], dy, &mut gradients[*x], Put::Add);
            }
            Op::Binary(op, x, y) => {
                for (side, operand) in [(Side::Left, x), (Side::Right, y)] {
                    if wanted(operand) {
                        let operands = (&values[*x][..], &values[*y][..]);
                        op.backward(side, operands, dy, &mut gradients[*operand], Put::Add);
                    }
                }
            }
            Op::Affine(affine, x) => {
                affine.backward(dy, columns(*x), &mut gradients[*x], Put::Add);
            }
            Op::Concat(x, y) => {
                for (operand, start) in [(x, 0), (y, columns(*x))] {
                    if wanted(operand) {
                        let out = &mut gradients[*operand];
                        ops::copy_columns(dy, columns(id), start, out, columns(*operand), Put::Add);
                    }
                }
            }
            Op::Columns { x, start } => {
                let out = &mut gradients[*x];
                ops::add_columns(dy, columns(id), *start, out, columns(*x), Put::Add);
            }
            Op::Gather { x, index } => {
                ops::scatter(dy, &values[*index], &mut gradients[*x], columns(*x), Put::Add);
            }
            Op::SumColumns(x) => ops::spread(dy, columns(*x), &mut gradients[*x], Put::Add),
            Op::Mean(x) => ops::spread_mean(dy[0], &mut gradients[*x], Put::Add),
        }
    }
}
