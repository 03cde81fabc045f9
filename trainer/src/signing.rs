//! Signed policies: a manifest, its Ed25519 signature and the policy, as one file (`core/LINK.md`).

use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use policy_core::update::{MANIFEST, Manifest, SIGNATURE};

use crate::export::Blob;
use crate::input;
use crate::text::Shown;

/// Bytes before the policy.
const HEAD: usize = MANIFEST + SIGNATURE;
/// No key file is larger, in bytes.
const LARGEST_KEY: u64 = 1 << 16;

/// A pair of keys, as PEM: the private one as PKCS#8, the public one as SubjectPublicKeyInfo. OpenSSL reads both.
#[derive(Debug)]
pub struct Pair {
    /// Whoever has it can sign.
    pub private: String,
    /// Goes into firmware.
    pub public: String,
}

/// Why there is no key, or no signed policy.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
    /// A key could not be written as text.
    #[error("the key cannot be written: {0}")]
    Encode(String),
    /// The file is no private key.
    #[error("{path} is no private Ed25519 key in PEM ({error}): `trainer keygen` makes one")]
    Key {
        /// The file.
        path: String,
        /// Why not.
        error: String,
    },
    /// The file is no signed policy.
    #[error("{0}: `trainer sign` makes a signed policy")]
    NotSigned(String),
}

/// A new pair, from the operating system's random numbers.
///
/// # Errors
///
/// If there are none.
pub fn generate() -> Result<Pair, SigningError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| SigningError::Random(error.to_string()))?;
    let encode = |error: &dyn std::fmt::Display| SigningError::Encode(error.to_string());
    let key = SigningKey::from_bytes(&seed);
    // Without the public key in it: OpenSSL 3 does not read the newer form that has it.
    let pair = KeypairBytes { secret_key: seed, public_key: None };
    let private = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| encode(&error))?;
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF);
    Ok(Pair { private: private.to_string(), public: public.map_err(|error| encode(&error))? })
}

/// The private key in a file.
///
/// # Errors
///
/// If it cannot be read, or is none.
pub fn private_key(path: &Path) -> Result<SigningKey, SigningError> {
    let no_key = |error: String| SigningError::Key { path: path.shown().to_string(), error };
    let text = input::text(path, LARGEST_KEY).map_err(|error| no_key(error.to_string()))?;
    SigningKey::from_pkcs8_pem(&text).map_err(|error| no_key(error.to_string()))
}

/// Manifest, signature and policy, as the file has them.
pub fn sign(manifest: &Manifest, policy: &[u8], key: &SigningKey) -> Vec<u8> {
    let manifest = manifest.to_bytes();
    let signature = key.sign(&manifest).to_bytes();
    [&manifest[..], &signature, policy].concat()
}

/// A signed policy that was read. Nobody has checked its signature: that is the board's task, which has the key.
#[derive(Debug)]
pub struct Signed {
    bytes: Vec<u8>,
    /// What was signed.
    pub manifest: Manifest,
}

impl Signed {
    /// Of a file's bytes.
    ///
    /// # Errors
    ///
    /// If they are no signed policy, or one that lost or gained bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SigningError> {
        let wrong = |text: String| Err(SigningError::NotSigned(text));
        let Some(head) = bytes.first_chunk::<HEAD>() else {
            return wrong(format!("it has {} bytes, fewer than {HEAD}", bytes.len()));
        };
        let Ok(manifest) = Manifest::from_bytes(&head[..MANIFEST]) else {
            return wrong("it does not begin with a manifest".into());
        };
        let (found, needed) = (bytes.len() - HEAD, manifest.length);
        if found as u64 != u64::from(needed) {
            return wrong(format!("its policy has {found} bytes, its manifest says {needed}"));
        }
        let policy = Blob::from_bytes(&bytes[HEAD..]);
        if !manifest.describes(policy.bytes()) {
            return wrong("its policy is not the one of its manifest".into());
        }
        Ok(Signed { bytes, manifest })
    }

    /// The manifest, as it was signed.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.bytes[..MANIFEST]
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.bytes[MANIFEST..HEAD]
    }

    /// The policy.
    pub fn policy(&self) -> &[u8] {
        &self.bytes[HEAD..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::VerifyingKey;
    use ed25519_dalek::pkcs8::DecodePublicKey;
    use policy_core::include_policy;
    use policy_core::update::verify;

    const BLOB: &[u8] = include_policy!("../../core/tests/golden/v1-int8.bin");

    #[test]
    fn a_pair_signs_and_verifies() {
        let pair = generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.key");
        std::fs::write(&file, &pair.private).unwrap();
        let key = private_key(&file).unwrap();
        let public = VerifyingKey::from_public_key_pem(&pair.public).unwrap();
        assert_eq!(key.verifying_key(), public);
        assert_ne!(generate().unwrap().private, pair.private);

        let manifest = Manifest::new(BLOB, 4).unwrap();
        let signed = Signed::from_bytes(sign(&manifest, BLOB, &key)).unwrap();
        assert_eq!((signed.manifest, signed.policy()), (manifest, BLOB));
        let signature = signed.signature().try_into().unwrap();
        assert!(verify(&public.to_bytes(), signed.manifest_bytes(), signature).is_ok());
    }

    #[test]
    fn what_is_not_signed_is_refused_with_a_reason() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let good = sign(&Manifest::new(BLOB, 4).unwrap(), BLOB, &key);
        let mut altered = good.clone();
        altered[HEAD + 40] ^= 1;
        for (bytes, sentence) in [
            (good[..100].to_vec(), "it has 100 bytes, fewer than 128"),
            (BLOB.to_vec(), "it does not begin with a manifest"),
            (good[..good.len() - 1].to_vec(), "its policy has "),
            (altered, "its policy is not the one of its manifest"),
        ] {
            let error = Signed::from_bytes(bytes).unwrap_err().to_string();
            assert!(error.starts_with(sentence) && error.ends_with("a signed policy"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("no.key");
        assert!(private_key(&file).unwrap_err().to_string().contains("trainer keygen"));
        std::fs::write(&file, "-----BEGIN PUBLIC KEY-----\n").unwrap();
        assert!(private_key(&file).unwrap_err().to_string().contains("is no private Ed25519 key"));
    }
}
