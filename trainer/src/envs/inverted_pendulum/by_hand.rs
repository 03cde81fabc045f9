//! Cart and pole in a person's hands.

use std::f64::consts::FRAC_PI_2;

use super::{InvertedPendulum, Model, STEPS_PER_ACTION, TIMESTEP, limits, runge_kutta};
use crate::interface::{ByHand, Grip, Parameter, within};

/// The cart's and the pole's mass can be so many times what they are in gymnasium.
const MASSES: [f64; 2] = [0.2, 3.0];
/// What the pole's length can be, in m.
const LENGTHS: [f64; 2] = [0.3, 1.2];
/// Neither cart nor pole becomes faster than this in a hand, in m/s and rad/s: what a jump of the pointer would make of it is
/// no speed of a hand.
const FASTEST: [f64; 2] = [5.0, 10.0];

impl ByHand for InvertedPendulum {
    fn parameters(&self) -> Vec<Parameter> {
        let (now, usual) = (self.model, Model::GYMNASIUM);
        let mass = |name, value: f64, usual: f64| {
            let [low, high] = MASSES.map(|factor| factor * usual);
            Parameter { name, unit: "kg", value, low, high }
        };
        let [low, high] = LENGTHS;
        vec![
            mass("pole mass", now.pole_mass, usual.pole_mass),
            Parameter { name: "pole length", unit: "m", value: now.pole_length, low, high },
            mass("cart mass", now.cart_mass, usual.cart_mass),
        ]
    }

    fn set_parameter(&mut self, name: &str, value: f64) -> bool {
        let known = self.parameters().into_iter().find(|parameter| parameter.name == name);
        let value = known.and_then(|known| within(value, known.low, known.high));
        let (Some(known), Some(value)) = (known, value) else { return false };
        let Model { cart_mass: cart, pole_mass: pole, pole_length: length, .. } = self.model;
        self.model = match known.name {
            "pole mass" => Model::new(cart, value, length),
            "pole length" => Model::new(cart, pole, value),
            _ => Model::new(value, pole, length),
        };
        true
    }

    /// With J the impulse, across the pole at its length l, M Δ(ẋ, θ̇) = J (cos θ, l).
    fn strike(&mut self, impulse: f64) {
        let m = &self.model;
        let (sine, cosine) = libm::sincos(self.state[1]);
        let m12 = m.m12(sine, cosine);
        let determinant = m.m11 * m.m22 - m12 * m12;
        let [on_cart, on_pole] = [impulse * cosine, impulse * m.pole_length];
        self.state[2] += (m.m22 * on_cart - m12 * on_pole) / determinant;
        self.state[3] += (m.m11 * on_pole - m12 * on_cart) / determinant;
    }

    fn grips(&self) -> &'static [Grip] {
        &[
            Grip { name: "cart", unit: "m", entry: 0, turns: false },
            Grip { name: "pole", unit: "rad", entry: 1, turns: false },
        ]
    }

    /// With q the joint that is held and o the other one, whose target and place are within the joint's limits:
    ///
    /// ```text
    /// q̇ ← (q* − q) / Δt,  ȯ ← ȯ − M12/Moo · Δq̇              the hand's jerk passes on through the hinge
    /// q̈ = 0,  Moo ö = its row of the equations of motion        for the period
    /// ```
    fn carry(&mut self, grip: usize, target: f64, observation: &mut [f32]) {
        let (held, other) = if grip == 0 { (0, 1) } else { (1, 0) };
        let m = self.model;
        let limit = limits::LIMIT[held];
        let period = STEPS_PER_ACTION as f64 * TIMESTEP;
        let target = target.clamp(-limit, limit);
        let speed = ((target - self.state[held]) / period).clamp(-FASTEST[held], FASTEST[held]);
        self.state[held] = target - speed * period;

        let (sine, cosine) = libm::sincos(self.state[1]);
        let own = [m.m11, m.m22][other];
        self.state[2 + other] -= m.m12(sine, cosine) / own * (speed - self.state[2 + held]);
        self.state[2 + held] = speed;
        for _ in 0..STEPS_PER_ACTION {
            self.state = runge_kutta(&self.state, |s| carried(&m, s, other));
        }
        self.state[held] = target;
        self.observe(observation);
    }

    /// The pole lies at its joint's limit, the cart in the middle.
    fn rest(&self) -> Vec<f64> {
        vec![0.0, FRAC_PI_2, 0.0, 0.0]
    }
}

