//! Asks questions and waits for their answers.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use policy_core::Action;
use policy_core::action::MAX_ACTION_SIZE;
use policy_core::link::{
    Decoder, Floats, Frame, MAX_FRAME, Packet, Refusal, Reply, Request, Telemetry, VERSION, frame,
};

use super::{Board, Counters, LinkError, RoundTrips, Transport};

/// How long a client waits, and how often it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the answer to a question, before it is asked again.
    pub timeout: Duration,
    /// The same where the board erases flash or checks a signature first.
    pub long: Duration,
    /// How often it asks until it gives up, at least once.
    pub attempts: u32,
}

impl Patience {
    /// Of a network, or of an emulator that shares a busy machine.
    pub const NETWORK: Self =
        Patience { timeout: Duration::from_secs(1), long: Duration::from_secs(15), attempts: 10 };

    /// Of a serial line: 150 ms for the board, and the time of the longest frame each way, at 10 bits to a byte. At 115 200
    /// baud that is 262 ms.
    pub fn serial(baud: u32) -> Self {
        let bits = 2 * 10 * MAX_FRAME as u64;
        let line = Duration::from_millis((1000 * bits).div_ceil(u64::from(baud.max(1))));
        let timeout = Duration::from_millis(150) + line;
        Patience { timeout, long: Duration::from_secs(15) + line, attempts: 10 }
    }

    fn of(&self, request: &Request<'_>) -> Duration {
        match request {
            Request::Propose { .. } | Request::Commit => self.long,
            _ => self.timeout,
        }
    }
}

/// The desktop's end of a link: one question at a time, each with its own answer.
pub struct Client {
    transport: Box<dyn Transport>,
    patience: Patience,
    session: u16,
    /// The question that was asked last, from 1; 0 before the first.
    sequence: u32,
    question: Frame,
    decoder: Decoder,
    /// Bytes that have arrived, of which those before `.0` are read and those from `.1` on mean nothing.
    arrived: [u8; 256],
    unread: (usize, usize),
    /// The packet of the last answer.
    answer: Vec<u8>,
    counters: Counters,
    round_trips: RoundTrips,
}

impl Client {
    /// A new session, which [`hello`](Client::hello) begins.
    pub fn new(transport: Box<dyn Transport>, patience: Patience) -> Self {
        Client {
            transport,
            patience,
            // The keys of a hash map are random; 16 bits of what they make of a number are, too.
            session: RandomState::new().hash_one(0_u8) as u16,
            sequence: 0,
            question: Frame::new(),
            decoder: Decoder::new(),
            arrived: [0; 256],
            unread: (0, 0),
            answer: Vec::new(),
            counters: Counters::default(),
            round_trips: RoundTrips::default(),
        }
    }

