//! The range of an action, and how a network keeps to it.

use policy_core::Action;

use crate::autodiff::Var;

/// The least and the largest value of each entry of an action, `[act]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRange {
    /// Least values.
    pub low: Vec<f64>,
    /// Largest values.
    pub high: Vec<f64>,
}

impl ActionRange {
    /// The range [low, high] of each entry, `[act]` both.
    pub fn new(low: &[f64], high: &[f64]) -> Self {
        ActionRange { low: low.to_vec(), high: high.to_vec() }
    }

    /// Entries of the action.
    #[allow(clippy::len_without_is_empty, reason = "an action is never empty")]
    pub fn len(&self) -> usize {
        self.low.len()
    }

    /// ½ (high − low): half the width of each range, `[act]`
    pub fn scale(&self) -> Vec<f64> {
        self.low.iter().zip(&self.high).map(|(low, high)| 0.5 * (high - low)).collect()
    }

    /// ½ (high + low): the middle of each range, `[act]`
    pub fn bias(&self) -> Vec<f64> {
        self.low.iter().zip(&self.high).map(|(low, high)| 0.5 * (high + low)).collect()
    }

    /// scale · y + bias for y in [−1, 1], `[B, act]`
    pub fn spread<'g>(&self, y: Var<'g>) -> Var<'g> {
        y.affine(&self.scale(), &self.bias())
    }

    /// min(max(aⱼ, lowⱼ), highⱼ), `[B, act]`
    pub fn clip<'g>(&self, a: Var<'g>) -> Var<'g> {
        let column = |j: usize| a.columns(j..j + 1).clamp(self.low[j], self.high[j]);
        (1..self.len()).fold(column(0), |clipped, j| clipped.concat(column(j)))
    }
}

/// Numbers of the trainer as a policy file has them.
pub(super) fn entries(values: &[f64]) -> Action {
    values.iter().map(|x| *x as f32).collect()
}
