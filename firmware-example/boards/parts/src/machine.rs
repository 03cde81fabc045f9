//! The machine: a pendulum on a gear motor, with an AS5600 on its axis. **Replace these numbers by yours.**

use embedded_hal::{i2c::I2c, pwm::SetDutyCycle};
use firmware_example::{
    control::Pilot,
    plants::{Bridge, Encoder, Motor, Pendulum},
};
use policy_core::Weights;

/// The motor, its gear and its supply. Replace by yours.
///
/// The example has what makers state of a brushed 12 V gear motor of 37 mm diameter with a gear of 50:1: at 12 V
/// 200 turns a minute and 0.2 A without load, 5.5 A at stall. They are neither measured nor those of a certain motor.
pub const MOTOR: Motor = Motor {
    // U, in V: measured at the bridge while the motor pulls.
    supply: 12.0,
    // R, in Ω: 12 V / 5.5 A. Measured: the shaft held, at 1 to 2 V from a laboratory supply, voltage by current, at several
    // angles; and what the bridge adds (a DRV8871: 0.57 Ω typically, both its transistors).
    resistance: 2.2 + 0.6,
    // K, in N·m/A, which is V·s: (12 V − 0.2 A · 2.2 Ω) / (50 · 20.9 rad/s). Measured: without load, voltage less
    // R times current, by the motor's speed, which is the shaft's times the gear.
    constant: 0.011,
    // N: turns of the motor for one of the shaft, as on the gear's label.
    gear: 50.0,
};

/// The current at which the bridge cuts off, in A. Replace by yours: a DRV8871 does so at 64 kV divided by the resistor at ILIM, and
/// the usual module has one of 30 kΩ.
pub const CURRENT_LIMIT: f32 = 2.1;

/// The angle at which the rod stands upright, in steps of the encoder, 0 to 4095. Replace by yours: hold the rod upright
/// and take the number that the log says at each start ("the encoder reads …").
pub const ENCODER_ZERO: u16 = 0;

/// Does the encoder count down where the motor, driven forward (IN1), turns up? Replace by yours: docs/BOARDS.md says how to see
/// that before the motor has power.
pub const ENCODER_IS_REVERSED: bool = false;

/// The machine that policies must be for, as the trainer names it.
pub const PLANT: &str = "pendulum";

/// The control periods that a board keeps, in µs: reading the encoder takes a third of the shortest one, and from
/// one to the next of the longest ones no watchdog runs out.
pub const PERIODS: core::ops::RangeInclusive<u64> = 1_000..=200_000;

/// The pendulum on a bus and two PWM outputs, the motor forward and backward.
pub fn pendulum<I: I2c, A: SetDutyCycle, B: SetDutyCycle>(
    bus: I,
    forward: A,
    backward: B,
) -> Pendulum<I, A, B> {
    let encoder = Encoder::new(bus, ENCODER_ZERO, ENCODER_IS_REVERSED);
    Pendulum::new(encoder, Bridge::new(forward, backward), MOTOR)
}

/// Why a policy is not for this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Misfit<'a> {
    /// It is for this one.
    Plant(&'a str),
    /// It takes so many entries of an observation and gives so many of an action.
    Shape(usize, usize),
    /// Its control period, in µs, is not one of [`PERIODS`].
    Period(u64),
}

/// Why this policy is not for this machine, if it is not.
pub fn misfit<'a, W: Weights, const WIDTH: usize>(
    pilot: &Pilot<'a, W, WIDTH>,
) -> Option<Misfit<'a>> {
    let policy = pilot.policy();
    // A pilot has read it.
    let plant = policy.contract().map_or("", |contract| contract.plant());
    let shape = (policy.observation_size(), policy.action_size());
    let period = pilot.period();
    if plant != PLANT {
        Some(Misfit::Plant(plant))
    } else if shape != (3, 1) {
        Some(Misfit::Shape(shape.0, shape.1))
    } else if !PERIODS.contains(&period) {
        Some(Misfit::Period(period))
    } else {
        None
    }
}

/// The largest torque that motor and bridge give, in N·m, before what the gear loses.
pub fn largest_torque() -> f32 {
    MOTOR.stall_torque().min(MOTOR.gear * MOTOR.constant * CURRENT_LIMIT)
}

/// The largest torque that the policy asks for, in N·m, where motor and bridge give less.
pub fn too_strong<W: Weights, const WIDTH: usize>(pilot: &Pilot<'_, W, WIDTH>) -> Option<f32> {
    let torque = pilot.policy().contract().ok()?.action().into_iter().next()?.high;
    (torque > largest_torque()).then_some(torque)
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::{format, include_policy, link::Source};

    const POLICY: &[u8] = include_policy!("../../../sample/f32/policy.bin");

    #[test]
    fn the_sample_is_for_this_machine_but_for_a_stronger_motor() {
        let pilot = Pilot::<f32, { format::width(POLICY) }>::new(POLICY, Source::Firmware).unwrap();
        assert_eq!(misfit(&pilot), None);
        assert_eq!(too_strong(&pilot), Some(2.0));
    }
}
