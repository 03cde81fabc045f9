//! What a blob may do at worst, once it was accepted.

use policy_core::{ActError, Action};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::any::AnyPolicy;

/// Every action of the policy, greedy or sampled, lies within its head's range, or is refused; and so is what its
/// examples and its contract say, right or wrong. How many actions there were.
pub(crate) fn actions<const WIDTH: usize>(
    policy: &AnyPolicy<'_, WIDTH>,
    observations: &[f32],
) -> Result<usize, String> {
    let range = policy.head().range();
    let is_range = range.0.len() == policy.action_size()
        && range.1.len() == policy.action_size()
        && range.0.iter().zip(&range.1).all(|(low, high)| low <= high);
    if !is_range {
        return Err(format!("{range:?} is no range of {} entries", policy.action_size()));
    }
    let size = policy.observation_size();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut acted = 0;
    for (start, factor) in [(0, 1.0), (1, 1e3), (2, 1e38)] {
        let observation: Vec<f32> =
            observations.iter().cycle().skip(start).take(size).map(|o| o * factor).collect();
        for answer in [policy.act(&observation), policy.sample(&observation, &mut rng)] {
            acted += usize::from(is_harmless(&answer, &range, &observation)?);
        }
    }
    let _ = policy.self_test();
    if let Ok(contract) = policy.contract() {
        let entries = (contract.observation().count(), contract.action().count());
        if entries != (size, policy.action_size()) {
            return Err(format!("the contract has {entries:?} entries"));
        }
    }
    Ok(acted)
}

/// Is it an action?
fn is_harmless(
    answer: &Result<Action, ActError>,
    (low, high): &(Action, Action),
    observation: &[f32],
) -> Result<bool, String> {
    match answer {
        Ok(action) => {
            let mut entries = action.iter().zip(low).zip(high);
            let is_within = action.len() == low.len()
                && entries.all(|((a, low), high)| (low..=high).contains(&a));
            match is_within {
                true => Ok(true),
                false => Err(format!("{action:?} is not within {low:?} to {high:?}")),
            }
        }
        Err(ActError::ActionNotFinite { .. }) => Ok(false),
        Err(ActError::ObservationNotFinite { .. })
            if !observation.iter().all(|o| o.is_finite()) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.to_string()),
    }
}
