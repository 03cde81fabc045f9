//! Observations with the action bits that one machine computed, to be replayed on another.
//!
//! ```text
//! offset  0        4         6             7        8      12
//!         | "RECD" | version | observation | action | rows | rows × (observation words, action words) |
//!         | 4 × u8 | u16     | u8          | u8     | u32  | u32 …                                    |
//! ```
//!
//! Little-endian; a word holds the bits of an `f32`. Where the recording machine refused the
//! observation (with an [`ActError`]), the action words are [`REFUSED`].

use crate::{ActError, Action, Policy, RecordingError, Weights, format::CRC};

/// The version of the recording format.
pub const VERSION: u16 = 1;
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
    /// CRC-32 of the action words that this machine found, row by row, little-endian: one number to compare
    /// machines by.
    pub hash: u32,
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

    /// The observations, row by row, each `[observation_size]`.
    pub fn observations(&self) -> impl Iterator<Item = &'a [f32]> {
        self.rows().map(|(observation, _)| bytemuck::must_cast_slice(observation))
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
    pub fn replay<W: Weights, const WIDTH: usize>(
        &self,
        policy: &Policy<'_, W, WIDTH>,
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
        let (mut replay, mut digest) = (Replay::default(), CRC.digest());
        for (index, (recorded, action)) in self.rows().enumerate() {
            for (x, word) in observation.iter_mut().zip(recorded) {
                *x = f32::from_bits(*word);
            }
            let found = policy.act(observation);
            let words = words(&found, self.action_size);
            words.iter().for_each(|word| digest.update(&word.to_le_bytes()));
            let equal = *words == *action;
            replay.refused += usize::from(equal && found.is_err());
            replay.compared += 1;
            if !equal {
                replay.mismatches += 1;
                replay.first_mismatch.get_or_insert(index);
            }
        }
        replay.hash = digest.finalize();
        Ok(replay)
    }

    fn wrong_shape<W: Weights, const WIDTH: usize>(
        &self,
        policy: &Policy<'_, W, WIDTH>,
    ) -> RecordingError {
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

/// The words of an action, as many as a recording has for it.
pub type Words = heapless::Vec<u32, { crate::action::MAX_ACTION_SIZE }>;

/// The action words that `policy` gives for an observation: its bits, or [`REFUSED`].
pub fn action_words<W: Weights, const WIDTH: usize>(
    policy: &Policy<'_, W, WIDTH>,
    observation: &[f32],
) -> Words {
    words(&policy.act(observation), policy.action_size())
}

/// The words of that answer of a policy with so many action entries.
pub(crate) fn words(answer: &Result<Action, ActError>, action_size: usize) -> Words {
    let mut words = Words::new();
    for index in 0..action_size {
        let bits = |action: &Action| action.get(index).map_or(REFUSED, |a| a.to_bits());
        let _ = words.push(answer.as_ref().map_or(REFUSED, bits));
    }
    words
}
