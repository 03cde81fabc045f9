//! Masses and lengths: gymnasium's `inverted_pendulum.xml`, and MuJoCo's defaults where it is silent.

use std::f64::consts::PI;

use super::{DAMPING, GRAVITY};

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
/// The pole's centre of mass from the hinge, across the pole at θ = 0, in m.
const CENTRE_X: f64 = 0.0005;
/// The same, upwards, in m.
const CENTRE_Z: f64 = 0.3;

/// What the equations of motion need of masses and lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Model {
    /// mc, in kg
    pub(super) cart_mass: f64,
    /// mp, in kg
    pub(super) pole_mass: f64,
    /// Length of the pole without its round ends, in m.
    pub(super) pole_length: f64,
    /// cx, cz: the pole's centre of mass from the hinge, across and upwards at θ = 0, in m.
    pub(super) centre: [f64; 2],
    /// M11 = mc + mp, in kg
    pub(super) m11: f64,
    /// M22 = I + mp (cx² + cz²), in kg·m²: the pole's inertia about the hinge.
    pub(super) m22: f64,
    /// Diagonal of M⁻¹ at θ = 0, in 1/kg and 1/(kg·m²): MuJoCo's `dof_invweight0`, which scales how
    /// soft a limit is.
    pub(super) inverse_at_zero: [f64; 2],
}

impl Model {
    /// The machine that policies are trained on; a test compares with the numbers that MuJoCo compiled it to.
    pub(super) const GYMNASIUM: Model = Model::new(
        capsule_mass(CART_RADIUS, CART_LENGTH),
        capsule_mass(POLE_RADIUS, POLE_LENGTH),
        POLE_LENGTH,
    );

    /// A pole of another mass has another density and the same shape; one of another length has the same radius and leans as
    /// much at θ = 0. Where both are gymnasium's, every factor here is exactly 1.
    pub(super) const fn new(cart_mass: f64, pole_mass: f64, pole_length: f64) -> Self {
        let stretch = pole_length / POLE_LENGTH;
        let centre = [CENTRE_X * stretch, CENTRE_Z * stretch];
        let density = pole_mass / capsule_mass(POLE_RADIUS, pole_length);
        let m11 = cart_mass + pole_mass;
        let m22 = density * capsule_inertia(POLE_RADIUS, pole_length)
            + pole_mass * (centre[0] * centre[0] + centre[1] * centre[1]);
        let m12_at_zero = pole_mass * centre[1];
        let determinant = m11 * m22 - m12_at_zero * m12_at_zero;
        let inverse_at_zero = [m22 / determinant, m11 / determinant];
        Model { cart_mass, pole_mass, pole_length, centre, m11, m22, inverse_at_zero }
    }

    /// M12 at an angle, in kg·m: mp (cz cos θ − cx sin θ)
    #[inline]
    pub(super) fn m12(&self, sine: f64, cosine: f64) -> f64 {
        let [cx, cz] = self.centre;
        self.pole_mass * (cz * cosine - cx * sine)
    }

    /// M12, in kg·m, and the right-hand side of the equations of motion without limits, in N and N·m, for (θ, ẋ, θ̇).
    #[inline]
    pub(super) fn m12_and_forces(
        &self,
        [angle, velocity, rate]: [f64; 3],
        force: f64,
    ) -> (f64, [f64; 2]) {
        let (sine, cosine) = libm::sincos(angle);
        let [cx, cz] = self.centre;
        let p = cx * cosine + cz * sine;
        let on_cart = force - DAMPING * velocity + self.pole_mass * p * (rate * rate);
        let on_pole = self.pole_mass * GRAVITY * p - DAMPING * rate;
        (self.m12(sine, cosine), [on_cart, on_pole])
    }
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

    /// The numbers are those of MuJoCo 4.0's compiled model.
    #[test]
    fn constants_follow_from_the_model() {
        let m = Model::GYMNASIUM;
        let length = libm::sqrt(0.001 * 0.001 + 0.6 * 0.6);
        for (name, ours, compiled) in [
            ("pole's length", POLE_LENGTH, length),
            ("mc", m.cart_mass, 10.471_975_511_965_98),
            ("mp", m.pole_mass, 5.018_591_641_363_306),
            ("I", capsule_inertia(POLE_RADIUS, POLE_LENGTH), 0.188_749_766_873_088_5),
            ("M11", m.m11, 15.490_567_153_329_284),
            ("M22", m.m22, 0.640_424_269_243_696_3),
            ("M12 at zero", m.m12(0.0, 1.0), 1.505_577_492_408_991_5),
            ("M⁻¹, slider", m.inverse_at_zero[0], 0.083_674_338_058_595_88),
            ("M⁻¹, hinge", m.inverse_at_zero[1], 2.023_912_919_848_819),
        ] {
            let error = (ours - compiled).abs() / compiled;
            assert!(error < 1e-14, "{name}: {ours} instead of {compiled}");
        }
    }

    /// Twice the mass has twice the inertia; a long thin rod's about its end is ml²/3, of which the round ends add a little.
    #[test]
    fn other_masses_and_lengths_scale() {
        let (one, heavy) =
            (Model::GYMNASIUM, Model::new(10.0, 2.0 * Model::GYMNASIUM.pole_mass, POLE_LENGTH));
        assert!((heavy.m22 / one.m22 - 2.0).abs() < 1e-14);
        let long = Model::new(10.0, 3.0, 2.0);
        assert!((long.m22 / 4.0 - 1.0).abs() < 0.1, "{}", long.m22);
        assert_eq!(Model::new(one.cart_mass, one.pole_mass, one.pole_length), one);
    }
}