/// The derivative of the state where only the joint `free` is free, and the other one keeps its speed.
fn carried(m: &Model, &[x, angle, velocity, rate]: &[f64; 4], free: usize) -> [f64; 4] {
    let (_, forces) = m.m12_and_forces([angle, velocity, rate], 0.0);
    let mut inverse = [0.0; 3];
    inverse[2 * free] = 1.0 / [m.m11, m.m22][free];
    let mut acceleration = [0.0; 2];
    acceleration[free] = inverse[2 * free] * forces[free];
    if limits::violated(x, angle) {
        let (q, v) = ([x, angle], [velocity, rate]);
        let f = limits::forces(q, v, acceleration, inverse, m.inverse_at_zero);
        acceleration[free] += inverse[2 * free] * f[free];
    }
    [velocity, rate, acceleration[0], acceleration[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Environment;

    fn at(state: [f64; 4]) -> InvertedPendulum {
        let mut machine = InvertedPendulum::new(0.01);
        machine.restore(&state, &mut [0.0; 4]);
        machine
    }

    /// M q̇, in N·s and N·m·s
    fn momentum(machine: &InvertedPendulum) -> [f64; 2] {
        let [_, angle, velocity, rate] = machine.state();
        let (sine, cosine) = libm::sincos(angle);
        let (m, m12) = (&machine.model, machine.model.m12(sine, cosine));
        [m.m11 * velocity + m12 * rate, m12 * velocity + m.m22 * rate]
    }

    #[test]
    fn a_strike_gives_its_momentum() {
        let mut machine = at([0.1, 0.15, -0.2, 0.3]);
        let before = momentum(&machine);
        machine.strike(2.0);
        let after = momentum(&machine);
        assert!((after[0] - before[0] - 2.0 * 0.15_f64.cos()).abs() < 1e-12);
        assert!((after[1] - before[1] - 2.0 * machine.model.pole_length).abs() < 1e-12);
        assert_eq!(machine.state()[..2], [0.1, 0.15]);
    }

    #[test]
    fn a_carried_cart_takes_the_pole_along() {
        let mut machine = at([0.0; 4]);
        let mut observation = [0.0; 4];
        machine.carry(0, 0.02, &mut observation);
        let [x, angle, velocity, rate] = machine.state();
        assert!((x - 0.02).abs() < 1e-12 && (velocity - 0.5).abs() < 1e-12);
        // Pulled away below, the pole falls back, as fast as M12/M22 of the cart's speed and a little friction make it.
        assert!(angle < -0.04 && (rate + 0.5 * 1.5056 / 0.6404).abs() < 0.1, "{angle} {rate}");
        assert_eq!(observation, machine.state().map(|x| x as f32));
    }

    #[test]
    fn a_held_pole_lets_the_cart_roll() {
        let mut machine = at([0.0, 0.1, 0.5, 0.0]);
        let mut observation = [0.0; 4];
        for _ in 0..5 {
            machine.carry(1, 0.1, &mut observation);
        }
        let [x, angle, velocity, rate] = machine.state();
        // ẋ decays with the time M11/(1 N·s/m).
        let decayed = 0.5 * (-0.2_f64 / machine.model.m11).exp();
        assert!((velocity - decayed).abs() < 1e-9 && (x - 0.1).abs() < 1e-3, "{x} {velocity}");
        assert!((angle - 0.1).abs() < 1e-12 && rate == 0.0);
    }

    /// Hands of any haste leave a machine with finite numbers within what a joint allows.
    #[test]
    fn nothing_is_torn_off() {
        let (mut machine, mut observation) = (at([0.0; 4]), [0.0; 4]);
        for step in 0..400_u32 {
            let far = if step % 3 == 0 { 1e300 } else { -1e300 };
            machine.carry(step as usize / 7 % 2, far, &mut observation);
            let [x, angle, velocity, rate] = machine.state();
            assert!(x.abs() < 1.5 && angle.abs() < 2.0, "{step}: {x} {angle}");
            assert!(velocity.abs() < 30.0 && rate.abs() < 100.0, "{step}: {velocity} {rate}");
        }
    }

    #[test]
    fn parameters_act_within_their_ends() {
        let fallen = |name, value| {
            let mut machine = at([0.0, 0.1, 0.0, 0.0]);
            assert!(machine.set_parameter(name, value));
            machine.step(&[1.0], &mut [0.0; 4]);
            machine.state()
        };
        let usual = fallen("pole length", Model::GYMNASIUM.pole_length);
        let mut untouched = at([0.0, 0.1, 0.0, 0.0]);
        untouched.step(&[1.0], &mut [0.0; 4]);
        assert_eq!(usual, untouched.state());
        assert_ne!(fallen("pole mass", 10.0), usual);
        // A heavier cart moves less, a longer pole turns less.
        assert!(fallen("cart mass", 20.0)[0] < usual[0]);
        assert!(fallen("pole length", 1e9)[3].abs() < usual[3].abs());
        assert!(!untouched.set_parameter("mass", 1.0));
        assert!(!untouched.set_parameter("cart mass", f64::NAN));
        let ends = untouched.parameters();
        assert!(ends.iter().all(|entry| (entry.low..=entry.high).contains(&entry.value)));
    }

    #[test]
    fn rest_is_where_it_stays() {
        let mut machine = at([0.0; 4]);
        let rest = machine.rest();
        machine.restore(&rest, &mut [0.0; 4]);
        for _ in 0..100 {
            machine.step(&[0.0], &mut [0.0; 4]);
        }
        let [x, angle, ..] = machine.state();
        assert!(x.abs() < 0.05 && (angle - FRAC_PI_2).abs() < 0.1, "{x} {angle}");
    }
}
