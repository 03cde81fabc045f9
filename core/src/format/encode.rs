//! The blob, written.

use super::{
    LayerShape, MAGIC, MAX_LAYERS, PREFIX, VERSION, WeightKind, checksum, contract::Terms,
};
use crate::{EncodeError, Head, action::MAX_ACTION_SIZE, error::Part, layer};

/// Everything that a blob holds.
#[derive(Debug, Clone, Copy)]
pub struct Description<'a> {
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: u16,
    /// The layers, first to last.
    pub layers: &'a [LayerShape],
    /// What the last layer's output means.
    pub head: Head<&'a [f32]>,
    /// How the observation is changed before the first layer. Integer weights need it.
    pub normalisation: Option<Normalisation<'a>>,
    /// The weights.
    pub network: Network<'a>,
    /// For each example the observation's words and then the action's, the bits of their `f32`
    /// ([`recording::action_words`](crate::recording::action_words)).
    pub examples: &'a [u32],
    /// Where the policy comes from, and what its numbers are.
    pub terms: Terms<'a>,
}

/// x = (o − shift) · scale for each observation entry, `[observation_size]` both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation<'a> {
    /// Subtracted first, in the unit of the entry.
    pub shift: &'a [f32],
    /// Multiplied then, > 0. With integer weights x is in quarters of a unit, and what is beyond ±32 767 units is
    /// taken for that.
    pub scale: &'a [f32],
}

/// Weights to write.
#[derive(Debug, Clone, Copy)]
pub enum Network<'a> {
    /// Of each layer its biases `[outputs]`, then its weights `[outputs, inputs]`, column by column.
    F32(&'a [f32]),
    /// Each layer in integers of 16 bits.
    Int16(&'a [FixedLayer<'a>]),
    /// Each layer in integers of 8 bits; a weight must fit in them.
    Int8(&'a [FixedLayer<'a>]),
}

/// A layer in integers.
#[derive(Debug, Clone, Copy)]
pub struct FixedLayer<'a> {
    /// `[outputs, inputs]`, row by row.
    pub weights: &'a [i16],
    /// `[outputs]`
    pub bias: &'a [i32],
    /// `[outputs]`: s + 2¹⁶ m of a hidden layer's row, the bits of an `f32` for a row of the last layer, as
    /// `FORMAT.md` has them.
    pub scale: &'a [u32],
}

impl Network<'_> {
    fn kind(&self) -> WeightKind {
        match self {
            Network::F32(_) => WeightKind::F32,
            Network::Int16(_) => WeightKind::Int16,
            Network::Int8(_) => WeightKind::Int8,
        }
    }
}

/// Writes a blob to the front of `out` and gives its length.
///
/// The encoder checks what it must to write a blob, not what makes a good policy: read the result
/// with [`Policy::from_bytes`](crate::Policy::from_bytes) before trusting it.
///
/// # Errors
///
/// If `out` is too small, or parts of the description have other sizes than its shapes say.
pub fn encode(description: &Description<'_>, out: &mut [u8]) -> Result<usize, EncodeError> {
    let Description { control_period, observation_size, layers, head, normalisation, .. } =
        *description;
    let actions = head.action_size();
    check_sizes(description)?;
    let mut writer = Writer { out, length: PREFIX };
    layers.iter().for_each(|layer| writer.bytes(layer.word()));
    let raw = head.raw();
    let numbers = raw.first.iter().chain(raw.second).chain([&raw.min, &raw.max]);
    numbers.for_each(|x| writer.bytes(x.to_le_bytes()));
    if let Some(Normalisation { shift, scale }) = normalisation {
        shift.iter().chain(scale).for_each(|x| writer.bytes(x.to_le_bytes()));
    }
    match description.network {
        Network::F32(weights) => write_floats(description, weights, &mut writer),
        Network::Int16(network) => write_fixed(description, network, 1, &mut writer),
        Network::Int8(network) => write_fixed(description, network, 2, &mut writer),
    }
    description.examples.iter().for_each(|word| writer.bytes(word.to_le_bytes()));
    let Writer { out, length: start } = writer;
    let found = out.len();
    let Some(room) = out.get_mut(start..) else {
        return Err(EncodeError::BufferTooSmall { needed: start, found });
    };
    let contract = description.terms.write(room)?;
    let limit = usize::from(u16::MAX);
    let contract_field =
        u16::try_from(contract).map_err(|_| EncodeError::ContractTooLong { limit })?;
    let length = start + contract;
    let examples = description.examples.len() / (usize::from(observation_size) + actions);
    let total = u32::try_from(length).map_err(|_| EncodeError::TooLong { found: length })?;
    let fixed = MAGIC
        .into_iter()
        .chain(VERSION.to_le_bytes())
        .chain([description.network.kind().code(), raw.code])
        .chain(total.to_le_bytes())
        .chain([0; 4])
        .chain(observation_size.to_le_bytes())
        .chain([actions as u8, layers.len() as u8])
        .chain(control_period.to_le_bytes())
        .chain((examples as u16).to_le_bytes())
        .chain(contract_field.to_le_bytes())
        .chain([normalisation.is_some().into(), 0, 0, 0]);
    out.iter_mut().zip(fixed).for_each(|(byte, value)| *byte = value);
    seal(out.get_mut(..length).unwrap_or_default());
    Ok(length)
}

