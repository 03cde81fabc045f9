//! A board at the other end of a serial line: the desktop's end of [`policy_core::link`].
//!
//! | module | what is in it |
//! |---|---|
//! | [`transport`] | [`Transport`]: what carries bytes; TCP |
//! | [`port`] | serial ports, and opening what a user names |
//! | [`client`] | [`Client`]: asks a question, again where no answer comes, and takes no other answer than its own |
//! | [`board`] | [`Board`]: who answers, and what it takes as an update |
//! | [`known`] | [`Known`]: the boards that there is firmware for, and their room for updates |
//! | [`emulated`] | [`Emulated`]: a board in an emulator of this machine |
//! | [`figures`] | what went wrong on the line, and how long answers took |
//! | [`error`] | what is wrong, one sentence each |
//!
//! An answer is taken only if its checksum fits, it bears the session and the number of the question, and it is an answer to
//! that question: an action with as many entries as the policy gives, each of them finite. All else is counted and left
//! alone, or is an error. So a damaged or late frame can cost time, but never becomes an action.

pub mod board;
pub mod client;
pub mod emulated;
pub mod error;
pub mod figures;
pub mod known;
pub mod port;
pub mod transport;

pub use board::Board;
pub use client::{Client, Patience};
pub use emulated::{Emulated, EmulatedError};
pub use error::LinkError;
pub use figures::{Counters, RoundTrips};
pub use known::{BOARDS, Known};
pub use port::{Port, connect};
pub use transport::{Tcp, Transport};
