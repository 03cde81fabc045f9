//! Experience replay (Lin, 1992).

use ndarray::{Array, Array1, Array2, ArrayView2, Dimension};

use crate::interface::{Algorithm, Batch};
use crate::rng::{Rng, index};
use crate::state::{StateError, Walk};

/// A ring of transitions; the oldest make way.
#[derive(Debug, Clone)]
pub struct Replay {
    capacity: usize,
    observation_size: usize,
    action_size: usize,
    /// Has every row its later entropy?
    entropy: bool,
    len: usize,
    next: usize,
    /// (s, a, r, s′, 1 − d, and the later entropy where it is kept), a row each.
    rows: Vec<f32>,
}

/// One step of experience.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// s `[obs]`
    pub observation: &'a [f32],
    /// a `[act]`
    pub action: &'a [f32],
    /// r
    pub reward: f32,
    /// s′ `[obs]`: the true next observation, also where an episode ends
    pub next_observation: &'a [f32],
    /// 1 − d: 0 where s′ is terminal, else 1; see [`Batch`] for several steps in one
    pub not_terminated: f32,
    /// −Σₖ γᵏ log π(aₜ₊ₖ|sₜ₊ₖ) over the steps after the first of several in one; see [`Batch::with_later_entropy`]
    pub later_entropy: f32,
}

/// Room for a minibatch, filled by [`Replay::sample`].
#[derive(Debug, Clone)]
pub struct Minibatch {
    observation: Array2<f32>,
    action: Array2<f32>,
    reward: Array1<f32>,
    next_observation: Array2<f32>,
    not_terminated: Array1<f32>,
    /// Empty where it is not kept.
    later_entropy: Array1<f32>,
    /// Where the rows of its transitions begin.
    drawn: Vec<usize>,
}

impl Minibatch {
    /// Room for `batch` transitions of a buffer.
    pub fn new(batch: usize, replay: &Replay) -> Self {
        let Replay { observation_size: obs, action_size: act, entropy, .. } = *replay;
        Minibatch {
            observation: Array2::zeros((batch, obs)),
            action: Array2::zeros((batch, act)),
            reward: Array1::zeros(batch),
            next_observation: Array2::zeros((batch, obs)),
            not_terminated: Array1::zeros(batch),
            later_entropy: Array1::zeros(if entropy { batch } else { 0 }),
            drawn: vec![0; batch],
        }
    }

    /// What algorithms learn from.
    pub fn batch(&self) -> Batch<'_, f32> {
        let batch = Batch::new(
            self.observation.view(),
            self.action.view(),
            self.reward.view(),
            self.next_observation.view(),
            self.not_terminated.view(),
        );
        let batch = match self.later_entropy.is_empty() {
            true => batch,
            false => batch.and_then(|batch| batch.with_later_entropy(self.later_entropy.view())),
        };
        batch.expect("the arrays were made for one batch size")
    }
}

impl Replay {
    /// Room for `capacity` transitions; memory is taken as they arrive.
    pub fn new(capacity: usize, observation_size: usize, action_size: usize) -> Self {
        let (entropy, rows) = (false, Vec::new());
        Replay { capacity, observation_size, action_size, entropy, len: 0, next: 0, rows }
    }

    /// The same, with the later entropy of each transition where the agent has bonuses for it.
    pub fn for_agent(
        agent: &dyn Algorithm,
        capacity: usize,
        observation_size: usize,
        action_size: usize,
    ) -> Self {
        let entropy = agent.log_likelihoods().is_some();
        Replay { entropy, ..Replay::new(capacity, observation_size, action_size) }
    }

    fn width(&self) -> usize {
        2 * self.observation_size + self.action_size + 2 + usize::from(self.entropy)
    }

