//! Writes one policy of each kind of weights, for tests that hold every later version of this crate to them:
//!
//! ```text
//! cargo run -p policy-core --example golden -- core/tests/golden
//! ```
//!
//! The files of version 1 were written once and stay as they are. Who makes version 2 runs it again, which gives files
//! of other names, and keeps the old ones for as long as a reader promises to read them.

use std::{error::Error, fs::File, io::Write, path::Path};

use policy_core::{
    Activation, Algorithm, Head, LayerShape, Policy, Weights,
    format::{self, Channel, Description, FixedLayer, Network, Normalisation, Terms},
    gaussian, recording,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("in which directory?")?;
    for (name, blob) in blobs() {
        // What is frozen is not written over.
        File::create_new(Path::new(&directory).join(&name))?.write_all(&blob)?;
        println!("{name}: {} bytes", blob.len());
    }
    Ok(())
}

/// Each with its file's name.
pub(crate) fn blobs() -> [(String, Vec<u8>); 3] {
    let float = float();
    let columns: Vec<f32> = float.iter().flat_map(Layer::columns).collect();
    let owned = [fixed(&float, 127.0), fixed(&float, 32_767.0)];
    let [narrow, wide] = owned.each_ref().map(|layers| {
        let borrowed =
            layers.iter().map(|Fixed { weights, bias, scale }| FixedLayer { weights, bias, scale });
        borrowed.collect::<Vec<_>>()
    });
    let units = SCALE.map(|scale| 4.0 * UNIT * scale);
    let name = |kind| format!("v{}-{kind}.bin", format::VERSION);
    [
        (name("f32"), with_examples::<f32>(SCALE, Network::F32(&columns))),
        (name("int16"), with_examples::<i16>(units, Network::Int16(&wide))),
        (name("int8"), with_examples::<i8>(units, Network::Int8(&narrow))),
    ]
}

/// cos θ, sin θ and the angular velocity in rad/s: hanging, turning fast, in between, and faster than it can be.
const OBSERVATIONS: [[f32; 3]; 4] =
    [[-1.0, 0.0, 0.0], [0.0, 1.0, 8.0], [0.6, -0.8, -3.5], [0.5, -0.5, 100.0]];

/// Of the observation, so that all its entries are within ±1.
const SCALE: [f32; 3] = [1.0, 1.0, 0.125];

/// What stands for 1 in the integer layers' input: twice the range has room.
const UNIT: f32 = 16_384.0;

/// A blob with the examples that it gives itself.
fn with_examples<W: Weights>(scale: [f32; 3], network: Network<'_>) -> Vec<u8> {
    let blob = encode(scale, network, &[]);
    // Its bytes are wherever they are: read at a multiple of 4.
    let mut words = vec![0_u32; blob.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..blob.len()].copy_from_slice(&blob);
    let blob = &bytemuck::cast_slice(&words)[..blob.len()];
    let policy: Policy<'_, W> = Policy::from_bytes(blob).expect("a policy");
    let example = |x: &[f32; 3]| {
        let action = recording::action_words(&policy, x);
        x.iter().map(|x| x.to_bits()).chain(action).collect::<Vec<_>>()
    };
    encode(scale, network, &OBSERVATIONS.iter().flat_map(example).collect::<Vec<_>>())
}

fn encode(scale: [f32; 3], network: Network<'_>, examples: &[u32]) -> Vec<u8> {
    let layer = |outputs, activation| LayerShape { outputs, activation };
    let channel = |name, unit, bound: f32| Channel { name, unit, low: -bound, high: bound };
    let description = Description {
        control_period: 0.05,
        observation_size: 3,
        layers: &[
            layer(16, Activation::Relu),
            layer(16, Activation::Tanh),
            layer(1, Activation::Linear),
        ],
        head: Head::Tanh { scale: &[2.0], bias: &[0.0] },
        normalisation: Some(Normalisation { shift: &[0.0; 3], scale: &scale }),
        network,
        examples,
        terms: Terms {
            algorithm: Algorithm::Td3,
            plant: "pendulum",
            plant_fingerprint: 0x7065_6e64,
            trainer: "trainer 0.1.0",
            observation: &[
                channel("cos θ", "", 1.0),
                channel("sin θ", "", 1.0),
                channel("angular velocity", "rad/s", 8.0),
            ],
            action: &[channel("torque", "N·m", 2.0)],
        },
    };
    let mut blob = vec![0; 4096];
    let length = format::encode(&description, &mut blob).expect("a blob");
    blob.truncate(length);
    blob
}

