//! A link that loses, alters, repeats and delays what it carries, in both directions; the same faults for the same seed.
//!
//! Its time is not that of a clock: where nothing has arrived, the deadline has passed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Result;
use std::rc::Rc;
use std::time::Instant;

use firmware_example::service::Service;
use policy_core::gaussian::uniform;
use trainer::link::Transport;
use trainer::rng::{Rng, Stream, stream};

use crate::boards::InProcess;

/// How often what goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Share of the bytes that are lost.
    pub dropped: f32,
    /// Share of the bytes that arrive twice.
    pub duplicated: f32,
    /// Share of the bytes in which bits are altered.
    pub corrupted: f32,
    /// Share of the frames that arrive before the next, the second or the third frame after them.
    pub late: f32,
}

/// What went wrong in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that were sent.
    pub frames: u64,
    /// Bytes that were sent.
    pub bytes: u64,
    /// Bytes that were lost.
    pub dropped: u64,
    /// Bytes that arrived twice.
    pub duplicated: u64,
    /// Bytes in which bits were altered.
    pub corrupted: u64,
    /// Frames that arrived late.
    pub late: u64,
}

/// One direction of a line.
#[derive(Debug)]
pub struct Way {
    faults: Faults,
    rng: Rng,
    /// Frames that are late, and how many others come first.
    held: Vec<(u32, Vec<u8>)>,
    /// What went wrong.
    pub counts: Counts,
}

impl Way {
    /// A way with these faults.
    pub fn new(faults: Faults, seed: u64) -> Self {
        let rng = stream(seed, Stream::Environment);
        Way { faults, rng, held: Vec::new(), counts: Counts::default() }
    }

    /// What arrives when a frame is sent.
    pub fn pass(&mut self, frame: &[u8]) -> Vec<u8> {
        self.counts.frames += 1;
        let mut sent = Vec::new();
        self.held.retain_mut(|(others, frame)| {
            *others -= 1;
            if *others == 0 {
                sent.append(frame);
            }
            *others > 0
        });
        if uniform(&mut self.rng) < self.faults.late {
            self.counts.late += 1;
            let others = 1 + (3.0 * uniform(&mut self.rng)) as u32;
            self.held.push((others, frame.to_vec()));
        } else {
            sent.extend_from_slice(frame);
        }
        let mut arrived = Vec::new();
        for byte in sent {
            self.byte(byte, &mut arrived);
        }
        arrived
    }

    fn byte(&mut self, byte: u8, arrived: &mut Vec<u8>) {
        self.counts.bytes += 1;
        let Faults { dropped, duplicated, corrupted, .. } = self.faults;
        let chance = uniform(&mut self.rng);
        if chance < dropped {
            self.counts.dropped += 1;
        } else if chance < dropped + duplicated {
            self.counts.duplicated += 1;
            arrived.extend([byte; 2]);
        } else if chance < dropped + duplicated + corrupted {
            self.counts.corrupted += 1;
            arrived.push(byte ^ (1 + (255.0 * uniform(&mut self.rng)) as u8));
        } else {
            arrived.push(byte);
        }
    }
}

/// A board at the end of a line.
#[derive(Debug)]
pub struct Line {
    /// The way to the board.
    pub to_board: Way,
    /// The way back.
    pub to_desktop: Way,
    /// Who answers.
    pub board: InProcess,
    /// Questions, with those that are asked again, until the board restarts, or falls silent.
    pub restart_after: Option<u64>,
    /// As [`restart_after`](Line::restart_after).
    pub silent_after: Option<u64>,
    service: Service,
    inbox: VecDeque<u8>,
}

impl Line {
    /// A line with these faults both ways.
    pub fn new(board: InProcess, faults: Faults, seed: u64) -> Rc<RefCell<Line>> {
        Rc::new(RefCell::new(Line {
            to_board: Way::new(faults, seed),
            to_desktop: Way::new(faults, seed + 1),
            board,
            restart_after: None,
            silent_after: None,
            service: Service::new(),
            inbox: VecDeque::new(),
        }))
    }
}

/// The desktop's end of a line that others look at as well.
#[derive(Debug)]
pub struct End(pub Rc<RefCell<Line>>);

impl Transport for End {
    fn send(&mut self, bytes: &[u8], _deadline: Instant) -> Result<()> {
        let line = &mut *self.0.borrow_mut();
        let arrived = line.to_board.pass(bytes);
        if line.restart_after == Some(line.to_board.counts.frames) {
            line.service = Service::new();
        }
        if line.silent_after.is_some_and(|limit| line.to_board.counts.frames > limit) {
            return Ok(());
        }
        for byte in arrived {
            if let Some(answer) = line.service.push(byte, &mut line.board) {
                let arrived = line.to_desktop.pass(answer);
                line.inbox.extend(arrived);
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _deadline: Instant) -> Result<usize> {
        let inbox = &mut self.0.borrow_mut().inbox;
        let count = bytes.len().min(inbox.len());
        for (to, from) in bytes.iter_mut().zip(inbox.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn name(&self) -> &str {
        "the line"
    }
}
