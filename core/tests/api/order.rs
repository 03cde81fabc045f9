//! Of several faults the first is reported, in the order of `FORMAT.md`.

use policy_core::{BlobError, Policy, WeightKind, error::Part, format};

use crate::blobs::{self, Aligned};

/// A fault, with the number of the check in the document that finds it.
type Fault = (u32, &'static str, fn(&mut [u8]));

/// In `cart`, read by a `Policy<i8, 4>`. All of them can be in one blob; only where two change the same byte must the
/// earlier one be made last.
const FAULTS: [Fault; 26] = [
    (3, "magic", |bytes| bytes[0] = 0),
    (4, "version", |bytes| bytes[4] = 2),
    (5, "length", |bytes| bytes[8] = 1),
    (7, "long contract", |bytes| bytes[27] = 0xff),
    (7, "no words", |bytes| bytes[26] = 0x5f),
    (8, "layers past the end", |bytes| bytes[19] = 0xff),
    (9, "period", |bytes| bytes[20..24].fill(0)),
    (10, "no output", |bytes| bytes[32] = 0),
    (10, "activation", |bytes| bytes[34] = 3),
    (10, "no output of the next layer", |bytes| bytes[36] = 0),
    (10, "last activation", |bytes| bytes[38] = 1),
    (10, "no layers", |bytes| bytes[19] = 0),
    (10, "many layers", |bytes| bytes[19] = 9),
    (11, "no observation", |bytes| bytes[16] = 0),
    (11, "no action", |bytes| bytes[18] = 0),
    (11, "many actions", |bytes| bytes[18] = 9),
    (13, "scale", |bytes| bytes[40..44].fill(0xff)),
    (13, "head", |bytes| bytes[7] = 6),
    (14, "flags", |bytes| bytes[30] = 1),
    (15, "shift", |bytes| bytes[56..60].fill(0xff)),
    (16, "weights", |bytes| bytes[6] = 3),
    (17, "other weights", |bytes| bytes[6] = 1),
    (19, "width", |bytes| bytes[32] = 5),
    (21, "bias", |bytes| bytes[80..84].copy_from_slice(&[0, 0, 0, 0x80])),
    (21, "row scale", |bytes| bytes[88] = 32),
    (22, "examples", |bytes| bytes[24] = 2),
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
    assert_eq!(kinds.len(), 13, "{kinds:#?}");
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
fn parts_of_one_kind_of_fault_are_reached_in_order() {
    // Integers have no normalisation, and their width and their other weights are wrong, too.
    let fault = |kind: u8, normalised: u8| {
        let blob = blobs::cart().blob().changed(|bytes| {
            (bytes[6], bytes[28], bytes[32]) = (kind, normalised, 5);
        });
        Policy::<'_, i8, 4>::from_bytes(blob.bytes()).map(|_| ()).unwrap_err()
    };
    let (needed, found) = (WeightKind::Int8, WeightKind::Int16);
    assert_eq!(fault(1, 0), BlobError::OtherWeights { needed, found });
    assert_eq!(fault(2, 0), BlobError::Invalid { part: Part::Normalisation });
    assert_eq!(fault(2, 1), BlobError::TooWide { found: 6, limit: 4 });
}

#[test]
fn a_wrong_place_and_too_few_bytes_come_first() {
    let blob = blobs::cart().blob().changed(|bytes| bytes[0] = 0);
    let mut shifted = vec![0; 2];
    shifted.extend(blob.bytes());
    let shifted = Aligned::new(&shifted);
    let error = |bytes| Policy::<'_, i8, 4>::from_bytes(bytes).map(|_| ()).unwrap_err();
    assert_eq!(error(&shifted.bytes()[2..]), BlobError::Misaligned { offset: 2 });
    let needed = format::PREFIX;
    assert_eq!(error(&shifted.bytes()[2..33]), BlobError::Misaligned { offset: 2 });
    assert_eq!(error(&blob.bytes()[..31]), BlobError::TooShort { needed, found: 31 });
    assert_eq!(error(&blob.bytes()[..32]), BlobError::Magic { found: *b"\0LCY" });
}
