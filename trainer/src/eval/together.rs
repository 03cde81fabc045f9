//! Episodes of an evaluation that run at the same time.

use super::{EvalError, Moment, Then};
use crate::interface::{Environments, Spec, Step};
use crate::policy::Batched;

/// Episodes under way. Those that are over make way for the last one, so that the environments of the others are the first.
pub(super) struct Together {
    /// The start of each.
    starts: Vec<usize>,
    /// `[N, obs]`, before a step and after it.
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    /// `[N, act]`
    actions: Vec<f32>,
    outcomes: Vec<Step>,
    /// Entries of an observation, and of an action.
    obs: usize,
    act: usize,
}

impl Together {
    /// Room for so many.
    pub(super) fn new(spec: &Spec, count: usize) -> Self {
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let [observations, next_observations] = [(); 2].map(|()| vec![0.0; count * obs]);
        Together {
            starts: Vec::with_capacity(count),
            observations,
            next_observations,
            actions: vec![0.0; count * act],
            outcomes: vec![Step { reward: 0.0, terminated: false }; count],
            obs,
            act,
        }
    }

    /// Begins an episode in each state `[state_size]`, whose starts are numbered from `first` on.
    pub(super) fn begin(
        &mut self,
        environments: &mut dyn Environments,
        first: usize,
        states: &[Vec<f64>],
    ) {
        self.starts = (first..first + states.len()).collect();
        let observations = self.observations.chunks_exact_mut(self.obs);
        for (index, (state, observation)) in states.iter().zip(observations).enumerate() {
            environments.restore(index, state, observation);
        }
    }

    /// A step of each, whose rewards are added to the returns of their starts.
    pub(super) fn step(
        &mut self,
        environments: &mut dyn Environments,
        policy: &mut Batched<'_>,
        returns: &mut [f64],
        step: usize,
        show: &mut impl FnMut(&Moment<'_>),
    ) -> Result<(), EvalError> {
        let (count, obs, act) = (self.starts.len(), self.obs, self.act);
        let observations = &self.observations[..count * obs];
        let next_observations = &mut self.next_observations[..count * obs];
        let actions = &mut self.actions[..count * act];
        let acted = policy.act(observations, actions);
        acted.map_err(|(index, error)| EvalError::Act {
            start: self.starts[index],
            step,
            error,
        })?;
        let states: Vec<Vec<f64>> = (0..count).map(|index| environments.save(index)).collect();
        environments.step(actions, next_observations, &mut self.outcomes[..count]);
        let rows = observations.chunks_exact(obs).zip(actions.chunks_exact(act));
        for (index, (observation, action)) in rows.enumerate() {
            let (start, state) = (self.starts[index], &states[index][..]);
            let reward = self.outcomes[index].reward;
            returns[start] += reward;
            show(&Moment { start, step, state, observation, then: Then::Acts { action, reward } });
        }
        std::mem::swap(&mut self.observations, &mut self.next_observations);
        for index in (0..count).rev().filter(|index| self.outcomes[*index].terminated) {
            self.show_end(environments, index, step + 1, true, show);
            let last = self.starts.len() - 1;
            environments.swap(index, last);
            self.starts.swap_remove(index);
            self.observations.copy_within(last * obs..(last + 1) * obs, index * obs);
        }
        Ok(())
    }

    /// The horizon of those that are still under way, and how many those are.
    pub(super) fn end(
        &self,
        environments: &dyn Environments,
        horizon: usize,
        show: &mut impl FnMut(&Moment<'_>),
    ) -> usize {
        let count = self.starts.len();
        (0..count).for_each(|index| self.show_end(environments, index, horizon, false, show));
        count
    }

    fn show_end(
        &self,
        environments: &dyn Environments,
        index: usize,
        step: usize,
        terminated: bool,
        show: &mut impl FnMut(&Moment<'_>),
    ) {
        let (start, state) = (self.starts[index], environments.save(index));
        let observation = &self.observations[index * self.obs..][..self.obs];
        show(&Moment { start, step, state: &state, observation, then: Then::Ends { terminated } });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::envs;
    use crate::eval::{Starts, evaluate, evaluate_watching};
    use crate::export::export;
    use crate::interface::Alone;
    use crate::policy::AnyPolicy;
    use crate::run::{Start, start};

    /// Policies that were never trained: poles fall at different times.
    #[test]
    fn episodes_are_those_of_one_after_the_other() {
        for (preset, environment) in
            [("td3", "inverted-pendulum"), ("sac", "pendulum"), ("dqn", "inverted-pendulum")]
        {
            let settings = [format!("environment.name={environment}")];
            let config = RunConfig::resolve(Some(preset), None, &settings).unwrap();
            let Start { environments, agent } = start(&config).unwrap();
            let blob = export(&agent.policy(), environments.spec(), 0).unwrap();
            let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
            let table = &config.environment;
            let starts = Starts::builtin(table).unwrap();
            let seen = |environments: &mut dyn Environments| {
                let mut seen = vec![String::new(); starts.states.len()];
                let watch = |moment: &Moment<'_>| seen[moment.start] += &format!("{moment:?}\n");
                let evaluation = evaluate_watching(&policy, environments, &starts, watch);
                (evaluation.unwrap(), seen)
            };
            let one_by_one = seen(&mut Alone(&mut *envs::make(table).unwrap()));
            assert!(one_by_one.0.full_episodes < starts.states.len() || environment == "pendulum");
            for count in [7, 64, 300] {
                let many = seen(&mut *envs::make_many(table, count).unwrap());
                assert_eq!(many.0, one_by_one.0, "{preset} on {environment}, {count} at a time");
                assert!(many.1 == one_by_one.1, "{preset} on {environment}, {count} at a time");
            }
            let own = evaluate(&policy, &mut *starts.environments(table).unwrap(), &starts);
            assert_eq!(own.unwrap(), one_by_one.0);
        }
    }
}
