//! An H-bridge with two PWM inputs, such as a DRV8871 or half a DRV8833.

use embedded_hal::pwm::SetDutyCycle;

/// A bridge on two PWM outputs: the motor turns one way by the first and the other way by the second. Where both are
/// low it coasts.
pub struct Bridge<A, B> {
    in1: A,
    in2: B,
}

impl<A: SetDutyCycle, B: SetDutyCycle> Bridge<A, B> {
    /// The bridge on these outputs, coasting.
    ///
    /// # Errors
    ///
    /// What an output says, if it cannot be set.
    pub fn new(in1: A, in2: B) -> Result<Self, Fault<A, B>> {
        let mut bridge = Bridge { in1, in2 };
        bridge.coast()?;
        Ok(bridge)
    }

    /// No current from the supply.
    ///
    /// # Errors
    ///
    /// What an output says, if it cannot be set; the other one has been set all the same.
    pub fn coast(&mut self) -> Result<(), Fault<A, B>> {
        let first = self.in1.set_duty_cycle_fully_off().map_err(Fault::In1);
        let second = self.in2.set_duty_cycle_fully_off().map_err(Fault::In2);
        first.and(second)
    }

    /// This share of the supply's voltage on average, from -1 to 1; what is beyond counts as the limit, and what is no
    /// number as 0. Between two pulses the motor coasts.
    ///
    /// # Errors
    ///
    /// What an output says, if it cannot be set.
    pub fn drive(&mut self, share: f32) -> Result<(), Fault<A, B>> {
        let share = if share.is_nan() { 0.0 } else { share.clamp(-1.0, 1.0) };
        // The output that goes off goes first, so that the two are never on at once, which would brake.
        if share > 0.0 {
            self.in2.set_duty_cycle_fully_off().map_err(Fault::In2)?;
            let duty = duty(share, self.in1.max_duty_cycle());
            self.in1.set_duty_cycle(duty).map_err(Fault::In1)
        } else {
            self.in1.set_duty_cycle_fully_off().map_err(Fault::In1)?;
            let duty = duty(-share, self.in2.max_duty_cycle());
            self.in2.set_duty_cycle(duty).map_err(Fault::In2)
        }
    }
}

/// Of a share from 0 to 1, rounded.
fn duty(share: f32, max: u16) -> u16 {
    (share * f32::from(max) + 0.5) as u16
}

/// Which output failed, and how.
pub enum Fault<A: SetDutyCycle, B: SetDutyCycle> {
    /// The first one.
    In1(A::Error),
    /// The second one.
    In2(B::Error),
}

impl<A: SetDutyCycle, B: SetDutyCycle> core::fmt::Debug for Fault<A, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Fault::In1(error) => f.debug_tuple("In1").field(error).finish(),
            Fault::In2(error) => f.debug_tuple("In2").field(error).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use embedded_hal::pwm::ErrorType;

    use super::*;

    struct Output(u16);

    impl ErrorType for Output {
        type Error = Infallible;
    }

    impl SetDutyCycle for Output {
        fn max_duty_cycle(&self) -> u16 {
            800
        }

        fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
            self.0 = duty;
            Ok(())
        }
    }

    #[test]
    fn one_output_at_most_is_on() {
        let mut bridge = Bridge::new(Output(5), Output(7)).unwrap();
        let mut driven = |share| {
            bridge.drive(share).unwrap();
            (bridge.in1.0, bridge.in2.0)
        };
        assert_eq!(driven(0.5), (400, 0));
        assert_eq!(driven(-0.25), (0, 200));
        assert_eq!(driven(7.0), (800, 0));
        assert_eq!(driven(f32::NEG_INFINITY), (0, 800));
        assert_eq!(driven(0.0), (0, 0));
        assert_eq!(driven(1.0), (800, 0));
        bridge.coast().unwrap();
        assert_eq!((bridge.in1.0, bridge.in2.0), (0, 0));
    }

    #[test]
    fn no_number_is_no_torque() {
        let mut bridge = Bridge::new(Output(5), Output(7)).unwrap();
        bridge.drive(1.0).unwrap();
        bridge.drive(f32::NAN).unwrap();
        assert_eq!((bridge.in1.0, bridge.in2.0), (0, 0));
    }
}
