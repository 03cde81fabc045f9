//! tanh in both arithmetics, as `FORMAT.md` spells them out.

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

/// F of the document.
pub(crate) const F: [i64; 33] = [
    0, 8025, 15143, 20813, 24956, 27797, 29660, 30847, 31589, 32048, 32329, 32501, 32606, 32670,
    32708, 32732, 32746, 32755, 32760, 32763, 32765, 32766, 32767, 32767, 32768, 32768, 32768,
    32768, 32768, 32768, 32768, 32768, 32768,
];

/// ⌊a / b⌋
pub(crate) fn floor(a: i64, b: i64) -> i64 {
    a.div_euclid(b)
}

/// T(v) of the document, in more bits than it needs.
pub(crate) fn t(v: i64) -> i64 {
    let i = floor(v.abs(), 1 << 14) as usize;
    let magnitude = if i >= 32 {
        1 << 15
    } else {
        let (f0, f1) = (F[i], F[i + 1]);
        let [d0, d1] = [f0, f1].map(|f| floor((1 << 15) - floor(f * f, 1 << 15), 4));
        let delta = f1 - f0;
        let u = 2 * (v.abs() % (1 << 14));
        let k = d0 + d1 - 2 * delta;
        let q = 3 * delta - 2 * d0 - d1 + floor(u * k, 1 << 15);
        let l = d0 + floor(u * q, 1 << 15);
        f0 + floor(u * l + (1 << 14), 1 << 15)
    };
    if v < 0 { -magnitude } else { magnitude }
}

/// tanhq(z) of the document.
pub(crate) fn tanhq(z: f32) -> f32 {
    if z.is_nan() {
        return z;
    }
    let v = f64::from(z * 65_536.0).trunc().clamp(-1_073_741_824.0, 1_073_741_824.0);
    (t(v as i64) as f64 / 32_768.0) as f32
}
