//! Who answers.

use std::fmt;

use policy_core::link::{Cost, Identity, Source, UpdateRefusal};
use policy_core::update::{Manifest, Needs, fits};

use crate::text;

/// What a board says about itself, and about the policy that it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Name of the board.
    pub name: String,
    /// Version of its firmware.
    pub firmware: String,
    /// What it counts for an action.
    pub cost: Cost,
    /// Bytes of the longest policy that it takes as an update; 0 where it takes none.
    pub capacity: u32,
    /// Where the policy comes from.
    pub policy: Source,
    /// The checksum of the policy's blob.
    pub checksum: u32,
    /// The fingerprint of the machine that the policy is for.
    pub plant_fingerprint: u32,
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: usize,
    /// Entries of an action.
    pub action_size: usize,
    /// The code of the only kind of weights that its firmware runs.
    pub weights: u8,
    /// The most numbers between two layers that its firmware has room for.
    pub width: u16,
}

impl Board {
    /// Would it take the policy of this manifest, as far as it has said what it is? It judges by the same rule itself.
    ///
    /// # Errors
    ///
    /// If not. A board without room for any policy is left to say itself why it has none.
    pub fn judge(&self, manifest: &Manifest) -> Result<(), UpdateRefusal> {
        let needs = Needs {
            plant_fingerprint: self.plant_fingerprint,
            control_period: self.control_period,
            // They came in as many bits.
            observation_size: self.observation_size as u16,
            action_size: self.action_size as u8,
            weights: self.weights,
            width: self.width,
        };
        needs.judge(manifest)?;
        if self.capacity == 0 { Ok(()) } else { fits(manifest.length, self.capacity) }
    }
}

impl From<Identity<'_>> for Board {
    fn from(identity: Identity<'_>) -> Self {
        Board {
            name: text::line(identity.board).into_owned(),
            firmware: text::line(identity.firmware).into_owned(),
            cost: identity.cost,
            capacity: identity.capacity,
            policy: identity.policy,
            checksum: identity.checksum,
            plant_fingerprint: identity.plant_fingerprint,
            control_period: identity.control_period,
            observation_size: identity.observation_size.into(),
            action_size: identity.action_size.into(),
            weights: identity.weights,
            width: identity.width,
        }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (firmware {})", self.name, self.firmware)
    }
}

/// What a board counts, in the plural.
pub fn unit(cost: Cost) -> &'static str {
    match cost {
        Cost::Instructions => "instructions",
        Cost::Cycles => "cycles",
        Cost::Nanoseconds => "ns",
    }
}
