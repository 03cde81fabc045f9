//! What goes wrong on a board, one sentence each. The order of variants and fields is the wire format.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::WeightKind;

/// Why an actuator is in its safe state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The sensor gave no observation.
    #[error("{0}")]
    Sensor(SensorFault),
    /// The actuator took no action.
    #[error("the actuator does not answer")]
    Actuator,
    /// The observation was taken too long ago.
    #[error("the observation is {age} µs old, older than the {limit} µs of a control period")]
    Stale {
        /// Its age, in µs.
        age: u32,
        /// The control period, in µs.
        limit: u32,
    },
    /// The observation has another number of entries than the policy takes.
    #[error("the observation has {found} entries, the policy takes {needed}")]
    Size {
        /// Entries that the policy takes.
        needed: u16,
        /// Entries that were found.
        found: u16,
    },
    /// An entry of the observation is infinite or no number.
    #[error("entry {entry} of the observation is not finite")]
    NotFinite {
        /// Which one, 0 is the first.
        entry: u16,
    },
    /// An entry of the observation is outside the range that the policy was trained for. Its sentence has no numbers but
    /// the entry: a board says it too, and code that writes floating point is large, and can panic.
    #[error(
        "entry {entry} of the observation is outside the range that the policy was trained for"
    )]
    OutOfRange {
        /// Which one, 0 is the first.
        entry: u16,
        /// Its value.
        value: f32,
        /// The lowest that the policy's contract declares.
        low: f32,
        /// The highest.
        high: f32,
    },
    /// The policy gave no action: its sums overflowed.
    #[error("the policy has no finite action for the observation")]
    NoAction,
    /// The action came after the end of its control period.
    #[error("the action took {took} µs, more than the {limit} µs of a control period")]
    Overrun {
        /// From the beginning of the period to the action, in µs.
        took: u32,
        /// The control period, in µs.
        limit: u32,
    },
    /// The control period began so late that others were left out: nobody steered the machine meanwhile.
    #[error("{missed} control periods were missed")]
    Late {
        /// How many.
        missed: u32,
    },
}

/// Why a sensor gave no observation. What is in brackets are the AS5600's status bits, in its data sheet's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SensorFault {
    /// The sensor, or the bus to it, gives no answer.
    #[error("the sensor does not answer")]
    Silent,
    /// The encoder's magnet is not there, or far too weak.
    #[error("the encoder sees no magnet (MD, \"magnet was detected\", is 0)")]
    NoMagnet,
    /// Its field is weaker than the encoder can amplify.
    #[error("the encoder's magnet is too weak (ML, \"AGC maximum gain overflow\")")]
    MagnetTooWeak,
    /// Its field is stronger than the encoder can attenuate.
    #[error("the encoder's magnet is too strong (MH, \"AGC minimum gain overflow\")")]
    MagnetTooStrong,
    /// A gain cannot be too large and too small, so that these bits are not the encoder's.
    #[error(
        "the encoder's magnet would be too weak and too strong at once (ML and MH): what the bus reads is not the encoder's"
    )]
    Contradiction,
    /// A speed takes two answers.
    #[error("the sensor has answered only once since it failed, which tells no speed yet")]
    NoSpeed,
}

/// Why a board has not done what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refusal {
    /// Another desktop has begun a session since, or the board has restarted.
    #[error("the board has restarted, or somebody else talks to it: begin again")]
    Session,
    /// It does not know the question.
    #[error("the board does not know this request: its firmware is of another version")]
    Unknown,
    /// It must be stopped first.
    #[error("the controller runs: stop it first")]
    Running,
    /// The policy has no answer to this observation.
    #[error("{0}")]
    Fault(Fault),
    /// The update is not taken.
    #[error("{0}")]
    Update(UpdateRefusal),
}

