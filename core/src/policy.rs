//! From bytes to actions.

use core::marker::PhantomData;

use heapless::Vec;
use rand_core::Rng;

use crate::{
    ActError, Action, BlobError, Head, SelfTestError,
    action::MAX_ACTION_SIZE,
    compact::{barrier, not_finite},
    error::Part,
    format::{self, Contract, LayerShape, Parts, WeightKind},
    layer::{self, Layer, Weights, kernel::Outputs},
    recording,
};

/// A policy that borrows its weights from a blob.
///
/// `W` is the kind of its weights: `f32`, or `i16` or `i8`, which compute in integers until the last layer and need
/// no FPU. `WIDTH` is the widest layer it can run; it sets the stack that [`act`](Policy::act) needs,
/// 8 bytes for each unit, or 4 with integers ([`format::width`] reads it from a blob). A blob with other weights or a
/// wider layer is refused with an error that says so.
#[derive(Debug, Clone)]
pub struct Policy<'a, W: Weights = f32, const WIDTH: usize = 64> {
    parts: Parts<'a>,
    weights: PhantomData<W>,
}

impl<'a, W: Weights, const WIDTH: usize> Policy<'a, W, WIDTH> {
    /// Checks a blob and prepares to run it; the weights stay where they are.
    ///
    /// The blob must start at a multiple of 4 bytes. Wrong magic, version, length, checksum, shape
    /// or a weight that cannot be: an error that names it.
    ///
    /// # Errors
    ///
    /// If the blob is not aligned, is no blob of this version, is damaged, describes no policy, has other
    /// weights than `W`, or has a layer wider than `WIDTH`.
    pub fn from_bytes(blob: &'a [u8]) -> Result<Self, BlobError> {
        let parts = format::decode(blob)?;
        match parts.kind() {
            Some(found) if found == W::KIND => {}
            Some(found) => return Err(BlobError::OtherWeights { needed: W::KIND, found }),
            None => return Err(BlobError::Invalid { part: Part::Weights }),
        }
        // Integers are made of the observation by its scales; ∞ times a scale of 0 would be none.
        if W::KIND != WeightKind::F32 && !parts.has_positive_scales() {
            return Err(BlobError::Invalid { part: Part::Normalisation });
        }
        let (found, limit) = (parts.width(), WIDTH);
        if found > limit {
            return Err(BlobError::TooWide { found, limit });
        }
        let mut words = parts.rest;
        for place in layer::places(parts.layers, parts.observation_size()) {
            barrier();
            let Some(weights) = words.take(W::words(&place)) else {
                return Err(BlobError::Invalid { part: Part::Weights });
            };
            if !W::check(&place, weights) {
                return Err(BlobError::Weights { layer: place.index });
            }
        }
        // 65 535 examples of a long observation have more words than 32 bits can count.
        let row = parts.observation_size() + parts.action_size();
        if words.left() != parts.examples().saturating_mul(row) {
            return Err(BlobError::Invalid { part: Part::Weights });
        }
        Ok(Policy { parts, weights: PhantomData })
    }

    /// The greedy action, in the environment's unit, for an observation `[observation_size]`.
    ///
    /// The same observation gives the same bits on every machine. An observation of the wrong size
    /// or with an entry that is not finite is refused, and so is one so far outside the trained
    /// range that the network's sums lose their meaning (∞ − ∞, ∞ · 0). Where they overflow to an
    /// infinity with a sign, the action is the end of its range that the sign points to; the head of
    /// DQN ([`Head::Grid`]) has no such end and refuses every infinity. Integer weights take what is outside for the end
    /// of the range that they were made for, and never overflow.
    ///
    /// # Errors
    ///
    /// If the observation is refused, as above.
    pub fn act(&self, observation: &[f32]) -> Result<Action, ActError> {
        let head = self.parts.head();
        let mut action = Action::new();
        let mut outputs = Outputs::new(action.as_mut_view());
        self.run(observation, head.needed(), &mut outputs)?;
        let best = outputs.best.index();
        head.greedy(&mut action, best, W::tanh);
        finite(action)
    }

    /// An action drawn from the policy's distribution with any generator, `[action_size]`; for
    /// exploring on the machine itself. Errors as [`act`](Policy::act). A policy without noise (those
    /// of DDPG, TD3 and DQN) gives its greedy action and leaves the generator alone.
    ///
    /// # Errors
    ///
    /// As [`act`](Policy::act).
    pub fn sample<R: Rng + ?Sized>(
        &self,
        observation: &[f32],
        rng: &mut R,
    ) -> Result<Action, ActError> {
        let head = self.parts.head();
        if !head.is_gaussian() {
            return self.act(observation);
        }
        let mut z = Vec::<f32, { 2 * MAX_ACTION_SIZE }>::new();
        self.run(observation, head.outputs, &mut Outputs::new(z.as_mut_view()))?;
        finite(head.sampled(&z, W::tanh, rng))
    }

