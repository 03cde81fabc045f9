//! Policies to test with.

use policy_core::{
    Action, Activation, Algorithm, Head, Header, LayerShape, LogStdBound, format,
    layer::{self, Layer},
    recording,
};
use proptest::prelude::*;

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

    /// A copy with other bytes and a checksum that fits them. The length field stays as it is.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = self.bytes().to_vec();
        change(&mut bytes);
        format::seal(&mut bytes);
        Aligned::new(&bytes)
    }
}

impl std::fmt::Debug for Aligned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02x?}", self.bytes())
    }
}

/// A header and its weights: of each layer its biases, then its columns.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) header: Header,
    pub(crate) weights: Vec<f32>,
}

impl Sample {
    pub(crate) fn blob(&self) -> Aligned {
        let mut bytes = vec![0; format::PREFIX + format::MAX_HEADER + 4 * self.weights.len()];
        let len = format::encode(&self.header, &self.weights, &mut bytes).unwrap();
        Aligned::new(&bytes[..len])
    }
}

/// The weights of a layer in the order of [`Sample`].
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

/// The worked example of `FORMAT.md`.
pub(crate) fn spring() -> Sample {
    let layer = |outputs, activation| LayerShape { outputs, activation };
    Sample {
        header: Header {
            algorithm: Algorithm::Sac,
            environment: "spring".try_into().unwrap(),
            control_period: 0.05,
            observation_size: 3,
            layers: [layer(2, Activation::Relu), layer(2, Activation::Linear)]
                .into_iter()
                .collect(),
            head: Head::SquashedGaussian {
                scale: [2.0].into_iter().collect(),
                bias: [0.5].into_iter().collect(),
                log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
            },
        },
        weights: vec![
            0.5, -1.0, 1.0, 0.5, -2.0, 3.0, 0.25, -4.0, 0.125, -1.0, 0.75, 0.25, -0.5, 1.5,
        ],
    }
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
pub(crate) fn heads() -> [Head; 5] {
    let action = |values: &[f32]| values.iter().copied().collect::<Action>();
    [
        spring().header.head,
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
    let mut sample = spring();
    sample.header.head = head;
    sample.header.observation_size = 2;
    let last = LayerShape { outputs: z.len() as u16, activation: Activation::Linear };
    sample.header.layers = [last].into_iter().collect();
    let rows = z.iter().map(|&z| match z {
        f32::INFINITY => [f32::MAX, f32::MAX, 0.0],
        f32::NEG_INFINITY => [f32::MIN, f32::MIN, 0.0],
        z if z.is_nan() => [f32::MAX, f32::MAX, f32::MIN],
        z => [z, 0.0, 0.0],
    });
    let rows: Vec<[f32; 3]> = rows.collect();
    sample.weights = (0..3).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
    sample
}

/// The observation for [`giving`]: z = b + w₀ + 2 w₁.
pub(crate) const OUTPUT_OBSERVATION: [f32; 2] = [1.0, 2.0];

/// The observation of the worked example.
pub(crate) const SPRING_OBSERVATION: [f32; 3] = [1.0, 0.25, -0.5];

/// A recording with these words after its fixed part.
pub(crate) fn recording(observation: u8, action: u8, rows: u32, words: &[u32]) -> Aligned {
    let mut bytes = recording::prefix(observation, action, rows).to_vec();
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    Aligned::new(&bytes)
}

/// Every finite number, subnormal and huge ones too.
pub(crate) fn finite() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |x| x.is_finite())
}

/// Mostly numbers of a network's usual size, at times any finite one.
pub(crate) fn number() -> impl Strategy<Value = f32> {
    prop_oneof![15 => -2.0_f32..2.0, 1 => finite()]
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

fn head(actions: usize) -> impl Strategy<Value = Head> {
    let log_std = (any::<bool>(), -20.0_f32..0.0, 0.0_f32..3.0).prop_map(|(tanh, min, max)| {
        if tanh { LogStdBound::Tanh { min, max } } else { LogStdBound::Clamp { min, max } }
    });
    prop_oneof![
        (scaling(actions), log_std).prop_map(|((scale, bias), log_std)| Head::SquashedGaussian {
            scale,
            bias,
            log_std
        }),
        scaling(actions).prop_map(|(scale, bias)| Head::Tanh { scale, bias }),
        bounds(actions).prop_map(|(low, high)| Head::Clamp { low, high }),
        (bounds(actions), 1e-6_f32..1.0, 0.0_f32..3.0).prop_map(|((low, high), std_min, more)| {
            Head::ClampedGaussian { low, high, std_min, std_max: std_min + more }
        }),
        (bounds(1), 2_u16..=16).prop_map(|((low, high), points)| Head::Grid {
            low: low[0],
            high: high[0],
            points
        }),
    ]
}

/// Any header that makes a policy, with layers of at most 40 outputs.
fn header() -> impl Strategy<Value = Header> {
    let hidden = prop::collection::vec((1_u16..=40, activation()), 0..format::MAX_LAYERS);
    let actions = 1..=policy_core::action::MAX_ACTION_SIZE;
    let rest = (hidden, activation(), actions.prop_flat_map(head));
    ((algorithm(), "[a-zα-ω_]{0,16}"), 1e-4_f32..10.0, 1_u16..=20, rest).prop_map(
        |((algorithm, environment), control_period, observation_size, (hidden, last, head))| {
            Header {
                algorithm,
                environment: environment.as_str().try_into().unwrap(),
                control_period,
                observation_size,
                layers: hidden
                    .into_iter()
                    .chain([(head.inputs().0 as u16, last)])
                    .map(|(outputs, activation)| LayerShape { outputs, activation })
                    .collect(),
                head,
            }
        },
    )
}

/// Any policy of that size.
pub(crate) fn sample() -> impl Strategy<Value = Sample> {
    header().prop_flat_map(|header| {
        let weights = prop::collection::vec(number(), header.parameters() as usize);
        weights.prop_map(move |weights| Sample { header: header.clone(), weights })
    })
}

/// A policy and an observation for it.
pub(crate) fn sample_and_observation() -> impl Strategy<Value = (Sample, Vec<f32>)> {
    sample().prop_flat_map(|sample| {
        let observation =
            prop::collection::vec(number(), usize::from(sample.header.observation_size));
        (Just(sample), observation)
    })
}
