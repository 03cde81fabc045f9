//! Serial ports, and opening what a user names.

use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serial2::SerialPort;

use super::transport::{left, some_or_late};
use super::{Client, LinkError, Patience, Tcp, Transport};
use crate::text::Shown;

/// How a port is named that is an address in a network.
const TCP: &str = "tcp:";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// A serial port of this machine.
#[derive(Debug)]
pub struct Port {
    port: SerialPort,
    name: String,
}

impl Port {
    /// A port that is open already.
    pub fn new(port: SerialPort, name: &str) -> Self {
        Port { port, name: name.into() }
    }

    /// Opens a port: 8 bits, no parity, one stop bit, no flow control, `baud` bits each second. What has arrived
    /// before is thrown away.
    ///
    /// # Errors
    ///
    /// If there is no such port, or it does not know that rate.
    pub fn open(name: &str, baud: u32) -> Result<Self> {
        let port = SerialPort::open(name, baud)?;
        port.discard_input_buffer()?;
        Ok(Port::new(port, name))
    }
}

impl Transport for Port {
    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<()> {
        while !bytes.is_empty() {
            self.port.set_write_timeout(left(deadline))?;
            match self.port.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Err(_) if Instant::now() < deadline => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<usize> {
        self.port.set_read_timeout(left(deadline))?;
        some_or_late(self.port.read(bytes))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Opens the way to a board: a serial port at `baud` bits each second, or `tcp:HOST:PORT`.
///
/// # Errors
///
/// If it cannot be opened; the error says which serial ports this machine has.
pub fn connect(name: &str, baud: u32) -> std::result::Result<Client, LinkError> {
    let cannot = |error: Error, choices| LinkError::Open { name: name.into(), error, choices };
    if let Some(address) = name.strip_prefix(TCP) {
        let is_whole = address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !is_whole {
            return Err(LinkError::Address { name: name.into() });
        }
        let tcp = Tcp::connect(address, CONNECT);
        let tcp =
            tcp.map_err(|error| cannot(error, "no board and no server listens there".into()))?;
        return Ok(Client::new(Box::new(tcp), Patience::NETWORK));
    }
    let port = Port::open(name, baud);
    let port = port.map_err(|error| cannot(error, choices(SerialPort::available_ports())))?;
    Ok(Client::new(Box::new(port), Patience::serial(baud)))
}

/// The serial ports that there are, in words.
fn choices(ports: Result<Vec<PathBuf>>) -> String {
    match ports {
        Ok(mut ports) if !ports.is_empty() => {
            ports.sort();
            let names: Vec<String> = ports.iter().map(|port| port.shown().to_string()).collect();
            format!("the serial ports here are {}", names.join(", "))
        }
        Ok(_) => "this machine has no serial port: plug the board in".into(),
        Err(error) => format!("the serial ports cannot be listed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_listed_in_order() {
        let ports = ["/dev/ttyUSB0", "/dev/ttyACM0"].map(PathBuf::from);
        let text = choices(Ok(ports.to_vec()));
        assert_eq!(text, "the serial ports here are /dev/ttyACM0, /dev/ttyUSB0");
        assert!(choices(Ok(Vec::new())).contains("no serial port"));
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        for (name, words) in [
            ("/dev/no-such-port", &["cannot open /dev/no-such-port", "serial port"][..]),
            ("tcp:127.0.0.1", &["tcp:127.0.0.1", "tcp:HOST:PORT"]),
            ("tcp:127.0.0.1:123456", &["tcp:HOST:PORT"]),
            ("tcp::5", &["tcp:HOST:PORT"]),
            ("tcp:127.0.0.1:1", &["cannot open tcp:127.0.0.1:1", "listen"]),
        ] {
            let error = connect(name, 115_200).err().expect(name).to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
