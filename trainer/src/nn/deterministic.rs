//! Deterministic policies a = μ(s).

use policy_core::{Action, Head};
use serde::{Deserialize, Serialize};

use super::Mlp;
use crate::autodiff::Var;

/// How the network's output z becomes an action within its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorOutput {
    /// a = scale · tanh(z) + bias
    Tanh,
    /// a = min(max(z, low), high)
    Clamp,
}

/// μ: a network and what bounds its output.
#[derive(Debug, Clone)]
pub struct Deterministic {
    /// s → z, `[B, obs]` → `[B, act]`.
    pub network: Mlp,
    /// From z to a.
    pub output: ActorOutput,
    /// Half the width of each action's range.
    pub scale: Vec<f64>,
    /// The middle of each action's range.
    pub bias: Vec<f64>,
}

impl Deterministic {
    /// μ(s), `[B, act]`
    pub fn apply<'g>(&self, s: Var<'g>) -> Var<'g> {
        let z = self.network.apply(s);
        match self.output {
            ActorOutput::Tanh => z.tanh().affine(&self.scale, &self.bias),
            ActorOutput::Clamp => self.clip(z),
        }
    }

    /// Actions `[B, act]` clipped to their range.
    pub fn clip<'g>(&self, a: Var<'g>) -> Var<'g> {
        clip(a, &self.scale, &self.bias)
    }

    /// What the exported policy does with z where actions lie within [low, high].
    pub fn head(&self, low: &[f64], high: &[f64]) -> Head {
        match self.output {
            ActorOutput::Tanh => {
                let (scale, bias) = scale_and_bias(low, high);
                Head::Tanh { scale: entries(&scale), bias: entries(&bias) }
            }
            ActorOutput::Clamp => Head::Clamp { low: entries(low), high: entries(high) },
        }
    }
}

/// min(max(aⱼ, biasⱼ − scaleⱼ), biasⱼ + scaleⱼ), `[B, act]`
pub(super) fn clip<'g>(a: Var<'g>, scale: &[f64], bias: &[f64]) -> Var<'g> {
    let column = |j: usize| a.columns(j..j + 1).clamp(bias[j] - scale[j], bias[j] + scale[j]);
    (1..scale.len()).fold(column(0), |clipped, j| clipped.concat(column(j)))
}

/// ½ (high − low) and ½ (high + low), entry by entry.
pub fn scale_and_bias(low: &[f64], high: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let halves = |sign: f64| low.iter().zip(high).map(|(l, h)| 0.5 * (h + sign * l)).collect();
    (halves(-1.0), halves(1.0))
}

/// Numbers of the trainer as a policy file has them.
pub(super) fn entries(values: &[f64]) -> Action {
    values.iter().map(|x| *x as f32).collect()
}
