//! What a board answers, apart from how its bytes come and go.

use policy_core::{
    Action, Weights,
    link::{self, Cost, Identity, Refusal, State},
};

use crate::{
    control::{Mailbox, Pilot, Snapshot, Trial},
    service::Board,
};

/// What a board is called, and how it counts.
#[derive(Debug, Clone, Copy)]
pub struct Plate {
    /// Name of the board.
    pub board: &'static str,
    /// What `count` counts.
    pub cost: Cost,
    /// Does the work and gives what it cost.
    pub count: fn(&mut dyn FnMut()) -> u32,
}

/// The board's end of the link, beside the control loop that fills the mailbox.
#[derive(Debug)]
pub struct Station<'a, W: Weights, const WIDTH: usize> {
    plate: Plate,
    mailbox: &'a Mailbox<'a, W, WIDTH>,
    /// Answers the desktop's questions; it is the policy that the loop runs.
    pilot: Pilot<'a, W, WIDTH>,
    /// While that one is on trial: the one before it.
    before: Option<Pilot<'a, W, WIDTH>>,
}

impl<'a, W: Weights, const WIDTH: usize> Station<'a, W, WIDTH> {
    /// A station beside a loop that flies with this pilot.
    pub fn new(
        plate: Plate,
        mailbox: &'a Mailbox<'a, W, WIDTH>,
        pilot: Pilot<'a, W, WIDTH>,
    ) -> Self {
        Station { plate, mailbox, pilot, before: None }
    }

    /// Looks whether a trial has ended; to be called now and then, and before any answer.
    pub fn settle(&mut self) {
        match self.mailbox.take_verdict() {
            Some(Trial::Passed(_)) => self.before = None,
            Some(Trial::Failed(..)) => {
                if let Some(before) = self.before.take() {
                    self.pilot = before;
                }
            }
            None => {}
        }
    }
}

impl<W: Weights, const WIDTH: usize> Board for Station<'_, W, WIDTH> {
    fn identity(&mut self) -> Identity<'_> {
        self.settle();
        let policy = self.pilot.policy();
        Identity {
            protocol: link::VERSION,
            board: self.plate.board,
            firmware: env!("CARGO_PKG_VERSION"),
            cost: self.plate.cost,
            capacity: 0,
            policy: self.pilot.source(),
            checksum: policy.checksum(),
            plant_fingerprint: self.pilot.plant_fingerprint(),
            control_period: policy.control_period(),
            observation_size: policy.observation_size() as u16,
            action_size: policy.action_size() as u8,
        }
    }

    fn act(&mut self, observation: &[f32]) -> Result<(Action, u32), Refusal> {
        self.settle();
        if self.mailbox.snapshot().state() == State::Running {
            return Err(Refusal::Running);
        }
        let mut answer = Err(Refusal::Unknown);
        let cost = (self.plate.count)(&mut || {
            answer = self.pilot.act(observation).map_err(Refusal::Fault);
        });
        answer.map(|action| (action, cost))
    }

    fn snapshot(&mut self) -> Snapshot {
        self.settle();
        self.mailbox.snapshot()
    }

    fn start(&mut self) {
        self.mailbox.start();
    }

    fn stop(&mut self) {
        self.mailbox.stop();
    }
}
