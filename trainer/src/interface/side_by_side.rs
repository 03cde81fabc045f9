//! Several environments of a kind, stepped together.

use super::{Environment, Spec, Step};
use crate::rng::Rng;

/// N machines of a kind, each in a state of its own. Observations are `[N, obs]`, actions `[N, act]`.
///
/// Any [`Environment`]s are, one after the other, as a vector of them. A machine whose equations are simple is faster in lanes: the
/// same formula for several at once in a register, to the same bits.
pub trait Environments {
    /// What each of them is.
    fn spec(&self) -> &Spec;

    /// N.
    fn count(&self) -> usize;

    /// Starts an episode of one in a random state and writes its observation `[obs]`.
    fn reset(&mut self, index: usize, rng: &mut Rng, observation: &mut [f32]);

    /// Starts an episode of one in the given state `[state_size]` and writes its observation `[obs]`.
    fn restore(&mut self, index: usize, state: &[f64], observation: &mut [f32]);

    /// The state `[state_size]` of one.
    fn save(&self, index: usize) -> Vec<f64>;

    /// Applies actions to the first of them, as many as there are outcomes, for one period, and writes their next observations.
    ///
    /// # Panics
    ///
    /// Unless there are as many actions and observations, and at most N.
    fn step(&mut self, actions: &[f32], observations: &mut [f32], outcomes: &mut [Step]);

    /// Two of them change places, with their states.
    fn swap(&mut self, one: usize, other: usize);
}

/// One after the other.
impl Environments for Vec<Box<dyn Environment>> {
    fn spec(&self) -> &Spec {
        self[0].spec()
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn reset(&mut self, index: usize, rng: &mut Rng, observation: &mut [f32]) {
        self[index].reset(rng, observation);
    }

    fn restore(&mut self, index: usize, state: &[f64], observation: &mut [f32]) {
        self[index].restore(state, observation);
    }

    fn save(&self, index: usize) -> Vec<f64> {
        self[index].save()
    }

    fn step(&mut self, actions: &[f32], observations: &mut [f32], outcomes: &mut [Step]) {
        let count = outcomes.len();
        let environments = &mut self[..count];
        let Some(first) = environments.first() else { return };
        let (obs, act) = (first.spec().observation_size(), first.spec().action_size());
        assert_eq!((actions.len(), observations.len()), (count * act, count * obs), "how many");
        let rows = actions.chunks_exact(act).zip(observations.chunks_exact_mut(obs));
        for ((environment, (action, observation)), outcome) in
            environments.iter_mut().zip(rows).zip(outcomes)
        {
            *outcome = environment.step(action, observation);
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.as_mut_slice().swap(one, other);
    }
}

/// One alone.
#[allow(missing_debug_implementations, reason = "environments are trait objects")]
pub struct Alone<'e>(pub &'e mut dyn Environment);

impl Environments for Alone<'_> {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn count(&self) -> usize {
        1
    }

    fn reset(&mut self, _: usize, rng: &mut Rng, observation: &mut [f32]) {
        self.0.reset(rng, observation);
    }

    fn restore(&mut self, _: usize, state: &[f64], observation: &mut [f32]) {
        self.0.restore(state, observation);
    }

    fn save(&self, _: usize) -> Vec<f64> {
        self.0.save()
    }

    fn step(&mut self, actions: &[f32], observations: &mut [f32], outcomes: &mut [Step]) {
        if let Some(outcome) = outcomes.first_mut() {
            *outcome = self.0.step(actions, observations);
        }
    }

    fn swap(&mut self, _: usize, _: usize) {}
}
