//! What a policy must bring along to replace another one on a board: a manifest, signed with Ed25519.
//!
//! ```text
//! offset  0        4        6             8        9         10         12               16
//!         | "PLUP" | format | observation | action | weights | width    | policy version | length |
//!         | 4 × u8 | u16    | u16         | u8     | u8      | u16      | u32            | u32    |
//!
//!         20                  24               28         32
//!         | plant fingerprint | control period | checksum | digest  |
//!         | u32               | f32            | u32      | 32 × u8 |
//! ```
//!
//! Little-endian. `LINK.md` has it in words.

mod needs;

pub use needs::{Needs, fits};

use curve25519_dalek::{EdwardsPoint, Scalar, edwards::CompressedEdwardsY};
use sha2::{Digest, Sha512, Sha512_256};
use thiserror::Error;

use crate::{BlobError, format};

/// The first four bytes of every manifest.
pub const MAGIC: [u8; 4] = *b"PLUP";
/// The version of the manifest's format that this crate reads and writes.
pub const FORMAT: u16 = 1;
/// Bytes of a manifest.
pub const MANIFEST: usize = 64;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;
/// Bytes of a public key.
pub const KEY: usize = 32;
/// Bytes of a board's slot before the policy in it.
pub const SLOT_HEAD: u32 = 512;

/// What is signed: all that a board needs to know to refuse a policy before a byte of its flash is touched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manifest {
    /// Version of the policy, which only grows on a board.
    pub version: u32,
    /// Bytes of the policy.
    pub length: u32,
    /// Its checksum.
    pub checksum: u32,
    /// The fingerprint of the machine that it is for.
    pub plant_fingerprint: u32,
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: u16,
    /// Entries of an action.
    pub action_size: u8,
    /// The code of its kind of weights, as the policy's own byte 6.
    pub weights: u8,
    /// The most numbers that it keeps between two layers, as [`format::width`] gives them.
    pub width: u16,
    /// SHA-512/256 (FIPS 180-4) of its bytes.
    pub digest: [u8; 32],
}

/// Bytes that are no manifest of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("these bytes are no manifest of format {FORMAT}")]
pub struct NoManifest;

/// A signature that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not belong to this key and these bytes")]
pub struct WrongSignature;

impl Manifest {
    /// Of a policy, which must start at a multiple of 4 bytes. Its network is not checked: whoever signs it tests it before.
    ///
    /// # Errors
    ///
    /// If the bytes are no policy.
    pub fn new(blob: &[u8], version: u32) -> Result<Self, BlobError> {
        let parts = format::decode(blob)?;
        let contract = parts.contract()?;
        Ok(Manifest {
            version,
            // A blob's own length field has 32 bits, and has been compared.
            length: blob.len() as u32,
            checksum: parts.checksum(),
            plant_fingerprint: contract.plant_fingerprint(),
            control_period: parts.control_period(),
            observation_size: parts.observation_size() as u16,
            action_size: parts.action_size() as u8,
            weights: blob.get(6).copied().unwrap_or_default(),
            // Wider than any board.
            width: u16::try_from(parts.width()).unwrap_or(u16::MAX),
            digest: digest(blob),
        })
    }

    /// As it is signed.
    pub fn to_bytes(&self) -> [u8; MANIFEST] {
        let mut bytes = [0; MANIFEST];
        let [o0, o1] = self.observation_size.to_le_bytes();
        let [f0, f1] = FORMAT.to_le_bytes();
        let [w0, w1] = self.width.to_le_bytes();
        let words = [
            MAGIC,
            [f0, f1, o0, o1],
            [self.action_size, self.weights, w0, w1],
            self.version.to_le_bytes(),
            self.length.to_le_bytes(),
            self.plant_fingerprint.to_le_bytes(),
            self.control_period.to_le_bytes(),
            self.checksum.to_le_bytes(),
        ];
        let fields = words.as_flattened().iter().chain(&self.digest);
        bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = *field);
        bytes
    }

    /// What was signed. What the fields say is not judged.
    ///
    /// # Errors
    ///
    /// If the bytes are no manifest of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoManifest> {
        let bytes: &[u8; MANIFEST] = bytes.try_into().map_err(|_| NoManifest)?;
        let (words, _) = bytes.as_chunks::<4>();
        let [magic, kinds, sizes, version, length, plant, period, checksum, ..] = words else {
            return Err(NoManifest);
        };
        let [f0, f1, o0, o1] = *kinds;
        let [action_size, weights, w0, w1] = *sizes;
        if *magic != MAGIC || u16::from_le_bytes([f0, f1]) != FORMAT {
            return Err(NoManifest);
        }
        Ok(Manifest {
            version: u32::from_le_bytes(*version),
            length: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
            plant_fingerprint: u32::from_le_bytes(*plant),
            control_period: f32::from_le_bytes(*period),
            observation_size: u16::from_le_bytes([o0, o1]),
            action_size,
            weights,
            width: u16::from_le_bytes([w0, w1]),
            digest: *bytes.last_chunk().ok_or(NoManifest)?,
        })
    }

    /// The same but for the version: is this the policy that the manifest was made of?
    pub fn describes(&self, blob: &[u8]) -> bool {
        Manifest::new(blob, self.version).is_ok_and(|own| {
            // A period is compared by its bits, and no NaN is a period.
            own.to_bytes() == self.to_bytes()
        })
    }
}

/// SHA-512/256 of a policy.
#[inline(never)]
pub fn digest(blob: &[u8]) -> [u8; 32] {
    Sha512_256::digest(blob).into()
}

/// Ed25519 (RFC 8032, 5.1.7), strictly: S below the group's order, neither A nor R of small order.
///
/// ```text
/// R = [S]B − [k]A,  k = SHA-512(R ‖ A ‖ M)
/// ```
///
/// The arithmetic is that of `curve25519-dalek`. `ed25519-dalek` has this function too, but with a table of which the
/// compiler cannot prove that no index is outside, so that its firmware could panic; tests compare both.
///
/// # Errors
///
/// If the signature is not that of the key for the message.
#[inline(never)]
pub fn verify(
    key: &[u8; KEY],
    message: &[u8],
    signature: &[u8; SIGNATURE],
) -> Result<(), WrongSignature> {
    let (r, s) = signature.split_at(32);
    let (Ok(r), Ok(s)) = (<[u8; 32]>::try_from(r), <[u8; 32]>::try_from(s)) else {
        return Err(WrongSignature);
    };
    let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)).ok_or(WrongSignature)?;
    let r = CompressedEdwardsY(r);
    let a = CompressedEdwardsY(*key).decompress().ok_or(WrongSignature)?;
    let nonce = r.decompress().ok_or(WrongSignature)?;
    if a.is_small_order() || nonce.is_small_order() {
        return Err(WrongSignature);
    }
    let k = Sha512::new().chain_update(r.as_bytes()).chain_update(key).chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&k.finalize().into());
    // Not in constant time, and it need not be: nothing here is secret.
    if (EdwardsPoint::mul_base(&s) - a * k).compress() == r { Ok(()) } else { Err(WrongSignature) }
}
