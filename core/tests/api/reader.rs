//! A second reader, written from `FORMAT.md` alone and in its words: it shares no code with the
//! crate. It checks nothing; it shows that the document says enough.

mod layers;
pub(crate) mod tanh;

use layers::Layer;
use tanh::{floor, tanh, tanhq};

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) observation_size: usize,
    pub(crate) action_size: usize,
    pub(crate) control_period: f32,
    head: Head,
    /// (shift, scale) of each entry.
    pub(crate) normalisation: Vec<(f32, f32)>,
    layers: Layers,
    /// Observation and action words.
    pub(crate) examples: Vec<(Vec<u32>, Vec<u32>)>,
    pub(crate) contract: Contract,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Contract {
    pub(crate) algorithm: u32,
    pub(crate) plant: String,
    pub(crate) plant_fingerprint: u32,
    pub(crate) trainer: String,
    /// Of the observation, then of the action: name, unit, low, high.
    pub(crate) channels: Vec<(String, String, f32, f32)>,
}

#[derive(Debug)]
struct Head {
    number: u8,
    /// (scale, bias) or (low, high) of each action entry.
    pairs: Vec<(f32, f32)>,
    /// Of log σ or σ.
    bounds: (f32, f32),
    /// Outputs of the last layer.
    outputs: usize,
}

#[derive(Debug)]
enum Layers {
    F32(Vec<Layer<f32>>),
    Integers(Vec<Layer<i64>>),
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        self.at += count;
        &self.bytes[self.at - count..self.at]
    }

    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take(2).try_into().unwrap())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn f32(&mut self) -> f32 {
        f32::from_bits(self.u32())
    }

    fn u32s(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.u32()).collect()
    }

    /// So many numbers, then as many others.
    fn pairs(&mut self, count: usize) -> Vec<(f32, f32)> {
        let first: Vec<f32> = (0..count).map(|_| self.f32()).collect();
        first.into_iter().map(|first| (first, self.f32())).collect()
    }

    fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = u32::from(self.u8());
            value |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    }

    fn string(&mut self) -> String {
        let length = self.varint() as usize;
        String::from_utf8(self.take(length).to_vec()).unwrap()
    }

    fn float_layer(&mut self, inputs: usize, outputs: usize, activation: u8) -> Layer<f32> {
        let mut layer = Layer { activation, bias: vec![], weights: vec![], scale: vec![] };
        while layer.bias.len() < outputs {
            let rows = match outputs - layer.bias.len() {
                16.. => 16,
                _ => 1,
            };
            layer.bias.extend((0..rows).map(|_| self.f32()));
            let first = layer.weights.len();
            layer.weights.resize(first + rows, vec![0.0; inputs]);
            for column in 0..inputs {
                (first..first + rows).for_each(|row| layer.weights[row][column] = self.f32());
            }
        }
        layer
    }

    fn integer_layer(
        &mut self,
        inputs: usize,
        outputs: usize,
        activation: u8,
        bits: u32,
    ) -> Layer<i64> {
        let (inputs, outputs) = (inputs + inputs % 2, outputs + outputs % 2);
        let mut layer = Layer { activation, bias: vec![], weights: vec![], scale: vec![] };
        while layer.bias.len() < outputs {
            let rows = match outputs - layer.bias.len() {
                16.. => 16,
                _ => 2,
            };
            layer.bias.extend((0..rows).map(|_| i64::from(self.u32() as i32)));
            layer.scale.extend(self.u32s(rows));
            let first = layer.weights.len();
            layer.weights.resize(first + rows, vec![0; inputs]);
            for column in (0..inputs).step_by(2) {
                let rows_in_word = if bits == 8 { 2 } else { 1 };
                for row in (first..first + rows).step_by(rows_in_word) {
                    for c in [column, column + 1] {
                        for r in row..row + rows_in_word {
                            layer.weights[r][c] = match bits {
                                8 => i64::from(self.u8() as i8),
                                _ => i64::from(self.u16() as i16),
                            };
                        }
                    }
                }
            }
        }
        layer
    }
}

/// Reads a whole blob.
pub(crate) fn read(bytes: &[u8]) -> Blob {
    let mut r = Reader { bytes, at: 6 };
    let (weights, number) = (r.u8(), r.u8());
    r.at = 16;
    let (observation_size, action_size) = (usize::from(r.u16()), usize::from(r.u8()));
    let (layers, control_period) = (r.u8(), r.f32());
    let (examples, contract_length) = (r.u16(), usize::from(r.u16()));
    let flags = r.u32();
    let mut inputs = observation_size;
    let shapes: Vec<(usize, usize, u8)> = (0..layers)
        .map(|_| {
            let (outputs, activation, _) = (usize::from(r.u16()), r.u8(), r.u8());
            (std::mem::replace(&mut inputs, outputs), outputs, activation)
        })
        .collect();
    let pairs = r.pairs(action_size);
    let bounds = (r.f32(), r.f32());
    let head = Head { number, pairs, bounds, outputs: inputs };
    let normalisation = r.pairs(if flags == 1 { observation_size } else { 0 });
    let shapes = shapes.into_iter();
    let layers = match weights {
        0 => Layers::F32(shapes.map(|(i, o, f)| r.float_layer(i, o, f)).collect()),
        1 => Layers::Integers(shapes.map(|(i, o, f)| r.integer_layer(i, o, f, 16)).collect()),
        2 => Layers::Integers(shapes.map(|(i, o, f)| r.integer_layer(i, o, f, 8)).collect()),
        other => panic!("no weights {other}"),
    };
    let examples = (0..examples).map(|_| (r.u32s(observation_size), r.u32s(action_size))).collect();
    assert_eq!(r.at, bytes.len() - contract_length);
    let contract = Contract {
        algorithm: r.varint(),
        plant: r.string(),
        plant_fingerprint: r.varint(),
        trainer: r.string(),
        channels: (0..observation_size + action_size)
            .map(|_| (r.string(), r.string(), r.f32(), r.f32()))
            .collect(),
    };
    assert_eq!(r.at, bytes.len());
    Blob {
        observation_size,
        action_size,
        control_period,
        head,
        normalisation,
        layers,
        examples,
        contract,
    }
}

