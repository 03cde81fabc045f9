//! Manifests and signatures.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use policy_core::{
    include_policy,
    link::UpdateRefusal,
    update::{Manifest, Needs, digest, fits, verify},
};
use proptest::prelude::*;

const BLOB: &[u8] = include_policy!("../golden/v1-f32.bin");

fn hex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// RFC 8032, 7.1, tests 1 to 3.
#[test]
fn the_standard_s_signatures_are_valid() {
    for (key, message, signature) in [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let (key, message, signature) = (hex(key), hex(message), hex(signature));
        let (key, signature) = (key.try_into().unwrap(), signature.try_into().unwrap());
        assert!(verify(&key, &message, &signature).is_ok());
        assert!(verify(&key, b"another", &signature).is_err());
    }
}

/// Points of small order, in all their encodings that decompress (Chalkias, Garillot and Nikolaenko, "Taming the many
/// EdDSAs", 2020, table 6): with such a key one signature would be valid for many messages.
const SMALL: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

fn library(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

#[test]
fn points_of_small_order_are_refused_as_the_library_refuses_them() {
    let good = SigningKey::from_bytes(&[3; 32]);
    for small in SMALL.map(|text| <[u8; 32]>::try_from(hex(text)).unwrap()) {
        for other in SMALL.map(hex) {
            let signature: [u8; 64] = [other, vec![0; 32]].concat().try_into().unwrap();
            assert!(verify(&small, b"message", &signature).is_err());
            assert!(!library(&small, b"message", &signature));
        }
        let mut signature = good.sign(b"message").to_bytes();
        signature[..32].copy_from_slice(&small);
        assert!(verify(&good.verifying_key().to_bytes(), b"message", &signature).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// The whole answer, valid or not, is that of `ed25519-dalek`.
    #[test]
    fn a_signature_is_judged_as_the_library_judges_it(
        seed: [u8; 32],
        message in proptest::collection::vec(any::<u8>(), 0..200),
        hit in proptest::option::of((0_usize..96, 0_u8..8)),
        adds_order: bool,
    ) {
        let signer = SigningKey::from_bytes(&seed);
        let mut key = signer.verifying_key().to_bytes();
        let mut signature = signer.sign(&message).to_bytes();
        if let Some((at, bit)) = hit {
            let mut bytes = key.iter_mut().chain(&mut signature);
            *bytes.nth(at).unwrap() ^= 1 << bit;
        }
        if adds_order {
            // S + L is S to whoever does not look.
            let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
            let mut carry = 0;
            for (byte, add) in signature[32..].iter_mut().zip(order) {
                let sum = u16::from(*byte) + u16::from(add) + carry;
                (*byte, carry) = (sum as u8, sum >> 8);
            }
        }
        let found = verify(&key, &message, &signature).is_ok();
        prop_assert_eq!(found, library(&key, &message, &signature));
        prop_assert_eq!(found, hit.is_none() && !adds_order);
    }

    /// Whatever the bytes are: a manifest that is written as it was read, or none.
    #[test]
    fn a_manifest_comes_back(mut bytes in proptest::array::uniform32(any::<u8>()), known: bool) {
        if known {
            bytes[..6].copy_from_slice(b"PLUP\x01\0");
        }
        let whole = [bytes, bytes.map(|byte| !byte)].concat();
        match Manifest::from_bytes(&whole) {
            Ok(manifest) => prop_assert!(manifest.to_bytes().as_slice() == whole),
            Err(_) => prop_assert!(!known),
        }
        prop_assert!(Manifest::from_bytes(&whole[1..]).is_err());
    }
}

#[test]
fn a_manifest_fits_a_board_or_the_first_reason_is_told() {
    let manifest = Manifest::new(BLOB, 1).unwrap();
    let needs = Needs {
        plant_fingerprint: manifest.plant_fingerprint,
        control_period: manifest.control_period,
        observation_size: manifest.observation_size,
        action_size: manifest.action_size,
        weights: 0,
        width: 16,
    };
    assert_eq!((manifest.weights, manifest.width, needs.judge(&manifest)), (0, 16, Ok(())));
    // A board has more room than a policy needs, but no other kernels.
    assert_eq!(Needs { width: 64, ..needs }.judge(&manifest), Ok(()));
    let weights = |needed, width| Err(UpdateRefusal::Weights { needed, width, found: 0 });
    assert_eq!(Needs { weights: 2, ..needs }.judge(&manifest), weights(2, 16));
    // Of two reasons the one that firmware built around this policy does away with as well.
    assert_eq!(Needs { weights: 1, width: 8, ..needs }.judge(&manifest), weights(1, 8));
    let wide = Err(UpdateRefusal::TooWide { limit: 15, weights: 0, found: 16 });
    assert_eq!(Needs { width: 15, ..needs }.judge(&manifest), wide);
    let plant = Needs { plant_fingerprint: !needs.plant_fingerprint, weights: 2, ..needs };
    assert!(matches!(plant.judge(&manifest), Err(UpdateRefusal::Plant { .. })));
    let longer = Needs { observation_size: 4, ..needs };
    assert!(matches!(longer.judge(&manifest), Err(UpdateRefusal::Shape { observation: 4, .. })));
    let slower = Needs { control_period: 0.1, ..needs };
    assert!(matches!(slower.judge(&manifest), Err(UpdateRefusal::Period { .. })));
    assert_eq!(fits(10, 10), Ok(()));
    assert_eq!(fits(11, 10), Err(UpdateRefusal::TooLarge { capacity: 10, found: 11 }));
}

/// Each field stands where the module's diagram has it.
#[test]
fn the_bytes_of_a_manifest_are_pinned() {
    let manifest = Manifest::new(BLOB, 0x0102_0304).unwrap();
    let bytes = manifest.to_bytes();
    assert_eq!(bytes[..12], [b'P', b'L', b'U', b'P', 1, 0, 3, 0, 1, 0, 16, 0]);
    assert_eq!(bytes[12..16], [4, 3, 2, 1]);
    assert_eq!(bytes[16..20], (BLOB.len() as u32).to_le_bytes());
    assert_eq!(bytes[20..24], manifest.plant_fingerprint.to_le_bytes());
    assert_eq!(bytes[24..28], 0.05_f32.to_le_bytes());
    assert_eq!(bytes[28..32], BLOB[12..16]);
    assert_eq!(bytes[32..], digest(BLOB));
    assert!(manifest.describes(BLOB));
    assert!(!Manifest { weights: 1, ..manifest }.describes(BLOB));
    assert!(!Manifest { width: 17, ..manifest }.describes(BLOB));
    // FIPS 180-4's example, from NIST's list of them.
    let abc = hex("53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
    assert_eq!(digest(b"abc").as_slice(), abc);
}
