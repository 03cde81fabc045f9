//! Meeting a board, for several commands.

use clap::builder::TypedValueParser;

use super::Failure;
use super::numbers::whole;
use super::progress::Wait;
use crate::link::{Board, Client, LinkError, connect};

/// Takes the bits that a serial port sends each second.
pub(super) fn baud() -> impl TypedValueParser<Value = u32> {
    whole(1..=u32::MAX.into())
}

/// Connects to the board at a port, and asks who it is.
pub(super) fn meet(port: &str, baud: u32) -> Result<(Client, Board), Failure> {
    let failed = |error: LinkError| Failure::Failed(error.to_string());
    let mut client = connect(port, baud).map_err(failed)?;
    let board = greet(&mut client, port).map_err(failed)?;
    Ok((client, board))
}

/// Asks the board at a port who it is; one that has just been plugged in may take its time.
pub(super) fn greet(client: &mut Client, port: &str) -> Result<Board, LinkError> {
    let _wait = Wait::spinner(format!("waiting for an answer from {port}"));
    client.hello()
}
