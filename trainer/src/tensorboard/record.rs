//! Framing of TFRecord files. Each record is, with little-endian numbers,
//!
//! ```text
//! ┌───────────┬────────────────┬──────────────┬──────────────┐
//! │ length u64│ masked CRC u32 │ data [length]│ masked CRC   │
//! │           │ of the length  │              │ u32 of data  │
//! └───────────┴────────────────┴──────────────┴──────────────┘
//! ```

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C, as the format wants it.
const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// masked = rotate right by 15 (CRC-32C) + 0xa282ead8: a CRC over data that hold their own CRC would be
/// of little use.
fn masked(data: &[u8]) -> [u8; 4] {
    let crc = CASTAGNOLI.checksum(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// A record around data.
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The data of each record, whose checksums must be right.
    pub(crate) fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked(&bytes[..8]));
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked(data));
            found.push(data);
            bytes = &bytes[16 + length..];
        }
        found
    }

    /// Of RFC 3720, B.4, and of the catalogue of CRCs.
    #[test]
    fn checksums_are_those_of_known_vectors() {
        assert_eq!(CASTAGNOLI.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CASTAGNOLI.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CASTAGNOLI.checksum(&[0xff; 32]), 0x62a8_ab43);
        // 0xe3069283 rotated right by 15 is 0x2507c60d.
        assert_eq!(masked(b"123456789"), (0x2507_c60d_u32.wrapping_add(0xa282_ead8)).to_le_bytes());
    }
}
