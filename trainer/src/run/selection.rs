//! Which policy a run keeps: the last, or the best of those that it tried.
//!
//! The policy of the last update is a random one of many: the rod's lean wanders about from update to update, and now and
//! then a policy chatters. With `training.select_every` k > 0, the policy is tried every k iterations of the second half of a
//! run, and in the end the networks of the best trial come back. A trial is an episode from each of 64 states, the same ones for
//! all trials of a run, drawn for this purpose alone: the states of an evaluation have no part in it.
//!
//! Of two trials that one is better
//!
//! 1. which reaches the [goal](crate::control) from more states;
//! 2. where that is the same, which falls less short of standing straight and still,
//!
//!    ```text
//!    shortfall = max(1, rest error / (within / 4), chatter / (range / 100))
//!    ```
//!
//!    with rest error and chatter the worst over the states, `within` that of the goal (2° for rods and poles: rest within half a
//!    degree has no shortfall), and range the largest action minus the least;
//! 3. where that is the same, too, which has the larger mean return; and then the later one.
//!
//! Where a machine has no goal, only the last rule counts.

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::config::RunConfig;
use crate::control::{Control, Spread};
use crate::envs;
use crate::eval::{EvalError, Evaluation, Starts, evaluate};
use crate::export::export;
use crate::interface::{Algorithm, Environments, Spec};
use crate::policy::AnyPolicy;
use crate::rng::{Stream, stream};
use crate::state::{StateError, Walk};

/// States that a trial starts from.
const STATES: usize = 64;

/// What a policy was worth in its trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Worth {
    reached: usize,
    shortfall: f64,
    mean: f64,
}

impl Worth {
    fn of(evaluation: &Evaluation, spec: &Spec) -> Worth {
        let control = evaluation.control.as_ref();
        let shortfall = control.map_or(1.0, |control| shortfall(control, spec));
        Worth {
            reached: control.map_or(0, |control| control.reached),
            shortfall,
            mean: evaluation.mean,
        }
    }

    /// Does a policy that was tried after another one take its place?
    fn replaces(&self, other: &Worth) -> bool {
        let order = self.reached.cmp(&other.reached);
        let order = order.then(other.shortfall.total_cmp(&self.shortfall));
        order.then(self.mean.total_cmp(&other.mean)).is_ge()
    }
}

fn shortfall(control: &Control, spec: &Spec) -> f64 {
    let range = spec.action_range().scale().into_iter().fold(0.0, f64::max);
    // Without a state from which the goal is reached there are no figures, and nothing stands.
    let worst = |spread: Spread| spread.worst.unwrap_or(f64::INFINITY);
    let lean = worst(control.rest_error) / (control.within / 4.0);
    let unrest = worst(control.chatter) / (2.0 * range / 100.0);
    lean.max(unrest).max(1.0)
}

/// The best so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Best {
    worth: Worth,
    step: usize,
    /// All networks, as [`Algorithm::walk_networks`] writes them.
    networks: Vec<u8>,
}

/// Which policy a run has kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// Environment steps when it was tried.
    pub step: usize,
    /// Policies that were tried.
    pub trials: usize,
    /// Its mean return over the states of the trials.
    pub mean: f64,
}

/// The trials of a run.
#[allow(missing_debug_implementations, reason = "environments are trait objects")]
pub(super) struct Selection {
    /// Iterations from one trial to the next, 0 for none.
    every: usize,
    /// Steps of the run.
    steps: usize,
    starts: Starts,
    environments: Box<dyn Environments>,
    physics: u32,
    iterations: usize,
    trials: usize,
    best: Option<Best>,
}

impl Selection {
    /// For a run of these settings.
    pub(super) fn new(config: &RunConfig) -> Result<Selection, RunError> {
        let table = &config.environment;
        let count = if config.training.select_every > 0 { STATES } else { 0 };
        let mut rng = stream(config.training.seed, Stream::Selection);
        let starts = Starts::drawn(table, count, &mut rng)?;
        Ok(Selection {
            every: config.training.select_every,
            steps: config.training.steps,
            environments: starts.environments(table)?,
            starts,
            physics: envs::fingerprint(table)?,
            iterations: 0,
            trials: 0,
            best: None,
        })
    }

