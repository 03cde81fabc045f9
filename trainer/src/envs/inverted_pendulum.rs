//! A cart that balances a pole: gymnasium's `InvertedPendulum-v5`, without MuJoCo.

mod limits;

use std::f64::consts::PI;

use crate::interface::{Environment, Spec, Step, channel};
use crate::rng::Rng;
use policy_core::gaussian::uniform;

// The model: gymnasium's `inverted_pendulum.xml`, and MuJoCo's defaults where it is silent.

/// ρ, in kg/m³: MuJoCo's default density, from which it makes masses and inertias.
const DENSITY: f64 = 1000.0;
/// Radius of the cart, a capsule, in m.
const CART_RADIUS: f64 = 0.1;
/// Length of the cart without its round ends (two halves of 0.1), in m.
const CART_LENGTH: f64 = 0.2;
/// Radius of the pole, a capsule, in m.
const POLE_RADIUS: f64 = 0.049;
/// Length of the pole without its round ends, from (0, 0, 0) to (0.001, 0, 0.6), in m: the model's
/// pole leans by 1.7 mrad when θ = 0. The root of 0.001² + 0.6², checked by a test.
const POLE_LENGTH: f64 = 0.600_000_833_332_754_6;
/// cx: the pole's centre of mass from the hinge, across the pole at θ = 0, in m.
const CENTRE_X: f64 = 0.0005;
/// cz: the same, upwards, in m.
const CENTRE_Z: f64 = 0.3;
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

// What follows from it; a test compares with the numbers that MuJoCo compiled the model to.

/// mc, in kg
const CART_MASS: f64 = capsule_mass(CART_RADIUS, CART_LENGTH);
/// mp, in kg
const POLE_MASS: f64 = capsule_mass(POLE_RADIUS, POLE_LENGTH);
/// M11 = mc + mp, in kg
const M11: f64 = CART_MASS + POLE_MASS;
/// M22 = I + mp (cx² + cz²), in kg·m²: the pole's inertia about the hinge.
const M22: f64 = capsule_inertia(POLE_RADIUS, POLE_LENGTH)
    + POLE_MASS * (CENTRE_X * CENTRE_X + CENTRE_Z * CENTRE_Z);
/// M12 at θ = 0, in kg·m
const M12_AT_ZERO: f64 = POLE_MASS * CENTRE_Z;
/// Diagonal of M⁻¹ at θ = 0, in 1/kg and 1/(kg·m²): MuJoCo's `dof_invweight0`, which scales how soft
/// a limit is.
const INVERSE_AT_ZERO: [f64; 2] = {
    let determinant = M11 * M22 - M12_AT_ZERO * M12_AT_ZERO;
    [M22 / determinant, M11 / determinant]
};

/// A cart on a rail with a hinged pole. State (x, θ, ẋ, θ̇), in m, rad, m/s, rad/s: θ = 0 is
/// upright, θ > 0 leans towards +x.
///
/// Observation: the state. Action: u in ±3, a force of 100 u N on the cart. Terminal where
/// |θ| > 0.2 rad or a number is not finite; 1000 steps of 0.04 s.
#[derive(Debug, Clone)]
pub struct InvertedPendulum {
    spec: Spec,
    reset_noise_scale: f64,
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
        InvertedPendulum { spec, reset_noise_scale, state: [0.0; 4] }
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
            self.state = runge_kutta(&self.state, force);
        }
        self.observe(observation);
        let finite = self.state.iter().all(|x| x.is_finite());
        let terminated = !finite || self.state[1].abs() > MAX_ANGLE;
        Step { reward: if terminated { 0.0 } else { 1.0 }, terminated }
    }
}

