//! What a machine that runs on does at rest, as `trainer view` shows it.

use std::collections::VecDeque;

use super::{Rest, Scale};
use crate::envs::Goal;
use crate::interface::Spec;

/// The last two seconds of a machine that runs on.
#[derive(Debug, Clone)]
pub struct Recent {
    scale: Scale,
    errors: VecDeque<f64>,
    actions: VecDeque<f32>,
}

impl Recent {
    /// Of a machine that has not begun; `None` where nothing can be said of it.
    pub fn new(spec: &Spec) -> Option<Recent> {
        let scale = Scale::of(spec)?;
        Some(Recent { scale, errors: VecDeque::new(), actions: VecDeque::new() })
    }

    /// Its goal.
    pub fn goal(&self) -> &Goal {
        &self.scale.goal
    }

    /// It begins anew, or something else than the policy moves it.
    pub fn clear(&mut self) {
        self.errors.clear();
        self.actions.clear();
    }

    /// It came to a state `[state_size]`, in which the policy takes an action `[action_size]`.
    pub fn see(&mut self, state: &[f64], action: &[f32]) {
        self.errors.push_back(self.scale.goal.error(state));
        self.actions.extend(action);
        if self.errors.len() > self.scale.periods + 1 {
            self.errors.pop_front();
            self.actions.drain(..self.scale.size);
        }
    }

    /// What it does at rest; `None` where it has not been near its goal for so long.
    pub fn rest(&mut self) -> Option<Rest> {
        let Scale { goal, periods, size, .. } = &self.scale;
        let errors = self.errors.make_contiguous();
        // That of the last state has not been seen to do anything yet.
        let actions = self.actions.make_contiguous().get(..periods * size)?;
        (errors.len() == periods + 1).then(|| Rest::of(goal, errors, actions, *size)).flatten()
    }
}
