//! What is wrong with a board or the way to it, one sentence each.

use std::time::Duration;

use policy_core::link::{Refusal, VERSION};
use thiserror::Error;

/// Why a board gives no answer that could be taken.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The way cannot be opened.
    #[error("cannot open {name}: {error}; {choices}")]
    Open {
        /// The port, as the user named it.
        name: String,
        /// Why not.
        error: std::io::Error,
        /// What there is instead.
        choices: String,
    },
    /// An address in a network that is none.
    #[error("`{name}` is no address: needed is tcp:HOST:PORT, such as tcp:127.0.0.1:5555")]
    Address {
        /// What was given.
        name: String,
    },
    /// The way is closed.
    #[error("the connection through {name} broke ({error}): begin again once the board is back")]
    Broken {
        /// The port.
        name: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// No answer has come, however often it was asked.
    #[error("{name}: {}", silent(*attempts, *timeout, *damaged))]
    Silent {
        /// The port.
        name: String,
        /// How often it was asked.
        attempts: u32,
        /// How long each time.
        timeout: Duration,
        /// Damaged frames that arrived meanwhile.
        damaged: u64,
    },
    /// The board has understood and does not do it.
    #[error("the board refuses: {0}")]
    Refused(Refusal),
    /// The board's firmware speaks another protocol.
    #[error(
        "the board speaks version {board} of the protocol, this program version {VERSION}: build both from the same sources"
    )]
    Version {
        /// The board's version.
        board: u8,
    },
    /// The answer arrived undamaged but is none of this protocol.
    #[error(
        "the board's answer is none of protocol version {VERSION}: build its firmware and this program from the same sources"
    )]
    Unreadable,
    /// The answer is one to another kind of question.
    #[error("the board has answered a question that was not asked: its firmware is faulty")]
    Unexpected,
    /// The action has another size.
    #[error("the board's action has {found} entries, its policy gives {needed}: it is not applied")]
    ActionSize {
        /// Entries that the policy gives.
        needed: usize,
        /// Entries that came; 0 where they are more than any policy gives, or cut short.
        found: usize,
    },
    /// The action is infinite or no number.
    #[error("entry {entry} of the board's action is not finite: it is not applied")]
    NotFinite {
        /// Which one, 0 is the first.
        entry: usize,
    },
    /// The question does not fit a frame.
    #[error("the question is too long for a frame: {0}")]
    TooLong(policy_core::link::FrameError),
    /// The numbers of questions have been used up.
    #[error("this session has asked all the questions that it can count: begin again")]
    Exhausted,
}

/// What a user can do about it depends on whether anything has come.
fn silent(attempts: u32, timeout: Duration, damaged: u64) -> String {
    let limit = timeout.as_millis();
    let tried = format!("the board has not answered {attempts} attempts of {limit} ms each");
    match damaged {
        0 => format!(
            "{tried}: see that it is powered, that its firmware is one that answers, and that nobody else has opened the port"
        ),
        _ => format!(
            "{tried}, and {damaged} frames came that are damaged: see that --baud is the board's rate, and the cable sound"
        ),
    }
}
