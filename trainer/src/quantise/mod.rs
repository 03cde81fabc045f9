//! From `f32` weights to integers, for processors without an FPU.
//!
//! Everything comes from the policy and from observations that it meets where its training starts, and from wider starts
//! ([`calibrate`]), never from the starts that [`Comparison`] reports on: ranges of the observation, the largest activation of
//! each layer, and what rounding does to each row on average. Nothing is searched for and nothing is random, so the same policy
//! gives the same bytes. The formulas are in `layer.rs`, what the reader makes of the numbers in `core/FORMAT.md`.
//!
//! A unit of an observation entry o in [low, high] is q = 32 767 (o − ½ (low + high)) / (½ (high − low)), rounded to
//! nearest; the range is the contract's, or where that has no end, [`MARGIN`] times the largest |o| that was met. Ranges and
//! largest activations are of every observation that was met, not of a part: what is larger is cut off, and a policy that sees
//! a speed cut off brakes too late. [`Watch`] tells where later observations leave the ranges.

mod calibration;
mod comparison;
mod layer;
mod ranges;

pub use calibration::{Calibration, OBSERVATIONS, OF_AN_EPISODE, WIDER, WIDER_EPISODES, calibrate};
pub use comparison::{Comparison, Reference};
pub use ranges::Watch;

use policy_core::format::{
    Channel, Description, FixedLayer, Network, Normalisation, Terms, WeightKind,
};
use policy_core::{Activation, BlobError, LayerShape};

use crate::eval::EvalError;
use crate::export::{self, Blob, ExportError, HostPolicy};
use crate::policy::AnyPolicy;
use calibration::f32_policy;
use layer::{Dense, Fixed, Inputs, LIMIT};

/// The range of an observation entry without bounds, over the largest that was met: in integers a policy goes a little
/// other ways.
pub const MARGIN: f64 = 2.0;
/// Half a range is at least this, and at most its inverse, in the entry's unit.
const LEAST_HALF: f64 = 1e-30;

/// Bits of a weight, its sign included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// |w| ≤ 127, in a byte each.
    Eight,
    /// |w| ≤ 4095, in two bytes each.
    Thirteen,
    /// |w| ≤ 32 767, in two bytes each; less where sums would not fit in 32 bits.
    Sixteen,
}

impl Bits {
    /// From few to many.
    pub const ALL: [Bits; 3] = [Bits::Eight, Bits::Thirteen, Bits::Sixteen];

    /// How many.
    pub fn number(self) -> u8 {
        match self {
            Bits::Eight => 8,
            Bits::Thirteen => 13,
            Bits::Sixteen => 16,
        }
    }

    /// The largest |w|.
    pub fn largest(self) -> i16 {
        i16::MAX >> (16 - self.number())
    }
}