    /// Transitions held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All transitions held, `[len, 2 obs + act + 2]`: s, a, r, s′, 1 − d; and another column where later entropies are kept.
    pub fn rows(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.len, self.width()), &self.rows)
            .expect("the rows are as wide as they are pushed")
    }

    /// Adds a transition, in the place of the oldest when full.
    pub fn push(&mut self, transition: &Transition<'_>) {
        let Transition { observation, action, reward, next_observation, .. } = *transition;
        debug_assert_eq!(observation.len(), self.observation_size);
        debug_assert_eq!(action.len(), self.action_size);
        let width = self.width();
        if self.len < self.capacity {
            self.rows.resize((self.len + 1) * width, 0.0);
            self.len += 1;
        }
        let row = &mut self.rows[self.next * width..][..width];
        let values = observation
            .iter()
            .chain(action)
            .chain(std::iter::once(&reward))
            .chain(next_observation)
            .chain([&transition.not_terminated, &transition.later_entropy]);
        // Where entropies are not kept, a row ends before the last number.
        for (place, value) in row.iter_mut().zip(values) {
            *place = *value;
        }
        self.next = (self.next + 1) % self.capacity;
    }

    /// All transitions held, and whose turn it is to make way.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another buffer's.
    pub fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.len)?;
        walk.value(&mut self.next)?;
        let next_fits = self.next == self.len % self.capacity || self.len == self.capacity;
        walk.check("replay buffer", self.len <= self.capacity && next_fits)?;
        walk.check("replay buffer", self.next < self.capacity)?;
        self.rows.resize(self.len * self.width(), 0.0);
        walk.numbers(&mut self.rows)
    }

    /// Fills a minibatch with transitions drawn uniformly, with replacement: of tens of thousands,
    /// few are drawn twice.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn sample(&self, rng: &mut Rng, out: &mut Minibatch) {
        assert!(!self.is_empty(), "nothing to replay yet");
        let (obs, act) = (self.observation_size, self.action_size);
        let width = self.width();
        out.drawn.fill_with(|| index(rng, self.len) * width);
        let mut places = out.drawn.iter();
        // Row by row, number by number: rows are so short that a call to copy a part of one takes longer.
        let states = slice(&mut out.observation).chunks_exact_mut(obs);
        let states = states.zip(slice(&mut out.next_observation).chunks_exact_mut(obs));
        let rest = slice(&mut out.reward).iter_mut().zip(slice(&mut out.not_terminated));
        let actions = slice(&mut out.action).chunks_exact_mut(act);
        let mut entropies = slice(&mut out.later_entropy).iter_mut();
        for (((s, next_s), a), (r, not_terminated)) in states.zip(actions).zip(rest) {
            let Some(start) = places.next() else { break };
            let mut row = self.rows[*start..][..width].iter();
            let mut take =
                |part: &mut [f32]| part.iter_mut().zip(&mut row).for_each(|(x, y)| *x = *y);
            take(s);
            take(a);
            take(std::slice::from_mut(r));
            take(next_s);
            take(std::slice::from_mut(not_terminated));
            if let Some(entropy) = entropies.next() {
                take(std::slice::from_mut(entropy));
            }
        }
    }
}

/// The numbers of an array of a minibatch.
fn slice<D: Dimension>(array: &mut Array<f32, D>) -> &mut [f32] {
    array.as_slice_mut().expect("the arrays were made in one piece")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn filled(n: usize, capacity: usize) -> Replay {
        fill(n, Replay::new(capacity, 2, 1))
    }

    fn fill(n: usize, mut replay: Replay) -> Replay {
        for i in 0..n {
            let x = i as f32;
            replay.push(&Transition {
                observation: &[x, -x],
                action: &[x + 0.5],
                reward: 10.0 * x,
                next_observation: &[x + 1.0, -x - 1.0],
                not_terminated: if i % 3 == 0 { 0.0 } else { 1.0 },
                later_entropy: 7.0 * x,
            });
        }
        replay
    }

    #[test]
    fn the_oldest_make_way() {
        let replay = filled(7, 4);
        let first: Vec<f32> = replay.rows().column(0).to_vec();
        assert_eq!(first, [4.0, 5.0, 6.0, 3.0]);
    }

    #[test]
    fn sampled_rows_are_whole_and_uniform() {
        let replay = filled(20, 50);
        let mut minibatch = Minibatch::new(4000, &replay);
        replay.sample(&mut stream(1, Stream::Replay), &mut minibatch);
        let batch = minibatch.batch();
        let mut counts = [0; 20];
        for b in 0..4000 {
            let x = batch.observation()[2 * b];
            counts[x as usize] += 1;
            assert_eq!(batch.observation()[2 * b + 1], -x);
            assert_eq!(batch.action()[b], x + 0.5);
            assert_eq!(batch.reward()[b], 10.0 * x);
            assert_eq!(batch.next_observation()[2 * b], x + 1.0);
            assert_eq!(
                batch.not_terminated()[b],
                if (x as usize).is_multiple_of(3) { 0.0 } else { 1.0 }
            );
        }
        assert!(counts.iter().all(|&c| (120..280).contains(&c)), "{counts:?}");
    }

    #[test]
    fn later_entropies_go_with_their_transitions() {
        let replay = fill(60, Replay { entropy: true, ..Replay::new(50, 2, 1) });
        assert_eq!(replay.rows().dim(), (50, 8));
        let mut minibatch = Minibatch::new(100, &replay);
        replay.sample(&mut stream(1, Stream::Replay), &mut minibatch);
        let batch = minibatch.batch();
        let rewards = batch.reward().iter().zip(batch.later_entropy());
        assert_eq!(batch.later_entropy().len(), 100);
        assert!(rewards.into_iter().all(|(r, entropy)| 0.7 * r == *entropy));
        let without = filled(60, 50);
        assert!(Minibatch::new(100, &without).batch().later_entropy().is_empty());
    }
}
