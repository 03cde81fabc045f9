//! A brushed DC motor on an H-bridge with two PWM inputs (DRV8871, DRV8833 and their like).

use embedded_hal::pwm::SetDutyCycle;

/// What a motor and its supply are, with the gear between the motor and the shaft.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motor {
    /// U, the supply's voltage, in V.
    pub supply: f32,
    /// R, resistance of winding and bridge, in Ω.
    pub resistance: f32,
    /// K, torque for each ampere, in N·m/A: also the voltage for each rad/s, in V·s.
    pub constant: f32,
    /// N, turns of the motor for each of the shaft.
    pub gear: f32,
}

impl Motor {
    /// The share of the supply's voltage that gives a torque at the shaft, within ±1:
    ///
    /// ```text
    /// u = (R τ / (N K) + N K ω) / U        current for the torque, and what the turning motor generates
    /// ```
    ///
    /// `torque` τ is in N·m and `speed` ω in rad/s, both at the shaft. Neither friction nor the winding's inductance counts.
    pub fn drive(&self, torque: f32, speed: f32) -> f32 {
        let Motor { supply, resistance, constant, gear } = *self;
        let k = gear * constant;
        let drive = (resistance * torque / k + k * speed) / supply;
        // A drive that is no number is none at all.
        if drive.is_nan() { 0.0 } else { drive.clamp(-1.0, 1.0) }
    }

    /// The largest torque at the shaft, at rest, in N·m: N K U / R.
    pub fn stall_torque(&self) -> f32 {
        self.gear * self.constant * self.supply / self.resistance
    }
}

/// The bridge. Both inputs low: it lets the motor coast, which is its safe state. Both high: it brakes.
#[derive(Debug)]
pub struct Bridge<Forward, Backward> {
    forward: Forward,
    backward: Backward,
}

impl<Forward: SetDutyCycle, Backward: SetDutyCycle> Bridge<Forward, Backward> {
    /// A bridge on these two outputs.
    pub fn new(forward: Forward, backward: Backward) -> Self {
        Bridge { forward, backward }
    }

    /// Drives the motor with a share of the supply's voltage, from −1 to 1. `None` where an output fails.
    ///
    /// One input is high all the time, the other one for the rest of the share: between two pulses the bridge brakes, so that the
    /// winding sees that share on average whatever its current is. If it coasted, the current would flow back
    /// into the supply between the pulses, and a small share would give next to no torque.
    pub fn drive(&mut self, share: f32) -> Option<()> {
        // The one that rises first: in between both are high, which brakes.
        if share < 0.0 {
            set(&mut self.backward, 1.0)?;
            set(&mut self.forward, 1.0 + share)
        } else {
            set(&mut self.forward, 1.0)?;
            set(&mut self.backward, 1.0 - share)
        }
    }

    /// Lets the motor coast; it tries both outputs even where one fails.
    pub fn coast(&mut self) -> Option<()> {
        let (forward, backward) = (set(&mut self.forward, 0.0), set(&mut self.backward, 0.0));
        forward.and(backward)
    }
}

fn set(output: &mut impl SetDutyCycle, share: f32) -> Option<()> {
    let most = output.max_duty_cycle();
    let duty = libm::roundf(share * f32::from(most)) as u16;
    output.set_duty_cycle(duty.min(most)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::pwm::{Mock, Transaction};

    const MOTOR: Motor = Motor { supply: 12.0, resistance: 2.0, constant: 0.03, gear: 20.0 };

    #[test]
    fn a_torque_becomes_a_voltage() {
        // 0.6 V for each rad/s of the shaft, 3.33 V for each N·m.
        assert!((MOTOR.drive(1.8, 0.0) - 0.5).abs() < 1e-6);
        assert!((MOTOR.drive(0.0, 10.0) - 0.5).abs() < 1e-6);
        assert!((MOTOR.drive(-1.8, -10.0) + 1.0).abs() < 1e-6);
        assert_eq!((MOTOR.drive(9.0, 0.0), MOTOR.drive(-9.0, 0.0)), (1.0, -1.0));
        assert_eq!(MOTOR.drive(f32::NAN, 0.0), 0.0);
        assert!((MOTOR.stall_torque() - 3.6).abs() < 1e-6);
    }

    #[test]
    fn one_input_is_always_high_until_the_motor_coasts() {
        let most = Transaction::max_duty_cycle(1000);
        let on = |duty| [most.clone(), Transaction::set_duty_cycle(duty)];
        let mut forward = Mock::new(&[on(1000), on(0), on(1000), on(0)].concat());
        let mut backward = Mock::new(&[on(750), on(1000), on(1000), on(0)].concat());
        let mut bridge = Bridge::new(forward.clone(), backward.clone());
        for share in [0.25, -1.0, 0.0] {
            assert_eq!(bridge.drive(share), Some(()));
        }
        assert_eq!(bridge.coast(), Some(()));
        forward.done();
        backward.done();
    }
}
