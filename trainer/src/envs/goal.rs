//! What a policy is for: where one entry of its machine's state has to come to, and stay.

use super::angle::wrap;

/// A place of an entry x of the state; how far a machine is from it is the error e = x − target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// What the machine is there, such as `upright`.
    pub name: &'static str,
    /// Place of x in the state.
    pub entry: usize,
    /// Symbol of x.
    pub symbol: &'static str,
    /// Unit of x, and of all that is below.
    pub unit: &'static str,
    /// Where x has to come to.
    pub target: f64,
    /// Is x an angle of which full turns do not count?
    pub wraps: bool,
    /// A machine with |e| up to this is at the goal.
    pub within: f64,
    /// One that stays up to this far away has come to the goal, though it may stand beside it: farther off, no action
    /// holds the machine.
    pub near: f64,
}

impl Goal {
    /// e of a state, within [−π, π) where x wraps.
    pub fn error(&self, state: &[f64]) -> f64 {
        let error = state[self.entry] - self.target;
        if self.wraps { wrap(error) } else { error }
    }
}

#[cfg(test)]
mod tests {
    use crate::envs;
    use std::f64::consts::{PI, TAU};

    /// A new environment's goal is one of its state, is called as the state is, and can be reached.
    #[test]
    fn goals_lie_in_their_states() {
        for entry in envs::ALL {
            let environment = envs::make(&envs::defaults(entry.name).unwrap()).unwrap();
            assert_eq!(entry.state.len(), environment.spec().state_size, "{}", entry.name);
            let goal = entry.goal;
            assert_eq!(entry.state[goal.entry], (goal.symbol, goal.unit), "{}", entry.name);
            assert!(0.0 < goal.within && goal.within < goal.near, "{}", entry.name);
            assert!(!goal.wraps || goal.near < PI, "{}", entry.name);
            for axis in [entry.plane.horizontal, entry.plane.vertical] {
                assert_eq!(entry.state[axis.entry], (axis.name, axis.unit), "{}", entry.name);
            }
        }
    }

    #[test]
    fn full_turns_are_no_error() {
        let rod = envs::find("pendulum").unwrap().goal;
        assert!((rod.error(&[3.0 * TAU + 0.1, 5.0]) - 0.1).abs() < 1e-12);
        assert!((rod.error(&[-PI - 0.1, 0.0]) - (PI - 0.1)).abs() < 1e-12);
        let pole = envs::find("inverted-pendulum").unwrap().goal;
        assert_eq!(pole.error(&[9.0, TAU, 0.0, 0.0]), TAU);
    }

    /// The largest torque holds the rod at sin θ = 0.4: a policy that stands there, at 0.41 rad, has come upright.
    #[test]
    fn whatever_an_action_can_hold_is_near() {
        let table = envs::defaults("pendulum").unwrap();
        let (mut rod, mut observation) = (envs::make(&table).unwrap(), [0.0; 3]);
        let slant = libm::asin(0.4);
        rod.restore(&[slant, 0.0], &mut observation);
        rod.step(&[-2.0], &mut observation);
        assert!((rod.save()[0] - slant).abs() < 1e-6, "it stands");
        let near = envs::find("pendulum").unwrap().goal.near;
        assert!((slant..1.3 * slant).contains(&near));
    }
}
