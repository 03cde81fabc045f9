//! The magnetic encoder AS5600.

use embedded_hal::i2c::I2c;

/// Its address; it has no other.
const ADDRESS: u8 = 0x36;
/// The register ANGLE, high byte first. The chip takes up the angle anew when the high byte is read.
const ANGLE: u8 = 0x0E;

/// An AS5600 on a bus.
pub struct As5600<I>(I);

impl<I: I2c> As5600<I> {
    /// Angles in one revolution.
    pub const REVOLUTION: u16 = 1 << 12;

    /// The encoder on this bus. Says nothing to it yet.
    pub fn new(bus: I) -> Self {
        As5600(bus)
    }

    /// The angle, from 0 to 4095.
    ///
    /// # Errors
    ///
    /// What the bus says, if the encoder does not answer.
    pub fn angle(&mut self) -> Result<u16, I::Error> {
        let mut bytes = [0; 2];
        self.0.write_read(ADDRESS, &[ANGLE], &mut bytes)?;
        // The upper four bits are not used.
        Ok(u16::from_be_bytes(bytes) % Self::REVOLUTION)
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal::i2c::{ErrorType, Operation};

    use super::*;

    /// A bus with one register of an AS5600.
    struct Bus([u8; 2]);

    impl ErrorType for Bus {
        type Error = core::convert::Infallible;
    }

    impl I2c for Bus {
        fn transaction(
            &mut self,
            address: u8,
            operations: &mut [Operation<'_>],
        ) -> Result<(), Self::Error> {
            let [Operation::Write(register), Operation::Read(bytes)] = operations else {
                panic!("not the write and the read that read a register");
            };
            assert_eq!((address, &register[..]), (0x36, &[0x0E][..]));
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    #[test]
    fn an_angle_has_twelve_bits_high_byte_first() {
        assert_eq!(As5600::new(Bus([0x0A, 0xBC])).angle(), Ok(0xABC));
        assert_eq!(As5600::new(Bus([0xFA, 0xBC])).angle(), Ok(0xABC));
    }
}
