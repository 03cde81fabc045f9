//! The AS5600 magnetic encoder (ams OSRAM, datasheet v1-06), over I²C.

use embedded_hal::i2c::I2c;
use policy_core::link::SensorFault;

/// Its only address.
const ADDRESS: u8 = 0x36;
/// Register STATUS: is a magnet there, and is it too weak or too strong for a reading? Its other bits say nothing: "blank
/// fields may contain factory settings".
const STATUS: u8 = 0x0B;
/// MD, "magnet was detected".
const DETECTED: u8 = 1 << 5;
/// ML, "AGC maximum gain overflow, magnet too weak".
const TOO_WEAK: u8 = 1 << 4;
/// MH, "AGC minimum gain overflow, magnet too strong".
const TOO_STRONG: u8 = 1 << 3;
/// Register RAW ANGLE, 12 bits, the high byte first.
const RAW_ANGLE: u8 = 0x0C;
/// Steps in a turn.
const STEPS: f32 = 4096.0;

/// An absolute angle of a shaft with a magnet on it.
#[derive(Debug)]
pub struct Encoder<I2C> {
    bus: I2C,
    /// The angle at which the shaft is at 0, in steps.
    zero: u16,
    is_reversed: bool,
}

impl<I2C: I2c> Encoder<I2C> {
    /// An encoder whose shaft is at 0 where it reads `zero` steps, 0 to 4095. With `is_reversed` angles grow the other way
    /// round than the encoder counts.
    pub fn new(bus: I2C, zero: u16, is_reversed: bool) -> Self {
        Encoder { bus, zero: zero % 4096, is_reversed }
    }

    /// The angle, from −π up to and excluding π, in rad.
    ///
    /// # Errors
    ///
    /// If the bus or the encoder does not answer, or the encoder says that no magnet is there, or one that is too weak or too
    /// strong for a right angle.
    pub fn angle(&mut self) -> Result<f32, SensorFault> {
        let steps = self.steps()?.wrapping_sub(self.zero);
        let steps = if self.is_reversed { steps.wrapping_neg() } else { steps } % 4096;
        // From half a turn on it is the other side.
        let signed = f32::from(steps) - if steps < 2048 { 0.0 } else { STEPS };
        Ok(signed * (core::f32::consts::TAU / STEPS))
    }

    /// What the encoder reads, 0 to 4095: to find `zero` by.
    ///
    /// # Errors
    ///
    /// As [`angle`](Encoder::angle).
    pub fn steps(&mut self) -> Result<u16, SensorFault> {
        let [status] = self.read(STATUS)?;
        judge(status)?;
        Ok(u16::from_be_bytes(self.read(RAW_ANGLE)?) % 4096)
    }

    fn read<const BYTES: usize>(&mut self, register: u8) -> Result<[u8; BYTES], SensorFault> {
        let mut bytes = [0; BYTES];
        let read = self.bus.write_read(ADDRESS, &[register], &mut bytes);
        read.map_or(Err(SensorFault::Silent), |()| Ok(bytes))
    }
}

/// May an angle be taken for right that the encoder gives with this status?
fn judge(status: u8) -> Result<(), SensorFault> {
    let is_set = |bit| status & bit != 0;
    match (is_set(DETECTED), is_set(TOO_WEAK), is_set(TOO_STRONG)) {
        // Such as a bus that nobody pulls down. One that is held down reads as no magnet.
        (_, true, true) => Err(SensorFault::Contradiction),
        (false, _, _) => Err(SensorFault::NoMagnet),
        (true, true, false) => Err(SensorFault::MagnetTooWeak),
        (true, false, true) => Err(SensorFault::MagnetTooStrong),
        (true, false, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::i2c::ErrorKind;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
    use std::{f32::consts::PI, string::ToString, vec};

    fn reading(status: u8, angle: [u8; 2]) -> [Transaction; 2] {
        [
            Transaction::write_read(ADDRESS, vec![STATUS], vec![status]),
            Transaction::write_read(ADDRESS, vec![RAW_ANGLE], angle.into()),
        ]
    }

    fn angle(zero: u16, is_reversed: bool, steps: [u8; 2]) -> f32 {
        let mut bus = Mock::new(&reading(0x20, steps));
        let angle = Encoder::new(bus.clone(), zero, is_reversed).angle();
        bus.done();
        angle.unwrap()
    }

    #[test]
    fn steps_become_radians_on_either_side_of_zero() {
        for (zero, steps, expected) in [
            (0, [0x00, 0x00], 0.0),
            (0, [0x04, 0x00], PI / 2.0),
            (0, [0x0C, 0x00], -PI / 2.0),
            (0, [0x08, 0x00], -PI),
            (0x800, [0x0C, 0x00], PI / 2.0),
            (0x800, [0x04, 0x00], -PI / 2.0),
            // The upper four bits mean nothing.
            (0, [0xF4, 0x00], PI / 2.0),
        ] {
            assert_eq!(angle(zero, false, steps), expected, "{zero} {steps:?}");
            let reversed = angle(zero, true, steps);
            assert_eq!(reversed, if expected == -PI { -PI } else { -expected });
        }
        assert_eq!(angle(0, false, [0x0F, 0xFF]), -PI / 2048.0);
    }

    /// What becomes of a status, for the angle and for the steps by which `zero` is found.
    fn fault(status: u8) -> SensorFault {
        let mut bus = Mock::new(&[0; 2].map(|_| reading(status, [0; 2])[0].clone()));
        let mut encoder = Encoder::new(bus.clone(), 0, false);
        let fault = encoder.angle().unwrap_err();
        // Its angle is not even read.
        assert_eq!(encoder.steps(), Err(fault));
        bus.done();
        fault
    }

    #[test]
    fn each_bit_of_the_status_is_a_fault_of_its_own() {
        for (status, expected) in [
            (0x00, SensorFault::NoMagnet), // a bus that is held down, too
            (0x10, SensorFault::NoMagnet),
            (0x08, SensorFault::NoMagnet),
            (0x30, SensorFault::MagnetTooWeak),
            (0x28, SensorFault::MagnetTooStrong),
            (0x38, SensorFault::Contradiction),
            (0x18, SensorFault::Contradiction),
            (0xFF, SensorFault::Contradiction), // a bus that nobody pulls down
        ] {
            assert_eq!(fault(status), expected, "{status:#x}");
            // Bits that say nothing change nothing.
            assert_eq!(fault(status | 0xC7), expected, "{status:#x}");
        }
        let words = SensorFault::MagnetTooWeak.to_string();
        assert_eq!(words, "the encoder's magnet is too weak (ML, \"AGC maximum gain overflow\")");
    }

    #[test]
    fn bits_that_say_nothing_spoil_no_angle() {
        for status in [0x20, 0x27, 0xE7] {
            let mut bus = Mock::new(&reading(status, [0x04, 0x00]));
            assert_eq!(Encoder::new(bus.clone(), 0, false).angle(), Ok(PI / 2.0), "{status:#x}");
            bus.done();
        }
    }

    #[test]
    fn a_read_that_fails_gives_no_angle() {
        let fails = |reading: &Transaction| reading.clone().with_error(ErrorKind::Other);
        let [status, angle] = &reading(0x20, [0; 2]);
        for expected in [vec![fails(status)], vec![status.clone(), fails(angle)]] {
            let mut bus = Mock::new(&expected);
            assert_eq!(Encoder::new(bus.clone(), 0, false).angle(), Err(SensorFault::Silent));
            bus.done();
        }
    }
}