    /// Gives the policy its own examples and compares the actions, bit for bit, with those that it came with: a
    /// boot test of this processor, compiler and memory. How many there were.
    ///
    /// # Errors
    ///
    /// If an action differs.
    pub fn self_test(&self) -> Result<usize, SelfTestError> {
        let mut count = 0;
        for (observation, action) in self.examples() {
            let (observation, expected) = (bytemuck::must_cast_slice(observation), action);
            if *recording::words(&self.act(observation), self.action_size()) != *expected {
                return Err(SelfTestError { example: count });
            }
            count += 1;
        }
        Ok(count)
    }

    /// Gives the first `needed` outputs of the network to the head.
    #[inline(never)]
    fn run(
        &self,
        observation: &[f32],
        needed: usize,
        outputs: &mut Outputs<'_>,
    ) -> Result<(), ActError> {
        if observation.len() != self.observation_size() {
            let (needed, found) = (self.observation_size(), observation.len());
            return Err(ActError::ObservationSize { needed, found });
        }
        if let Some(index) = not_finite(observation) {
            return Err(ActError::ObservationNotFinite { index });
        }
        // Two rooms: a layer reads one and writes the other, then they change roles.
        let (mut one, mut other) = (W::room::<WIDTH>(), W::room::<WIDTH>());
        let (mut input, mut output) = (W::units(&mut one), W::units(&mut other));
        for (place, weights) in self.weights() {
            barrier();
            let x = match place.index {
                0 => W::observe(observation, self.parts.normalisation, input),
                _ => W::read(input),
            };
            if place.is_last {
                W::last(&place, weights, x, needed, output, outputs);
            } else {
                W::hidden(&place, weights, x, output);
                core::mem::swap(&mut input, &mut output);
            }
        }
        Ok(())
    }

    /// Each layer with its words. `from_bytes` has taken them all once, so none is missing.
    fn weights(&self) -> impl Iterator<Item = (layer::Place, &'a [u32])> + '_ {
        let mut words = self.parts.rest;
        layer::places(self.parts.layers, self.parts.observation_size())
            .map_while(move |place| words.take(W::words(&place)).map(|words| (place, words)))
    }

    /// Observation words and action words of each example.
    fn examples(&self) -> impl Iterator<Item = (&'a [u32], &'a [u32])> {
        let row = self.observation_size() + self.action_size();
        let mut words = self.parts.rest;
        // They come after the weights.
        let _ = words.take(words.left().saturating_sub(self.parts.examples() * row));
        let observation_size = self.observation_size();
        core::iter::from_fn(move || words.take(row)?.split_at_checked(observation_size))
    }

    /// What the blob promises to those who connect it to a machine: names, units and ranges, who trained it, on what.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded. The policy can act all the same.
    pub fn contract(&self) -> Result<Contract<'a>, BlobError> {
        self.parts.contract()
    }

    /// What the last layer's output means.
    pub fn head(&self) -> Head<&'a [f32]> {
        self.parts.head().view()
    }

    /// Outputs and activation of each layer, first to last.
    pub fn shapes(&self) -> impl ExactSizeIterator<Item = LayerShape> + 'a {
        self.parts.layers.iter().map(|word| LayerShape::from_word(*word))
    }

    /// Number of weights and biases, padding not counted.
    pub fn parameters(&self) -> u64 {
        let places = layer::places(self.parts.layers, self.parts.observation_size());
        places.map(|place| (place.inputs as u64 + 1) * place.outputs as u64).sum()
    }

    /// Shift and scale of each observation entry, `[observation_size]` both; `None` where the observation is taken as it is.
    pub fn normalisation(&self) -> Option<format::Normalisation<'a>> {
        let (shift, scale) =
            self.parts.normalisation.split_at_checked(self.parts.normalisation.len() / 2)?;
        (!shift.is_empty()).then_some(format::Normalisation { shift, scale })
    }

    /// Entries of an observation.
    pub const fn observation_size(&self) -> usize {
        self.parts.observation_size()
    }

    /// Entries of an action.
    pub const fn action_size(&self) -> usize {
        self.parts.action_size()
    }

    /// Time between two actions, in s.
    pub const fn control_period(&self) -> f32 {
        self.parts.control_period()
    }

    /// The checksum that the blob carries: a short name for these exact bytes.
    pub const fn checksum(&self) -> u32 {
        self.parts.checksum()
    }
}

impl<'a, const WIDTH: usize> Policy<'a, f32, WIDTH> {
    /// The layers, first to last; each shows its weights as nalgebra views.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'a>> + '_ {
        self.weights().map(|(place, words)| Layer::new(place, words))
    }
}

fn finite(action: Action) -> Result<Action, ActError> {
    match not_finite(&action) {
        Some(index) => Err(ActError::ActionNotFinite { index }),
        None => Ok(action),
    }
}
