//! The torque-limited pendulum to be swung up: gymnasium's `Pendulum-v1`.

mod by_hand;
mod lanes;

pub use lanes::Pendulums;

use std::f64::consts::PI;

use super::angle::wrap;
use crate::interface::{ByHand, Environment, Spec, Step, channel};
use crate::rng::Rng;
use policy_core::gaussian::uniform;

/// g, in m/s²
const GRAVITY: f64 = 10.0;
/// m of the machine that policies are trained on, in kg
const MASS: f64 = 1.0;
/// l of the same, in m
const LENGTH: f64 = 1.0;
/// Δt, in s
const PERIOD: f64 = 0.05;
/// Torques beyond ± this are clipped, in N·m.
const MAX_TORQUE: f32 = 2.0;
/// Speeds beyond ± this are clipped, in rad/s.
const MAX_SPEED: f64 = 8.0;

/// What mass and length make of the rod.
#[derive(Debug, Clone, Copy)]
struct Rod {
    /// m, in kg
    mass: f64,
    /// l, in m
    length: f64,
    /// 3g/2l, in 1/s²
    pull: f64,
    /// 3/(ml²), in 1/(kg·m²)
    push: f32,
}

impl Rod {
    fn new(mass: f64, length: f64) -> Self {
        let pull = 3.0 * GRAVITY / (2.0 * length);
        let push = (3.0 / (mass * length * length)) as f32;
        Rod { mass, length, pull, push }
    }
}

/// A pendulum with state (θ, θ̇), in rad, rad/s, θ = 0 upright.
///
/// Observation: (cos θ, sin θ, θ̇). Action: a torque u in ±2 N·m. Never terminal; 200 steps of
/// 0.05 s.
#[derive(Debug, Clone)]
pub struct Pendulum {
    spec: Spec,
    rod: Rod,
    angle: f64,
    speed: f64,
}

impl Pendulum {
    /// A pendulum at rest, upright.
    pub fn new() -> Self {
        let spec = Spec {
            name: "pendulum",
            observation: vec![
                channel("cos θ", "", -1.0, 1.0),
                channel("sin θ", "", -1.0, 1.0),
                channel("angular velocity", "rad/s", -MAX_SPEED as f32, MAX_SPEED as f32),
            ],
            state_size: 2,
            action: vec![channel("torque", "N·m", -MAX_TORQUE, MAX_TORQUE)],
            horizon: 200,
            period: PERIOD,
        };
        Pendulum { spec, rod: Rod::new(MASS, LENGTH), angle: 0.0, speed: 0.0 }
    }

    /// (θ, θ̇), in rad, rad/s; θ is not wrapped.
    pub fn state(&self) -> (f64, f64) {
        (self.angle, self.speed)
    }

    fn observe(&self, observation: &mut [f32]) {
        let (sine, cosine) = libm::sincos(self.angle);
        observation.copy_from_slice(&[cosine as f32, sine as f32, self.speed as f32]);
    }
}

impl Default for Pendulum {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment for Pendulum {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    /// θ ~ U(−π, π), θ̇ ~ U(−1, 1)
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f32]) {
        let mut symmetric = || 2.0 * f64::from(uniform(rng)) - 1.0;
        self.angle = PI * symmetric();
        self.speed = symmetric();
        self.observe(observation);
    }

    fn restore(&mut self, state: &[f64], observation: &mut [f32]) {
        self.angle = state[0];
        self.speed = state[1];
        self.observe(observation);
    }

    fn save(&self) -> Vec<f64> {
        vec![self.angle, self.speed]
    }

    /// ```text
    /// r = −(wrap(θ)² + 0.1 θ̇² + 0.001 u²)                     from the state before the step
    /// θ̇ ← clip(θ̇ + (3g/2l · sin θ + 3/(ml²) · u) Δt, ±8)
    /// θ ← θ + θ̇ Δt                                             with the new θ̇
    /// ```
    ///
    /// The torque is an `f32`, and gymnasium rounds 3/(ml²)·u and 0.001·u² to `f32` before they
    /// join the `f64` state; so does this.
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let torque = action[0].clamp(-MAX_TORQUE, MAX_TORQUE);
        let effort = 0.001_f32 * (torque * torque);
        let wrapped = wrap(self.angle);
        let cost = wrapped * wrapped + 0.1 * (self.speed * self.speed) + f64::from(effort);

        let push = self.rod.push * torque;
        let pull = self.rod.pull * libm::sin(self.angle);
        let speed = self.speed + (pull + f64::from(push)) * PERIOD;
        self.speed = speed.clamp(-MAX_SPEED, MAX_SPEED);
        self.angle += self.speed * PERIOD;
        self.observe(observation);
        Step { reward: -cost, terminated: false }
    }

    fn by_hand(&mut self) -> Option<&mut dyn ByHand> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    #[test]
    fn hanging_still_stays() {
        let (mut pendulum, mut observation) = (Pendulum::new(), [0.0; 3]);
        pendulum.restore(&[PI, 0.0], &mut observation);
        let step = pendulum.step(&[0.0], &mut observation);
        assert!((step.reward + PI * PI).abs() < 1e-12 && !step.terminated);
        assert!((pendulum.state().0 - PI).abs() < 1e-12);
    }

    #[test]
    fn starts_cover_their_range() {
        let (mut pendulum, mut observation) = (Pendulum::new(), [0.0; 3]);
        let mut rng = stream(1, Stream::Environment);
        let (mut angle, mut speed) = (0.0_f64, 0.0_f64);
        for _ in 0..1000 {
            pendulum.reset(&mut rng, &mut observation);
            angle = angle.max(pendulum.angle.abs());
            speed = speed.max(pendulum.speed.abs());
        }
        assert!((3.1..=PI).contains(&angle) && (0.99..=1.0).contains(&speed));
    }
}
