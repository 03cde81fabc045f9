//! Any policy that can be, for property tests.

use policy_core::{
    Action, Activation, Algorithm, Head, LayerShape, LogStdBound, action::MAX_ACTION_SIZE, format,
};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{ALGORITHMS, Entry, Fixed, Network, Sample, known};

/// Every finite number, subnormal and huge ones too.
pub(crate) fn finite() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |x| x.is_finite())
}

/// Mostly numbers of a network's usual size, at times any finite one.
pub(crate) fn number() -> impl Strategy<Value = f32> {
    prop_oneof![15 => -2.0_f32..2.0, 1 => finite()]
}

/// The same from a generator: a network has too many for a strategy each.
fn drawn(rng: &mut impl Rng) -> f32 {
    match rng.next_u32() % 16 {
        0 => Some(f32::from_bits(rng.next_u32())).filter(|x| x.is_finite()).unwrap_or(f32::MIN),
        _ => (rng.next_u32() as i32) as f32 * 2.0_f32.powi(-30),
    }
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Linear), Just(Activation::Relu), Just(Activation::Tanh)]
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(&ALGORITHMS)
}

/// Lowest and highest actions.
fn bounds(actions: usize) -> impl Strategy<Value = (Action, Action)> {
    prop::collection::vec((-1e3_f32..1e3, 1e-3_f32..1e3), actions)
        .prop_map(|pairs| pairs.into_iter().map(|(low, width)| (low, low + width)).unzip())
}

/// Scale and bias.
fn scaling(actions: usize) -> impl Strategy<Value = (Action, Action)> {
    prop::collection::vec((1e-3_f32..1e3, -1e3_f32..1e3), actions)
        .prop_map(|pairs| pairs.into_iter().unzip())
}

