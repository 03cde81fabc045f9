//! Deterministic policies a = μ(s).

use policy_core::Head;
use serde::{Deserialize, Serialize};

use super::action_range::entries;
use super::{ActionRange, Mlp};
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
    /// Where actions lie.
    pub range: ActionRange,
}

impl Deterministic {
    /// μ(s), `[B, act]`
    pub fn apply<'g>(&self, s: Var<'g>) -> Var<'g> {
        let z = self.network.apply(s);
        match self.output {
            ActorOutput::Tanh => self.range.spread(z.tanh()),
            ActorOutput::Clamp => self.range.clip(z),
        }
    }

    /// What the exported policy does with z where the environment's actions lie in `range`.
    pub fn head(&self, range: &ActionRange) -> Head {
        match self.output {
            ActorOutput::Tanh => {
                Head::Tanh { scale: entries(&range.scale()), bias: entries(&range.bias()) }
            }
            ActorOutput::Clamp => {
                Head::Clamp { low: entries(&range.low), high: entries(&range.high) }
            }
        }
    }
}
