//! What is asked and answered. The order of variants and fields is the wire format: postcard writes it.

use serde::{Deserialize, Serialize};

use super::refusal::{Fault, Refusal};

/// A question or an answer, with what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Packet<Body> {
    /// Which desktop asks, and since when: a number drawn when it begins, with [`Request::Hello`].
    pub session: u16,
    /// Which question of the session, from 1; an answer bears that of its question.
    pub sequence: u32,
    /// What is said.
    pub body: Body,
}

/// What a desktop asks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Who are you? Begins a session. Answered with [`Reply::Hello`].
    Hello,
    /// What does the policy do for this observation? Answered with [`Reply::Action`]; no machine moves. Refused while
    /// the controller runs.
    Act {
        /// The observation `[observation_size]`.
        #[serde(borrow)]
        observation: Floats<'a>,
    },
    /// How are you? Answered with [`Reply::Status`].
    Status,
    /// Let the policy run the machine. Answered with [`Reply::Done`].
    Start,
    /// Put the actuator into its safe state. Answered with [`Reply::Done`].
    Stop,
    /// Would you take this policy? Answered with [`Reply::Done`]; the unused slot is erased then.
    Propose {
        /// The manifest, as it was signed.
        manifest: &'a [u8],
        /// Its Ed25519 signature.
        signature: &'a [u8],
    },
    /// The next bytes of the policy that was proposed. Answered with [`Reply::Done`].
    Chunk {
        /// Where in the policy they belong.
        offset: u32,
        /// At most [`CHUNK`](super::CHUNK) of them.
        bytes: &'a [u8],
    },
    /// That was all: check it, and put it on trial. Answered with [`Reply::Done`].
    Commit,
}

/// What a board answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// Who it is.
    #[serde(borrow)]
    Hello(Identity<'a>),
    /// The action.
    Action {
        /// The action `[action_size]`, in the machine's unit.
        action: Floats<'a>,
        /// What it took, in the unit that [`Identity::cost`] names.
        cost: u32,
    },
    /// How it is.
    Status(Telemetry<'a>),
    /// It has obeyed.
    Done,
    /// It has not, and why.
    Refused(Refusal),
}

/// Numbers of 32 bits, bit for bit: little-endian bytes, as many as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floats<'a>(&'a [u8]);

impl<'a> Floats<'a> {
    /// These numbers.
    pub fn new(numbers: &'a [f32]) -> Self {
        Floats(bytemuck::must_cast_slice(numbers))
    }

    /// Copies them to the front of `out` and gives that part of it; `None` where they are more than fit, or their last one
    /// is cut short.
    pub fn read<'o>(&self, out: &'o mut [f32]) -> Option<&'o [f32]> {
        let (words, rest) = self.0.as_chunks::<4>();
        let out = out.get_mut(..words.len())?;
        for (number, word) in out.iter_mut().zip(words) {
            *number = f32::from_le_bytes(*word);
        }
        rest.is_empty().then_some(out)
    }
}

/// Who a board is, and what it runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Identity<'a> {
    /// [`VERSION`](super::VERSION)
    pub protocol: u8,
    /// Name of the board.
    pub board: &'a str,
    /// Version of its firmware.
    pub firmware: &'a str,
    /// What [`Reply::Action`] counts.
    pub cost: Cost,
    /// Bytes of the longest policy that it takes as an update; 0 where it takes none.
    pub capacity: u32,
    /// The policy that runs.
    pub policy: Source,
    /// Its checksum, as [`Policy::checksum`](crate::Policy::checksum) gives it.
    pub checksum: u32,
    /// The fingerprint of the machine it is for.
    pub plant_fingerprint: u32,
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: u16,
    /// Entries of an action.
    pub action_size: u8,
    /// The code of the only kind of weights that its firmware runs, as a policy's byte 6 has it.
    pub weights: u8,
    /// The most numbers between two layers that its firmware has room for, as
    /// [`format::width`](crate::format::width) gives them.
    pub width: u16,
}

/// What an action costs is counted in these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cost {
    /// Instructions, in an emulator.
    Instructions,
    /// Cycles of the processor.
    Cycles,
    /// Nanoseconds.
    Nanoseconds,
}

/// Where a policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Source {
    /// It is part of the firmware.
    Firmware,
    /// It came as an update.
    Update {
        /// Its version, which only grows.
        version: u32,
    },
}

/// What a controller does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum State {
    /// The actuator is in its safe state; nobody has started the controller yet, or somebody has stopped it.
    Stopped,
    /// The policy runs the machine.
    Running,
    /// The actuator is in its safe state, since this happened.
    Safe(Fault),
}

/// How a controller is, once for each question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Telemetry<'a> {
    /// What it does.
    pub state: State,
    /// The policy that it runs.
    pub policy: Source,
    /// Control periods that this policy has still to pass before it is kept; 0 where it is kept.
    pub trial: u16,
    /// The policy that was on trial last has failed, for this reason, and the one before it runs again.
    pub fallback: Option<Fault>,
    /// Time since the board began, in µs.
    pub uptime: u64,
    /// Control periods since then.
    pub periods: u64,
    /// Control periods that were left out, since the one before took too long or the clock was late.
    pub missed: u32,
    /// The largest delay of a period's beginning, in µs.
    pub jitter: u32,
    /// The longest time from a period's beginning to its action, in µs.
    pub worst_execution: u32,
    /// Times that the actuator was put into its safe state by a fault.
    pub faults: u32,
    /// Frames that arrived damaged.
    pub damaged: u32,
    /// The last observation `[observation_size]`; empty where there is none.
    #[serde(borrow)]
    pub observation: Floats<'a>,
    /// The last action `[action_size]`; empty where there is none.
    pub action: Floats<'a>,
}
