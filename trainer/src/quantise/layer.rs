//! One layer in integers.
//!
//! A unit q of a layer's input stands for the real number x = q · s_x, |q| ≤ 32 767. Row r of W has a scale s_w of its own:
//!
//! ```text
//! w = ⌊W / s_w⌉          sum = B + Σⱼ wⱼ qⱼ          z ≈ sum · s_w s_x
//! ```
//!
//! The last layer gives z = sum · scale with scale = s_w s_x, and B = ⌊b / (s_w s_x)⌉. A hidden one gives a unit
//! v = ⌊c m / 2¹⁶⌋ with c = ⌊sum / 2ˢ⌋, that is z / s_y with
//!
//! ```text
//! M = s_w s_x / s_y = m · 2^−(16 + s)          2¹⁴ ≤ m < 2¹⁵
//! ```
//!
//! and m is as large as it can be, so that v reaches 16 383 at least. For tanh s_y = 2⁻¹²; else s_y makes the largest
//! calibrated unit 8000. Both roundings are down; with half of what they can take away put into the bias, they are to nearest:
//!
//! ```text
//! B = ⌊b / (s_w s_x) + ½ (2ˢ − 1) + 2^(15 + s) / m⌉
//! ```
//!
//! where the first addend makes up for ⌊sum / 2ˢ⌋ and the second, half a unit, for ⌊c m / 2¹⁶⌋.

use policy_core::Activation;
use policy_core::layer::Layer;

/// The largest unit.
pub(super) const LIMIT: f64 = 32_767.0;
/// What the largest calibrated activation of a layer becomes. Every row reaches 16 383 at least, so that an activation of twice
/// as much is not yet cut off.
const TARGET: f64 = 8000.0;
/// The unit of what goes into tanh.
const TANH_UNIT: f64 = 1.0 / 4096.0;
/// Largest and least M: m below 2¹⁵, and roundings that fit in a bias.
const MULTIPLIERS: [f64; 2] = [0.45, 1.0 / (1 << 28) as f64];
/// Where a row's sum is too large, its scale is made coarser by this factor until it is not.
const COARSER: f64 = 1.0 + 1.0 / 256.0;

/// y = f(Wx + b) in `f64`.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) activation: Activation,
    /// `[outputs, inputs]`, row by row.
    pub(super) weights: Vec<Vec<f64>>,
    /// `[outputs]`
    pub(super) bias: Vec<f64>,
}

impl Dense {
    pub(super) fn new(layer: &Layer<'_>) -> Self {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for panel in layer.panels() {
            for row in 0..panel.bias.len() {
                let entry = |column| f64::from(panel.weights[(row, column)]);
                weights.push((0..layer.inputs()).map(entry).collect());
                bias.push(f64::from(panel.bias[row]));
            }
        }
        Dense { activation: layer.activation(), weights, bias }
    }

    /// z = Wx + b
    pub(super) fn sums(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.weights.iter().zip(&self.bias);
        rows.map(|(row, b)| row.iter().zip(x).fold(*b, |sum, (w, x)| sum + w * x)).collect()
    }

    /// f(z)
    pub(super) fn activate(&self, z: f64) -> f64 {
        match self.activation {
            Activation::Relu => z.max(0.0),
            Activation::Tanh => z.tanh(),
            // Linear; others are refused before it comes to this.
            _ => z,
        }
    }
}

/// The same in integers.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    activation: Activation,
    rows: Vec<Row>,
    /// s_y: what a unit of its output stands for; of a tanh layer 2⁻¹⁵, of the last one nothing.
    pub(super) unit: f64,
}

#[derive(Debug, Clone)]
struct Row {
    weights: Vec<i16>,
    bias: i32,
    /// As the blob has it.
    word: u32,
}

/// What a layer sees on calibration: for each observation its input as it should be, and in units.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    pub(super) real: Vec<Vec<f64>>,
    pub(super) units: Vec<Vec<i32>>,
}

impl Fixed {
    /// In weights of at most `largest`; units of the input stand for `s_x`. `peak` is the largest activation of a hidden
    /// layer, the last one has none.
    ///
    /// The biases also take up what rounding the weights does to each row on average over the calibration, in this layer and those
    /// before (Nagel et al., 2019, arXiv:1906.04721, section 4.2).
    pub(super) fn new(
        layer: &Dense,
        s_x: f64,
        largest: i16,
        peak: Option<f64>,
        inputs: &Inputs,
    ) -> Self {
        let mut means = vec![0.0; layer.bias.len()];
        for x in &inputs.real {
            for (mean, z) in means.iter_mut().zip(layer.sums(x)) {
                *mean += z / inputs.real.len() as f64;
            }
        }
        let mean_units = mean_units(inputs, layer.weights.first().map_or(0, Vec::len));
        let scales: Vec<f64> = layer
            .weights
            .iter()
            .zip(&layer.bias)
            .map(|(row, b)| weight_scale(row, *b, s_x, largest))
            .collect();
        let coarsest = scales.iter().fold(0.0_f64, |most, s| most.max(*s)) * s_x;
        let s_y = match layer.activation {
            Activation::Tanh => TANH_UNIT,
            _ => (peak.unwrap_or_default() / TARGET).max(coarsest / MULTIPLIERS[0]),
        };
        // A layer that gives nothing but 0.
        let s_y = if s_y > 0.0 { s_y } else { 1.0 };
        let rows = layer.weights.iter().zip(&layer.bias).zip(scales).zip(means);
        let rows = rows.map(|(((row, b), s_w), mean)| {
            let wanted =
                Wanted { weights: row, bias: *b, mean: (!inputs.real.is_empty()).then_some(mean) };
            wanted.row(s_w, s_x, peak.map(|_| s_y), &mean_units)
        });
        let unit = if layer.activation == Activation::Tanh { 1.0 / 32_768.0 } else { s_y };
        Fixed { activation: layer.activation, rows: rows.collect(), unit }
    }

