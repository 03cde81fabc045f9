//! What both programs need to know of a graph.

use std::ops::Range;

use super::graph::{GraphError, Node};
use super::ops::Op;

/// The nodes of a graph in the order of recording (operands come before what reads them), with
/// what is to be computed.
#[derive(Debug)]
pub struct Tape {
    /// All recorded nodes.
    pub nodes: Vec<Node>,
    /// The node to differentiate.
    pub loss: Option<usize>,
    /// The nodes whose values are read after a run.
    pub keep: Vec<usize>,
    /// Sizes of the inputs, in their order, those that nothing reads included.
    pub inputs: Vec<usize>,
    /// Ranges of the parameters to differentiate by.
    pub with_respect_to: Vec<Range<usize>>,
    /// Is the node's value needed?
    pub live: Vec<bool>,
    /// Does a derivative flow through the node? Only where the loss depends on it and it depends
    /// on a parameter to differentiate by.
    pub differentiated: Vec<bool>,
}

impl Tape {
    /// Finds out what is needed.
    ///
    /// # Errors
    ///
    /// As [`Graph::compile`](super::Graph::compile).
    pub fn new(
        nodes: Vec<Node>,
        loss: Option<usize>,
        with_respect_to: &[Range<usize>],
        keep: Vec<usize>,
    ) -> Result<Self, GraphError> {
        if let Some(found) = loss.map(|loss| nodes[loss].shape)
            && !found.single
        {
            return Err(GraphError::NotScalar { found });
        }
        let reachable = |roots: &mut dyn Iterator<Item = usize>| {
            let mut marked = vec![false; nodes.len()];
            roots.for_each(|root| marked[root] = true);
            for id in (0..nodes.len()).rev() {
                if marked[id] {
                    nodes[id].op.operands().for_each(|operand| marked[operand] = true);
                }
            }
            marked
        };
        let live = reachable(&mut keep.iter().copied().chain(loss));
        let mut differentiated = reachable(&mut loss.into_iter());
        let within =
            |w: &Range<usize>, own: &Range<usize>| w.start <= own.start && own.end <= w.end;
        let mut depends = vec![false; nodes.len()];
        let mut found = vec![false; with_respect_to.len()];
        for (id, node) in nodes.iter().enumerate() {
            // An index has no derivative, nor has what it was chosen by.
            depends[id] = match node.op {
                Op::ArgMax(_) => false,
                Op::Gather { x, .. } => depends[x],
                _ => node.op.operands().any(|operand| depends[operand]),
            };
            if let Some(own) = parameters(&node.op) {
                for (found, w) in found.iter_mut().zip(with_respect_to) {
                    if !within(w, &own) && w.start < own.end && own.start < w.end {
                        let Range { start, end } = w.clone();
                        return Err(GraphError::Cut { start, end });
                    }
                    depends[id] |= within(w, &own);
                    *found |= differentiated[id] && within(w, &own);
                }
            }
            differentiated[id] &= depends[id];
        }
        if let Some(missing) = found.iter().position(|found| !found) {
            let Range { start, end } = with_respect_to[missing].clone();
            return Err(GraphError::Independent { start, end });
        }
        let with_respect_to = with_respect_to.to_vec();
        let inputs = nodes.iter().filter(|node| matches!(node.op, Op::Input(_)));
        let inputs = inputs.map(|node| node.shape.len()).collect();
        Ok(Tape { nodes, loss, keep, inputs, with_respect_to, live, differentiated })
    }

    /// Is the layer, or the single parameter, one to differentiate by?
    pub fn wants(&self, parameters: &Range<usize>) -> bool {
        self.with_respect_to.iter().any(|w| w.start <= parameters.start && parameters.end <= w.end)
    }

    /// The most rows that a value has.
    pub fn rows(&self) -> usize {
        self.nodes.iter().map(|node| node.shape.rows).max().unwrap_or(0)
    }

    /// Length that the parameters must have at least.
    pub fn parameters(&self) -> usize {
        self.nodes.iter().filter_map(|node| parameters(&node.op)).map(|r| r.end).max().unwrap_or(0)
    }
}

fn parameters(op: &Op) -> Option<Range<usize>> {
    match op {
        Op::Linear(layer, _) => Some(layer.range()),
        Op::Parameter(index) => Some(*index..*index + 1),
        _ => None,
    }
}
