//! Which two entries of an environment's state pictures have as their axes.

use super::angle::wrap;

/// The plane of phase portraits and maps: (θ, θ̇), with the other entries of the state at zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// From left to right.
    pub horizontal: Axis,
    /// From below.
    pub vertical: Axis,
    /// Where the plane cuts through the other entries, such as `x = 0, ẋ = 0`; empty without others.
    pub slice: &'static str,
}

/// An entry of a state, and the part of it that maps show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Its place in the state.
    pub entry: usize,
    /// Its symbol.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Where maps begin.
    pub low: f64,
    /// Where maps end.
    pub high: f64,
    /// Is it an angle of a full turn, so that both ends are the same place?
    pub wraps: bool,
}

impl Axis {
    /// What stands beside the axis.
    pub fn label(&self) -> String {
        format!("{} [{}]", self.name, self.unit)
    }

    /// The number as the axis has it: within [−π, π) where it wraps.
    pub fn place(&self, x: f64) -> f64 {
        if self.wraps { wrap(x) } else { x }
    }
}

impl Plane {
    /// The state `[size]` of a point; entries off the plane are zero.
    pub fn state(&self, size: usize, [x, y]: [f64; 2]) -> Vec<f64> {
        let mut state = vec![0.0; size];
        state[self.horizontal.entry] = x;
        state[self.vertical.entry] = y;
        state
    }

    /// The point of a state.
    pub fn point(&self, state: &[f64]) -> [f64; 2] {
        [self.horizontal, self.vertical].map(|axis| axis.place(state[axis.entry]))
    }
}

#[cfg(test)]
mod tests {
    use crate::envs;

    /// A new environment's plane is one of its state's, and finite.
    #[test]
    fn planes_lie_in_their_states() {
        for entry in envs::ALL {
            let environment = envs::make(&envs::defaults(entry.name).unwrap()).unwrap();
            let size = environment.spec().state_size;
            let plane = entry.plane;
            assert_ne!(plane.horizontal.entry, plane.vertical.entry);
            for axis in [plane.horizontal, plane.vertical] {
                assert!(axis.entry < size && axis.low < axis.high, "{}", entry.name);
            }
            assert_eq!(plane.slice.is_empty(), size == 2, "{}", entry.name);
            let point = [0.125, -0.5];
            assert_eq!(plane.point(&plane.state(size, point)), point);
        }
    }

    #[test]
    fn angles_are_placed_within_a_turn() {
        let angle = envs::find("pendulum").unwrap().plane.horizontal;
        assert!((angle.place(7.0) - (7.0 - std::f64::consts::TAU)).abs() < 1e-12);
        assert_eq!(envs::find("inverted-pendulum").unwrap().plane.horizontal.place(7.0), 7.0);
    }
}
