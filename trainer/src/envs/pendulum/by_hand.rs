//! The pendulum in a person's hands.

use std::f64::consts::PI;

use super::{LENGTH, MASS, MAX_SPEED, PERIOD, Pendulum, Rod, wrap};
use crate::interface::{ByHand, Grip, Parameter, within};

/// What the mass can be, in kg.
const MASSES: [f64; 2] = [0.2 * MASS, 3.0 * MASS];
/// What the length can be, in m.
const LENGTHS: [f64; 2] = [0.4 * LENGTH, 2.0 * LENGTH];

impl ByHand for Pendulum {
    fn parameters(&self) -> Vec<Parameter> {
        let Rod { mass, length, .. } = self.rod;
        let ([lightest, heaviest], [shortest, longest]) = (MASSES, LENGTHS);
        vec![
            Parameter { name: "mass", unit: "kg", value: mass, low: lightest, high: heaviest },
            Parameter { name: "length", unit: "m", value: length, low: shortest, high: longest },
        ]
    }

    fn set_parameter(&mut self, name: &str, value: f64) -> bool {
        let Rod { mass, length, .. } = self.rod;
        let rod = match name {
            "mass" => within(value, MASSES[0], MASSES[1]).map(|mass| Rod::new(mass, length)),
            "length" => within(value, LENGTHS[0], LENGTHS[1]).map(|length| Rod::new(mass, length)),
            _ => None,
        };
        let Some(rod) = rod else { return false };
        self.rod = rod;
        true
    }

    /// θ̇ ← clip(θ̇ + 3/(ml²) · l J, ±8), with J the impulse
    fn strike(&mut self, impulse: f64) {
        let Rod { mass, length, .. } = self.rod;
        let speed = self.speed + 3.0 / (mass * length) * impulse;
        self.speed = speed.clamp(-MAX_SPEED, MAX_SPEED);
    }

    fn grips(&self) -> &'static [Grip] {
        &[Grip { name: "rod", unit: "rad", entry: 0, turns: true }]
    }

    /// ```text
    /// θ̇ = wrap(θ* − θ) / Δt                                    the shorter way round
    /// θ ← θ + θ̇ Δt,  θ̇ ← clip(θ̇, ±8)                          a hand is faster than the machine can be
    /// ```
    fn carry(&mut self, _grip: usize, target: f64, observation: &mut [f32]) {
        let way = wrap(target - self.angle);
        self.angle += way;
        self.speed = (way / PERIOD).clamp(-MAX_SPEED, MAX_SPEED);
        self.observe(observation);
    }

    fn rest(&self) -> Vec<f64> {
        vec![PI, 0.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Environment;

    fn swung(change: &[(&str, f64)]) -> (f64, f64) {
        let (mut pendulum, mut observation) = (Pendulum::new(), [0.0; 3]);
        for &(name, value) in change {
            assert!(pendulum.set_parameter(name, value));
        }
        pendulum.restore(&[1.0, 0.0], &mut observation);
        pendulum.step(&[2.0], &mut observation);
        pendulum.state()
    }

    /// θ̇ after a step from rest: (3g/2l · sin θ + 3/(ml²) · u) Δt
    #[test]
    fn mass_and_length_act() {
        let speed = |mass: f64, length: f64| {
            (15.0 / length * 1.0_f64.sin() + 6.0 / (mass * length * length)) * 0.05
        };
        for (mass, length) in [(1.0, 1.0), (2.0, 1.0), (1.0, 0.5), (0.5, 1.5)] {
            let (_, found) = swung(&[("mass", mass), ("length", length)]);
            assert!((found - speed(mass, length)).abs() < 1e-6, "{mass} {length}: {found}");
        }
        assert_eq!(swung(&[("mass", 2.0), ("mass", 1.0)]), swung(&[]));
    }

    #[test]
    fn parameters_have_ends_and_names() {
        let mut pendulum = Pendulum::new();
        assert!(pendulum.set_parameter("mass", 1e300) && pendulum.set_parameter("length", -1.0));
        let values: Vec<_> = pendulum.parameters().iter().map(|entry| entry.value).collect();
        assert_eq!(values, [3.0, 0.4]);
        assert!(
            !pendulum.set_parameter("mass", f64::NAN) && !pendulum.set_parameter("colour", 1.0)
        );
    }

    #[test]
    fn a_strike_changes_the_speed_alone_and_a_heavy_rod_less() {
        let mut pendulum = Pendulum::new();
        pendulum.strike(0.5);
        assert_eq!(pendulum.state(), (0.0, 1.5));
        pendulum.set_parameter("mass", 3.0);
        pendulum.strike(0.5);
        assert_eq!(pendulum.state(), (0.0, 2.0));
        pendulum.strike(-1e9);
        assert_eq!(pendulum.state().1, -8.0);
    }

    #[test]
    fn a_carried_rod_is_where_the_hand_is_and_keeps_its_speed() {
        let (mut pendulum, mut observation) = (Pendulum::new(), [0.0; 3]);
        pendulum.carry(0, 0.1, &mut observation);
        let (angle, speed) = pendulum.state();
        assert!((angle - 0.1).abs() < 1e-12 && (speed - 2.0).abs() < 1e-12);
        assert_eq!(observation[2], 2.0);
        // The shorter way round, faster than the machine can turn.
        pendulum.carry(0, 0.1 - 2.0 + 4.0 * PI, &mut observation);
        let (angle, speed) = pendulum.state();
        assert!((angle + 1.9).abs() < 1e-12 && speed == -8.0);
        pendulum.carry(0, -1.9, &mut observation);
        assert!(pendulum.state().1.abs() < 1e-9 && (wrap(pendulum.state().0) + 1.9).abs() < 1e-9);
    }

    #[test]
    fn rest_is_where_it_stays() {
        let (mut pendulum, mut observation) = (Pendulum::new(), [0.0; 3]);
        let rest = pendulum.rest();
        pendulum.restore(&rest, &mut observation);
        for _ in 0..20 {
            pendulum.step(&[0.0], &mut observation);
        }
        assert!((pendulum.state().0 - PI).abs() < 1e-9);
    }
}