/// Why a board does not take an update. The policy that runs is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UpdateRefusal {
    /// The board has no room for updates.
    #[error("this board keeps no updates: build its firmware around the policy (POLICY=…)")]
    NoSlots,
    /// The firmware was built without a public key.
    #[error("the firmware has no public key to check updates with: build it with one (KEY=…)")]
    NoKey,
    /// Erasing flash would hold up the controller.
    #[error("writing flash holds up this board's processor: stop the controller first")]
    Running,
    /// A policy is on trial, and the one to fall back to lies in the other slot.
    #[error("a policy is still on trial")]
    OnTrial,
    /// The manifest is no manifest of this version.
    #[error("the manifest is damaged or of another version: sign the policy again")]
    Manifest,
    /// The signature is not that of the board's key for this manifest.
    #[error(
        "the signature is not valid for this board's key: the policy was signed by another key, or altered"
    )]
    Signature,
    /// The version does not exceed the newest one that this board has kept.
    #[error("version {found} is not newer than {newest}, which this board has")]
    OldVersion {
        /// The newest version that was kept.
        newest: u32,
        /// The version of the update.
        found: u32,
    },
    /// The policy is for another machine.
    #[error(
        "the policy is for another machine (fingerprint {found:08x}), this board runs {needed:08x}"
    )]
    Plant {
        /// The fingerprint of this board's machine.
        needed: u32,
        /// The update's.
        found: u32,
    },
    /// The policy has other sizes.
    #[error(
        "the policy takes {found_observation} entries and gives {found_action}, this board needs {observation} and {action}"
    )]
    Shape {
        /// Entries of this board's observation.
        observation: u16,
        /// Entries of this board's action.
        action: u8,
        /// Entries that the update takes.
        found_observation: u16,
        /// Entries that the update gives.
        found_action: u8,
    },
    /// The policy acts at another rate.
    #[error("the policy's control period is {found} s, this board's is {needed} s")]
    Period {
        /// This board's control period, in s.
        needed: f32,
        /// The update's, in s.
        found: f32,
    },
    /// The firmware has kernels for another kind of weights. The kinds are their codes, as in a policy's byte 6.
    #[error(
        "the policy has {} weights, this board's firmware runs {} only, up to {width} wide: push a policy with {} weights, or build the firmware around this one (POLICY=…)",
        Kind(*found), Kind(*needed), Kind(*needed)
    )]
    Weights {
        /// The kind that this board's firmware runs.
        needed: u8,
        /// The most numbers between two layers that it has room for.
        width: u16,
        /// The update's kind.
        found: u8,
    },
    /// The policy keeps more numbers between two layers than the firmware has room for.
    #[error(
        "the policy's widest layer has {found} numbers, this board's firmware runs up to {limit}, with {} weights: push a narrower policy, or build the firmware around this one (POLICY=…)",
        Kind(*weights)
    )]
    TooWide {
        /// The most that this board's firmware has room for.
        limit: u16,
        /// The kind of weights that it runs.
        weights: u8,
        /// What the update needs.
        found: u16,
    },
    /// The policy does not fit.
    #[error(
        "the policy has {found} bytes, a slot of this board has room for {capacity}: take a smaller network, or fewer bits (`trainer quantize`)"
    )]
    TooLarge {
        /// Bytes of a slot that are for a policy.
        capacity: u32,
        /// Bytes of the policy.
        found: u32,
    },
    /// Nothing was proposed, or it has been refused since.
    #[error("no update has been accepted whose bytes could follow")]
    NotProposed,
    /// The bytes are not the next ones, or more than were announced.
    #[error(
        "the next bytes were to start at {needed} and fill a chunk, or end the policy; others came, from {found}"
    )]
    Offset {
        /// Where the next bytes belong.
        needed: u32,
        /// Where these belong.
        found: u32,
    },
    /// Bytes are missing.
    #[error("only {found} of {needed} bytes have arrived")]
    Truncated {
        /// Bytes that the manifest announces.
        needed: u32,
        /// Bytes that have arrived.
        found: u32,
    },
    /// The bytes are not those that were signed.
    #[error("the policy's bytes are not those that were signed")]
    Digest,
    /// The bytes are those that were signed, but no policy that a loop could run.
    #[error(
        "this firmware cannot read the policy: it was written by another version of the trainer, or is faulty (`trainer inspect` says which): export it again"
    )]
    Policy,
    /// The policy is not what its manifest says.
    #[error("the policy's own contract is not that of its manifest: sign it again")]
    Contract,
    /// The policy does not give the actions on this processor that it gave on the desktop.
    #[error("the policy failed its own test: example {example} has other bits here")]
    SelfTest {
        /// Index of the example.
        example: u16,
    },
    /// The flash does not work.
    #[error("the flash could not be written")]
    Flash,
}

/// A kind of weights by its code, as sentences name it.
struct Kind(u8);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match WeightKind::from_code(self.0) {
            Some(kind) => kind.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}
