//! sin x and cos x in `f64`, with the bits of `libm`.

use crate::linalg::Backend;

/// 2/π
const PER_RIGHT_ANGLE: f64 = std::f64::consts::FRAC_2_PI;
/// 3 · 2⁵¹: the last bits of a sum with it are those of an integer.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// π/2 in two parts, the first so short that its products with small integers are exact.
const RIGHT_ANGLE: (f64, f64) = (1.570_796_326_734_125_6, 6.077_100_506_506_192e-11);
/// Of sin y = y + y³(S₁ + y²(S₂ + y²(S₃ + …))).
const S: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_49,
    -0.000_198_412_698_298_579_5,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
/// Of cos y = 1 − y²/2 + y⁴(C₁ + y²(C₂ + y²(C₃ + …))).
const C: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_411,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];
/// The upper halves of about π/4, 3π/4, 5π/4, 7π/4 and 9π/4: `libm` goes from one multiple of π/2 to the next at the end of
/// those numbers, which may be those after the nearest.
const STEPS: [u64; 5] = [0x3fe9_21fb, 0x4002_d97c, 0x400f_6a7a, 0x4015_fdbc, 0x401c_463b];
/// The same of 2⁻²⁶, below which sin x is x, and of 2¹⁹π.
const TINY: u64 = 0x3e50_0000;
const HUGE: u64 = 0x4139_21fb;

/// sin x and cos x of each angle, in rad, with the bits of `libm::sincos`.
///
/// # Panics
///
/// Unless all three are of one length.
pub fn sines_and_cosines(backend: Backend, angles: &[f64], sines: &mut [f64], cosines: &mut [f64]) {
    let lengths = (sines.len(), cosines.len());
    assert_eq!(lengths, (angles.len(), angles.len()), "as many results as angles");
    let mut all_usual = true;
    // Two loops: where the results are joined with a verdict, the compiler puts nothing side by side.
    backend.vectorise(
        #[inline(always)]
        || {
            for ((x, sine), cosine) in angles.iter().zip(&mut *sines).zip(&mut *cosines) {
                (*sine, *cosine) = of_usual(*x);
            }
            all_usual = angles.iter().fold(true, |all, x| all & is_usual(*x));
        },
    );
    if !all_usual {
        for ((x, sine), cosine) in angles.iter().zip(sines).zip(cosines) {
            if !is_usual(*x) {
                (*sine, *cosine) = libm::sincos(*x);
            }
        }
    }
}

/// Are the bits of [`of_usual`] those of `libm`?
#[inline(always)]
fn is_usual(x: f64) -> bool {
    let high = (x.to_bits() >> 32) & 0x7fff_ffff;
    let y = reduce(x).1;
    // So close to a multiple that it must be taken off with more digits.
    let exponent = |x: f64| (x.to_bits() >> 52) & 0x7ff;
    let close = exponent(x) > exponent(y) + 16;
    let between = STEPS.iter().fold(false, |any, step| any | (high == *step) | (high == *step - 1));
    !close & !between & (TINY..HUGE).contains(&high)
}

/// (k, y, z) of x = nπ/2 + y + z, with |y| ≤ π/4 and z what y lacks by rounding; k has the last bits of n.
#[inline(always)]
fn reduce(x: f64) -> (u64, f64, f64) {
    let shifted = x * PER_RIGHT_ANGLE + SHIFT;
    let n = shifted - SHIFT;
    let (far, near) = (x - n * RIGHT_ANGLE.0, n * RIGHT_ANGLE.1);
    let y = far - near;
    (shifted.to_bits(), y, (far - y) - near)
}

