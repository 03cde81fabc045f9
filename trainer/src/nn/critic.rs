//! Networks for Q(s, a).

use std::ops::Range;

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{Activation, Initialisation, Layout, Mlp};
use crate::autodiff::{Linear, Params, Var};
use crate::scalar::Scalar;

/// Widths of the branches for s and for a of [`CriticForm::Branched`].
const STATE_BRANCH: [usize; 2] = [16, 32];
const ACTION_BRANCH: usize = 32;

/// How s and a meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CriticForm {
    /// (s | a) → hidden layers → Q
    Plain,
    /// s → 16 → 32 and a → 32, joined (64) → hidden layers → Q
    Branched,
}

/// Q_θ
#[derive(Debug, Clone)]
pub struct Critic {
    /// Networks for s and a alone, each followed by the activation.
    branches: Option<[Mlp; 2]>,
    /// From (s | a), or what the branches make of them, to Q.
    trunk: Mlp,
}

impl Critic {
    /// A critic of `obs` + `act` inputs with these hidden layers.
    pub fn new(
        layout: &mut Layout,
        form: CriticForm,
        (obs, act): (usize, usize),
        hidden: &[usize],
        activation: Activation,
    ) -> Self {
        let branches = match form {
            CriticForm::Plain => None,
            CriticForm::Branched => {
                let [first, second] = STATE_BRANCH;
                let state = Mlp::new(layout, &[obs, first, second], activation);
                Some([state, Mlp::new(layout, &[act, ACTION_BRANCH], activation)])
            }
        };
        let inputs = match form {
            CriticForm::Plain => obs + act,
            CriticForm::Branched => STATE_BRANCH[1] + ACTION_BRANCH,
        };
        let trunk = Mlp::with_hidden(layout, inputs, hidden, 1, activation);
        Critic { branches, trunk }
    }

    /// Q_θ(s, a), `[B, obs]` and `[B, act]` → `[B, 1]`
    pub fn apply<'g>(&self, s: Var<'g>, a: Var<'g>) -> Var<'g> {
        match &self.branches {
            None => self.trunk.apply(s.concat(a)),
            Some([state, action]) => {
                let activation = self.trunk.activation();
                let features = [state.apply(s), action.apply(a)].map(|z| activation.apply(z));
                self.trunk.apply(features[0].concat(features[1]))
            }
        }
    }

    /// Its layers, in the order of their parameters.
    pub fn layers(&self) -> Vec<Linear> {
        self.networks().flat_map(Mlp::layers).copied().collect()
    }

    fn networks(&self) -> impl Iterator<Item = &Mlp> {
        self.branches.iter().flatten().chain(std::iter::once(&self.trunk))
    }

    /// Its range of the parameters.
    pub fn range(&self) -> Range<usize> {
        let start = self.branches.as_ref().map_or(self.trunk.range().start, |b| b[0].range().start);
        start..self.trunk.range().end
    }

    /// Draws its first parameters.
    pub fn draw<T: Scalar, R: Rng>(
        &self,
        initialisation: Initialisation,
        params: &mut Params<T>,
        rng: &mut R,
    ) {
        for network in self.networks() {
            initialisation.draw(params, network, 1, rng);
        }
    }
}

/// Q_θ₁ and Q_θ₂, back to back, so that one optimiser can step both.
#[derive(Debug, Clone)]
pub struct Twin([Critic; 2]);

impl Twin {
    /// Two critics, see [`Critic::new`].
    pub fn new(
        layout: &mut Layout,
        form: CriticForm,
        sizes: (usize, usize),
        hidden: &[usize],
        activation: Activation,
    ) -> Self {
        Twin([(); 2].map(|()| Critic::new(layout, form, sizes, hidden, activation)))
    }

    /// Q_θ₁(s, a) and Q_θ₂(s, a), `[B, 1]` each
    pub fn apply<'g>(&self, s: Var<'g>, a: Var<'g>) -> [Var<'g>; 2] {
        [0, 1].map(|j: usize| self.0[j].apply(s, a))
    }

    /// minⱼ Q_θⱼ(s, a), `[B, 1]`
    pub fn min<'g>(&self, s: Var<'g>, a: Var<'g>) -> Var<'g> {
        let [q1, q2] = self.apply(s, a);
        q1.min(q2)
    }

    /// Q_θ₁
    pub fn first(&self) -> &Critic {
        &self.0[0]
    }

    /// Q_θ₂
    pub fn second(&self) -> &Critic {
        &self.0[1]
    }

    /// The range of both.
    pub fn range(&self) -> Range<usize> {
        self.0[0].range().start..self.0[1].range().end
    }

    /// Draws the first parameters of both.
    pub fn draw<T: Scalar, R: Rng>(
        &self,
        initialisation: Initialisation,
        params: &mut Params<T>,
        rng: &mut R,
    ) {
        self.0.iter().for_each(|critic| critic.draw(initialisation, params, rng));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_join() {
        let (mut layout, hidden) = (Layout::default(), [256, 256]);
        let make = |layout: &mut Layout, form| {
            Critic::new(layout, form, (3, 1), &hidden, Activation::Relu)
        };
        let branched = make(&mut layout, CriticForm::Branched);
        // 3→16→32, 1→32, 64→256→256→1, each layer (inputs + 1) · outputs.
        let size = 4 * 16 + 17 * 32 + 2 * 32 + 65 * 256 + 257 * 256 + 257;
        assert_eq!(branched.range(), 0..size);
        let plain = make(&mut layout, CriticForm::Plain);
        assert_eq!(plain.range(), size..size + 5 * 256 + 257 * 256 + 257);
    }
}
