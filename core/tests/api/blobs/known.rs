//! The examples of `FORMAT.md`, and policies that give chosen outputs.

use policy_core::{
    Action, Activation, Algorithm, Head, LayerShape, LogStdBound,
    layer::{self, Layer},
};

use super::{Entry, Fixed, Network, Sample};

/// The first worked example of `FORMAT.md`.
pub(crate) fn spring() -> Sample {
    let sample = Sample {
        control_period: 0.05,
        observation_size: 3,
        layers: vec![layer(2, Activation::Relu), layer(2, Activation::Linear)],
        head: Head::SquashedGaussian {
            scale: action(&[2.0]),
            bias: action(&[0.5]),
            log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
        },
        normalisation: None,
        network: Network::F32(vec![
            0.5, -1.0, 1.0, 0.5, -2.0, 3.0, 0.25, -4.0, 0.125, -1.0, 0.75, 0.25, -0.5, 1.5,
        ]),
        examples: Vec::new(),
        algorithm: Algorithm::Sac,
        plant: "spring".to_owned(),
        plant_fingerprint: 0x0123_4567,
        trainer: "trainer 0.1.0".to_owned(),
        observation: vec![
            Entry::new("position", "m", -1.0, 1.0),
            Entry::new("velocity", "m/s", f32::NEG_INFINITY, f32::INFINITY),
            Entry::new("on", "", 0.0, 1.0),
        ],
        action: vec![Entry::new("force", "N", -1.5, 2.5)],
    };
    sample.with_examples(&[&SPRING_OBSERVATION])
}

/// The observation of the worked example.
pub(crate) const SPRING_OBSERVATION: [f32; 3] = [1.0, 0.25, -0.5];

/// The second one: integers of 8 bits, with a padding column and a padding row in both layers.
pub(crate) fn cart() -> Sample {
    let sample = Sample {
        control_period: 0.02,
        observation_size: 3,
        layers: vec![layer(3, Activation::Tanh), layer(1, Activation::Linear)],
        head: Head::Tanh { scale: action(&[2.0]), bias: action(&[0.5]) },
        normalisation: Some((vec![0.0, 0.5, 0.0], vec![65_536.0, 131_072.0, 16_384.0])),
        network: Network::Int8(vec![
            Fixed {
                weights: vec![64, -32, 16, -128, 127, 0, 1, 2, 3],
                bias: vec![100_000, -100_000, 7],
                scale: vec![0x6000_0007, 0x7fff_0008, 0x4000_0003],
            },
            Fixed {
                weights: vec![-64, 100, 127],
                bias: vec![1024],
                scale: vec![0x3480_0000], // 2⁻²²
            },
        ]),
        examples: Vec::new(),
        algorithm: Algorithm::Td3,
        plant: "cart".to_owned(),
        plant_fingerprint: 0x89ab_cdef,
        trainer: "trainer 0.1.0".to_owned(),
        observation: vec![
            Entry::new("position", "m", -2.0, 2.0),
            Entry::new("speed", "m/s", 0.0, 1.0),
            Entry::new("angle", "rad", -8.0, 8.0),
        ],
        action: vec![Entry::new("force", "N", -1.5, 2.5)],
    };
    sample.with_examples(&[&CART_OBSERVATION])
}

/// The observation of that example.
pub(crate) const CART_OBSERVATION: [f32; 3] = [0.75, 0.4, -1.25];

/// The same numbers in 16 bits.
pub(crate) fn cart_16() -> Sample {
    let mut sample = cart();
    sample.network = Network::Int16(std::mem::take(sample.fixed()));
    sample
}

/// With so many outputs of its first of two layers, repeating what it has, and without examples.
pub(crate) fn widened(mut sample: Sample, outputs: u16) -> Sample {
    sample.layers[0].outputs = outputs;
    let shapes = sample.shapes();
    fn repeat<T: Clone>(list: &mut Vec<T>, count: usize) {
        *list = list.iter().cloned().cycle().take(count).collect();
    }
    match &mut sample.network {
        Network::F32(weights) => {
            repeat(weights, shapes.iter().map(|(inputs, outputs)| (inputs + 1) * outputs).sum());
        }
        Network::Int16(layers) | Network::Int8(layers) => {
            for (layer, (inputs, outputs)) in layers.iter_mut().zip(shapes) {
                repeat(&mut layer.weights, inputs * outputs);
                repeat(&mut layer.bias, outputs);
                repeat(&mut layer.scale, outputs);
            }
        }
    }
    sample.examples.clear();
    sample
}

