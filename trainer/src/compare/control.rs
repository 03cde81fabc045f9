//! How the policies of a group control, side by side with other groups.

use serde::Serialize;

use super::ScoredRun;
use crate::control::{Control, Spread};
use crate::statistics::{Estimate, interquartile_estimate};

/// What the policies of a group do at their machine's goal, as [`crate::control`] defines it: of each figure the interquartile mean
/// over the runs of their medians over the starts, and its interval over seeds. Runs without a median are left out, so
/// that a figure goes with [`Controlled::reached`]; `None` where no run has one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Controlled {
    /// What the machine is at its goal.
    pub goal: String,
    /// Unit of errors.
    pub unit: String,
    /// Unit of actions.
    pub action_unit: String,
    /// Episodes of all runs.
    pub episodes: usize,
    /// So many of these reach the goal.
    pub reached: usize,
    /// So many settle at it.
    pub settled: usize,
    /// Mean of |e| over rest.
    pub rest_error: Option<Estimate>,
    /// Mean of |a| over rest.
    pub effort: Option<Estimate>,
    /// Standard deviation over rest of the action's change.
    pub chatter: Option<Estimate>,
    /// How far it goes beyond the goal.
    pub overshoot: Option<Estimate>,
    /// In s.
    pub settling_time: Option<Estimate>,
}

impl Controlled {
    /// Of runs on one machine; `None` where nothing is known of one of them.
    pub(super) fn of(runs: &[ScoredRun]) -> Option<Controlled> {
        let all: Vec<&Control> =
            runs.iter().map(|run| run.evaluation.control.as_ref()).collect::<Option<_>>()?;
        let first = *all.first()?;
        let count = |of: fn(&Control) -> usize| all.iter().map(|control| of(control)).sum();
        let estimate = |of: fn(&Control) -> Spread| {
            let medians: Vec<f64> = all.iter().filter_map(|control| of(control).median).collect();
            (!medians.is_empty()).then(|| interquartile_estimate(&medians))
        };
        Some(Controlled {
            goal: first.goal.clone(),
            unit: first.unit.clone(),
            action_unit: first.action_unit.clone(),
            episodes: count(|control| control.starts),
            reached: count(|control| control.reached),
            settled: count(|control| control.settled),
            rest_error: estimate(|control| control.rest_error),
            effort: estimate(|control| control.effort),
            chatter: estimate(|control| control.chatter),
            overshoot: estimate(|control| control.overshoot),
            settling_time: estimate(|control| control.settling_time),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Gauge;
    use crate::envs;
    use crate::eval::Evaluation;

    /// A run that comes to stand at these angles, one for each start.
    fn run(angles: &[f64]) -> ScoredRun {
        let pendulum = envs::make(&envs::defaults("pendulum").unwrap()).unwrap();
        let mut gauge = Gauge::new(pendulum.spec(), angles.len()).unwrap();
        for (start, angle) in angles.iter().enumerate() {
            (0..200).for_each(|_| gauge.acts(start, &[*angle, 0.0], &[0.5]));
            gauge.ends(start, &[*angle, 0.0], false);
        }
        let control = Some(gauge.control());
        let evaluation = Evaluation { control, ..Evaluation::new(vec![-1.0; angles.len()], 0) };
        ScoredRun { seed: 1, directory: "a".into(), evaluation }
    }

    #[test]
    fn runs_that_reach_nothing_are_counted_and_left_out() {
        let runs = [run(&[0.25, 0.25, 3.0]), run(&[0.125, 0.125, 0.0]), run(&[3.0, 3.0, 3.0])];
        let found = Controlled::of(&runs).unwrap();
        assert_eq!((found.episodes, found.reached, found.settled), (9, 5, 1));
        assert_eq!(found.rest_error.unwrap().value, 0.1875);
        let effort = Estimate { value: 0.5, interval: None };
        assert_eq!((found.effort, found.settling_time), (Some(effort), None));
        let lying = Controlled::of(&runs[2..]).unwrap();
        assert_eq!((lying.reached, lying.rest_error), (0, None));
    }

    #[test]
    fn of_what_was_not_measured_nothing_is_said() {
        let mut unknown = run(&[0.0]);
        unknown.evaluation.control = None;
        assert_eq!(Controlled::of(&[run(&[0.0]), unknown]), None);
    }
}