/// The classic method of fourth order, with f = [`derivative`] at a constant force:
///
/// ```text
/// k₁ = f(s)    k₂ = f(s + h/2 k₁)    k₃ = f(s + h/2 k₂)    k₄ = f(s + h k₃)
/// s ← s + h/6 (k₁ + 2 k₂ + 2 k₃ + k₄)
/// ```
fn runge_kutta(s: &[f64; 4], force: f64) -> [f64; 4] {
    let moved = |k: &[f64; 4], h: f64| [0, 1, 2, 3].map(|i| s[i] + h * k[i]);
    let k1 = derivative(s, force);
    let k2 = derivative(&moved(&k1, 0.5 * TIMESTEP), force);
    let k3 = derivative(&moved(&k2, 0.5 * TIMESTEP), force);
    let k4 = derivative(&moved(&k3, TIMESTEP), force);
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
fn derivative(&[x, angle, velocity, rate]: &[f64; 4], force: f64) -> [f64; 4] {
    let (sine, cosine) = libm::sincos(angle);
    let p = CENTRE_X * cosine + CENTRE_Z * sine;
    let m12 = POLE_MASS * (CENTRE_Z * cosine - CENTRE_X * sine);
    let on_cart = force - DAMPING * velocity + POLE_MASS * p * (rate * rate);
    let on_pole = POLE_MASS * GRAVITY * p - DAMPING * rate;

    let scale = 1.0 / (M11 * M22 - m12 * m12);
    let inverse = [M22 * scale, -m12 * scale, M11 * scale];
    let accelerations = |f: [f64; 2]| {
        [inverse[0] * f[0] + inverse[1] * f[1], inverse[1] * f[0] + inverse[2] * f[1]]
    };
    let mut acceleration = accelerations([on_cart, on_pole]);
    if limits::violated(x, angle) {
        let f = limits::forces([x, angle], [velocity, rate], acceleration, inverse);
        let pushed = accelerations(f);
        acceleration = [acceleration[0] + pushed[0], acceleration[1] + pushed[1]];
    }
    [velocity, rate, acceleration[0], acceleration[1]]
}

const fn cylinder_mass(radius: f64, length: f64) -> f64 {
    DENSITY * PI * radius * radius * length
}

/// Of the two round ends together.
const fn ball_mass(radius: f64) -> f64 {
    DENSITY * 4.0 / 3.0 * PI * radius * radius * radius
}

const fn capsule_mass(radius: f64, length: f64) -> f64 {
    cylinder_mass(radius, length) + ball_mass(radius)
}

/// Inertia of a capsule about an axis across its middle, in kg·m²: cylinder and half balls, the
/// latter (centre of mass 3/8 r beyond the cylinder's end) moved out by Steiner's theorem.
const fn capsule_inertia(radius: f64, length: f64) -> f64 {
    let cylinder = (3.0 * radius * radius + length * length) / 12.0;
    let ball = 0.4 * radius * radius + length * (2.0 * length + 3.0 * radius) / 8.0;
    cylinder_mass(radius, length) * cylinder + ball_mass(radius) * ball
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

    /// The numbers are those of MuJoCo 4.0's compiled model.
    #[test]
    fn constants_follow_from_the_model() {
        let length = libm::sqrt(0.001 * 0.001 + 0.6 * 0.6);
        for (name, ours, compiled) in [
            ("pole's length", POLE_LENGTH, length),
            ("mc", CART_MASS, 10.471_975_511_965_98),
            ("mp", POLE_MASS, 5.018_591_641_363_306),
            ("I", capsule_inertia(POLE_RADIUS, POLE_LENGTH), 0.188_749_766_873_088_5),
            ("M11", M11, 15.490_567_153_329_284),
            ("M22", M22, 0.640_424_269_243_696_3),
            ("M12 at zero", M12_AT_ZERO, 1.505_577_492_408_991_5),
            ("M⁻¹, slider", INVERSE_AT_ZERO[0], 0.083_674_338_058_595_88),
            ("M⁻¹, hinge", INVERSE_AT_ZERO[1], 2.023_912_919_848_819),
        ] {
            let error = (ours - compiled).abs() / compiled;
            assert!(error < 1e-14, "{name}: {ours} instead of {compiled}");
        }
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