/// sin x and cos x:
///
/// ```text
/// s = y − ((y²(½z − y³(S₂ + …)) − z) − y³S₁), or y + y³(S₁ + …) where nothing was taken off
/// c = w + (((1 − w) − ½y²) + (y⁴(C₁ + …) − yz)),  w = 1 − ½y²
/// sin x = s, c, −s, −c and cos x = c, −s, −c, s for n mod 4 = 0, 1, 2, 3
/// ```
#[inline(always)]
fn of_usual(x: f64) -> (f64, f64) {
    let (k, y, z) = reduce(x);
    let square = y * y;
    let fourth = square * square;
    let cube = square * y;
    let r = S[1] + square * (S[2] + square * S[3]) + square * fourth * (S[4] + square * S[5]);
    let small = y + cube * (S[0] + square * r);
    let s = y - ((square * (0.5 * z - cube * r) - z) - cube * S[0]);
    let s = if y == x { small } else { s };
    let r = square * (C[0] + square * (C[1] + square * C[2]))
        + fourth * fourth * (C[3] + square * (C[4] + square * C[5]));
    let half = 0.5 * square;
    let w = 1.0 - half;
    let c = w + (((1.0 - w) - half) + (square * r - y * z));

    let odd = (k & 1).wrapping_neg();
    let [s, c] = [s, c].map(f64::to_bits);
    let (sine, cosine) = (s & !odd | c & odd, c & !odd | s & odd);
    // The second and third quarter of a turn have negative cosines, the third and fourth negative sines.
    let negative = |k: u64| (k & 2) << 62;
    (f64::from_bits(sine ^ negative(k)), f64::from_bits(cosine ^ negative(k + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Angles of every size and sign, and those about multiples of π/4, where there is something to go wrong.
    fn angles() -> Vec<f64> {
        let spread = (0..=u32::MAX).step_by(6151).map(|bits| f64::from(f32::from_bits(bits)));
        let near = (1..=40).flat_map(|eighths| {
            let multiple = f64::from(eighths) * std::f64::consts::FRAC_PI_4;
            let by_bits =
                (-300_i64..=300).map(move |by| multiple.to_bits().wrapping_add_signed(by));
            let by_size = (2..52).flat_map(move |digits| {
                let by = multiple * 0.5_f64.powi(digits);
                [multiple + by, multiple - by].map(f64::to_bits)
            });
            by_bits.chain(by_size).map(f64::from_bits)
        });
        let steps = STEPS.iter().chain(&[TINY, HUGE]).flat_map(|step| {
            let first = (*step - 1) << 32;
            (0..3_000).map(move |i| f64::from_bits(first + i * 0x0040_0000))
        });
        // A uniform sample of where a machine's angles lie.
        let usual = (0..300_000).map(|i| f64::from(i) * 1.234_567_89e-4);
        let all = spread.chain(near).chain(steps).chain(usual);
        let specials = [0.0, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE, 1e300, 5e-324];
        all.chain(specials).flat_map(|x| [x, -x]).collect()
    }

    #[test]
    fn they_are_those_of_libm() {
        let angles = angles();
        let same = |found: f64, wanted: f64| {
            found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan()
        };
        for backend in Backend::available() {
            let [mut sines, mut cosines] = [(); 2].map(|()| vec![7.0; angles.len()]);
            sines_and_cosines(backend, &angles, &mut sines, &mut cosines);
            for ((x, sine), cosine) in angles.iter().zip(sines).zip(cosines) {
                let wanted = libm::sincos(*x);
                let holds = same(sine, wanted.0) && same(cosine, wanted.1);
                assert!(holds, "{backend}: {x:e}: {sine:e}, {cosine:e}, not {wanted:?}");
                let wanted = (libm::sin(*x), libm::cos(*x));
                assert!(same(sine, wanted.0) && same(cosine, wanted.1), "{x:e}: {wanted:?} alone");
            }
        }
    }

    /// Those that go to `libm` one by one must be rare.
    #[test]
    fn angles_of_machines_are_usual() {
        let count = (0..200_000).filter(|i| !is_usual(f64::from(*i) * 1e-4 + 1e-7)).count();
        assert!(count < 100, "{count} of 200000");
    }
}
