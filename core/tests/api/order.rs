//! Of several faults the first is reported, in the order of `FORMAT.md`.

use policy_core::{BlobError, Policy, format};

use crate::blobs::{self, Aligned};

/// A fault, with the number of the check in the document that finds it.
type Fault = (u32, &'static str, fn(&mut [u8]));

/// In `cart`, read by a `Policy<i8, 4>`. All of them can be in one blob; only where two change the same byte must the
/// earlier one be made last.
const FAULTS: [Fault; 27] = [
    (3, "magic", |bytes| bytes[0] = 0),
    (4, "version", |bytes| bytes[4] = 2),
    (5, "length", |bytes| bytes[8] = 1),
    (7, "long contract", |bytes| bytes[27] = 0xff),
    (8, "no words", |bytes| bytes[26] = 0x5f),
    (9, "weights", |bytes| bytes[6] = 3),
    (10, "normalisation", |bytes| bytes[28] = 0),
    (11, "reserved", |bytes| bytes[30] = 1),
    (12, "no observation", |bytes| bytes[16] = 0),
    (12, "no action", |bytes| bytes[18] = 0),
    (12, "no layers", |bytes| bytes[19] = 0),
    (13, "period", |bytes| bytes[20..24].fill(0)),
    (14, "many actions", |bytes| bytes[18] = 9),
    (14, "many layers", |bytes| bytes[19] = 9),
    (15, "no output", |bytes| bytes[32] = 0),
    (15, "activation", |bytes| bytes[34] = 3),
    (15, "no output of the next layer", |bytes| bytes[36] = 0),
    (16, "last activation", |bytes| bytes[38] = 1),
    (17, "head", |bytes| bytes[7] = 6),
    (18, "outputs of the head", |bytes| bytes[36] = 2),
    (19, "scale", |bytes| bytes[40..44].fill(0xff)),
    (19, "shift", |bytes| bytes[48..52].fill(0xff)),
    (20, "other weights", |bytes| bytes[6] = 1),
    (21, "width", |bytes| bytes[32] = 5),
    (22, "bias", |bytes| bytes[72..76].copy_from_slice(&[0, 0, 0, 0x80])),
    (22, "row scale", |bytes| bytes[88] = 32),
    (23, "examples", |bytes| bytes[24] = 2),
];

/// The error of `cart` with these faults, the last one made first, and its sentence without numbers that other faults
/// may change.
fn sentence(faults: &[&Fault]) -> (BlobError, String) {
    let blob = blobs::cart().blob().changed(|bytes| {
        faults.iter().rev().for_each(|(_, _, make)| make(bytes));
    });
    let policy: Result<Policy<'_, i8, 4>, _> = Policy::from_bytes(blob.bytes());
    let error = policy.map(|_| ()).expect_err("a fault");
    let sentence = error.to_string();
    (error, sentence.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).collect())
}

#[test]
fn the_first_fault_is_reported() {
    assert!(FAULTS.is_sorted_by_key(|fault| fault.0));
    let alone: Vec<_> = FAULTS.iter().map(|fault| sentence(&[fault]).1).collect();
    for (i, first) in FAULTS.iter().enumerate() {
        for second in &FAULTS[i + 1..] {
            let (error, both) = sentence(&[first, second]);
            let (name, other) = (first.1, second.1);
            assert_eq!(both, alone[i], "{name} before {other}: {error}");
        }
    }
    // And they are different faults, so that the order of two means something.
    let mut kinds = alone.clone();
    kinds.sort();
    kinds.dedup();
    assert!(kinds.len() > 20, "{kinds:#?}");
}

#[test]
fn the_checksum_comes_after_the_length_and_before_what_it_covers() {
    let damaged = |change: fn(&mut [u8])| {
        let mut bytes = blobs::cart().blob().bytes().to_vec();
        change(&mut bytes);
        let blob = Aligned::new(&bytes);
        Policy::<'_, i8, 4>::from_bytes(blob.bytes()).map(|_| ()).unwrap_err()
    };
    for (number, name, make) in FAULTS {
        let is_checksum = matches!(damaged(make), BlobError::Checksum { .. });
        assert_eq!(is_checksum, number > 6, "{name}");
    }
}

#[test]
fn too_few_bytes_and_a_wrong_place_come_first() {
    let blob = blobs::cart().blob().changed(|bytes| bytes[0] = 0);
    let mut shifted = vec![0; 2];
    shifted.extend(blob.bytes());
    let shifted = Aligned::new(&shifted);
    let error = |bytes| Policy::<'_, i8, 4>::from_bytes(bytes).map(|_| ()).unwrap_err();
    assert_eq!(error(&shifted.bytes()[2..]), BlobError::Misaligned { offset: 2 });
    let needed = format::PREFIX;
    assert_eq!(error(&shifted.bytes()[2..33]), BlobError::TooShort { needed, found: 31 });
}
