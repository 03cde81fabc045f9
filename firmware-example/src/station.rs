//! What a board answers, apart from how its bytes come and go.

use policy_core::{
    Action, BlobError, Weights,
    link::{self, Cost, Identity, Refusal, Source, UpdateRefusal},
    update::Needs,
};

use crate::{
    control::{Mailbox, Pilot, PilotError, Snapshot, Trial},
    service::Board,
    update::Updates,
};

/// Control periods in which a new policy must act without a fault before it is kept.
pub const TRIAL: u16 = 100;

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
pub struct Station<'a, U, W: Weights, const WIDTH: usize> {
    plate: Plate,
    updates: U,
    mailbox: &'a Mailbox<'a, W, WIDTH>,
    /// Answers the desktop's questions; it is the policy that the loop runs.
    pilot: Pilot<'a, W, WIDTH>,
    /// While that one is on trial: the one before it.
    before: Option<Pilot<'a, W, WIDTH>>,
    /// The flash did not take the mark of a policy that has passed its trial: it runs until the next restart.
    is_not_kept: bool,
}

impl<'a, U: Updates, W: Weights, const WIDTH: usize> Station<'a, U, W, WIDTH> {
    /// A station beside a loop that flies with this pilot, with what takes updates, or `()`.
    pub fn new(
        plate: Plate,
        updates: U,
        mailbox: &'a Mailbox<'a, W, WIDTH>,
        pilot: Pilot<'a, W, WIDTH>,
    ) -> Self {
        Station { plate, updates, mailbox, pilot, before: None, is_not_kept: false }
    }

    /// Looks whether a trial has ended, and keeps the policy that has passed it; to be called now and then, and before any
    /// answer.
    pub fn settle(&mut self) {
        match self.mailbox.take_verdict() {
            Some(Trial::Passed(_)) => {
                self.before = None;
                self.is_not_kept = self.updates.passed().is_err();
            }
            Some(Trial::Failed(..)) => {
                self.updates.failed();
                if let Some(before) = self.before.take() {
                    self.pilot = before;
                }
            }
            None => {}
        }
    }
}

impl<U: Updates, W: Weights, const WIDTH: usize> Board for Station<'_, U, W, WIDTH> {
    fn identity(&mut self) -> Identity<'_> {
        self.settle();
        let policy = self.pilot.policy();
        Identity {
            protocol: link::VERSION,
            board: self.plate.board,
            firmware: env!("CARGO_PKG_VERSION"),
            cost: self.plate.cost,
            capacity: self.updates.capacity(),
            policy: self.pilot.source(),
            checksum: policy.checksum(),
            plant_fingerprint: self.pilot.plant_fingerprint(),
            control_period: policy.control_period(),
            observation_size: policy.observation_size() as u16,
            action_size: policy.action_size() as u8,
            weights: W::KIND.code(),
            width: short(WIDTH),
        }
    }

    fn act(&mut self, observation: &[f32]) -> Result<(Action, u32), Refusal> {
        self.settle();
        if self.mailbox.may_run() {
            return Err(Refusal::Running);
        }
        let mut answer = Err(Refusal::Unknown);
        let cost = (self.plate.count)(&mut || {
            answer = self.pilot.act(observation).map_err(Refusal::Fault);
        });
        answer.map(|action| (action, cost))
    }

    fn snapshot(&mut self) -> Snapshot {
        // In this order: a trial that ends in between is reported as over once its policy is kept.
        let snapshot = self.mailbox.snapshot();
        self.settle();
        if self.is_not_kept { snapshot.not_kept() } else { snapshot }
    }

    fn start(&mut self) {
        self.mailbox.start();
    }

    fn stop(&mut self) {
        self.mailbox.stop();
    }

    fn propose(&mut self, manifest: &[u8], signature: &[u8]) -> Result<(), UpdateRefusal> {
        self.settle();
        self.updates.propose(manifest, signature, || self.mailbox.may_run())
    }

    fn chunk(&mut self, offset: u32, bytes: &[u8]) -> Result<(), UpdateRefusal> {
        self.updates.chunk(offset, bytes, self.mailbox.may_run())
    }

    fn commit(&mut self) -> Result<(), UpdateRefusal> {
        let pilot = self.updates.commit(self.mailbox.may_run(), |version, blob| {
            Pilot::new(blob, Source::Update { version }).map_err(refusal::<W, WIDTH>)
        })?;
        self.is_not_kept = false;
        self.mailbox.adopt(pilot.clone(), TRIAL);
        self.before = Some(core::mem::replace(&mut self.pilot, pilot));
        Ok(())
    }
}

/// What a board needs of an update: what its firmware's own policy is.
pub fn needs<W: Weights, const WIDTH: usize>(pilot: &Pilot<'_, W, WIDTH>) -> Needs {
    let policy = pilot.policy();
    Needs {
        plant_fingerprint: pilot.plant_fingerprint(),
        control_period: policy.control_period(),
        observation_size: policy.observation_size() as u16,
        action_size: policy.action_size() as u8,
        weights: W::KIND.code(),
        width: short(WIDTH),
    }
}

/// Why the bytes of an update cannot be flown.
fn refusal<W: Weights, const WIDTH: usize>(error: PilotError) -> UpdateRefusal {
    let (weights, width) = (W::KIND.code(), short(WIDTH));
    match error {
        PilotError::SelfTest(error) => UpdateRefusal::SelfTest { example: error.example as u16 },
        PilotError::Blob(BlobError::OtherWeights { found, .. }) => {
            UpdateRefusal::Weights { needed: weights, width, found: found.code() }
        }
        PilotError::Blob(BlobError::TooWide { found, .. }) => {
            UpdateRefusal::TooWide { limit: width, weights, found: short(found) }
        }
        _ => UpdateRefusal::Policy,
    }
}

/// Layers have fewer than 2¹⁶ outputs.
fn short(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