/// A layer to be written in any kind of weights: a row is its bias and its weights.
struct Layer {
    activation: Activation,
    rows: Vec<(f32, Vec<f32>)>,
}

impl Layer {
    /// Biases, then column after column.
    fn columns(&self) -> Vec<f32> {
        let bias = self.rows.iter().map(|row| row.0);
        let inputs = self.rows[0].1.len();
        bias.chain((0..inputs).flat_map(|j| self.rows.iter().map(move |row| row.1[j]))).collect()
    }
}

/// Nobody trained it: its numbers are drawn.
fn float() -> Vec<Layer> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let shapes = [
        (3, 16, 1.0, Activation::Relu),
        (16, 16, 0.75, Activation::Tanh),
        (16, 1, 1.0, Activation::Linear),
    ];
    let mut layer = |(inputs, outputs, width, activation)| {
        let mut draw = || width * (2.0 * gaussian::uniform(&mut rng) - 1.0);
        let rows = (0..outputs).map(|_| (draw(), (0..inputs).map(|_| draw()).collect())).collect();
        Layer { activation, rows }
    };
    shapes.map(&mut layer).into()
}

/// A layer in integers.
struct Fixed {
    weights: Vec<i16>,
    bias: Vec<i32>,
    scale: Vec<u32>,
}

/// The layers in integers up to `largest`.
fn fixed(float: &[Layer], largest: f64) -> Vec<Fixed> {
    // How many of the input's unit are 1, and the largest input in it.
    let (mut unit, mut reach) = (f64::from(UNIT), 1.0);
    let mut layers = Vec::new();
    for Layer { activation, rows } in float {
        let magnitude = |(_, weights): &(f32, Vec<f32>)| -> f64 {
            weights.iter().map(|w| f64::from(w.abs())).sum()
        };
        let bound = |row: &(f32, Vec<f32>)| reach * magnitude(row) + f64::from(row.0.abs());
        let widest = rows.iter().map(bound).fold(0.0, f64::max);
        let (next, next_reach) = match activation {
            // Half the range: a scale below ½ takes no sum further without cutting others short.
            Activation::Relu => (16_383.0 / widest, widest),
            _ => (32_768.0, 1.0),
        };
        // A tanh takes its z in 2⁻¹².
        let target = if *activation == Activation::Tanh { 4096.0 } else { next };
        let mut layer = Fixed { weights: Vec::new(), bias: Vec::new(), scale: Vec::new() };
        for row in rows {
            let weight = row.1.iter().map(|w| f64::from(w.abs())).fold(0.0, f64::max);
            // Below 2³¹ by more than what rounding adds.
            let room = (32_767.0 * magnitude(row) + f64::from(row.0.abs()) * unit) / 2.1e9;
            let step = room.max(weight / largest);
            let weights = row.1.iter().map(|w| (f64::from(*w) / step).round() as i16);
            layer.weights.extend(weights);
            layer.bias.push((f64::from(row.0) * unit / step).round() as i32);
            layer.scale.push(match activation {
                Activation::Linear => ((step / unit) as f32).to_bits(),
                _ => scale_word(step / unit * target, bound(row) * unit / step),
            });
        }
        layers.push(layer);
        (unit, reach) = (next, next_reach);
    }
    layers
}

/// s + 2¹⁶ m for a factor m · 2⁻¹⁶⁻ˢ, where no sum is larger than that.
fn scale_word(factor: f64, sum: f64) -> u32 {
    let needed = (0..31).find(|s| sum / f64::from(1_u32 << s) < 65_535.0).expect("32 bits");
    let multiplier = |s: u32| (factor * f64::from(1_u32 << s) * 65_536.0).round();
    let s = (0..=needed).rev().find(|s| multiplier(*s) < 32_768.0).expect("a factor below ½");
    s | (multiplier(s) as u32) << 16
}