    /// Asks, again where no answer comes, and gives the answer to this very question.
    ///
    /// # Errors
    ///
    /// If the connection breaks, no answer comes, or the answer is a refusal or cannot be read.
    pub fn ask(&mut self, request: Request<'_>) -> Result<Reply<'_>, LinkError> {
        self.ask_often(request, self.patience.attempts)
    }

    fn ask_often(&mut self, request: Request<'_>, attempts: u32) -> Result<Reply<'_>, LinkError> {
        self.sequence = self.sequence.checked_add(1).ok_or(LinkError::Exhausted)?;
        let timeout = self.patience.of(&request);
        let packet = Packet { session: self.session, sequence: self.sequence, body: request };
        self.question.fill(&packet).map_err(LinkError::TooLong)?;
        self.exchange(timeout, attempts.max(1))?;
        self.counters.exchanges += 1;
        match frame::read::<Reply<'_>>(&self.answer) {
            Ok(Packet { body: Reply::Refused(refusal), .. }) => Err(LinkError::Refused(refusal)),
            Ok(packet) => Ok(packet.body),
            Err(_) => Err(LinkError::Unreadable),
        }
    }

    /// Sends the question until its answer is there.
    fn exchange(&mut self, timeout: Duration, attempts: u32) -> Result<(), LinkError> {
        let damaged = self.counters.damaged;
        let broken = |transport: &dyn Transport, error| LinkError::Broken {
            name: transport.name().into(),
            error,
        };
        for attempt in 0..attempts {
            self.counters.retries += u64::from(attempt > 0);
            let deadline = Instant::now() + timeout;
            let sent = self.transport.send(self.question.bytes(), deadline);
            sent.map_err(|error| broken(&*self.transport, error))?;
            loop {
                if self.find_answer() {
                    return Ok(());
                }
                if Instant::now() >= deadline {
                    break;
                }
                match self.transport.receive(&mut self.arrived, deadline) {
                    Ok(0) => break,
                    Ok(count) => self.unread = (0, count),
                    Err(error) => return Err(broken(&*self.transport, error)),
                }
            }
        }
        let damaged = self.counters.damaged - damaged;
        let name = self.transport.name().into();
        Err(LinkError::Silent { name, attempts, timeout, damaged })
    }

    /// Reads the bytes that have arrived up to the answer, if it is among them.
    fn find_answer(&mut self) -> bool {
        while self.unread.0 < self.unread.1 {
            let Some(&byte) = self.arrived.get(self.unread.0) else { break };
            self.unread.0 += 1;
            match self.decoder.push(byte) {
                None => {}
                Some(Err(_)) => self.counters.damaged += 1,
                Some(Ok(plain)) => match frame::address(plain) {
                    Ok(address) if address == (self.session, self.sequence) => {
                        self.answer.clear();
                        self.answer.extend_from_slice(plain);
                        return true;
                    }
                    Ok(_) => self.counters.late += 1,
                    Err(_) => self.counters.damaged += 1,
                },
            }
        }
        false
    }

    /// Begins the session: who is there?
    ///
    /// # Errors
    ///
    /// As [`ask`](Client::ask); or if the board speaks another version of the protocol.
    pub fn hello(&mut self) -> Result<Board, LinkError> {
        let half = self.patience.attempts.div_ceil(2);
        match self.ask_often(Request::Hello, half).map(identity) {
            Err(LinkError::Silent { attempts, .. }) => {
                // A board takes the first question of a session that it has already for a late one.
                (self.session, self.sequence) = (self.session.wrapping_add(1), 0);
                let rest = self.patience.attempts.saturating_sub(half);
                self.ask_often(Request::Hello, rest).and_then(identity).map_err(|error| match error
                {
                    LinkError::Silent { name, attempts: more, timeout, damaged } => {
                        LinkError::Silent { name, attempts: attempts + more, timeout, damaged }
                    }
                    error => error,
                })
            }
            answer => answer?,
        }
    }

    /// The board's action, of `size` entries, for an observation `[observation_size]`, and what it cost there.
    ///
    /// # Errors
    ///
    /// As [`ask`](Client::ask); or if the action has another size or an entry that is not finite.
    pub fn act(&mut self, observation: &[f32], size: usize) -> Result<(Action, u32), LinkError> {
        let asked = Instant::now();
        let reply = self.ask(Request::Act { observation: Floats::new(observation) })?;
        let Reply::Action { action, cost } = reply else { return Err(LinkError::Unexpected) };
        let mut entries = [0.0; MAX_ACTION_SIZE];
        let found = action.read(&mut entries).unwrap_or_default();
        if found.len() != size {
            return Err(LinkError::ActionSize { needed: size, found: found.len() });
        }
        if let Some(entry) = found.iter().position(|entry| !entry.is_finite()) {
            return Err(LinkError::NotFinite { entry });
        }
        let mut action = Action::new();
        // No more than fit: they were read into as many.
        let _ = action.extend_from_slice(found);
        self.round_trips.push(asked.elapsed());
        Ok((action, cost))
    }

    /// How the controller is.
    ///
    /// # Errors
    ///
    /// As [`ask`](Client::ask).
    pub fn status(&mut self) -> Result<Telemetry<'_>, LinkError> {
        match self.ask(Request::Status)? {
            Reply::Status(telemetry) => Ok(telemetry),
            _ => Err(LinkError::Unexpected),
        }
    }

    /// Has the board do something that has no other answer than that it is done, such as [`Request::Stop`].
    ///
    /// # Errors
    ///
    /// As [`ask`](Client::ask).
    pub fn order(&mut self, request: Request<'_>) -> Result<(), LinkError> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            _ => Err(LinkError::Unexpected),
        }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How long [`act`](Client::act) took.
    pub fn round_trips(&self) -> &RoundTrips {
        &self.round_trips
    }
}

/// Who answers.
fn identity(reply: Reply<'_>) -> Result<Board, LinkError> {
    match reply {
        Reply::Hello(identity) if identity.protocol == VERSION => Ok(identity.into()),
        Reply::Hello(identity) => Err(LinkError::Version { board: identity.protocol }),
        _ => Err(LinkError::Unexpected),
    }
}

impl LinkError {
    /// Has the board refused since its controller runs?
    pub fn is_running(&self) -> bool {
        matches!(self, LinkError::Refused(Refusal::Running))
    }
}
