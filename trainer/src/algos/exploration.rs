//! How agents explore.

use crate::noise::Noise;
use crate::state::{StateError, Walk};

/// How an agent departs from its greedy policy to collect experience.
#[derive(Debug)]
pub(super) enum Exploration {
    /// Its policy is random by itself.
    Policy,
    /// Noise added to the greedy action.
    Added(Noise),
    /// With probability ε a random action: one draw decides for all environments.
    Epsilon(Epsilon),
}

/// The name of [`Exploration::rate`] among the metrics.
pub(super) const EXPLORATION_RATE: &str = "exploration_rate";

impl Exploration {
    /// ε or σ, where there is one.
    pub(super) fn rate(&self) -> Option<f64> {
        match self {
            Exploration::Policy => None,
            Exploration::Added(noise) => Some(noise.sigma()),
            Exploration::Epsilon(epsilon) => Some(epsilon.value),
        }
    }

    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        match self {
            Exploration::Policy => Ok(()),
            Exploration::Added(noise) => noise.walk(walk),
            Exploration::Epsilon(epsilon) => walk.value(&mut epsilon.value),
        }
    }
}

/// ε, multiplied by a factor at the end of each iteration down to a floor.
#[derive(Debug)]
pub(super) struct Epsilon {
    pub(super) value: f64,
    pub(super) decay: f64,
    pub(super) least: f64,
}
