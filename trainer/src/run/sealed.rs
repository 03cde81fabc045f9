//! Files of the trainer's own that say what they are, and whether they are whole:
//!
//! ```text
//! kind        4 bytes
//! version     u32
//! length      u64, of the body
//! body
//! checksum    u64, CRC-64/XZ of all before it                    numbers are little-endian
//! ```

use crc::{CRC_64_XZ, Crc, Table};

/// What a file holds; its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run at some moment.
    Checkpoint,
    /// The networks of an agent.
    Agent,
}

/// Changes with what bodies hold, so that an older file is refused and not misread.
const VERSION: u32 = 1;
/// Bytes before the body.
const HEADER: usize = 16;
/// Bytes after it.
const CHECKSUM: usize = 8;

/// Replay buffers are large: several bytes at a time.
const CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It begins otherwise.
    #[error("it is no {0}")]
    Kind(&'static str),
    /// Another version of the trainer wrote it.
    #[error("it has version {found}, this trainer reads {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// A part is missing, or there is more.
    #[error("it has {found} bytes where it says {needed}: it was cut off or added to")]
    Length {
        /// What it says.
        needed: u64,
        /// What there is.
        found: u64,
    },
    /// Some bytes are not those that were written.
    #[error("its checksum is wrong: it was damaged")]
    Damaged,
}

impl Kind {
    /// The first bytes of such a file.
    pub(crate) const fn magic(self) -> [u8; 4] {
        match self {
            Kind::Checkpoint => *b"PLCK",
            Kind::Agent => *b"PLAG",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Checkpoint => "checkpoint",
            Kind::Agent => "agent",
        }
    }

    /// A file of this kind whose body is written by `body`.
    pub(super) fn seal<E>(
        self,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let mut bytes = self.magic().to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; size_of::<u64>()]);
        body(&mut bytes)?;
        let length = (bytes.len() - HEADER) as u64;
        bytes[HEADER - size_of::<u64>()..HEADER].copy_from_slice(&length.to_le_bytes());
        let checksum = CRC.checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        Ok(bytes)
    }

    /// The body of a file of this kind.
    pub(super) fn open(self, bytes: &[u8]) -> Result<&[u8], SealError> {
        let found = bytes.len() as u64;
        let short = SealError::Length { needed: (HEADER + CHECKSUM) as u64, found };
        if !bytes.starts_with(&self.magic()[..bytes.len().min(4)]) {
            return Err(SealError::Kind(self.name()));
        }
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(short.clone())?;
        let (body, checksum) = rest.split_last_chunk::<CHECKSUM>().ok_or(short)?;
        let [_, _, _, _, v0, v1, v2, v3, length @ ..] = *header;
        let version = u32::from_le_bytes([v0, v1, v2, v3]);
        if version != VERSION {
            return Err(SealError::Version { found: version });
        }
        let length = u64::from_le_bytes(length);
        if length != body.len() as u64 {
            let needed = length.saturating_add((HEADER + CHECKSUM) as u64);
            return Err(SealError::Length { needed, found });
        }
        match CRC.checksum(&bytes[..HEADER + body.len()]) == u64::from_le_bytes(*checksum) {
            true => Ok(body),
            false => Err(SealError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        let body = |bytes: &mut Vec<u8>| {
            bytes.extend(*b"some state");
            Ok::<(), ()>(())
        };
        Kind::Checkpoint.seal(body).unwrap()
    }

    #[test]
    fn whole_files_are_opened() {
        assert_eq!(Kind::Checkpoint.open(&sealed()).unwrap(), b"some state");
        // Pinned: checkpoints of before must be refused by a version, not misread.
        let bytes = [&b"PLCK\x01\0\0\0\x0a\0\0\0\0\0\0\0some state"[..], &CRC_OF_IT].concat();
        assert_eq!(sealed(), bytes);
    }

    /// As python computes it, bit by bit, from the same bytes.
    const CRC_OF_IT: [u8; 8] = 0x2e3d_bb79_fa5d_311b_u64.to_le_bytes();

    #[test]
    fn damage_is_seen() {
        let whole = sealed();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                assert!(Kind::Checkpoint.open(&bytes).is_err(), "bit {bit} of byte {at}");
            }
            assert!(Kind::Checkpoint.open(&whole[..at]).is_err(), "cut off at {at}");
        }
        let longer = [&whole[..], &[0]].concat();
        let error = Kind::Checkpoint.open(&longer).unwrap_err();
        assert_eq!(error, SealError::Length { needed: 34, found: 35 });
        assert_eq!(Kind::Agent.open(&whole).unwrap_err().to_string(), "it is no agent");
        let mut newer = whole;
        newer[4] = 2;
        assert_eq!(Kind::Checkpoint.open(&newer).unwrap_err(), SealError::Version { found: 2 });
    }
}
