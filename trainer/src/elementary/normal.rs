//! Standard normal numbers.

use std::f32::consts::TAU;
use std::f64::consts::FRAC_PI_2;

use policy_core::gaussian::uniform;
use rand_core::Rng;

use super::logarithm::ln_of_usual;
use crate::linalg::Backend;

/// Pairs that are computed together.
const PAIRS: usize = 32;
/// Of sin y = y + y³(S₁ + y²S₂) + y⁷(S₃ + y²S₄).
const S: [f64; 4] = [
    -0.166_666_666_416_265_24,
    0.008_333_329_385_889_463,
    -0.000_198_393_348_360_966_32,
    0.000_002_718_311_493_989_822,
];
/// Of cos y = 1 + y²C₀ + y⁴C₁ + y⁶(C₂ + y²C₃).
const C: [f64; 4] = [
    -0.499_999_997_251_031,
    0.041_666_623_323_739_06,
    -0.001_388_676_377_460_993,
    0.000_024_390_448_796_277_41,
];
/// Odd multiples of π/4 in bits: beyond as many, as many right angles are taken off.
const EIGHTHS: [u32; 4] = [0x3f49_0fda, 0x4016_cbe3, 0x407b_53d1, 0x40af_eddf];

/// Fills `out` with independent standard normal numbers: those of
/// [`policy_core::gaussian::fill_normal`], from the same words of the generator.
pub fn fill_normal<R: Rng + ?Sized>(rng: &mut R, out: &mut [f32]) {
    for block in out.chunks_mut(2 * PAIRS) {
        let (mut u1, mut u2) = ([1.0_f32; PAIRS], [0.0_f32; PAIRS]);
        for (u1, u2) in u1.iter_mut().zip(&mut u2).take(block.len().div_ceil(2)) {
            *u1 = 1.0 - uniform(rng);
            *u2 = uniform(rng);
        }
        transform(Backend::current(), &mut u1, &mut u2);
        for (pair, (first, second)) in block.chunks_mut(2).zip(u1.into_iter().zip(u2)) {
            for (z, value) in pair.iter_mut().zip([first, second]) {
                *z = value;
            }
        }
    }
}

/// r = √(−2 ln u₁), u₁ ← r cos 2πu₂, u₂ ← r sin 2πu₂ (Box and Muller, 1958).
fn transform(backend: Backend, u1: &mut [f32; PAIRS], u2: &mut [f32; PAIRS]) {
    backend.vectorise(
        #[inline(always)]
        || {
            for (u1, u2) in u1.iter_mut().zip(u2) {
                let radius = (-2.0 * ln_of_usual(*u1)).sqrt();
                let (sine, cosine) = sine_and_cosine(TAU * *u2);
                (*u1, *u2) = (radius * cosine, radius * sine);
            }
        },
    );
}

/// For 0 ≤ x ≤ 2π, as `libm::sincosf`: of y = x − qπ/2, |y| ≤ π/4.
#[inline(always)]
fn sine_and_cosine(x: f32) -> (f32, f32) {
    let turns = EIGHTHS.map(|eighth| i32::from(x.to_bits() > eighth));
    let q = turns[0] + turns[1] + turns[2] + turns[3];
    let y = f64::from(x) - f64::from(q) * FRAC_PI_2;
    let z = y * y;
    let (w, cube) = (z * z, z * y);
    let sine = ((y + cube * (S[0] + z * S[1])) + cube * w * (S[2] + z * S[3])) as f32;
    let cosine = (((1.0 + z * C[0]) + w * C[1]) + (w * z) * (C[2] + z * C[3])) as f32;
    let (s, c) = if q & 1 == 0 { (sine, cosine) } else { (cosine, -sine) };
    if q & 2 == 0 { (s, c) } else { (-s, -c) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};
    use policy_core::gaussian;

    #[test]
    fn they_are_those_of_the_core() {
        for count in [0, 1, 2, 63, 64, 65, 100, 10_001] {
            let [mut ours, mut theirs] = [(); 2].map(|()| vec![7.0_f32; count]);
            let [mut rng, mut same] = [(); 2].map(|()| stream(1, Stream::Update));
            fill_normal(&mut rng, &mut ours);
            gaussian::fill_normal(&mut same, &mut theirs);
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert!(bits(&ours) == bits(&theirs), "{count}");
            assert_eq!(rng.next_u32(), same.next_u32(), "the generators go on alike");
        }
    }

    /// For every value that a uniform number can have: the radius, and the angle.
    #[test]
    fn every_radius_and_angle_is_that_of_libm() {
        const STEP: f32 = 1.0 / 16_777_216.0;
        for first in (0..1 << 24).step_by(PAIRS) {
            let u: [f32; PAIRS] = std::array::from_fn(|i| (first + i) as f32 * STEP);
            let wanted = u.map(|u| {
                let radius = libm::sqrtf(-2.0 * libm::logf(1.0 - u));
                let (sine, cosine) = libm::sincosf(TAU * u);
                ((radius * cosine).to_bits(), (radius * sine).to_bits())
            });
            for backend in Backend::available() {
                let (mut u1, mut u2) = (u.map(|u| 1.0 - u), u);
                transform(backend, &mut u1, &mut u2);
                let pairs = u1.iter().zip(&u2).map(|(x, y)| (x.to_bits(), y.to_bits()));
                assert!(pairs.eq(wanted), "{backend}: one of {u:?}");
            }
        }
    }
}
