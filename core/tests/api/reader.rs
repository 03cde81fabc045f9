//! A second reader, written from `FORMAT.md` alone and in its words: it shares no code with the
//! crate. It checks nothing; it shows that the document says enough.

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Blob {
    pub(crate) algorithm: u32,
    pub(crate) environment: String,
    pub(crate) control_period: f32,
    pub(crate) observation_size: usize,
    pub(crate) layers: Vec<Layer>,
    pub(crate) head: Head,
}

/// A head; scale and bias, low and high are entry by entry in pairs.
#[derive(Debug)]
pub(crate) enum Head {
    SquashedGaussian { scaling: Vec<(f32, f32)>, log_std: (u32, f32, f32) },
    Tanh { scaling: Vec<(f32, f32)> },
    Clamp { bounds: Vec<(f32, f32)> },
    ClampedGaussian { bounds: Vec<(f32, f32)>, std: (f32, f32) },
    Grid { low: f32, high: f32, points: u32 },
}

impl Default for Head {
    fn default() -> Self {
        Head::Clamp { bounds: Vec::new() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Layer {
    outputs: usize,
    activation: u32,
    bias: Vec<f32>,
    columns: Vec<Vec<f32>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        self.at += count;
        &self.bytes[self.at - count..self.at]
    }

    fn f32(&mut self) -> f32 {
        f32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn f32s(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.f32()).collect()
    }

    fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = u32::from(self.take(1)[0]);
            value |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    }

    fn f32_list(&mut self) -> Vec<f32> {
        let count = self.varint();
        self.f32s(count as usize)
    }

    fn pairs(&mut self) -> Vec<(f32, f32)> {
        let first = self.f32_list();
        first.into_iter().zip(self.f32_list()).collect()
    }

    fn head(&mut self) -> Head {
        match self.varint() {
            0 => Head::SquashedGaussian {
                scaling: self.pairs(),
                log_std: (self.varint(), self.f32(), self.f32()),
            },
            1 => Head::Tanh { scaling: self.pairs() },
            2 => Head::Clamp { bounds: self.pairs() },
            3 => Head::ClampedGaussian { bounds: self.pairs(), std: (self.f32(), self.f32()) },
            4 => Head::Grid { low: self.f32(), high: self.f32(), points: self.varint() },
            other => panic!("no head {other}"),
        }
    }
}

/// Reads a whole blob.
pub(crate) fn read(bytes: &[u8]) -> Blob {
    let mut r = Reader { bytes, at: 16 };
    let mut blob = Blob { algorithm: r.varint(), ..Blob::default() };
    let name = r.varint() as usize;
    blob.environment = String::from_utf8(r.take(name).to_vec()).unwrap();
    blob.control_period = r.f32();
    blob.observation_size = r.varint() as usize;
    for _ in 0..r.varint() {
        let outputs = r.varint() as usize;
        blob.layers.push(Layer { outputs, activation: r.varint(), ..Layer::default() });
    }
    blob.head = r.head();
    assert_eq!(r.at - 16, usize::from(u16::from_le_bytes([bytes[6], bytes[7]])));
    r.at = r.at.next_multiple_of(4);
    let mut inputs = blob.observation_size;
    for layer in &mut blob.layers {
        layer.columns = vec![Vec::new(); inputs];
        while layer.bias.len() < layer.outputs {
            let left = layer.outputs - layer.bias.len();
            let rows = if left >= 16 {
                16
            } else if left >= 4 {
                4
            } else {
                1
            };
            layer.bias.extend(r.f32s(rows));
            for column in &mut layer.columns {
                column.extend(r.f32s(rows));
            }
        }
        inputs = layer.outputs;
    }
    assert_eq!(r.at, bytes.len());
    blob
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
    /// The last layer's output, one row of W at a time.
    fn network(&self, observation: &[f32]) -> Vec<f32> {
        let mut x = observation.to_vec();
        for layer in &self.layers {
            x = (0..layer.outputs)
                .map(|i| {
                    let mut z = layer.bias[i];
                    for (column, x) in layer.columns.iter().zip(&x) {
                        let product = column[i] * x;
                        z += product;
                    }
                    match layer.activation {
                        0 => z,
                        1 => {
                            if z <= 0.0 {
                                0.0
                            } else {
                                z
                            }
                        }
                        2 => tanh(z),
                        other => panic!("no activation {other}"),
                    }
                })
                .collect();
        }
        x
    }

    /// The greedy action.
    pub(crate) fn act(&self, observation: &[f32]) -> Vec<f32> {
        self.action(&self.network(observation))
    }

    /// From the last layer's outputs, or from u in the place of a Gaussian's means, to the action.
    fn action(&self, z: &[f32]) -> Vec<f32> {
        match &self.head {
            Head::SquashedGaussian { scaling, .. } | Head::Tanh { scaling } => {
                z.iter().zip(scaling).map(|(z, (scale, bias))| scale * tanh(*z) + bias).collect()
            }
            Head::Clamp { bounds } | Head::ClampedGaussian { bounds, .. } => {
                z.iter().zip(bounds).map(|(z, &bounds)| limited(*z, bounds)).collect()
            }
            Head::Grid { .. } if z.iter().any(|z| !z.is_finite()) => vec![f32::NAN],
            Head::Grid { low, high, points } => {
                let greatest = z.iter().copied().fold(f32::MIN, f32::max);
                let i = z.iter().position(|&z| z == greatest).unwrap() as u32;
                if i == points - 1 {
                    return vec![*high];
                }
                let product = (high - low) * i as f32;
                let quotient = product / (points - 1) as f32;
                vec![low + quotient]
            }
        }
    }

    /// The sampled action for the generator's words, two for each entry.
    pub(crate) fn sample(&self, observation: &[f32], words: &[u32]) -> Vec<f32> {
        let z = self.network(observation);
        let std = |zeta| match self.head {
            Head::SquashedGaussian { log_std: (form, min, max), .. } => libm::expf(match form {
                0 => limited(zeta, (min, max)),
                1 => min + (0.5 * (max - min)) * (tanh(zeta) + 1.0),
                other => panic!("no bound {other}"),
            }),
            Head::ClampedGaussian { std, .. } => limited(libm::expf(zeta), std),
            _ => panic!("no noise"),
        };
        if let Head::Tanh { .. } | Head::Clamp { .. } | Head::Grid { .. } = self.head {
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

/// tanh as the document spells it out.
pub(crate) fn tanh(x: f32) -> f32 {
    let w = x.abs();
    let t = match w.to_bits() {
        0x4120_0001.. => 1.0 + 0.0 / w,
        0x3f0c_9f55.. => 1.0 - 2.0 / (expm1(2.0 * w) + 2.0),
        0x3e82_c579.. => {
            let t = expm1(2.0 * w);
            t / (t + 2.0)
        }
        0x0080_0000.. => {
            let t = expm1(-2.0 * w);
            -t / (t + 2.0)
        }
        _ => w,
    };
    if x.is_sign_negative() { -t } else { t }
}

/// eʸ − 1 for the arguments that `tanh` has.
fn expm1(y: f32) -> f32 {
    let [ln2_hi, ln2_lo, inv_ln2, q1, q2] =
        [0x3f31_7180, 0x3717_f7d1, 0x3fb8_aa3b, 0xbd08_8868_u32, 0x3acf_3010].map(f32::from_bits);
    let size = y.abs().to_bits();
    if size < 0x3300_0000 {
        return y;
    }
    let k = match size {
        ..0x3eb1_7219 => 0,
        0x3eb1_7219..0x3f85_1592 => {
            if y < 0.0 {
                -1
            } else {
                1
            }
        }
        _ => (inv_ln2 * y + 0.5) as i32,
    };
    let (hi, lo) = (y - k as f32 * ln2_hi, k as f32 * ln2_lo);
    let x = hi - lo;
    let c = (hi - x) - lo;
    let h = 0.5 * x;
    let s = x * h;
    let r = 1.0 + s * (q1 + s * q2);
    let t = 3.0 - r * h;
    let e = s * ((r - t) / (6.0 - x * t));
    if k == 0 {
        return x - (x * e - s);
    }
    let e = (x * (e - c) - c) - s;
    let (two_k, two_minus_k) = (2.0_f32.powi(k), 2.0_f32.powi(-k));
    match k {
        -1 => 0.5 * (x - e) - 0.5,
        1 if x < -0.25 => -2.0 * (e - (x + 0.5)),
        1 => 1.0 + 2.0 * (x - e),
        ..23 => ((x - e) + (1.0 - two_minus_k)) * two_k,
        _ => ((x - (e + two_minus_k)) + 1.0) * two_k,
    }
}
