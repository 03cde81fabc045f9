//! Instructions that cost less together.

use super::instruction::{BufferId, Instruction};
use crate::autodiff::ops::{Put, Unary};

/// The same program in fewer instructions; buffers of `keep` are read after a run.
pub(super) fn simplify(mut instructions: Vec<Instruction>, keep: &[BufferId]) -> Vec<Instruction> {
    narrow(&mut instructions, keep);
    finish(&mut instructions);
    instructions
}

/// Where only some columns of a derivative are wanted, the others are not computed: an actor's loss
/// asks its critic for those of the action.
fn narrow(instructions: &mut Vec<Instruction>, keep: &[BufferId]) {
    let mut at = 0;
    while at < instructions.len() {
        let Instruction::CopyColumns { x, start, columns, put: Put::Set, out: copy, .. } =
            instructions[at]
        else {
            at += 1;
            continue;
        };
        let others = || (0..instructions.len()).filter(|&other| other != at);
        let touching: Vec<usize> = others().filter(|&i| touches(&instructions[i], x)).collect();
        let narrows = |i: &usize| matches!(instructions[*i], Instruction::InputBackward { .. });
        if keep.contains(&x) || !touching.iter().all(narrows) {
            at += 1;
            continue;
        }
        for i in touching {
            if let Instruction::InputBackward { inputs, out, .. } = &mut instructions[i] {
                let first = inputs.start + start;
                (*inputs, *out) = (first..first + columns, copy);
            }
        }
        instructions.remove(at);
    }
}

fn touches(instruction: &Instruction, buffer: BufferId) -> bool {
    instruction.output().into_iter().chain(instruction.reads()).any(|id| id == buffer)
}

/// The derivative of a ReLU right behind the product that it is of is done with that.
fn finish(instructions: &mut Vec<Instruction>) {
    instructions.dedup_by(|next, before| match (before, next) {
        (
            Instruction::InputBackward { relu: relu @ None, out: product, .. },
            Instruction::ActivationBackward { f: Unary::Relu, y, out },
        ) if product == out => {
            *relu = Some(*y);
            true
        }
        _ => false,
    });
}

#[cfg(test)]
mod tests {
    use crate::autodiff::{Graph, Linear, Plan};

    const BRANCH: Linear = Linear { start: 0, inputs: 2, outputs: 2 };
    const TRUNK: Linear = Linear { start: 6, inputs: 5, outputs: 5 };
    const HEAD: Linear = Linear { start: 36, inputs: 5, outputs: 1 };
    const STATE: Linear = Linear { start: 42, inputs: 3, outputs: 3 };

    /// Instructions for the derivatives by a layer that only some columns come from, and by another
    /// for the rest of them if it is asked for.
    fn instructions(both: bool) -> usize {
        let g = Graph::new(7);
        let (s, a) = (g.input(3).linear(STATE), g.input(2).linear(BRANCH));
        let loss = s.concat(a).linear(TRUNK).relu().linear(HEAD).mean();
        let ranges = [BRANCH.range(), STATE.range()];
        let plan: Plan = g.compile(Some(loss), &ranges[..1 + usize::from(both)], &[]).unwrap();
        plan.len()
    }

    #[test]
    fn what_is_done_together_is_one_instruction() {
        // Two inputs, four layers, concat, mean; 1, the mean's derivative, that of the head with the
        // ReLU, that of the trunk for the columns of the branch, and the branch's weights.
        assert_eq!(instructions(false), 8 + 5);
        // Two copies of columns and the other's weights.
        assert_eq!(instructions(true), 8 + 5 + 3);
    }
}