/// The checksum of bytes 0…11 and 16…end.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    crc32(bytes[..12].iter().chain(&bytes[16..]))
}

/// CRC-32/ISO-HDLC, bit by bit.
pub(crate) fn crc32<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u32 {
    let mut crc = 0xffff_ffff_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

impl Blob {
    /// The last layer's outputs.
    pub(crate) fn network(&self, observation: &[f32]) -> Vec<f32> {
        let changed = observation.iter().zip(&self.normalisation).map(|(o, (shift, scale))| {
            let difference = o - shift;
            difference * scale
        });
        let mut z = match &self.layers {
            Layers::F32(layers) => {
                let x = match self.normalisation[..] {
                    [] => observation.to_vec(),
                    _ => changed.collect(),
                };
                layers.iter().fold(x, |x, layer| layer.forward(&x))
            }
            Layers::Integers(layers) => {
                let quarters = changed.map(|t| f64::from(t).trunc().clamp(-131_068.0, 131_068.0));
                let mut x: Vec<i64> = quarters.map(|t| floor(t as i64 + 2, 4)).collect();
                x.resize(x.len() + x.len() % 2, 0);
                let (last, hidden) = layers.split_last().unwrap();
                last.last(&hidden.iter().fold(x, |x, layer| layer.hidden(&x)))
            }
        };
        // No head takes padding.
        z.truncate(self.head.outputs);
        z
    }

    fn tanh(&self, z: f32) -> f32 {
        match self.layers {
            Layers::F32(_) => tanh(z),
            Layers::Integers(_) => tanhq(z),
        }
    }

    /// The greedy action.
    pub(crate) fn act(&self, observation: &[f32]) -> Vec<f32> {
        self.action(&self.network(observation))
    }

    /// From the last layer's outputs, or from u in the place of a Gaussian's means, to the action.
    fn action(&self, z: &[f32]) -> Vec<f32> {
        let Head { number, pairs, outputs: points, .. } = &self.head;
        let each = z.iter().zip(pairs);
        match number {
            0..=2 => each.map(|(z, (scale, bias))| scale * self.tanh(*z) + bias).collect(),
            3 | 4 => each.map(|(z, &bounds)| limited(*z, bounds)).collect(),
            5 if z.iter().any(|z| !z.is_finite()) => vec![f32::NAN],
            5 => {
                let (low, high) = pairs[0];
                let greatest = z.iter().copied().fold(f32::MIN, f32::max);
                let i = z.iter().position(|&z| z == greatest).unwrap();
                if i == points - 1 {
                    return vec![high];
                }
                let product = (high - low) * i as f32;
                let quotient = product / (points - 1) as f32;
                vec![low + quotient]
            }
            other => panic!("no head {other}"),
        }
    }

    /// The sampled action for the generator's words, two for each entry.
    pub(crate) fn sample(&self, observation: &[f32], words: &[u32]) -> Vec<f32> {
        let z = self.network(observation);
        let (min, max) = self.head.bounds;
        let std = |zeta| match self.head.number {
            0 => libm::expf(limited(zeta, (min, max))),
            1 => libm::expf(min + (0.5 * (max - min)) * (self.tanh(zeta) + 1.0)),
            _ => limited(libm::expf(zeta), (min, max)),
        };
        if [2, 3, 5].contains(&self.head.number) {
            return self.action(&z);
        }
        let (mean, zeta) = z.split_at(z.len() / 2);
        let u = mean.iter().zip(zeta).zip(words.chunks(2)).map(|((mean, zeta), word)| {
            let uniform = |word: u32| (word >> 8) as f32 / 16_777_216.0;
            let (u1, u2) = (1.0 - uniform(word[0]), uniform(word[1]));
            let angle = f32::from_bits(0x40c9_0fdb) * u2;
            let noise = (-2.0 * libm::logf(u1)).sqrt() * libm::cosf(angle);
            mean + std(*zeta) * noise
        });
        self.action(&u.collect::<Vec<_>>())
    }
}

/// The bound that x is beyond, otherwise x.
fn limited(x: f32, (low, high): (f32, f32)) -> f32 {
    match x {
        _ if x < low => low,
        _ if x > high => high,
        _ => x,
    }
}
