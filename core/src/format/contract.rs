//! What a policy promises to those who connect it to a machine; only who asks for it decodes it.

use serde::{Deserialize, Serialize};

use crate::{BlobError, EncodeError};

/// Where a policy comes from, and what its numbers are.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    origin: Origin<'a>,
    observation: Channels<'a>,
    action: Channels<'a>,
}

/// The part of fixed shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Origin<'a> {
    algorithm: Algorithm,
    plant: &'a str,
    plant_fingerprint: u32,
    trainer: &'a str,
}

/// One entry of an observation or an action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Channel<'a> {
    /// Its name, such as `angular velocity`.
    pub name: &'a str,
    /// Its unit, such as `rad/s`; empty where it has none.
    pub unit: &'a str,
    /// Its least value; −∞ where it has no bound.
    pub low: f32,
    /// Its largest value; ∞ where it has no bound.
    pub high: f32,
}

/// The algorithm that trained a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Algorithm {
    /// Soft actor-critic (Haarnoja et al., 2018, 2019).
    Sac,
    /// Deep deterministic policy gradient (Lillicrap et al., 2015, arXiv:1509.02971).
    Ddpg,
    /// Twin delayed DDPG (Fujimoto et al., 2018, arXiv:1802.09477).
    Td3,
    /// Deep Q-network (Mnih et al., 2015).
    Dqn,
    /// Double DQN (van Hasselt et al., 2015, arXiv:1509.06461).
    DoubleDqn,
    /// Soft actor-critic with a network for the value of a state (Haarnoja et al., 2018,
    /// arXiv:1801.01290).
    SacV,
    /// SAC-M1 to SAC-M3: steps from DDPG towards SAC, with a target policy and an unsquashed
    /// Gaussian, as a course exercise has them.
    SacM,
}

impl core::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Algorithm::Sac => "sac",
            Algorithm::Ddpg => "ddpg",
            Algorithm::Td3 => "td3",
            Algorithm::Dqn => "dqn",
            Algorithm::DoubleDqn => "double-dqn",
            Algorithm::SacV => "sac-v",
            Algorithm::SacM => "sac-m",
        })
    }
}

impl<'a> Contract<'a> {
    /// The algorithm that trained it.
    pub fn algorithm(&self) -> Algorithm {
        self.origin.algorithm
    }

    /// The machine it was trained on, as the trainer names it.
    pub fn plant(&self) -> &'a str {
        self.origin.plant
    }

    /// The CRC-32 of that machine's settings: policies of the same plant and fingerprint were trained on the same one.
    pub fn plant_fingerprint(&self) -> u32 {
        self.origin.plant_fingerprint
    }

    /// The program that trained it, with its version.
    pub fn trainer(&self) -> &'a str {
        self.origin.trainer
    }

    /// The entries of an observation.
    pub fn observation(&self) -> Channels<'a> {
        self.observation
    }

    /// The entries of an action.
    pub fn action(&self) -> Channels<'a> {
        self.action
    }

    /// The contract of a policy of that shape, nothing more and nothing less.
    pub(crate) fn decode(
        bytes: &'a [u8],
        observation_size: usize,
        action_size: usize,
    ) -> Result<Self, BlobError> {
        let (origin, rest) = postcard::take_from_bytes(bytes).map_err(|_| BlobError::Contract)?;
        let (observation, rest) = Channels::decode(rest, observation_size)?;
        let (action, rest) = Channels::decode(rest, action_size)?;
        match rest {
            [] => Ok(Contract { origin, observation, action }),
            _ => Err(BlobError::ContractTail { extra: rest.len() }),
        }
    }
}

/// Entries of an observation or an action, first to last.
#[derive(Debug, Clone, Copy)]
pub struct Channels<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Channels<'a> {
    /// So many of them from the front of the bytes, and the bytes after them.
    fn decode(bytes: &'a [u8], count: usize) -> Result<(Self, &'a [u8]), BlobError> {
        let channels = Channels { bytes, left: count };
        let mut each = channels;
        while each.left > 0 {
            let Channel { low, high, .. } = each.next().ok_or(BlobError::Contract)?;
            // A NaN fails the comparison.
            let in_order = low <= high;
            if !in_order {
                return Err(BlobError::Contract);
            }
        }
        Ok((channels, each.bytes))
    }
}

impl<'a> Iterator for Channels<'a> {
    type Item = Channel<'a>;

    fn next(&mut self) -> Option<Channel<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (channel, rest) = postcard::take_from_bytes(self.bytes).ok()?;
        self.bytes = rest;
        Some(channel)
    }
}

/// What [`encode`](super::encode) makes a contract of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms<'a> {
    /// The algorithm that trained the policy.
    pub algorithm: Algorithm,
    /// The machine it was trained on.
    pub plant: &'a str,
    /// The CRC-32 of that machine's settings.
    pub plant_fingerprint: u32,
    /// The program that trained it, with its version.
    pub trainer: &'a str,
    /// The entries of an observation.
    pub observation: &'a [Channel<'a>],
    /// The entries of an action.
    pub action: &'a [Channel<'a>],
}

impl Terms<'_> {
    /// Writes the contract to the front of `out` and gives its length.
    pub(crate) fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let Terms { algorithm, plant, plant_fingerprint, trainer, observation, action } = *self;
        let size = out.len();
        let full = |_| EncodeError::ContractTooLong { limit: size };
        let origin = Origin { algorithm, plant, plant_fingerprint, trainer };
        let mut used = postcard::to_slice(&origin, out).map_err(full)?.len();
        for channel in observation.iter().chain(action) {
            let room = out.get_mut(used..).unwrap_or_default();
            used += postcard::to_slice(channel, room).map_err(full)?.len();
        }
        Ok(used)
    }
}
