//! The AS5600 magnetic encoder (ams OSRAM, datasheet v1-06), over I²C.

use embedded_hal::i2c::I2c;

/// Its only address.
const ADDRESS: u8 = 0x36;
/// Register STATUS: is a magnet there, and is it too weak or too strong for a reading?
const STATUS: u8 = 0x0B;
const MAGNET: u8 = 1 << 5;
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

    /// The angle, from −π up to and excluding π, in rad. `None` where the bus or the encoder does not answer, or no magnet
    /// is there.
    pub fn angle(&mut self) -> Option<f32> {
        let mut status = [0];
        self.bus.write_read(ADDRESS, &[STATUS], &mut status).ok()?;
        if status[0] & MAGNET == 0 {
            return None;
        }
        let steps = self.steps()?.wrapping_sub(self.zero);
        let steps = if self.is_reversed { steps.wrapping_neg() } else { steps } % 4096;
        // From half a turn on it is the other side.
        let signed = f32::from(steps) - if steps < 2048 { 0.0 } else { STEPS };
        Some(signed * (core::f32::consts::TAU / STEPS))
    }

    /// What the encoder reads, 0 to 4095: to find `zero` by.
    pub fn steps(&mut self) -> Option<u16> {
        let mut angle = [0; 2];
        self.bus.write_read(ADDRESS, &[RAW_ANGLE], &mut angle).ok()?;
        Some(u16::from_be_bytes(angle) % 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::i2c::ErrorKind;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
    use std::{f32::consts::PI, vec};

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

    #[test]
    fn no_magnet_and_no_bus_give_no_angle() {
        let mut bus = Mock::new(&[Transaction::write_read(ADDRESS, vec![STATUS], vec![0x10])]);
        assert_eq!(Encoder::new(bus.clone(), 0, false).angle(), None);
        bus.done();
        let dead =
            Transaction::write_read(ADDRESS, vec![STATUS], vec![0]).with_error(ErrorKind::Other);
        let mut bus = Mock::new(&[dead]);
        assert_eq!(Encoder::new(bus.clone(), 0, false).angle(), None);
        bus.done();
    }
}