/// A policy of each kind of weights.
pub(crate) fn of_each_kind() -> [Sample; 3] {
    [spring(), cart_16(), cart()]
}

pub(crate) fn layer(outputs: u16, activation: Activation) -> LayerShape {
    LayerShape { outputs, activation }
}

pub(crate) fn action(values: &[f32]) -> Action {
    values.iter().copied().collect()
}

/// Every algorithm, in the order of `FORMAT.md`.
pub(crate) const ALGORITHMS: [Algorithm; 7] = [
    Algorithm::Sac,
    Algorithm::Ddpg,
    Algorithm::Td3,
    Algorithm::Dqn,
    Algorithm::DoubleDqn,
    Algorithm::SacV,
    Algorithm::SacM,
];

/// The heads of the worked examples in `FORMAT.md`, by number.
pub(crate) fn heads() -> [Head; 6] {
    [
        spring().head,
        Head::SquashedGaussian {
            scale: action(&[2.0]),
            bias: action(&[0.5]),
            log_std: LogStdBound::Tanh { min: -5.0, max: 2.0 },
        },
        Head::Tanh { scale: action(&[2.0, 0.5]), bias: action(&[0.5, -1.0]) },
        Head::Clamp { low: action(&[-1.0, 0.5]), high: action(&[2.0, 0.75]) },
        Head::ClampedGaussian {
            low: action(&[-1.0]),
            high: action(&[2.0]),
            std_min: 0.01,
            std_max: 0.5,
        },
        Head::Grid { low: -0.3, high: 0.1, points: 4 },
    ]
}

/// A policy whose last layer gives `z` for [`OUTPUT_OBSERVATION`], infinities and NaN too, where sums
/// overflow. A −0 becomes a +0.
pub(crate) fn giving(head: Head, z: &[f32]) -> Sample {
    let rows = z.iter().map(|&z| match z {
        f32::INFINITY => [f32::MAX, f32::MAX, 0.0],
        f32::NEG_INFINITY => [f32::MIN, f32::MIN, 0.0],
        z if z.is_nan() => [f32::MAX, f32::MAX, f32::MIN],
        z => [z, 0.0, 0.0],
    });
    let rows: Vec<[f32; 3]> = rows.collect();
    let weights = (0..3).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
    let layers = vec![layer(z.len() as u16, Activation::Linear)];
    let sample = Sample {
        head,
        observation_size: 2,
        layers,
        network: Network::F32(weights),
        examples: Vec::new(),
        ..spring()
    };
    sample.with_entries()
}

/// The observation for [`giving`]: z = b + w₀ + 2 w₁.
pub(crate) const OUTPUT_OBSERVATION: [f32; 2] = [1.0, 2.0];

/// The same in integers of 16 bits: z is exact where it is a multiple of 2⁻²⁰ within ±2¹¹ or is an infinity.
pub(crate) fn giving_fixed(head: Head, z: &[f32]) -> Sample {
    let row = |&z: &f32| match z {
        z if z.is_infinite() => (if z > 0.0 { 2 } else { -2 }, f32::MAX.to_bits()),
        z => ((z * 1_048_576.0) as i32, (1.0_f32 / 1_048_576.0).to_bits()),
    };
    let (bias, scale) = z.iter().map(row).unzip();
    let layer = Fixed { weights: vec![0; 2 * z.len()], bias, scale };
    Sample {
        normalisation: Some((vec![0.0; 2], vec![1.0; 2])),
        network: Network::Int16(vec![layer]),
        ..giving(head, z)
    }
}

/// The weights of a layer in the order of [`Network::F32`].
pub(crate) fn weights(layer: &Layer<'_>) -> Vec<f32> {
    let mut weights = vec![f32::NAN; (layer.inputs() + 1) * layer.outputs()];
    for (rows, panel) in layer::panels(layer.outputs()).zip(layer.panels()) {
        for (i, row) in rows.enumerate() {
            weights[row] = panel.bias[i];
            for j in 0..layer.inputs() {
                weights[(j + 1) * layer.outputs() + row] = panel.weights[(i, j)];
            }
        }
    }
    weights
}