    /// All that changes as the run goes on.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.iterations)?;
        walk.value(&mut self.trials)?;
        walk.value(&mut self.best)
    }

    /// The run goes on from what was read. Where it has more steps than it had, what is in its first half now is forgotten.
    ///
    /// # Errors
    ///
    /// If what was read holds networks that are not this agent's.
    pub(super) fn resumed(&mut self, agent: &mut dyn Algorithm) -> Result<(), StateError> {
        let best = self.best.take();
        self.best = best.filter(|best| self.is_late(best.step));
        match &self.best {
            None => Ok(()),
            Some(best) => {
                let now = networks(agent);
                put(&best.networks, agent)?;
                put(&now, agent)
            }
        }
    }

    /// Is a step in the second half of the run?
    fn is_late(&self, step: usize) -> bool {
        2 * step > self.steps
    }

    /// An iteration is over, after so many steps: is it time for a trial?
    pub(super) fn iterated(&mut self, step: usize) -> bool {
        self.iterations += 1;
        let is_time = self.every > 0 && self.iterations.is_multiple_of(self.every);
        is_time && self.is_late(step)
    }

    /// Tries the policy of an agent, after so many steps. One that cannot be exported, or has no action, is not the best; of
    /// numbers that are not finite the run itself tells.
    pub(super) fn try_out(
        &mut self,
        step: usize,
        agent: &mut dyn Algorithm,
    ) -> Result<(), RunError> {
        self.trials += 1;
        let spec = self.environments.spec().clone();
        let Ok(blob) = export(&agent.policy(), &spec, self.physics) else { return Ok(()) };
        let Ok(policy) = AnyPolicy::from_bytes(blob.bytes()) else { return Ok(()) };
        let evaluation = match evaluate(&policy, &mut *self.environments, &self.starts) {
            Ok(evaluation) => evaluation,
            Err(EvalError::Act { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let worth = Worth::of(&evaluation, &spec);
        if self.best.as_ref().is_none_or(|best| worth.replaces(&best.worth)) {
            self.best = Some(Best { worth, step, networks: networks(agent) });
        }
        Ok(())
    }

    /// Brings the best networks back; `None` where no policy was tried, and the last ones stay.
    pub(super) fn end(self, agent: &mut dyn Algorithm) -> Option<Selected> {
        let Best { worth, step, networks } = self.best?;
        put(&networks, agent).expect("this agent wrote them, or had them put when it went on");
        Some(Selected { step, trials: self.trials, mean: worth.mean })
    }
}

/// All networks of an agent.
fn networks(agent: &mut dyn Algorithm) -> Vec<u8> {
    let mut bytes = Vec::new();
    agent.walk_networks(&mut Walk::writing(&mut bytes)).expect("a walk that writes checks nothing");
    bytes
}

/// Puts networks in the place of an agent's.
fn put(networks: &[u8], agent: &mut dyn Algorithm) -> Result<(), StateError> {
    let mut walk = Walk::reading(networks);
    agent.walk_networks(&mut walk)?;
    walk.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Start, start};

    #[test]
    fn what_stands_comes_before_what_earns_more() {
        let worth = |reached, shortfall, mean| Worth { reached, shortfall, mean };
        let better = [
            worth(63, 1.0, -100.0),
            worth(64, f64::INFINITY, -900.0),
            worth(64, 3.0, -120.0),
            worth(64, 2.0, -180.0),
            worth(64, 1.0, -150.0),
            worth(64, 1.0, -140.0),
        ];
        for (i, a) in better.iter().enumerate() {
            for (j, b) in better.iter().enumerate() {
                assert_eq!(a.replaces(b), i >= j, "{a:?} in the place of {b:?}");
            }
        }
    }

    fn config(settings: &[&str]) -> RunConfig {
        let small = ["hidden=[8]", "steps=10"].iter().chain(settings);
        let settings: Vec<String> = small.map(ToString::to_string).collect();
        RunConfig::resolve(Some("td3"), None, &settings).unwrap()
    }

    /// An agent that was never trained.
    fn agent(seed: u64) -> Box<dyn Algorithm> {
        let Start { agent, .. } = start(&config(&[&format!("seed={seed}")])).unwrap();
        agent
    }

    /// Tries untrained agents of these seeds at these steps; the networks that come back, and of which step they are.
    fn kept(selection: Selection, tried: &[(usize, u64)]) -> Option<(Vec<f32>, Selected)> {
        let (mut selection, mut last) = (selection, agent(99));
        for (step, seed) in tried {
            if selection.iterated(*step) {
                selection.try_out(*step, &mut *agent(*seed)).unwrap();
            }
        }
        let selected = selection.end(&mut *last)?;
        Some((last.parameters().value.clone(), selected))
    }

    #[test]
    fn the_best_networks_come_back() {
        let new = || Selection::new(&config(&["select_every=1"])).unwrap();
        let mean = |seed| kept(new(), &[(6, seed)]).unwrap().1.mean;
        let means = [1, 2, 3].map(mean);
        assert!(means[0] != means[1] && means[1] != means[2], "{means:?}");
        let best = (0..3).max_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap();
        // From no state they come upright: the return alone counts.
        let (networks, selected) = kept(new(), &[(6, 1), (8, 2), (10, 3)]).unwrap();
        let expected = Selected { step: 6 + 2 * best, trials: 3, mean: means[best] };
        assert_eq!(selected, expected, "{means:?}");
        assert_eq!(networks, agent(best as u64 + 1).parameters().value);
    }

    #[test]
    fn only_the_second_half_counts() {
        let every = |k: usize| Selection::new(&config(&[&format!("select_every={k}")])).unwrap();
        assert!(kept(every(0), &[(6, 1), (10, 2)]).is_none());
        assert!(kept(every(1), &[(2, 1), (5, 2)]).is_none());
        assert!(kept(every(3), &[(6, 1), (8, 2)]).is_none());
        assert_eq!(kept(every(2), &[(6, 1), (8, 2), (10, 3)]).unwrap().1.trials, 1);
        // A run that goes on for longer: what was in its second half is in the first now.
        let mut selection = every(1);
        assert!(selection.iterated(6));
        selection.try_out(6, &mut *agent(1)).unwrap();
        let mut written = Vec::new();
        selection.walk(&mut Walk::writing(&mut written)).unwrap();
        let read = |steps: &str| {
            let mut longer = Selection::new(&config(&["select_every=1", steps])).unwrap();
            longer.walk(&mut Walk::reading(&written)).unwrap();
            longer.resumed(&mut *agent(5)).unwrap();
            longer
        };
        assert_eq!(kept(read("steps=11"), &[]).unwrap().1.step, 6);
        assert!(kept(read("steps=20"), &[(8, 1)]).is_none());
        assert!(kept(read("steps=20"), &[]).is_none());
        assert_eq!(kept(read("steps=20"), &[(12, 1)]).unwrap().1.step, 12);
    }

    #[test]
    fn networks_of_another_agent_are_refused() {
        let mut selection = Selection::new(&config(&["select_every=1"])).unwrap();
        selection.try_out(6, &mut *agent(1)).unwrap();
        let mut own = agent(2);
        let before = own.parameters().value.clone();
        selection.resumed(&mut *own).unwrap();
        assert_eq!(own.parameters().value, before, "what it learns with stays");
        for change in [|bytes: &mut Vec<u8>| bytes.truncate(9), |bytes: &mut Vec<u8>| bytes.push(0)]
        {
            let mut written = Vec::new();
            let best = selection.best.as_mut().unwrap();
            let whole = best.networks.clone();
            change(&mut best.networks);
            selection.walk(&mut Walk::writing(&mut written)).unwrap();
            selection.best.as_mut().unwrap().networks = whole;
            let mut read = Selection::new(&config(&["select_every=1"])).unwrap();
            read.walk(&mut Walk::reading(&written)).unwrap();
            read.resumed(&mut *agent(2)).unwrap_err();
        }
    }

    #[test]
    fn what_is_not_finite_is_not_kept() {
        let mut selection = Selection::new(&config(&["select_every=1"])).unwrap();
        let mut wild = agent(1);
        let mut bytes = networks(&mut *wild);
        let count = wild.parameters().value.len();
        let numbers = bytes.len() - 4 * count;
        bytes[numbers..].copy_from_slice(&f32::NAN.to_le_bytes().repeat(count));
        put(&bytes, &mut *wild).unwrap();
        assert!(wild.parameters().value.iter().all(|x| x.is_nan()));
        selection.try_out(6, &mut *wild).unwrap();
        assert!(selection.end(&mut *wild).is_none());
    }
}
