//! Recordings: what the desktop answers to many observations, for a board to be compared with.

use policy_core::gaussian::{fill_normal, uniform};
use policy_core::recording::prefix;

use crate::policy::AnyPolicy;
use crate::rng::{Rng, Stream, index, stream};

/// Observations in the recording that goes with every exported policy.
pub const ROWS: usize = 10_000;

/// What an observation never is on a healthy machine, to be met with the same bits or the same
/// refusal everywhere: zeros of both signs, subnormal, tiny, huge and non-finite numbers.
const EXTREMES: [f32; 14] = [
    0.0,
    -0.0,
    1.0e-45,
    -1.1e-38,
    f32::MIN_POSITIVE,
    1.0e-20,
    -1.0e10,
    1.0e20,
    -3.0e30,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// Observations `[rows, size]`, row-major: two in three normal with standard deviations from 0.1
/// to 10, one in three with an extreme entry or more.
pub fn observations(rows: usize, size: usize, seed: u64) -> Vec<f32> {
    let mut rng = stream(seed, Stream::Recording);
    let mut all = vec![0.0; rows * size];
    fill_normal(&mut rng, &mut all);
    for (row, observation) in all.chunks_exact_mut(size).enumerate() {
        // libm's, as the platform's powers differ in the last bit.
        let scale = libm::powf(10.0, 2.0 * uniform(&mut rng) - 1.0);
        observation.iter_mut().for_each(|x| *x *= scale);
        if row % 3 == 0 {
            insert_extremes(&mut rng, observation);
        }
    }
    all
}

/// At least one entry, each other with probability ½.
fn insert_extremes(rng: &mut Rng, observation: &mut [f32]) {
    let always = index(rng, observation.len());
    for (at, x) in observation.iter_mut().enumerate() {
        if at == always || uniform(rng) < 0.5 {
            *x = EXTREMES[index(rng, EXTREMES.len())];
        }
    }
}

/// A recording of the policy's answers to `observations` `[rows, observation_size]`; `None` where
/// a recording has no room for entries or rows that many.
pub fn record(policy: &AnyPolicy<'_>, observations: &[f32]) -> Option<Vec<u8>> {
    let size = policy.observation_size();
    let rows = u32::try_from(observations.len() / size).ok()?;
    let (observation, action) = (u8::try_from(size).ok()?, policy.action_size() as u8);
    let mut bytes = prefix(observation, action, rows).to_vec();
    for observation in observations.chunks_exact(size) {
        let words = observation.iter().map(|x| x.to_bits());
        for word in words.chain(policy.action_words(observation)) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_are_ordinary_and_extreme() {
        let all = observations(3000, 3, 1);
        let rows = || all.chunks_exact(3);
        let refused = rows().filter(|row| row.iter().any(|x| !x.is_finite())).count();
        let huge = rows()
            .filter(|row| row.iter().all(|x| x.is_finite()) && row.iter().any(|x| x.abs() > 1e15))
            .count();
        let subnormal = all.iter().filter(|x| x.is_subnormal()).count();
        assert!(refused > 200 && huge > 100 && subnormal > 100, "{refused} {huge} {subnormal}");
        assert!(rows().filter(|row| row.iter().all(|x| x.abs() < 100.0)).count() > 2000);
    }
}
