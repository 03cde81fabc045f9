//! Policies to test with: a description that owns its parts, examples of it, and any of it.

mod known;
mod strategies;

pub(crate) use known::*;
pub(crate) use strategies::*;

use policy_core::{
    Algorithm, EncodeError, Head, LayerShape, WeightKind,
    format::{self, Channel, Description, FixedLayer, Normalisation, Terms},
    recording,
};

use crate::any::AnyPolicy;

/// Bytes at a multiple of 4, as the readers need them.
#[derive(Clone, PartialEq)]
pub(crate) struct Aligned {
    words: Vec<u32>,
    len: usize,
}

impl Aligned {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(4) + 1];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Aligned { words, len: bytes.len() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// A copy with other bytes, and a checksum that fits them. The length field stays as it is.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = self.bytes().to_vec();
        change(&mut bytes);
        format::seal(&mut bytes);
        Aligned::new(&bytes)
    }

    /// The same, and a length field that fits them, too.
    pub(crate) fn resized(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.changed(|bytes| {
            change(bytes);
            let length = (bytes.len() as u32).to_le_bytes();
            bytes[8..12].copy_from_slice(&length);
        })
    }
}

impl std::fmt::Debug for Aligned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02x?}", self.bytes())
    }
}

/// A [`Description`] that owns its parts.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) control_period: f32,
    pub(crate) observation_size: u16,
    pub(crate) layers: Vec<LayerShape>,
    pub(crate) head: Head,
    /// Shifts and scales.
    pub(crate) normalisation: Option<(Vec<f32>, Vec<f32>)>,
    pub(crate) network: Network,
    pub(crate) examples: Vec<u32>,
    pub(crate) algorithm: Algorithm,
    pub(crate) plant: String,
    pub(crate) plant_fingerprint: u32,
    pub(crate) trainer: String,
    pub(crate) observation: Vec<Entry>,
    pub(crate) action: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Network {
    /// Of each layer its biases, then its columns.
    F32(Vec<f32>),
    Int16(Vec<Fixed>),
    Int8(Vec<Fixed>),
}

/// A [`FixedLayer`] that owns its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fixed {
    /// Row by row.
    pub(crate) weights: Vec<i16>,
    pub(crate) bias: Vec<i32>,
    pub(crate) scale: Vec<u32>,
}

/// A [`Channel`] that owns its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl Entry {
    pub(crate) fn new(name: &str, unit: &str, low: f32, high: f32) -> Self {
        Entry { name: name.to_owned(), unit: unit.to_owned(), low, high }
    }

    pub(crate) fn channel(&self) -> Channel<'_> {
        Channel { name: &self.name, unit: &self.unit, low: self.low, high: self.high }
    }
}

impl Sample {
    pub(crate) fn kind(&self) -> WeightKind {
        match self.network {
            Network::F32(_) => WeightKind::F32,
            Network::Int16(_) => WeightKind::Int16,
            Network::Int8(_) => WeightKind::Int8,
        }
    }

    /// Writes it to the front of `out`.
    pub(crate) fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let fixed = match &self.network {
            Network::F32(_) => &[][..],
            Network::Int16(layers) | Network::Int8(layers) => layers,
        };
        let fixed: Vec<FixedLayer<'_>> = fixed
            .iter()
            .map(|Fixed { weights, bias, scale }| FixedLayer { weights, bias, scale })
            .collect();
        let [observation, action] = [&self.observation, &self.action]
            .map(|entries| entries.iter().map(Entry::channel).collect::<Vec<_>>());
        let description = Description {
            control_period: self.control_period,
            observation_size: self.observation_size,
            layers: &self.layers,
            head: self.head.as_slices(),
            normalisation: self
                .normalisation
                .as_ref()
                .map(|(shift, scale)| Normalisation { shift, scale }),
            network: match &self.network {
                Network::F32(weights) => format::Network::F32(weights),
                Network::Int16(_) => format::Network::Int16(&fixed),
                Network::Int8(_) => format::Network::Int8(&fixed),
            },
            examples: &self.examples,
            terms: Terms {
                algorithm: self.algorithm,
                plant: &self.plant,
                plant_fingerprint: self.plant_fingerprint,
                trainer: &self.trainer,
                observation: &observation,
                action: &action,
            },
        };
        format::encode(&description, out)
    }

    pub(crate) fn blob(&self) -> Aligned {
        let mut bytes = vec![0; 1 << 19];
        let length = self.encode(&mut bytes).unwrap();
        Aligned::new(&bytes[..length])
    }

    /// With these examples and the actions that it gives for them.
    pub(crate) fn with_examples(mut self, observations: &[&[f32]]) -> Self {
        let blob = self.blob();
        let policy = AnyPolicy::<1024>::read(blob.bytes()).unwrap();
        let row = |x: &&[f32]| {
            let words = x.iter().map(|x| x.to_bits());
            words.chain(policy.action_words(x)).collect::<Vec<_>>()
        };
        self.examples = observations.iter().flat_map(row).collect();
        self
    }

    /// With entries named `o0`, `o1`, … and `a0`, `a1`, …, as many as its sizes say.
    pub(crate) fn with_entries(mut self) -> Self {
        let entries = |letter, count| {
            (0..count).map(|i| Entry::new(&format!("{letter}{i}"), "", -1.0, 1.0)).collect()
        };
        self.observation = entries('o', self.observation_size.into());
        self.action = entries('a', self.head.action_size());
        self
    }

    /// The weights of a policy of f32.
    pub(crate) fn floats(&mut self) -> &mut Vec<f32> {
        match &mut self.network {
            Network::F32(weights) => weights,
            other => panic!("{other:?} are no f32"),
        }
    }

    /// The layers of a policy of integers.
    pub(crate) fn fixed(&mut self) -> &mut Vec<Fixed> {
        match &mut self.network {
            Network::Int16(layers) | Network::Int8(layers) => layers,
            other => panic!("{other:?} are no integers"),
        }
    }

    /// (inputs, outputs) of each layer.
    pub(crate) fn shapes(&self) -> Vec<(usize, usize)> {
        let outputs = self.layers.iter().map(|layer| usize::from(layer.outputs));
        let inputs = [self.observation_size.into()].into_iter().chain(outputs.clone());
        inputs.zip(outputs).collect()
    }
}

/// A recording with these words after its fixed part.
pub(crate) fn recording(observation: u8, action: u8, rows: u32, words: &[u32]) -> Aligned {
    let mut bytes = recording::prefix(observation, action, rows).to_vec();
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    Aligned::new(&bytes)
}
