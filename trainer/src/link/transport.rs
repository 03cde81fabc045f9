//! What carries bytes.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// A way to a board, for bytes in both directions. It may lose, alter and repeat them.
pub trait Transport {
    /// Sends all of the bytes.
    ///
    /// # Errors
    ///
    /// If they are not on their way at the deadline, or the way is closed.
    fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<()>;

    /// Waits until bytes have arrived, and writes the first ones to `bytes`, which has room for some: how many, 0 where none
    /// has come until the deadline.
    ///
    /// # Errors
    ///
    /// If the way is closed.
    fn receive(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<usize>;

    /// What a user calls it.
    fn name(&self) -> &str;
}

/// A TCP connection: an emulated board, or a serial line that a server offers.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    name: String,
}

impl Tcp {
    /// A connection that exists already.
    ///
    /// # Errors
    ///
    /// If it cannot be set up.
    pub fn new(stream: TcpStream, name: &str) -> Result<Self> {
        // A question is short, and nothing follows it until it is answered.
        stream.set_nodelay(true)?;
        stream.set_nonblocking(false)?;
        Ok(Tcp { stream, name: name.into() })
    }

    /// Connects to an address, `HOST:PORT`, within `limit` for each of the host's addresses.
    ///
    /// # Errors
    ///
    /// If the host is unknown or nobody answers there.
    pub fn connect(address: &str, limit: Duration) -> Result<Self> {
        let mut last = Error::new(ErrorKind::NotFound, "the host has no address");
        for target in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&target, limit) {
                Ok(stream) => return Tcp::new(stream, &format!("tcp:{address}")),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Transport for Tcp {
    fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<()> {
        self.stream.set_write_timeout(Some(left(deadline)))?;
        self.stream.write_all(bytes)
    }

    fn receive(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<usize> {
        self.stream.set_read_timeout(Some(left(deadline)))?;
        some_or_late(self.stream.read(bytes))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Time left until the deadline; at least 1 ms, as 0 would mean to wait for ever.
pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// What [`Transport::receive`] makes of a read that waits for a limited time.
pub(super) fn some_or_late(read: Result<usize>) -> Result<usize> {
    match read {
        Ok(0) => Err(Error::new(ErrorKind::UnexpectedEof, "the other end has closed it")),
        Ok(count) => Ok(count),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(0),
            _ => Err(error),
        },
    }
}
