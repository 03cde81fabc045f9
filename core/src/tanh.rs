//! tanh, in `f32` and in integers.

/// tanh z in `f32`, musl's. Not inlined: it would be in every place that calls it.
#[inline(never)]
pub(crate) fn float(z: f32) -> f32 {
    libm::tanhf(z)
}

/// tanh(k / 4) · 2¹⁵ for k from 0 to 32.
#[rustfmt::skip]
const TABLE: [u16; 33] = [
    0, 8025, 15143, 20813, 24956, 27797, 29660, 30847, 31589, 32048, 32329, 32501, 32606, 32670, 32708, 32732,
    32746, 32755, 32760, 32763, 32765, 32766, 32767, 32767, 32768, 32768, 32768, 32768, 32768, 32768, 32768,
    32768, 32768,
];

/// tanh(v · 2⁻¹⁶) · 2¹⁵ for v ≥ 0, by the cubic through the table's values and slopes (Hermite): with h = ¼,
/// u = the way from one entry to the next, 0 to 1, and tanh′ = 1 − tanh²,
///
/// ```text
/// Δ = f₁ − f₀    d₀ = h (1 − f₀²)    d₁ = h (1 − f₁²)
/// f = f₀ + u (d₀ + u (3Δ − 2d₀ − d₁ + u (d₀ + d₁ − 2Δ)))
/// ```
///
/// All numbers have 15 bits after the point; every product is rounded down to that, the last one to nearest.
/// At most 3 · 2⁻¹⁵ from tanh.
fn magnitude(v: u32) -> i32 {
    let index = (v >> 14) as usize;
    let (Some(f0), Some(f1)) = (TABLE.get(index), TABLE.get(index + 1)) else { return 1 << 15 };
    let (f0, f1) = (i32::from(*f0), i32::from(*f1));
    let u = ((v & 0x3FFF) << 1) as i32;
    let slope = |f: i32| ((1 << 15) - ((f * f) >> 15)) >> 2;
    let (delta, d0, d1) = (f1 - f0, slope(f0), slope(f1));
    let cubic = d0 + d1 - 2 * delta;
    let quadratic = 3 * delta - 2 * d0 - d1 + ((u * cubic) >> 15);
    let linear = d0 + ((u * quadratic) >> 15);
    f0 + ((u * linear + (1 << 14)) >> 15)
}

/// tanh z for the fixed-point formats, a multiple of 2⁻¹⁵; ±1 beyond ±8. NaN stays one.
#[inline(never)]
pub(crate) fn coarse(z: f32) -> f32 {
    if z.is_nan() {
        return z;
    }
    signed(truncated(z * 65_536.0)) as f32 * (1.0 / 32_768.0)
}

/// x without its fraction, within ±2³⁰; NaN gives one of these ends. `as` would do, but without an FPU it takes several calls of
/// functions that compare and convert floating-point numbers.
#[inline(always)]
pub(crate) fn truncated(x: f32) -> i32 {
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 23) & 0xFF, bits & 0x007F_FFFF | 0x0080_0000);
    let magnitude = match exponent {
        0..127 => 0,
        127..150 => fraction >> (150 - exponent),
        150..157 => fraction << (exponent - 150),
        _ => 1 << 30,
    } as i32;
    if bits >> 31 == 0 { magnitude } else { -magnitude }
}

/// tanh(z · 2⁻¹²) · 2¹⁵ within ±32 767: a unit of a hidden layer in fixed point.
pub(crate) fn unit(z: i32) -> i32 {
    signed(z << 4).clamp(-32_767, 32_767)
}

#[inline(never)]
fn signed(v: i32) -> i32 {
    let magnitude = magnitude(v.unsigned_abs());
    if v < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_tanh() {
        for (k, entry) in TABLE.iter().enumerate() {
            assert_eq!(f64::from(*entry), (32_768.0 * (k as f64 / 4.0).tanh()).round(), "{k}");
        }
    }

    #[test]
    fn the_cubic_stays_close_grows_and_is_odd() {
        let (mut last, mut worst) = (0, 0.0_f64);
        for v in 0..10 << 16 {
            let y = signed(v);
            worst = worst.max((f64::from(y) - 32_768.0 * (f64::from(v) / 65_536.0).tanh()).abs());
            assert!(y >= last - 1 && (0..=1 << 15).contains(&y), "{v}: {last}, {y}");
            assert_eq!(signed(-v), -y);
            last = y;
        }
        assert!(worst < 3.0, "{worst}");
    }

    #[test]
    fn truncation_is_that_of_as() {
        for bits in (0..=u32::MAX).step_by(3001) {
            let x = f32::from_bits(bits);
            if !x.is_nan() {
                assert_eq!(truncated(x), (x as i32).clamp(-(1 << 30), 1 << 30), "{x}");
            }
        }
    }

    #[test]
    fn the_ends_are_exact() {
        for z in [8.0, 1e9, f32::MAX, f32::INFINITY] {
            assert_eq!((coarse(z), coarse(-z)), (1.0, -1.0));
        }
        assert_eq!(coarse(0.0), 0.0);
        assert_eq!((unit(32_767), unit(-32_768)), (32_767, -32_767));
    }

    #[test]
    fn nan_stays_one() {
        assert!(coarse(f32::NAN).is_nan() && coarse(-f32::NAN).is_nan());
    }
}
