//! Observations with the action bits that one machine computed, to be replayed on another.
//!
//! ```text
//! offset  0        4         6             7        8      12
//!         | "RECD" | version | observation | action | rows | rows × (observation words, action words) |
//!         | 4 × u8 | u16     | u8          | u8     | u32  | u32 …                                    |
//! ```
//!
//! Little-endian; a word holds the bits of an `f32`. Where the recording machine refused the
//! observation (with an [`ActError`](crate::ActError)), the action words are [`REFUSED`].

use crate::{Policy, RecordingError};

/// The version of the recording format. Version 0 is a draft, as the blob's is.
pub const VERSION: u16 = 0;
/// The first four bytes of every recording.
pub const MAGIC: [u8; 4] = *b"RECD";
/// Size of the fixed part before the rows, in bytes.
pub const PREFIX: usize = 12;
/// Stands for "refused" in the place of an action word. As an `f32` it is a NaN, which no policy gives.
pub const REFUSED: u32 = u32::MAX;

/// A recording, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    observation_size: usize,
    action_size: usize,
    len: usize,
    words: &'a [u32],
}

/// How a replay went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay {
    /// Rows compared, those that were refused among them.
    pub compared: usize,
    /// Rows whose observation was refused by both machines.
    pub refused: usize,
    /// Rows in which any bit of the action differed, or which only one machine refused.
    pub mismatches: usize,
    /// The first such row.
    pub first_mismatch: Option<usize>,
}

impl<'a> Recording<'a> {
    /// Checks a recording's fixed part and length. It must start at a multiple of 4 bytes.
    ///
    /// # Errors
    ///
    /// If the bytes are not aligned, or are no whole recording.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, RecordingError> {
        let found = bytes.len();
        let Some((prefix, body)) = bytes.split_first_chunk::<PREFIX>() else {
            return Err(RecordingError::Length { needed: PREFIX, found });
        };
        let offset = bytes.as_ptr().addr() % align_of::<u32>();
        if offset != 0 {
            return Err(RecordingError::Misaligned { offset });
        }
        let [m0, m1, m2, m3, v0, v1, observation, action, r0, r1, r2, r3] = *prefix;
        let magic = [m0, m1, m2, m3];
        if magic != MAGIC {
            return Err(RecordingError::Magic { found: magic });
        }
        let version = u16::from_le_bytes([v0, v1]);
        if version != VERSION {
            return Err(RecordingError::Version { supported: VERSION, found: version });
        }
        if observation == 0 || action == 0 {
            return Err(RecordingError::Empty { observation, action });
        }
        let rows = u32::from_le_bytes([r0, r1, r2, r3]);
        let row = 4 * (u64::from(observation) + u64::from(action));
        let needed = usize::try_from(PREFIX as u64 + u64::from(rows) * row).unwrap_or(usize::MAX);
        match bytemuck::try_cast_slice(body) {
            Ok(words) if found == needed => Ok(Recording {
                observation_size: observation.into(),
                action_size: action.into(),
                len: rows as usize,
                words,
            }),
            _ => Err(RecordingError::Length { needed, found }),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows: observation words and action words.
    fn rows(&self) -> impl Iterator<Item = (&'a [u32], &'a [u32])> {
        let (observation_size, action_size) = (self.observation_size, self.action_size);
        let mut words = self.words;
        core::iter::from_fn(move || {
            let (observation, rest) = words.split_at_checked(observation_size)?;
            let (action, rest) = rest.split_at_checked(action_size)?;
            words = rest;
            Some((observation, action))
        })
    }

    /// Gives every observation to `policy` and compares its actions, bit for bit, with the
    /// recorded ones.
    ///
    /// # Errors
    ///
    /// If the recorded observations or actions have other sizes than the policy's.
    pub fn replay<const WIDTH: usize>(
        &self,
        policy: &Policy<'_, WIDTH>,
    ) -> Result<Replay, RecordingError> {
        let mut observation = [0.0; MAX_OBSERVATION];
        let Some(observation) = observation.get_mut(..self.observation_size) else {
            return Err(self.wrong_shape(policy));
        };
        if (self.observation_size, self.action_size)
            != (policy.observation_size(), policy.action_size())
        {
            return Err(self.wrong_shape(policy));
        }
        let mut replay = Replay::default();
        for (index, (recorded, action)) in self.rows().enumerate() {
            for (x, word) in observation.iter_mut().zip(recorded) {
                *x = f32::from_bits(*word);
            }
            let equal = match policy.act(observation) {
                Ok(a) => a.iter().map(|a| a.to_bits()).eq(action.iter().copied()),
                Err(_) => {
                    let refused = action.iter().all(|&word| word == REFUSED);
                    replay.refused += usize::from(refused);
                    refused
                }
            };
            replay.compared += 1;
            if !equal {
                replay.mismatches += 1;
                replay.first_mismatch.get_or_insert(index);
            }
        }
        Ok(replay)
    }

    fn wrong_shape<const WIDTH: usize>(&self, policy: &Policy<'_, WIDTH>) -> RecordingError {
        RecordingError::Shape {
            observation: policy.observation_size(),
            action: policy.action_size(),
            found_observation: self.observation_size,
            found_action: self.action_size,
        }
    }
}

/// The longest observation a recording can hold.
pub const MAX_OBSERVATION: usize = u8::MAX as usize;

/// The fixed part of a recording of `rows` rows; the rows' words follow it, little-endian.
pub fn prefix(observation_size: u8, action_size: u8, rows: u32) -> [u8; PREFIX] {
    let mut out = [0; PREFIX];
    let fields = MAGIC
        .into_iter()
        .chain(VERSION.to_le_bytes())
        .chain([observation_size, action_size])
        .chain(rows.to_le_bytes());
    for (byte, value) in out.iter_mut().zip(fields) {
        *byte = value;
    }
    out
}

/// The action words that `policy` gives for an observation: its bits, or [`REFUSED`].
pub fn action_words<const WIDTH: usize>(
    policy: &Policy<'_, WIDTH>,
    observation: &[f32],
) -> heapless::Vec<u32, { crate::action::MAX_ACTION_SIZE }> {
    match policy.act(observation) {
        Ok(action) => action.iter().map(|a| a.to_bits()).collect(),
        Err(_) => core::iter::repeat_n(REFUSED, policy.action_size()).collect(),
    }
}