fn head() -> impl Strategy<Value = Head> {
    (1..=MAX_ACTION_SIZE).prop_flat_map(|actions| {
        let log_std = (any::<bool>(), -20.0_f32..0.0, 0.0_f32..3.0).prop_map(|(tanh, min, max)| {
            if tanh { LogStdBound::Tanh { min, max } } else { LogStdBound::Clamp { min, max } }
        });
        let std = (1e-6_f32..1.0, 0.0_f32..3.0);
        prop_oneof![
            (scaling(actions), log_std).prop_map(|((scale, bias), log_std)| {
                Head::SquashedGaussian { scale, bias, log_std }
            }),
            scaling(actions).prop_map(|(scale, bias)| Head::Tanh { scale, bias }),
            bounds(actions).prop_map(|(low, high)| Head::Clamp { low, high }),
            (bounds(actions), std).prop_map(|((low, high), (std_min, more))| {
                Head::ClampedGaussian { low, high, std_min, std_max: std_min + more }
            }),
            (bounds(1), 1_u16..=40).prop_map(|((low, high), points)| Head::Grid {
                low: low[0],
                high: high[0],
                points
            }),
        ]
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let range = prop_oneof![
        Just((f32::NEG_INFINITY, f32::INFINITY)),
        (number(), 0.0_f32..10.0).prop_map(|(low, width)| (low, low + width)),
    ];
    ("[a-zα-ω ]{0,16}", "[a-z/²·]{0,5}", range)
        .prop_map(|(name, unit, (low, high))| Entry::new(&name, &unit, low, high))
}

/// A normalisation that leaves most entries within the range of integers, or of a usual size.
fn shifts_and_scales(size: u16, fixed: bool, rng: &mut impl Rng) -> (Vec<f32>, Vec<f32>) {
    let shift = (0..size).map(|_| drawn(rng)).collect();
    let scale = (0..size).map(|_| {
        let scale = f32::from_bits(rng.next_u32());
        match rng.next_u32() % 16 {
            0 if scale.is_finite() && (scale > 0.0 || !fixed) => scale,
            draw if fixed => (draw + 1) as f32 * 3001.0,
            draw => (draw + 1) as f32 * 0.25,
        }
    });
    (shift, scale.collect())
}

/// A layer in integers whose sums use their 32 bits well, some rows up to the last.
fn fixed(inputs: usize, outputs: usize, is_last: bool, bytes: bool, rng: &mut impl Rng) -> Fixed {
    let most = (65_535 / inputs as u32).min(if bytes { 127 } else { 32_767 });
    let mut layer = Fixed { weights: Vec::new(), bias: Vec::new(), scale: Vec::new() };
    for _ in 0..outputs {
        // A range of its own for each row, as a quantised one has.
        let most = 1 + rng.next_u32() % most;
        let weight = |_| (rng.next_u32() % (2 * most + 1)) as i32 - most as i32;
        let row: Vec<i32> = (0..inputs).map(weight).collect();
        let products = 32_767 * row.iter().map(|w| w.unsigned_abs()).sum::<u32>();
        let room = i32::MAX as u32 - products;
        let bias = match rng.next_u32() % 8 {
            0 => room as i32,
            1 => -(room as i32),
            _ => ((rng.next_u32() % (room / 64 + 1)) as i32) - (room / 128) as i32,
        };
        // Enough for most sums to stay within 17 bits, at times too little.
        let bits = 32 - (products / 4).leading_zeros();
        let shift = (bits.saturating_sub(16) + rng.next_u32() % 4).saturating_sub(1).min(31);
        let scale = match (is_last, rng.next_u32() % 16) {
            (true, 0) => drawn(rng).to_bits(),
            (true, _) => (drawn(rng).clamp(-2.0, 2.0) * 2.0_f32.powi(-24)).to_bits(),
            (false, 0) => (rng.next_u32() >> 1) & 0x7fff_001f,
            (false, _) => ((rng.next_u32() >> 1) & 0x7fff_0000) | shift,
        };
        layer.weights.extend(row.iter().map(|w| *w as i16));
        layer.bias.push(bias);
        layer.scale.push(scale);
    }
    layer
}

/// Any policy with layers of at most 40 outputs.
pub(crate) fn sample() -> impl Strategy<Value = Sample> {
    let hidden = prop::collection::vec((1_u16..=40, activation()), 0..format::MAX_LAYERS);
    let text = ("[a-zα-ω_]{0,16}", any::<u32>(), "[a-z 0-9.]{0,9}");
    let network = (0..3, any::<bool>(), any::<u64>(), 0..4_usize);
    let shapes = (1e-4_f32..10.0, 1_u16..=20, hidden, head());
    (shapes, network, algorithm(), text).prop_flat_map(|(shapes, network, algorithm, text)| {
        let (control_period, observation_size, hidden, head) = shapes;
        let (observation, action) = (usize::from(observation_size), head.action_size());
        let entries =
            (prop::collection::vec(entry(), observation), prop::collection::vec(entry(), action));
        entries.prop_map(move |(observation, action)| {
            let last = (head.inputs().0 as u16, Activation::Linear);
            let layers = hidden.iter().chain([&last]);
            let layers = layers.map(|&(outputs, f)| LayerShape { outputs, activation: f });
            let sample = Sample {
                control_period,
                observation_size,
                layers: layers.collect(),
                head: head.clone(),
                algorithm,
                plant: text.0.clone(),
                plant_fingerprint: text.1,
                trainer: text.2.clone(),
                observation,
                action,
                ..known::spring()
            };
            filled(sample, network)
        })
    })
}

/// With weights, normalisation and examples from a seed.
fn filled(
    mut sample: Sample,
    (kind, normalised, seed, examples): (i32, bool, u64, usize),
) -> Sample {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rng = &mut rng;
    let (shapes, size) = (sample.shapes(), sample.observation_size);
    sample.normalisation = (kind > 0 || normalised).then(|| shifts_and_scales(size, kind > 0, rng));
    let count = shapes.len();
    let mut layers = |bytes| {
        let each = shapes.iter().enumerate();
        each.map(|(i, &(inputs, outputs))| fixed(inputs, outputs, i + 1 == count, bytes, rng))
            .collect()
    };
    sample.network = match kind {
        1 => Network::Int16(layers(false)),
        2 => Network::Int8(layers(true)),
        _ => {
            let count = shapes.iter().map(|(inputs, outputs)| (inputs + 1) * outputs).sum();
            Network::F32((0..count).map(|_| drawn(rng)).collect())
        }
    };
    let row = usize::from(size) + sample.head.action_size();
    // Not the right ones: what an example holds is its writer's matter.
    sample.examples = (0..examples * row).map(|_| drawn(rng).to_bits()).collect();
    sample
}

/// A policy and an observation for it.
pub(crate) fn sample_and_observation() -> impl Strategy<Value = (Sample, Vec<f32>)> {
    sample().prop_flat_map(|sample| {
        let observation = prop::collection::vec(number(), usize::from(sample.observation_size));
        (Just(sample), observation)
    })
}
