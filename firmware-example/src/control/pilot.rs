//! A policy with the ranges that its contract declares.

use core::fmt;

use heapless::Vec;
use policy_core::{
    ActError, Action, BlobError, Policy, SelfTestError, Weights,
    link::{Fault, Source},
};

/// The most entries of an observation that a pilot takes.
pub const MAX_INPUTS: usize = 32;

/// Flies on sight: it gives the policy only what lies in its declared ranges, and nothing else to the machine.
#[derive(Debug, Clone)]
pub struct Pilot<'a, W: Weights, const WIDTH: usize> {
    policy: Policy<'a, W, WIDTH>,
    source: Source,
    plant_fingerprint: u32,
    examples: usize,
    /// Lowest and highest value of each entry of the observation.
    ranges: Vec<(f32, f32), MAX_INPUTS>,
}

/// Why a blob cannot be flown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PilotError {
    /// The policy or its contract is refused.
    Blob(BlobError),
    /// The policy does not give its own actions here.
    SelfTest(SelfTestError),
    /// The observation has so many entries, more than [`MAX_INPUTS`].
    TooManyInputs(usize),
    /// The control period, in s, is none that a clock of µs can keep.
    Period,
}

impl fmt::Display for PilotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PilotError::Blob(error) => error.fmt(f),
            PilotError::SelfTest(error) => error.fmt(f),
            PilotError::TooManyInputs(found) => {
                write!(f, "the observation has {found} entries, this loop takes up to {MAX_INPUTS}")
            }
            PilotError::Period => f.write_str("the control period is not between 1 µs and an hour"),
        }
    }
}

impl<'a, W: Weights, const WIDTH: usize> Pilot<'a, W, WIDTH> {
    /// Checks a blob, lets the policy test itself on this processor, and reads the ranges of its contract.
    ///
    /// # Errors
    ///
    /// If the blob is refused, fails its test, or is no policy for a loop like this.
    pub fn new(blob: &'a [u8], source: Source) -> Result<Self, PilotError> {
        let policy = Policy::<W, WIDTH>::from_bytes(blob).map_err(PilotError::Blob)?;
        let contract = policy.contract().map_err(PilotError::Blob)?;
        let mut ranges = Vec::new();
        for entry in contract.observation() {
            let range = (entry.low, entry.high);
            let count = policy.observation_size();
            ranges.push(range).map_err(|_| PilotError::TooManyInputs(count))?;
        }
        let plant_fingerprint = contract.plant_fingerprint();
        let mut pilot = Pilot { policy, source, plant_fingerprint, examples: 0, ranges };
        if !(1..=3_600_000_000).contains(&pilot.period()) {
            return Err(PilotError::Period);
        }
        pilot.examples = pilot.policy.self_test().map_err(PilotError::SelfTest)?;
        Ok(pilot)
    }

    /// The action for an observation, unless that one is not what the policy was trained for.
    ///
    /// # Errors
    ///
    /// [`Fault::Size`], [`Fault::NotFinite`], [`Fault::OutOfRange`] or [`Fault::NoAction`].
    pub fn act(&self, observation: &[f32]) -> Result<Action, Fault> {
        if let Some(fault) = self.fault(observation) {
            return Err(fault);
        }
        self.policy.act(observation).map_err(|error| match error {
            ActError::ObservationSize { needed, found } => size(needed, found),
            ActError::ObservationNotFinite { index } => Fault::NotFinite { entry: index as u16 },
            _ => Fault::NoAction,
        })
    }

    /// What is wrong with the observation.
    fn fault(&self, observation: &[f32]) -> Option<Fault> {
        if observation.len() != self.ranges.len() {
            return Some(size(self.ranges.len(), observation.len()));
        }
        for (entry, (&value, &(low, high))) in (0..).zip(observation.iter().zip(&self.ranges)) {
            if !value.is_finite() {
                return Some(Fault::NotFinite { entry });
            }
            if !(low..=high).contains(&value) {
                return Some(Fault::OutOfRange { entry, value, low, high });
            }
        }
        None
    }

    /// The policy.
    pub fn policy(&self) -> &Policy<'a, W, WIDTH> {
        &self.policy
    }

    /// Examples that the policy has passed on this processor.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Where the policy comes from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The fingerprint of the machine that the policy was trained on.
    pub fn plant_fingerprint(&self) -> u32 {
        self.plant_fingerprint
    }

    /// The control period, in µs.
    pub fn period(&self) -> u64 {
        let period = f64::from(self.policy.control_period());
        libm::round(1e6 * period) as u64
    }
}

/// A board's observations have fewer than 2¹⁶ entries.
fn size(needed: usize, found: usize) -> Fault {
    Fault::Size { needed: needed as u16, found: found as u16 }
}
