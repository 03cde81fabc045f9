//! What a desktop and a board say to each other over a serial line. `LINK.md` is the specification:
//!
//! ```text
//!         | 0 | COBS( | session | sequence | body  | CRC-32 | ) | 0 |
//!         |   |       | varint  | varint   |       | u32    |   |   |
//! ```
//!
//! The desktop asks and the board answers, one [`Packet`] each; the board never speaks first. A [`Frame`] is found
//! again after any damage at the next zero byte, and the checksum keeps a damaged one from being taken for another.
//! Sequence numbers do the rest: an answer that is late belongs to no question any more, and a question that
//! arrives twice is answered twice but obeyed once.
//!
//! | module | what is in it |
//! |---|---|
//! | [`frame`] | from a packet to bytes and back |
//! | [`message`] | what is asked and answered |
//! | [`refusal`] | what goes wrong on a board, one sentence each |

pub mod frame;
pub mod message;
pub mod refusal;

pub use frame::{Decoder, Frame, FrameError};
pub use message::{Cost, Floats, Identity, Packet, Reply, Request, Source, State, Telemetry};
pub use refusal::{Fault, Refusal, SensorFault, UpdateRefusal};

/// The version of the protocol that this crate speaks.
pub const VERSION: u8 = 1;
/// The most bytes of a packet, its checksum among them.
pub const MAX_PACKET: usize = 640;
/// The most bytes of a frame: COBS adds one for each 254 that were begun, and a zero stands at either end.
pub const MAX_FRAME: usize = MAX_PACKET + MAX_PACKET.div_ceil(254) + 2;
/// The most bytes of a policy that one packet carries.
pub const CHUNK: usize = 512;
/// The most entries of an observation that go into a packet.
pub const MAX_OBSERVATION: usize = 128;
