//! Serial ports, as the emulator has them: a byte comes and goes at once, and none is lost.

/// A kind of serial port.
pub trait Uart {
    /// Makes it ready, with an interrupt for each byte that arrives.
    fn begin();
    /// A byte that has arrived.
    fn read() -> Option<u8>;
    /// Sends a byte, waiting until it can.
    fn write(byte: u8);
    /// Sleeps until a byte arrives or another interrupt is due, which is served afterwards.
    fn wait();
}

/// How often the port is looked at before the processor sleeps: falling asleep and waking up costs the emulator more.
const LOOKS: u32 = 100;

/// A serial port as an iterator over what arrives, and a way to answer.
#[derive(Debug)]
pub struct Serial<U>(core::marker::PhantomData<U>);

impl<U: Uart> Serial<U> {
    /// Makes the port ready.
    pub fn open() -> Self {
        U::begin();
        Serial(core::marker::PhantomData)
    }

    /// The next byte; sleeps until there is one.
    pub fn receive(&mut self) -> u8 {
        loop {
            for _ in 0..LOOKS {
                if let Some(byte) = U::read() {
                    return byte;
                }
            }
            U::wait();
        }
    }

    /// Sends them all.
    pub fn send(&mut self, bytes: &[u8]) {
        bytes.iter().copied().for_each(U::write);
    }
}