/// Puts the checksum of a blob's present bytes into its checksum field, for tools and tests that
/// change a blob on purpose. Does nothing to a blob too short to have one.
pub fn seal(blob: &mut [u8]) {
    let sum = checksum(blob).to_le_bytes();
    if let Some(field) = blob.get_mut(12..16) {
        field.copy_from_slice(&sum);
    }
}

/// Bytes after one another. Those that find no room are only counted.
struct Writer<'a> {
    out: &'a mut [u8],
    length: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: [u8; 4]) {
        if let Some(place) = self.out.get_mut(self.length..self.length + 4) {
            place.copy_from_slice(&bytes);
        }
        self.length += 4;
    }
}

/// Everything that must fit together for the bytes to mean what was described.
fn check_sizes(description: &Description<'_>) -> Result<(), EncodeError> {
    let Description { layers, head, normalisation, network, examples, terms, .. } = *description;
    let check = |part, needed: usize, found: usize| match needed == found {
        true => Ok(()),
        false => Err(EncodeError::Size { part, needed, found }),
    };
    let (observation, actions) = (usize::from(description.observation_size), head.action_size());
    check(Part::Layers, layers.len().clamp(1, MAX_LAYERS), layers.len())?;
    let last = layers.last().map_or(0, |layer| layer.outputs.into());
    check(Part::LayerOutputs, head.inputs().0, last)?;
    check(Part::Action, actions.clamp(1, MAX_ACTION_SIZE), actions)?;
    check(Part::Head, actions, head.raw().second.len())?;
    if let Some(Normalisation { shift, scale }) = normalisation {
        check(Part::Normalisation, observation, shift.len())?;
        check(Part::Normalisation, observation, scale.len())?;
    }
    let row = observation + actions;
    let rows = (examples.len() / row).min(u16::MAX.into());
    check(Part::Examples, rows * row, examples.len())?;
    check(Part::Observation, observation, terms.observation.len())?;
    check(Part::Action, actions, terms.action.len())?;
    match network {
        Network::F32(weights) => {
            let needed = shapes(description).map(|(inputs, outputs)| (inputs + 1) * outputs).sum();
            check(Part::Weights, needed, weights.len())
        }
        Network::Int16(fixed) | Network::Int8(fixed) => {
            check(Part::Layers, layers.len(), fixed.len())?;
            let are_bytes = matches!(network, Network::Int8(_));
            for ((inputs, outputs), layer) in shapes(description).zip(fixed) {
                check(Part::Weights, inputs * outputs, layer.weights.len())?;
                check(Part::Bias, outputs, layer.bias.len())?;
                check(Part::RowScale, outputs, layer.scale.len())?;
                let wide = layer.weights.iter().find(|w| i8::try_from(**w).is_err());
                if let Some(w) = wide.filter(|_| are_bytes) {
                    return Err(EncodeError::Weight { found: *w });
                }
            }
            Ok(())
        }
    }
}

/// (inputs, outputs) of each layer.
fn shapes<'a>(description: &Description<'a>) -> impl Iterator<Item = (usize, usize)> + use<'a> {
    let first = usize::from(description.observation_size);
    description.layers.iter().scan(first, |inputs, layer| {
        let outputs = usize::from(layer.outputs);
        Some((core::mem::replace(inputs, outputs), outputs))
    })
}

/// Layer by layer, panel by panel, column by column, biases first.
fn write_floats(description: &Description<'_>, weights: &[f32], writer: &mut Writer<'_>) {
    let mut rest = weights;
    for (inputs, outputs) in shapes(description) {
        let (layer, after) = rest.split_at_checked((inputs + 1) * outputs).unwrap_or_default();
        rest = after;
        for rows in layer::panels(outputs) {
            for column in layer.chunks(outputs) {
                let rows = column.get(rows.clone()).unwrap_or_default();
                rows.iter().for_each(|x| writer.bytes(x.to_le_bytes()));
            }
        }
    }
}

/// Layer by layer, panel by panel: biases, scales, and weights by pairs of columns, so many rows in a word.
fn write_fixed(
    description: &Description<'_>,
    network: &[FixedLayer<'_>],
    rows_in_word: usize,
    writer: &mut Writer<'_>,
) {
    for ((inputs, outputs), layer) in shapes(description).zip(network) {
        // Padding is 0.
        let weight = |row: usize, column: usize| match column < inputs {
            true => layer.weights.get(row * inputs + column).copied().unwrap_or_default(),
            false => 0,
        };
        let mut first = 0;
        while first < outputs {
            let rows = layer::fixed::height(outputs.next_multiple_of(2) - first);
            let panel = first..first + rows;
            for row in panel.clone() {
                writer.bytes(layer.bias.get(row).copied().unwrap_or_default().to_le_bytes());
            }
            for row in panel.clone() {
                writer.bytes(layer.scale.get(row).copied().unwrap_or_default().to_le_bytes());
            }
            for column in (0..inputs).step_by(2) {
                for row in panel.clone().step_by(rows_in_word) {
                    let halves = [column, column + 1].map(|column| match rows_in_word {
                        1 => weight(row, column).to_le_bytes(),
                        _ => [row, row + 1].map(|row| weight(row, column) as u8),
                    });
                    let [[a, b], [c, d]] = halves;
                    writer.bytes([a, b, c, d]);
                }
            }
            first += rows;
        }
    }
}
