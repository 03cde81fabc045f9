//! Instructions of an action. Soft float takes other paths for other numbers, so that those of zeros alone tell little.

use policy_core::{Contract, Policy, Recording, Weights, recording::MAX_OBSERVATION};

use super::one_action;
use crate::Meter;

/// Rounds of one action, to tell its instructions exactly.
const ROUNDS: u32 = 100;

/// What actions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// For an observation of zeros.
    pub(super) zeros: u32,
    /// Observations of the recording that the control loop would let through: within the ranges of the policy's contract.
    pub(super) ordinary: u32,
    /// For these, on average.
    pub(super) mean: u32,
    /// For the one of these that takes longest.
    pub(super) most: u32,
    /// For the one of all that takes longest.
    pub(super) any: u32,
}

/// `None` on a machine that cannot count.
pub(super) fn cost<W: Weights, const WIDTH: usize>(
    policy: &Policy<'_, W, WIDTH>,
    recording: &Recording<'_>,
    meter: &mut impl Meter,
) -> Option<Cost> {
    let zeros = [0.0; MAX_OBSERVATION];
    let zeros = zeros.get(..policy.observation_size()).unwrap_or_default();
    let contract = policy.contract().ok();
    // Once is enough to find the longest, or one that is shorter by less than a tick of the counter.
    let survey = survey(recording, contract.as_ref(), zeros, |observation| {
        meter.instructions(1, &mut || one_action(policy, observation))
    })?;
    let mut exactly =
        |observation: &[f32]| meter.instructions(ROUNDS, &mut || one_action(policy, observation));
    let zeros = exactly(zeros)?;
    let mean = survey.sum.checked_div(survey.ordinary.into());
    Some(Cost {
        zeros,
        ordinary: survey.ordinary,
        mean: mean.map_or(zeros, |mean| mean as u32),
        most: exactly(survey.most.observation)?,
        any: exactly(survey.any.observation)?,
    })
}

/// Which observations take longest.
struct Survey<'a> {
    ordinary: u32,
    /// Instructions of the ordinary ones together.
    sum: u64,
    most: Longest<'a>,
    any: Longest<'a>,
}

/// The one that takes longest so far.
#[derive(Clone, Copy)]
struct Longest<'a> {
    instructions: u32,
    observation: &'a [f32],
}

impl<'a> Longest<'a> {
    fn or(self, instructions: u32, observation: &'a [f32]) -> Self {
        if instructions > self.instructions { Longest { instructions, observation } } else { self }
    }
}

/// Asks for the instructions of each observation; `none` stands where there is none.
fn survey<'a>(
    recording: &Recording<'a>,
    contract: Option<&Contract<'_>>,
    none: &'a [f32],
    mut instructions: impl FnMut(&[f32]) -> Option<u32>,
) -> Option<Survey<'a>> {
    let none = Longest { instructions: 0, observation: none };
    let mut survey = Survey { ordinary: 0, sum: 0, most: none, any: none };
    for observation in recording.observations() {
        let found = instructions(observation)?;
        survey.any = survey.any.or(found, observation);
        if contract.is_some_and(|contract| is_within(contract, observation)) {
            survey.most = survey.most.or(found, observation);
            survey.ordinary += 1;
            survey.sum += u64::from(found);
        }
    }
    Some(survey)
}

/// Does each entry lie within the range that the policy was trained for?
fn is_within(contract: &Contract<'_>, observation: &[f32]) -> bool {
    contract.observation().zip(observation).all(|(entry, x)| (entry.low..=entry.high).contains(x))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::recording, *};
    use crate::samples::float;

    /// What it is asked for exactly comes after all the observations.
    struct Script(u32);

    impl Meter for Script {
        fn instructions(&mut self, rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
            work();
            self.0 += 1;
            // 0.5, 2, 1.5, 9 and NaN once each; then zeros, and the two longest.
            let asked =
                [(10, 1), (40, 1), (30, 1), (90, 1), (1, 1), (7, 100), (41, 100), (91, 100)];
            let (answer, expected) = asked[self.0 as usize - 1];
            assert_eq!(rounds, expected);
            Some(answer)
        }

        fn stack(&mut self, _: &mut dyn FnMut()) -> Option<u32> {
            None
        }
    }

    /// The range of the contract is ±2.
    const OBSERVATIONS: [f32; 5] = [0.5, 2.0, 1.5, 9.0, f32::NAN];

    #[test]
    fn actions_are_told_on_average_and_at_most_within_the_ranges_and_beyond() {
        let blob = float();
        let policy = Policy::<f32, 64>::from_bytes(blob.get()).unwrap();
        let bytes = recording::<f32>(&blob, &OBSERVATIONS);
        let recording = Recording::from_bytes(bytes.get()).unwrap();
        let expected = Cost { zeros: 7, ordinary: 3, mean: 26, most: 41, any: 91 };
        assert_eq!(cost(&policy, &recording, &mut Script(0)), Some(expected));
        assert_eq!(cost(&policy, &recording, &mut ()), None);
    }

    #[test]
    fn the_longest_are_found_whatever_takes_long() {
        let blob = float();
        let policy = Policy::<f32, 64>::from_bytes(blob.get()).unwrap();
        let contract = policy.contract().unwrap();
        let bytes = recording::<f32>(&blob, &OBSERVATIONS);
        let recording = Recording::from_bytes(bytes.get()).unwrap();
        type Price = fn(f32) -> f32;
        let prices: [(Price, f32, f32); 3] =
            [(|x| x, 2.0, 9.0), (|x| 10.0 - x, 0.5, 0.5), (|x| 5.0 - (x - 1.5).abs(), 1.5, 1.5)];
        for (price, most, any) in prices {
            let instructions = |x: &[f32]| Some((10.0 * price(x[0])) as u32);
            let found = survey(&recording, Some(&contract), &[0.0], instructions).unwrap();
            assert_eq!((found.most.observation, found.any.observation), (&[most][..], &[any][..]));
            assert_eq!(found.ordinary, 3);
        }
        // Where nothing says what is ordinary, nothing is.
        let found = survey(&recording, None, &[0.0], |_| Some(1)).unwrap();
        assert_eq!((found.ordinary, found.most.observation), (0, &[0.0][..]));
    }

    #[test]
    fn observations_that_the_loop_lets_through_are_in_range() {
        let blob = float();
        let policy = Policy::<f32, 64>::from_bytes(blob.get()).unwrap();
        let contract = policy.contract().unwrap();
        for (x, expected) in [
            (0.0, true),
            (-2.0, true),
            (1e-45, true),
            (2.0001, false),
            (f32::NAN, false),
            (f32::NEG_INFINITY, false),
        ] {
            assert_eq!(is_within(&contract, &[x]), expected, "{x}");
        }
    }
}
