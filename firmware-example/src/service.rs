//! The board's end of the link: finds questions in the bytes that arrive, and answers each.

use policy_core::{
    Action,
    link::{
        Decoder, Floats, Frame, Identity, Packet, Refusal, Reply, Request, Telemetry,
        UpdateRefusal, frame,
    },
};

use crate::control::{MAX_INPUTS, Snapshot};

/// What a board does with questions.
pub trait Board {
    /// Who it is, and what it runs.
    fn identity(&mut self) -> Identity<'_>;

    /// What the policy does for this observation, and what that cost; the machine does not move.
    ///
    /// # Errors
    ///
    /// If the controller runs, or the observation is refused.
    fn act(&mut self, observation: &[f32]) -> Result<(Action, u32), Refusal>;

    /// How the controller is.
    fn snapshot(&mut self) -> Snapshot;

    /// Lets the policy run the machine.
    fn start(&mut self);

    /// Puts the actuator into its safe state.
    fn stop(&mut self);

    /// Would it take this policy?
    ///
    /// # Errors
    ///
    /// If not.
    fn propose(&mut self, _manifest: &[u8], _signature: &[u8]) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }

    /// Takes the next bytes of that policy.
    ///
    /// # Errors
    ///
    /// If they are not the next ones, or cannot be kept.
    fn chunk(&mut self, _offset: u32, _bytes: &[u8]) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }

    /// Checks the whole policy and puts it on trial.
    ///
    /// # Errors
    ///
    /// If it is not the one that was signed, or cannot run here.
    fn commit(&mut self) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }
}

/// One desktop's questions at a time, each obeyed once.
///
/// A question whose number is that of the last one is the same question again, as its answer was lost: the same answer is
/// sent again. One with a lower number is late, and stays without an answer.
#[derive(Debug)]
pub struct Service {
    decoder: Decoder,
    answer: Frame,
    /// For who is not of the session: the answer above may still be asked for again.
    rejection: Frame,
    session: Option<u16>,
    /// The one before, whose frames are late.
    previous: Option<u16>,
    /// The last question that was obeyed.
    sequence: u32,
    damaged: u32,
}

impl Service {
    /// A service that nobody has asked yet.
    pub const fn new() -> Self {
        Service {
            decoder: Decoder::new(),
            answer: Frame::new(),
            rejection: Frame::new(),
            session: None,
            previous: None,
            sequence: 0,
            damaged: 0,
        }
    }

    /// Takes a byte that has arrived. Where it ends a question: the bytes of the answer, to be sent.
    pub fn push(&mut self, byte: u8, board: &mut impl Board) -> Option<&[u8]> {
        let plain = match self.decoder.push(byte)? {
            Ok(plain) => plain,
            // Who asked hears nothing, and asks again.
            Err(_) => {
                self.damaged = self.damaged.saturating_add(1);
                return None;
            }
        };
        // Whose question it is can be read even where the question itself is of another version.
        let Ok((session, sequence)) = frame::address(plain) else {
            self.damaged = self.damaged.saturating_add(1);
            return None;
        };
        let request = frame::read::<Request<'_>>(plain).ok().map(|packet| packet.body);
        let to = Address { session, sequence };
        if self.session != Some(session) {
            if self.previous == Some(session) {
                return None;
            }
            if request != Some(Request::Hello) {
                fill(&mut self.rejection, to, Reply::Refused(Refusal::Session));
                return Some(self.rejection.bytes());
            }
            self.previous = self.session.replace(session);
        } else if sequence <= self.sequence {
            return (sequence == self.sequence).then(|| self.answer.bytes());
        }
        self.sequence = sequence;
        answer(&mut self.answer, to, request, board, self.damaged);
        Some(self.answer.bytes())
    }
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

/// Whose question it is.
#[derive(Debug, Clone, Copy)]
struct Address {
    session: u16,
    sequence: u32,
}

fn answer(
    frame: &mut Frame,
    to: Address,
    request: Option<Request<'_>>,
    board: &mut impl Board,
    damaged: u32,
) {
    let done = |outcome: Result<(), UpdateRefusal>| match outcome {
        Ok(()) => Reply::Done,
        Err(refusal) => Reply::Refused(Refusal::Update(refusal)),
    };
    match request {
        Some(Request::Hello) => fill(frame, to, Reply::Hello(board.identity())),
        Some(Request::Act { observation }) => match act(observation, board) {
            Ok((action, cost)) => {
                fill(frame, to, Reply::Action { action: Floats::new(&action), cost });
            }
            Err(refusal) => fill(frame, to, Reply::Refused(refusal)),
        },
        Some(Request::Status) => {
            let snapshot = board.snapshot();
            let telemetry: Telemetry<'_> = snapshot.telemetry(damaged);
            fill(frame, to, Reply::Status(telemetry));
        }
        Some(Request::Start) => {
            board.start();
            fill(frame, to, Reply::Done);
        }
        Some(Request::Stop) => {
            board.stop();
            fill(frame, to, Reply::Done);
        }
        Some(Request::Propose { manifest, signature }) => {
            fill(frame, to, done(board.propose(manifest, signature)));
        }
        Some(Request::Chunk { offset, bytes }) => {
            fill(frame, to, done(board.chunk(offset, bytes)));
        }
        Some(Request::Commit) => fill(frame, to, done(board.commit())),
        // What this version does not know, or cannot read.
        _ => fill(frame, to, Reply::Refused(Refusal::Unknown)),
    }
}

fn act(observation: Floats<'_>, board: &mut impl Board) -> Result<(Action, u32), Refusal> {
    let mut entries = [0.0; MAX_INPUTS];
    let observation = observation.read(&mut entries).ok_or(Refusal::Unknown)?;
    board.act(observation)
}

/// Every answer fits a frame: no board has more than [`MAX_INPUTS`] numbers to send.
fn fill(frame: &mut Frame, to: Address, body: Reply<'_>) {
    let Address { session, sequence } = to;
    let _ = frame.fill(&Packet { session, sequence, body });
}

#[cfg(test)]
mod tests;
