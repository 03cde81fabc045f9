//! A cart that balances a pole: gymnasium's `InvertedPendulum-v5`, without MuJoCo.

mod by_hand;
mod limits;
mod model;

use crate::interface::{ByHand, Environment, Spec, Step, channel};
use crate::rng::Rng;
use model::Model;
use policy_core::gaussian::uniform;

// The rest of gymnasium's `inverted_pendulum.xml`; masses and lengths are in `model`.

/// g, in m/s²
const GRAVITY: f64 = 9.81;
/// Friction of either joint, in N·s/m and N·m·s/rad.
const DAMPING: f64 = 1.0;
/// Force for an action of 1, in N: the motor's gear.
const GEAR: f64 = 100.0;
/// The unit of an action: [`GEAR`] N.
const ACTION_UNIT: &str = "100 N";
/// Actions beyond ± this are clipped.
const MAX_ACTION: f32 = 3.0;
/// h: time of one Runge–Kutta step, in s.
const TIMESTEP: f64 = 0.02;
/// Runge–Kutta steps per action: gymnasium's `frame_skip`.
const STEPS_PER_ACTION: usize = 2;
/// An episode ends when |θ| exceeds this, in rad.
const MAX_ANGLE: f64 = 0.2;

/// A cart on a rail with a hinged pole. State (x, θ, ẋ, θ̇), in m, rad, m/s, rad/s: θ = 0 is
/// upright, θ > 0 leans towards +x.
///
/// Observation: the state. Action: u in ±3, a force of 100 u N on the cart. Terminal where
/// |θ| > 0.2 rad or a number is not finite; 1000 steps of 0.04 s.
#[derive(Debug, Clone)]
pub struct InvertedPendulum {
    spec: Spec,
    reset_noise_scale: f64,
    model: Model,
    state: [f64; 4],
}

impl InvertedPendulum {
    /// A cart at rest with its pole at θ = 0, whose episodes start within ± `reset_noise_scale` of
    /// that (0.01 in gymnasium).
    pub fn new(reset_noise_scale: f64) -> Self {
        let spec = Spec {
            name: "inverted-pendulum",
            observation: vec![
                // The joint's limit is soft: a hard push goes beyond.
                channel("cart position", "m", f32::NEG_INFINITY, f32::INFINITY),
                // Beyond, the episode is over and nobody acts.
                channel("pole angle", "rad", -MAX_ANGLE as f32, MAX_ANGLE as f32),
                channel("cart velocity", "m/s", f32::NEG_INFINITY, f32::INFINITY),
                channel("angular velocity", "rad/s", f32::NEG_INFINITY, f32::INFINITY),
            ],
            state_size: 4,
            action: vec![channel("force", ACTION_UNIT, -MAX_ACTION, MAX_ACTION)],
            horizon: 1000,
            period: STEPS_PER_ACTION as f64 * TIMESTEP,
        };
        InvertedPendulum { spec, reset_noise_scale, model: Model::GYMNASIUM, state: [0.0; 4] }
    }

    /// (x, θ, ẋ, θ̇), in m, rad, m/s, rad/s.
    pub fn state(&self) -> [f64; 4] {
        self.state
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.copy_from_slice(&self.state.map(|x| x as f32));
    }
}

impl Environment for InvertedPendulum {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    /// x, θ, ẋ, θ̇ ~ U(−s, s), with s the `reset_noise_scale` in the unit of each.
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f32]) {
        let scale = self.reset_noise_scale;
        self.state = [(); 4].map(|()| scale * (2.0 * f64::from(uniform(rng)) - 1.0));
        self.observe(observation);
    }

    fn restore(&mut self, state: &[f64], observation: &mut [f32]) {
        self.state.copy_from_slice(state);
        self.observe(observation);
    }

    fn save(&self) -> Vec<f64> {
        self.state.to_vec()
    }

    /// Two steps of `runge_kutta` with F = 100 clip(u, ±3), then
    ///
    /// ```text
    /// r = 1, but 0 on the step that ends the episode           as from version 5 on
    /// ```
    ///
    /// An action that is no number makes a state that is none, and so ends the episode.
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let force = GEAR * f64::from(action[0].clamp(-MAX_ACTION, MAX_ACTION));
        for _ in 0..STEPS_PER_ACTION {
            self.state = runge_kutta(&self.state, |s| derivative(&self.model, s, force));
        }
        self.observe(observation);
        let finite = self.state.iter().all(|x| x.is_finite());
        let terminated = !finite || self.state[1].abs() > MAX_ANGLE;
        Step { reward: if terminated { 0.0 } else { 1.0 }, terminated }
    }

    fn by_hand(&mut self) -> Option<&mut dyn ByHand> {
        Some(self)
    }
}

/// The classic method of fourth order, with f the [`derivative`] at a constant force:
///
/// ```text
/// k₁ = f(s)    k₂ = f(s + h/2 k₁)    k₃ = f(s + h/2 k₂)    k₄ = f(s + h k₃)
/// s ← s + h/6 (k₁ + 2 k₂ + 2 k₃ + k₄)
/// ```
#[inline]
fn runge_kutta(s: &[f64; 4], f: impl Fn(&[f64; 4]) -> [f64; 4]) -> [f64; 4] {
    let moved = |k: &[f64; 4], h: f64| [0, 1, 2, 3].map(|i| s[i] + h * k[i]);
    let k1 = f(s);
    let k2 = f(&moved(&k1, 0.5 * TIMESTEP));
    let k3 = f(&moved(&k2, 0.5 * TIMESTEP));
    let k4 = f(&moved(&k3, TIMESTEP));
    moved(&[0, 1, 2, 3].map(|i| k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]), TIMESTEP / 6.0)
}

