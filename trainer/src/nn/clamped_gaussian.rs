//! The unsquashed Gaussian policy of SAC-M1 to SAC-M3.

use std::f64::consts::{E, PI};

use policy_core::Head;

use super::action_range::entries;
use super::{ActionRange, Mlp};
use crate::autodiff::Var;

/// π(a|s): a = clip(N(μ(s), σ(s))), σ = min(max(e^ζ, least), largest).
#[derive(Debug, Clone)]
pub struct ClampedGaussian {
    /// s → (μ | ζ), `[B, obs]` → `[B, 2 act]`.
    pub network: Mlp,
    /// Where actions lie.
    pub range: ActionRange,
    /// (least, largest) σ.
    pub std_bounds: (f64, f64),
}

impl ClampedGaussian {
    /// clip(μ + σε), reparametrised by ε ~ N(0, 1), from μ and σ, `[B, act]` each.
    pub fn sample_from<'g>(&self, mean: Var<'g>, std: Var<'g>, epsilon: Var<'g>) -> Var<'g> {
        self.range.clip(mean + std * epsilon)
    }

    /// The greedy action clip(μ), `[B, act]`
    pub fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.range.clip(self.distribution(s).0)
    }

    /// H = Σᵢ ½ log(2πe σᵢ²), of the Gaussian before clipping, from σ `[B, act]`, `[B, 1]`
    pub fn entropy<'g>(&self, std: Var<'g>) -> Var<'g> {
        (std.ln() + 0.5 * (2.0 * PI * E).ln()).sum_columns()
    }

    /// μ and σ, `[B, act]` each.
    pub fn distribution<'g>(&self, s: Var<'g>) -> (Var<'g>, Var<'g>) {
        let z = self.network.apply(s);
        let actions = self.range.len();
        let (least, largest) = self.std_bounds;
        // Before exp, so that its derivative cannot be 0 · ∞.
        let log_std = z.columns(actions..2 * actions).clamp(least.ln(), largest.ln());
        let std = log_std.exp();
        (z.columns(0..actions), std)
    }

    /// What the exported policy does with z where the environment's actions lie in `range`.
    pub fn head(&self, range: &ActionRange) -> Head {
        Head::ClampedGaussian {
            low: entries(&range.low),
            high: entries(&range.high),
            std_min: self.std_bounds.0 as f32,
            std_max: self.std_bounds.1 as f32,
        }
    }
}
