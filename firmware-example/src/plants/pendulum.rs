//! A pendulum with an encoder and a motor on its axis.

use core::f32::consts::{PI, TAU};

use embedded_hal::{i2c::I2c, pwm::SetDutyCycle};
use policy_core::link::SensorFault;

use super::{Bridge, Encoder, Motor};
use crate::control::Plant;

/// Observation: (cos θ, sin θ, θ̇), θ = 0 upright, θ̇ in rad/s. Action: the torque at the axis, in N·m.
#[derive(Debug)]
pub struct Pendulum<I2C, Forward, Backward> {
    encoder: Encoder<I2C>,
    bridge: Bridge<Forward, Backward>,
    motor: Motor,
    /// The last angle, in rad, and when it was, in µs.
    last: Option<(f32, u64)>,
    /// θ̇, in rad/s.
    speed: f32,
}

impl<I2C: I2c, Forward: SetDutyCycle, Backward: SetDutyCycle> Pendulum<I2C, Forward, Backward> {
    /// A pendulum of these parts; the encoder reads 0 where it stands upright.
    pub fn new(encoder: Encoder<I2C>, bridge: Bridge<Forward, Backward>, motor: Motor) -> Self {
        Pendulum { encoder, bridge, motor, last: None, speed: 0.0 }
    }

    /// What the encoder reads, to find its zero by.
    pub fn encoder(&mut self) -> &mut Encoder<I2C> {
        &mut self.encoder
    }
}

impl<I2C: I2c, Forward: SetDutyCycle, Backward: SetDutyCycle> Plant
    for Pendulum<I2C, Forward, Backward>
{
    /// ```text
    /// θ̇ = wrap(θ − θ₋₁) / (t − t₋₁)
    /// ```
    ///
    /// The first angle, and the first one after a failure, tells no speed, and so makes no observation. It is the mean speed
    /// since the last observation; more than half a turn between two looks like the other way round.
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        let [cosine, sine, speed] = observation else { return Err(SensorFault::Silent) };
        // What was seen before a failure is too old to tell a speed by.
        let last = self.last.take();
        let angle = self.encoder.angle()?;
        self.last = Some((angle, now));
        self.speed = match last {
            Some((before, then)) if now > then => wrap(angle - before) / seconds(now - then),
            Some(_) => self.speed,
            None => return Err(SensorFault::NoSpeed),
        };
        (*cosine, *sine, *speed) = (libm::cosf(angle), libm::sinf(angle), self.speed);
        Ok(now)
    }

    fn actuate(&mut self, action: &[f32]) -> Option<()> {
        let [torque] = action else { return None };
        self.bridge.drive(self.motor.drive(*torque, self.speed))
    }

    fn make_safe(&mut self) -> Option<()> {
        self.bridge.coast()
    }
}

/// An angle within ±2π, wrapped to [−π, π).
fn wrap(angle: f32) -> f32 {
    if angle >= PI {
        angle - TAU
    } else if angle < -PI {
        angle + TAU
    } else {
        angle
    }
}

fn seconds(microseconds: u64) -> f32 {
    microseconds as f32 * 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::{
        i2c::{Mock as Bus, Transaction},
        pwm::{Mock as Pwm, Transaction as Duty},
    };
    use std::{vec, vec::Vec};

    const MOTOR: Motor = Motor { supply: 12.0, resistance: 2.0, constant: 0.03, gear: 20.0 };

    fn status(bits: u8) -> Transaction {
        Transaction::write_read(0x36, vec![0x0B], vec![bits])
    }

    fn reading(steps: u16) -> [Transaction; 2] {
        [status(0x20), Transaction::write_read(0x36, vec![0x0C], steps.to_be_bytes().into())]
    }

    #[test]
    fn the_speed_is_that_of_the_angle_across_half_a_turn_too() {
        let expected: Vec<_> = [2040, 2060, 2060, 2040].into_iter().flat_map(reading).collect();
        let (mut bus, mut pwm) = (Bus::new(&expected), Pwm::new(&[]));
        let bridge = Bridge::new(pwm.clone(), pwm.clone());
        let mut pendulum = Pendulum::new(Encoder::new(bus.clone(), 0, false), bridge, MOTOR);
        let mut seen = [0.0; 3];
        let step = 20.0 * TAU / 4096.0;
        assert_eq!(pendulum.observe(0, &mut seen), Err(SensorFault::NoSpeed));
        for (now, speed) in [(50_000, step / 0.05), (60_000, 0.0), (70_000, -step / 0.01)] {
            assert_eq!(pendulum.observe(now, &mut seen), Ok(now));
            assert!((seen[2] - speed).abs() < 1e-3, "{now}: {seen:?}");
            assert!(seen[0] < -0.999 && seen[1].abs() < 0.02);
        }
        assert_eq!(pendulum.observe(0, &mut [0.0; 2]), Err(SensorFault::Silent));
        bus.done();
        pwm.done();
    }

    /// And after it the first angle tells no speed, even if the magnet is where it was.
    #[test]
    fn a_magnet_that_moves_away_is_the_pendulum_s_fault() {
        let mut expected: Vec<_> = [100, 110].into_iter().flat_map(reading).collect();
        expected.push(status(0x30));
        expected.extend([110, 120].into_iter().flat_map(reading));
        let (mut bus, mut pwm) = (Bus::new(&expected), Pwm::new(&[]));
        let bridge = Bridge::new(pwm.clone(), pwm.clone());
        let mut pendulum = Pendulum::new(Encoder::new(bus.clone(), 0, false), bridge, MOTOR);
        let mut seen = [0.0; 3];
        for (now, expected) in [
            (50_000, Err(SensorFault::NoSpeed)),
            (100_000, Ok(100_000)),
            (150_000, Err(SensorFault::MagnetTooWeak)),
            (200_000, Err(SensorFault::NoSpeed)),
            (250_000, Ok(250_000)),
        ] {
            assert_eq!(pendulum.observe(now, &mut seen), expected, "{now}");
        }
        bus.done();
        pwm.done();
    }

    #[test]
    fn torques_are_driven_and_the_safe_state_coasts() {
        let most = Duty::max_duty_cycle(1000);
        let set = Duty::set_duty_cycle;
        let mut forward = Pwm::new(&[most.clone(), set(1000), most.clone(), set(0)]);
        let mut backward = Pwm::new(&[most.clone(), set(500), most.clone(), set(0)]);
        let mut bus = Bus::new(&[]);
        let bridge = Bridge::new(forward.clone(), backward.clone());
        let mut pendulum = Pendulum::new(Encoder::new(bus.clone(), 0, false), bridge, MOTOR);
        assert_eq!(pendulum.actuate(&[1.8]), Some(()));
        assert_eq!(pendulum.make_safe(), Some(()));
        assert_eq!(pendulum.actuate(&[1.8, 0.0]), None);
        forward.done();
        backward.done();
        bus.done();
    }
}