/// (ẋ, θ̇, ẍ, θ̈) in the state (x, θ, ẋ, θ̇), for a force F on the cart, in N:
///
/// ```text
/// p = cx cos θ + cz sin θ                       the centre of mass ahead of the hinge
/// M12 = mp (cz cos θ − cx sin θ)
/// ⎡ M11  M12 ⎤ ⎡ ẍ ⎤   ⎡ F − ẋ + mp p θ̇² ⎤
/// ⎣ M12  M22 ⎦ ⎣ θ̈ ⎦ = ⎣   mp g p − θ̇    ⎦ + forces of the limits
/// ```
fn derivative(m: &Model, &[x, angle, velocity, rate]: &[f64; 4], force: f64) -> [f64; 4] {
    let (m12, [on_cart, on_pole]) = m.m12_and_forces([angle, velocity, rate], force);
    let scale = 1.0 / (m.m11 * m.m22 - m12 * m12);
    let inverse = [m.m22 * scale, -m12 * scale, m.m11 * scale];
    let accelerations = |f: [f64; 2]| {
        [inverse[0] * f[0] + inverse[1] * f[1], inverse[1] * f[0] + inverse[2] * f[1]]
    };
    let mut acceleration = accelerations([on_cart, on_pole]);
    if limits::violated(x, angle) {
        let at_zero = m.inverse_at_zero;
        let f = limits::forces([x, angle], [velocity, rate], acceleration, inverse, at_zero);
        let pushed = accelerations(f);
        acceleration = [acceleration[0] + pushed[0], acceleration[1] + pushed[1]];
    }
    [velocity, rate, acceleration[0], acceleration[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn stepped(state: [f64; 4], action: f32) -> (InvertedPendulum, [f32; 4], Step) {
        let (mut environment, mut observation) = (InvertedPendulum::new(0.01), [0.0; 4]);
        environment.restore(&state, &mut observation);
        let step = environment.step(&[action], &mut observation);
        (environment, observation, step)
    }

    /// Upright is unstable; a pushed cart comes to rest at the rail's end, its pole lying.
    #[test]
    fn falls_and_is_caught() {
        let (mut environment, mut observation) = (InvertedPendulum::new(0.01), [0.0; 4]);
        environment.restore(&[0.0, 0.01, 0.0, 0.0], &mut observation);
        let mut steps = 0;
        while !environment.step(&[0.0], &mut observation).terminated {
            steps += 1;
        }
        assert!((5..50).contains(&steps), "{steps}");
        for _ in 0..500 {
            environment.step(&[3.0], &mut observation);
        }
        let [x, angle, velocity, rate] = environment.state();
        assert!((1.0..1.1).contains(&x) && (-1.7..-1.5).contains(&angle), "{x} {angle}");
        assert!(velocity.abs() < 1e-3 && rate.abs() < 1e-3, "{velocity} {rate}");
    }

    #[test]
    fn terminates_beyond_a_fifth_of_a_radian() {
        // Within 0.04 s the faster one passes 0.2 rad, the slower one does not.
        for sign in [1.0, -1.0] {
            let (environment, _, step) = stepped([0.0, sign * 0.15, 0.0, sign * 0.6], 0.0);
            assert!(environment.state()[1].abs() < 0.2);
            assert_eq!(step, Step { reward: 1.0, terminated: false });
            let (environment, _, step) = stepped([0.0, sign * 0.15, 0.0, sign * 1.3], 0.0);
            assert!(environment.state()[1].abs() > 0.2);
            assert_eq!(step, Step { reward: 0.0, terminated: true });
        }
    }

    #[test]
    fn actions_are_clipped() {
        let start = [0.1, 0.02, -0.3, 0.1];
        for (action, clipped) in [(5.0, 3.0), (-3.1, -3.0), (f32::INFINITY, 3.0)] {
            assert_eq!(stepped(start, action).0.state(), stepped(start, clipped).0.state());
        }
        assert_ne!(stepped(start, 2.9).0.state(), stepped(start, 3.0).0.state());
    }

    #[test]
    fn what_is_not_finite_terminates() {
        let nan = [0.0, f64::NAN, 0.0, 0.0];
        for (start, action) in [([0.0; 4], f32::NAN), (nan, 0.0), ([f64::MAX; 4], 1.0)] {
            let (mut environment, mut observation, step) = stepped(start, action);
            assert_eq!(step, Step { reward: 0.0, terminated: true });
            assert!(environment.step(&[0.0], &mut observation).terminated);
        }
    }

    #[test]
    fn starts_cover_their_range() {
        let (mut environment, mut observation) = (InvertedPendulum::new(0.2), [0.0; 4]);
        let mut rng = stream(1, Stream::Environment);
        let (mut low, mut high) = ([0.0_f64; 4], [0.0_f64; 4]);
        for _ in 0..1000 {
            environment.reset(&mut rng, &mut observation);
            for (i, x) in environment.state().into_iter().enumerate() {
                (low[i], high[i]) = (low[i].min(x), high[i].max(x));
                assert_eq!(observation[i], x as f32);
            }
        }
        assert!(low.iter().all(|x| (-0.2..-0.198).contains(x)), "{low:?}");
        assert!(high.iter().all(|x| (0.198..=0.2).contains(x)), "{high:?}");
    }
}
