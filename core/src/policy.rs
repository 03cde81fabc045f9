//! From bytes to actions.

use heapless::Vec;
use rand_core::Rng;

use crate::{
    ActError, Action, BlobError, Header,
    format::{self, MAX_LAYERS},
    layer::Layer,
};

/// A policy that borrows its weights from a blob.
///
/// `WIDTH` is the widest layer it can run; it sets the stack that [`act`](Policy::act) needs,
/// 8 bytes for each unit. A blob with a wider layer is refused with an error that says so.
#[derive(Debug, Clone)]
pub struct Policy<'a, const WIDTH: usize = 64> {
    header: Header,
    layers: Vec<Layer<'a>, MAX_LAYERS>,
    checksum: u32,
}

impl<'a, const WIDTH: usize> Policy<'a, WIDTH> {
    /// Checks a blob and prepares to run it; the weights stay where they are.
    ///
    /// The blob must start at a multiple of 4 bytes. Wrong magic, version, length, checksum, shape
    /// or a weight that is not finite: an error that names it.
    ///
    /// # Errors
    ///
    /// If the blob is not aligned, is no blob of this version, is damaged, describes no policy, or has a
    /// layer wider than `WIDTH`.
    pub fn from_bytes(blob: &'a [u8]) -> Result<Self, BlobError> {
        let format::Parts { header, mut weights, checksum } = format::decode(blob)?;
        // The widest layer, so that the WIDTH that the error asks for is enough.
        let outputs = header.shapes().map(|(_, outputs, _)| outputs).enumerate();
        if let Some((layer, found)) = outputs.max_by_key(|&(_, outputs)| outputs)
            && found > WIDTH
        {
            return Err(BlobError::TooWide { layer, found, limit: WIDTH });
        }
        let mut layers = Vec::new();
        let mut inputs = header.observation_size;
        for (index, shape) in header.layers.iter().enumerate() {
            // `decode` has matched the shapes with the length of the weights, so the split holds.
            let size = (usize::from(inputs) + 1) * usize::from(shape.outputs);
            let short = BlobError::WeightLength { needed: 4 * size, found: 4 * weights.len() };
            let (parameters, rest) = weights.split_at_checked(size).ok_or(short)?;
            if let Some(at) = parameters.iter().position(|w| !w.is_finite()) {
                return Err(BlobError::WeightNotFinite { layer: index, index: at });
            }
            let layer = Layer::new(parameters, inputs, shape.outputs, shape.activation);
            // A header has at most MAX_LAYERS layers.
            layers.push(layer.ok_or(short)?).map_err(|_| BlobError::Header)?;
            (inputs, weights) = (shape.outputs, rest);
        }
        Ok(Policy { header, layers, checksum })
    }

    /// The greedy action, in the environment's unit, for an observation `[observation_size]`.
    ///
    /// The same observation gives the same bits on every machine. An observation of the wrong size
    /// or with an entry that is not finite is refused, and so is one so far outside the trained
    /// range that the network's sums lose their meaning (∞ − ∞, ∞ · 0). Where they overflow to an
    /// infinity with a sign, the action is the end of its range that the sign points to; the head of
    /// DQN ([`Head::Grid`](crate::Head::Grid)) has no such end and refuses every infinity.
    ///
    /// # Errors
    ///
    /// If the observation is refused, as above.
    pub fn act(&self, observation: &[f32]) -> Result<Action, ActError> {
        let (_, needed) = self.header.head.inputs();
        self.run(observation, needed, |z| self.header.head.greedy(z))
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
        let (needed, _) = self.header.head.inputs();
        self.run(observation, needed, |z| self.header.head.sampled(z, rng))
    }

    /// Runs the layers, of the last one only its first `needed` outputs, and then the head.
    fn run(
        &self,
        observation: &[f32],
        needed: usize,
        head: impl FnOnce(&[f32]) -> Action,
    ) -> Result<Action, ActError> {
        if observation.len() != self.observation_size() {
            let (needed, found) = (self.observation_size(), observation.len());
            return Err(ActError::ObservationSize { needed, found });
        }
        if let Some(index) = observation.iter().position(|x| !x.is_finite()) {
            return Err(ActError::ObservationNotFinite { index });
        }
        // Two rooms: a layer reads one and writes the other, then they change roles.
        let (mut one, mut other) = (Vec::<f32, WIDTH>::new(), Vec::<f32, WIDTH>::new());
        let (mut input, mut output) = (one.as_mut_view(), other.as_mut_view());
        let last = self.layers.len().saturating_sub(1);
        for (index, layer) in self.layers.iter().enumerate() {
            core::mem::swap(&mut input, &mut output);
            let x = if index == 0 { observation } else { &*input };
            let rows = if index == last { needed } else { layer.outputs() };
            output.clear();
            layer.forward(x, rows, output);
        }
        let action = head(output.get(..needed).unwrap_or_default());
        match action.iter().position(|a| !a.is_finite()) {
            Some(index) => Err(ActError::ActionNotFinite { index }),
            None => Ok(action),
        }
    }

    /// What the policy is, apart from its weights.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The layers, first to last; each shows its weights as nalgebra views.
    pub fn layers(&self) -> &[Layer<'a>] {
        &self.layers
    }

    /// Entries of an observation.
    pub fn observation_size(&self) -> usize {
        usize::from(self.header.observation_size)
    }

    /// Entries of an action.
    pub fn action_size(&self) -> usize {
        self.header.head.action_size()
    }

    /// Time between two actions, in s.
    pub fn control_period(&self) -> f32 {
        self.header.control_period
    }

    /// The checksum that the blob carries: a short name for these exact bytes.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }
}