    /// Units of its output; as `policy-core` has them, but for up to 3 units of tanh.
    pub(super) fn units(&self, q: &[i32]) -> Vec<i32> {
        let unit = |row: &Row| {
            let (s, m) = (row.word & 31, i64::from(row.word >> 16));
            let c = (row.sum(q) >> s).clamp(-(1 << 16), (1 << 16) - 1);
            let v = (c * m) >> 16;
            match self.activation {
                Activation::Relu => v.max(0) as i32,
                Activation::Tanh => {
                    let y = 32_768.0 * (v as f64 * TANH_UNIT).tanh();
                    y.round().clamp(-LIMIT, LIMIT) as i32
                }
                _ => v as i32,
            }
        };
        self.rows.iter().map(unit).collect()
    }

    /// Weights `[outputs, inputs]`, biases and scales, as `encode` takes them.
    pub(super) fn parts(&self) -> (Vec<i16>, Vec<i32>, Vec<u32>) {
        (
            self.rows.iter().flat_map(|row| row.weights.iter().copied()).collect(),
            self.rows.iter().map(|row| row.bias).collect(),
            self.rows.iter().map(|row| row.word).collect(),
        )
    }
}

impl Row {
    fn sum(&self, q: &[i32]) -> i64 {
        let products = self.weights.iter().zip(q).map(|(w, q)| i64::from(*w) * i64::from(*q));
        i64::from(self.bias) + products.sum::<i64>()
    }
}

/// The mean of each unit of the input.
fn mean_units(inputs: &Inputs, size: usize) -> Vec<f64> {
    let mut mean = vec![0.0; size];
    for units in &inputs.units {
        for (mean, q) in mean.iter_mut().zip(units) {
            *mean += f64::from(*q) / inputs.units.len() as f64;
        }
    }
    mean
}

/// The finest s_w of a row: the largest |w| is `largest`, or less where |B| + 32 767 Σ |w| would leave 32 bits, which is
/// what the reader allows.
fn weight_scale(row: &[f64], bias: f64, s_x: f64, largest: i16) -> f64 {
    let most = row.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
    let sum: f64 = row.iter().map(|w| w.abs()).sum();
    (most / f64::from(largest)).max((sum + bias.abs() / (s_x * LIMIT)) / 65_535.0)
}

/// m and s of M, the word's numbers.
fn multiplier(multiplier: f64) -> (u32, u32) {
    let s = (-1.0 - multiplier.log2()).floor().clamp(0.0, 31.0) as u32;
    let m = |s: u32| (multiplier * 2.0_f64.powi(16 + s as i32)).round();
    // Rounding may reach 2¹⁵.
    let s = if m(s) > LIMIT { s.saturating_sub(1) } else { s };
    (m(s).clamp(1.0, LIMIT) as u32, s)
}

/// A row as it should be.
struct Wanted<'a> {
    weights: &'a [f64],
    bias: f64,
    /// Of z, over the calibration.
    mean: Option<f64>,
}

impl Wanted<'_> {
    /// In integers, with the scale s_w or one a little coarser; s_y is that of a hidden layer.
    fn row(&self, s_w: f64, s_x: f64, s_y: Option<f64>, mean_units: &[f64]) -> Row {
        let least = s_y.map_or(0.0, |s_y| MULTIPLIERS[1] * s_y / s_x);
        let mut s_w = s_w.max(least);
        if s_w * s_x == 0.0 {
            // Nothing but zeros, in the last layer.
            return Row { weights: vec![0; self.weights.len()], bias: 0, word: 0 };
        }
        loop {
            let weights: Vec<i16> = self.weights.iter().map(|w| (w / s_w).round() as i16).collect();
            let sum_scale = s_w * s_x;
            let (word, rounding) = match s_y {
                Some(s_y) => {
                    let (m, s) = multiplier(sum_scale / s_y);
                    let power = 2.0_f64.powi(s as i32);
                    (s | m << 16, 0.5 * (power - 1.0) + 32_768.0 * power / f64::from(m))
                }
                None => ((sum_scale as f32).to_bits(), 0.0),
            };
            let products = weights.iter().zip(mean_units).map(|(w, q)| f64::from(*w) * q);
            // b, or what leaves the mean of z as it should be.
            let bias = match self.mean {
                Some(mean) => mean / sum_scale - products.sum::<f64>(),
                None => self.bias / sum_scale,
            };
            let bias = (bias + rounding).round();
            let magnitude: f64 = weights.iter().map(|w| f64::from(w.unsigned_abs())).sum();
            if magnitude <= 65_535.0 && magnitude * LIMIT + bias.abs() <= f64::from(i32::MAX) {
                return Row { weights, bias: bias as i32, word };
            }
            s_w *= COARSER;
        }
    }
}

#[cfg(test)]
mod tests;