/// Why a policy cannot be quantised.
#[derive(Debug, thiserror::Error)]
pub enum QuantiseError {
    /// It has integer weights.
    #[error(
        "the policy has {found} weights already: quantize the f32 policy that it was made from"
    )]
    NotF32 {
        /// What they are.
        found: WeightKind,
    },
    /// A layer with an activation that has no form in integers here.
    #[error("the policy has an activation that cannot be quantized: {found:?}")]
    Activation {
        /// Which.
        found: Activation,
    },
    /// Its contract cannot be read.
    #[error("the contract of the policy cannot be read: {0}")]
    Contract(#[from] BlobError),
    /// The policy cannot be run where it is calibrated.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The new policy cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// The policy with weights of so many bits, calibrated on what it meets: the same head, contract and control period, examples
/// of its own.
///
/// # Errors
///
/// If it has integer weights already, or cannot be written.
pub fn quantise(
    policy: &AnyPolicy<'_>,
    calibration: &Calibration,
    bits: Bits,
) -> Result<Blob, QuantiseError> {
    let policy = f32_policy(policy)?;
    let dense = network(policy)?;
    let contract = policy.contract()?;
    let (observation, action): (Vec<_>, Vec<_>) =
        (contract.observation().collect(), contract.action().collect());
    let size = policy.observation_size();
    let ranges: Vec<Range> = observation
        .iter()
        .zip(&calibration.reach)
        .map(|(channel, reach)| Range::new(channel, *reach))
        .collect();
    let fixed = layers(dense, policy.normalisation(), &ranges, calibration, bits.largest());
    let parts: Vec<_> = fixed.iter().map(Fixed::parts).collect();
    let network: Vec<FixedLayer<'_>> =
        parts.iter().map(|(weights, bias, scale)| FixedLayer { weights, bias, scale }).collect();
    // Quarters of a unit, which the reader rounds.
    let shift: Vec<f32> = ranges.iter().map(|range| range.middle as f32).collect();
    let scale: Vec<f32> = ranges.iter().map(|range| (4.0 * LIMIT / range.half) as f32).collect();
    let shapes: Vec<LayerShape> = policy.shapes().collect();
    Ok(export::write(&Description {
        control_period: policy.control_period(),
        observation_size: size as u16,
        layers: &shapes,
        head: policy.head(),
        normalisation: Some(Normalisation { shift: &shift, scale: &scale }),
        network: match bits {
            Bits::Eight => Network::Int8(&network),
            Bits::Thirteen | Bits::Sixteen => Network::Int16(&network),
        },
        examples: &[],
        terms: Terms {
            algorithm: contract.algorithm(),
            plant: contract.plant(),
            plant_fingerprint: contract.plant_fingerprint(),
            trainer: contract.trainer(),
            observation: &observation,
            action: &action,
        },
    })?)
}

/// What units of an observation entry stand for: ±32 767 for the ends of middle ± half, in the entry's unit.
#[derive(Debug, Clone, Copy)]
struct Range {
    middle: f64,
    half: f64,
}

impl Range {
    /// An entry is its own unit.
    const UNCHANGED: Range = Range { middle: 0.0, half: 1.0 };

    /// Of an entry of which the largest |o| is `reach`.
    fn new(channel: &Channel<'_>, reach: f64) -> Self {
        let (low, high) = (f64::from(channel.low), f64::from(channel.high));
        let (middle, half) = match low.is_finite() && high.is_finite() {
            true => (0.5 * (low + high), 0.5 * (high - low)),
            false => (0.0, MARGIN * reach),
        };
        // An entry that is always the same needs a range, too.
        let half = if half > 0.0 { half } else { 1.0 };
        Range { middle, half: half.clamp(LEAST_HALF, 1.0 / LEAST_HALF) }
    }

    /// As the reader has it.
    fn unit(self, o: f32) -> i32 {
        let scaled = (o - self.middle as f32) * (4.0 * LIMIT / self.half) as f32;
        let quarters = scaled.trunc().clamp(-4.0 * LIMIT as f32, 4.0 * LIMIT as f32) as i32;
        (quarters + 2) >> 2
    }
}

/// The layers of a policy, if there is a form in integers for each.
fn network(policy: &HostPolicy<'_>) -> Result<Vec<Dense>, QuantiseError> {
    let known = [Activation::Linear, Activation::Relu, Activation::Tanh];
    match policy.shapes().map(|layer| layer.activation).find(|f| !known.contains(f)) {
        Some(found) => Err(QuantiseError::Activation { found }),
        None => Ok(policy.layers().map(|layer| Dense::new(&layer)).collect()),
    }
}

/// The network in integers, layer by layer, each calibrated on what those before it give.
fn layers(
    mut dense: Vec<Dense>,
    normalisation: Option<Normalisation<'_>>,
    ranges: &[Range],
    calibration: &Calibration,
    largest: i16,
) -> Vec<Fixed> {
    if let Some(first) = dense.first_mut() {
        read_units(first, ranges, normalisation);
    }
    let mut inputs = Inputs::default();
    for observation in calibration.sample.chunks_exact(ranges.len()) {
        let entries = || observation.iter().zip(ranges);
        inputs.real.push(entries().map(|(o, r)| (f64::from(*o) - r.middle) / r.half).collect());
        inputs.units.push(entries().map(|(o, r)| r.unit(*o)).collect());
    }
    let count = dense.len();
    let mut s_x = 1.0 / LIMIT;
    let next = |(index, (layer, peak)): (usize, (&Dense, &f64))| {
        let peak = (index + 1 < count).then_some(*peak);
        let fixed = Fixed::new(layer, s_x, largest, peak, &inputs);
        s_x = fixed.unit;
        for (real, units) in inputs.real.iter_mut().zip(&mut inputs.units) {
            *real = layer.sums(real).into_iter().map(|z| layer.activate(z)).collect();
            *units = fixed.units(units);
        }
        fixed
    };
    dense.iter().zip(&calibration.peaks).enumerate().map(next).collect()
}

/// Makes a layer that reads n = (o − shift) · scale one that reads x = (o − middle) / half:
///
/// ```text
/// W n + b = W′ x + b′    W′ᵢⱼ = Wᵢⱼ scaleⱼ halfⱼ    b′ᵢ = bᵢ + Σⱼ Wᵢⱼ scaleⱼ (middleⱼ − shiftⱼ)
/// ```
fn read_units(layer: &mut Dense, ranges: &[Range], normalisation: Option<Normalisation<'_>>) {
    let entry = |list: fn(Normalisation<'_>) -> &[f32], j: usize, otherwise: f64| {
        normalisation.and_then(|n| list(n).get(j).copied()).map_or(otherwise, f64::from)
    };
    for (row, bias) in layer.weights.iter_mut().zip(&mut layer.bias) {
        for (j, (w, range)) in row.iter_mut().zip(ranges).enumerate() {
            let scaled = *w * entry(|n| n.scale, j, 1.0);
            *bias += scaled * (range.middle - entry(|n| n.shift, j, 0.0));
            *w = scaled * range.half;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::channel;

    #[test]
    fn bits_have_their_largest_weights() {
        assert_eq!(Bits::ALL.map(Bits::largest), [127, 4095, 32_767]);
    }

    #[test]
    fn units_span_their_range() {
        let speed = Range::new(&channel("speed", "rad/s", -2.0, 6.0), 9.0);
        assert_eq!(
            [-2.0, 2.0, 6.0, 7.0, -1e30].map(|o| speed.unit(o)),
            [-32_767, 0, 32_767, 32_767, -32_767]
        );
        let free = channel("x", "m", f32::NEG_INFINITY, f32::INFINITY);
        assert_eq!(Range::new(&free, 3.0).half, 6.0);
        assert_eq!(Range::new(&free, 0.0).half, 1.0);
        assert_eq!(Range::new(&channel("fixed", "", 5.0, 5.0), 5.0).half, 1.0);
    }
}
