//! A quantised policy beside the one that it was made from.

use policy_core::Head;
use serde::Serialize;

use crate::eval::{EvalError, Evaluation, Moment, Starts, Then, check_shape, evaluate_watching};
use crate::interface::{Alone, Environment};
use crate::policy::AnyPolicy;
use crate::statistics::{FEW, careful_estimate};

/// What a policy does from a set of starts.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its returns.
    pub evaluation: Evaluation,
    /// The observations that it meets `[n, observation_size]`, and its actions `[n, action_size]`.
    observations: Vec<f32>,
    actions: Vec<f32>,
}

/// Another policy from the same starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Mean return of the other.
    pub mean: f64,
    /// Mean over the starts of its return less the reference's.
    pub difference: f64,
    /// The interval that holds the expected difference with 99 % confidence, by Student's t: from a few starts the two policies
    /// go ways of their own, and differ by far more than from the others. `None` with fewer than five starts,
    /// or where all of them differ by the same, as with no step lost from any: that says nothing of others.
    pub difference_interval: Option<[f64; 2]>,
    /// 100 · (−difference) / |mean of the reference|
    pub loss_percent: f64,
    /// The same of the interval, its better end first.
    pub loss_interval_percent: Option<[f64; 2]>,
    /// Its worse end.
    pub largest_loss_percent: Option<f64>,
    /// Mean over the reference's observations, and entries, of |its action − the reference's|, in the action's unit.
    pub mean_action_difference: f64,
    /// The largest.
    pub largest_action_difference: f64,
    /// Share of the reference's observations with the same action, in percent, where actions are of a grid.
    pub same_actions_percent: Option<f64>,
}

impl Reference {
    /// Runs a policy from each start.
    ///
    /// # Errors
    ///
    /// As [`crate::eval::evaluate`].
    pub fn new(
        policy: &AnyPolicy<'_>,
        environment: &mut dyn Environment,
        starts: &Starts,
    ) -> Result<Self, EvalError> {
        let (mut observations, mut actions) = (Vec::new(), Vec::new());
        let watch = |moment: &Moment<'_>| {
            if let Then::Acts { action, .. } = moment.then {
                observations.extend_from_slice(moment.observation);
                actions.extend_from_slice(action);
            }
        };
        let evaluation = evaluate_watching(policy, &mut Alone(environment), starts, watch)?;
        Ok(Reference { evaluation, observations, actions })
    }

    /// Runs another policy from the same starts, and asks it about the observations of this one; `see` is shown those
    /// `[observation_size]` on which the other one acts.
    ///
    /// # Errors
    ///
    /// As [`crate::eval::evaluate`].
    pub fn compare(
        &self,
        policy: &AnyPolicy<'_>,
        environment: &mut dyn Environment,
        starts: &Starts,
        mut see: impl FnMut(&[f32]),
    ) -> Result<Comparison, EvalError> {
        check_shape(policy, environment.spec())?;
        let (size, actions) = (policy.observation_size(), policy.action_size());
        let (mut sum, mut largest, mut same, mut rows) = (0.0, 0.0_f64, 0, 0);
        let met = self.observations.chunks_exact(size).zip(self.actions.chunks_exact(actions));
        for (step, (observation, theirs)) in met.enumerate() {
            let action = policy.act(observation);
            let action = action.map_err(|error| EvalError::Act { start: 0, step, error })?;
            let differences =
                action.iter().zip(theirs).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
            let before = sum;
            for difference in differences {
                sum += difference;
                largest = largest.max(difference);
            }
            same += usize::from(sum == before);
            rows += 1;
        }
        let watch = |moment: &Moment<'_>| {
            if let Then::Acts { .. } = moment.then {
                see(moment.observation);
            }
        };
        let evaluation = evaluate_watching(policy, &mut Alone(environment), starts, watch)?;
        let estimate = careful_estimate(&evaluation.returns, &self.evaluation.returns);
        let difference = estimate.value;
        let interval = estimate.interval.filter(|_| evaluation.returns.len() >= FEW);
        let loss = |difference: f64| match difference == 0.0 {
            true => 0.0,
            false => 100.0 * -difference / self.evaluation.mean.abs(),
        };
        let is_grid = matches!(policy.head(), Head::Grid { .. });
        Ok(Comparison {
            mean: evaluation.mean,
            difference,
            difference_interval: interval,
            loss_percent: loss(difference),
            loss_interval_percent: interval.map(|[low, high]| [loss(high), loss(low)]),
            largest_loss_percent: interval.map(|[low, _]| loss(low)),
            mean_action_difference: sum / (rows * actions).max(1) as f64,
            largest_action_difference: largest,
            same_actions_percent: is_grid
                .then(|| 100.0 * f64::from(same as u32) / rows.max(1) as f64),
        })
    }
}
