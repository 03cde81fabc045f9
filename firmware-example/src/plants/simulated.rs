//! The pendulum that policies are trained on, simulated on the board: for boards that have none.

use policy_core::link::SensorFault;

use crate::control::Plant;

/// 3 g / (2 l), with g = 10 m/s² and l = 1 m
const PULL: f32 = 15.0;
/// 3 / (m l²), with m = 1 kg
const PUSH: f32 = 3.0;
/// In rad/s.
const MAX_SPEED: f32 = 8.0;

/// A pendulum with state (θ, θ̇), θ = 0 upright; it begins hanging. Observation: (cos θ, sin θ, θ̇). Action: a
/// torque in N·m.
///
/// ```text
/// θ̇ ← clip(θ̇ + (3g/2l · sin θ + 3/(ml²) · u) Δt, ±8)
/// θ ← θ + θ̇ Δt                                             with the new θ̇
/// ```
///
/// These are the trainer's equations, in `f32`. It moves by one Δt with each action, as if no time passed otherwise.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// θ, in rad, not wrapped.
    angle: f32,
    /// θ̇, in rad/s.
    speed: f32,
    /// Δt, in s.
    period: f32,
}

impl Simulated {
    /// A pendulum that hangs still and is given an action each `period`, in s.
    pub fn new(period: f32) -> Self {
        Simulated { angle: core::f32::consts::PI, speed: 0.0, period }
    }

    /// θ within [−π, π], 0 upright, in rad.
    pub fn angle(&self) -> f32 {
        libm::remainderf(self.angle, core::f32::consts::TAU)
    }
}

impl Plant for Simulated {
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        let [cosine, sine, speed] = observation else { return Err(SensorFault::Silent) };
        (*cosine, *sine, *speed) = (libm::cosf(self.angle), libm::sinf(self.angle), self.speed);
        Ok(now)
    }

    fn actuate(&mut self, action: &[f32]) -> Option<()> {
        let [torque] = action else { return None };
        let acceleration = PULL * libm::sinf(self.angle) + PUSH * torque;
        let speed = self.speed + acceleration * self.period;
        self.speed = speed.clamp(-MAX_SPEED, MAX_SPEED);
        self.angle += self.speed * self.period;
        Some(())
    }

    /// No torque.
    fn make_safe(&mut self) -> Option<()> {
        self.actuate(&[0.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_hangs_still_and_swings_when_pushed() {
        let mut pendulum = Simulated::new(0.05);
        let mut seen = [0.0; 3];
        pendulum.make_safe();
        assert_eq!(pendulum.observe(3, &mut seen), Ok(3));
        assert!(seen[0] == -1.0 && seen[2].abs() < 1e-5, "{seen:?}");
        pendulum.actuate(&[2.0]);
        pendulum.observe(4, &mut seen).unwrap();
        assert!((seen[2] - 0.3).abs() < 1e-5, "{seen:?}");
        assert_eq!(pendulum.observe(0, &mut [0.0; 4]), Err(SensorFault::Silent));
        assert_eq!(pendulum.actuate(&[]), None);
    }
}
