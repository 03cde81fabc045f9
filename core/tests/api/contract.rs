//! The contract, and the examples that a policy comes with.

use policy_core::{BlobError, Policy, SelfTestError};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, Entry, Sample},
};

/// Of `spring`, whose contract has other bytes at its end, and a length that fits them.
fn contract(change: impl FnOnce(&mut Vec<u8>)) -> Option<BlobError> {
    let blob = blobs::spring().blob().resized(|bytes| {
        let mut contract = bytes.split_off(128);
        change(&mut contract);
        let length = (contract.len() as u16).to_le_bytes();
        bytes.extend(contract);
        bytes[26..28].copy_from_slice(&length);
    });
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    // The policy acts whatever its contract says.
    assert_eq!(policy.self_test(), Ok(1));
    policy.contract().err()
}

#[test]
fn texts_are_borrowed_from_the_blob() {
    let blob = blobs::spring().blob();
    // It outlives the policy that it was asked of.
    let contract = {
        let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
        policy.contract().unwrap()
    };
    let entries = contract.observation().chain(contract.action());
    let texts = entries.flat_map(|entry| [entry.name, entry.unit]);
    let flash = blob.bytes().as_ptr_range();
    for text in texts.chain([contract.plant(), contract.trainer()]) {
        assert!(text.is_empty() || flash.contains(&text.as_ptr()), "{text}");
    }
}

#[test]
fn it_says_what_was_written() {
    let sample = blobs::spring();
    let blob = sample.blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    let contract = policy.contract().unwrap();
    assert_eq!(contract.algorithm(), sample.algorithm);
    assert_eq!((contract.plant(), contract.trainer()), ("spring", "trainer 0.1.0"));
    assert_eq!(contract.plant_fingerprint(), 0x0123_4567);
    assert!(contract.observation().eq(sample.observation.iter().map(Entry::channel)));
    assert!(contract.action().eq(sample.action.iter().map(Entry::channel)));
    assert!(contract.observation().any(|entry| entry.high == f32::INFINITY));
}

#[test]
fn every_contract_cut_short_is_refused() {
    assert_eq!(contract(|_| ()), None);
    for length in 0..94 {
        assert_eq!(contract(|bytes| bytes.truncate(length)), Some(BlobError::Contract), "{length}");
    }
}

#[test]
fn bytes_after_the_last_entry_are_refused() {
    for extra in [1, 2, 100] {
        let longer = contract(|bytes| bytes.resize(94 + extra, 0));
        assert_eq!(longer, Some(BlobError::ContractTail { extra }));
    }
    assert_eq!(
        BlobError::ContractTail { extra: 3 }.to_string(),
        "the contract has 3 bytes more than its fields need"
    );
}

#[test]
fn what_has_no_meaning_is_refused() {
    let sentence = "the contract cannot be decoded: it is cut short, has text that is not UTF-8 or a range out of order, or names an \
                    algorithm that this reader does not know";
    assert_eq!(BlobError::Contract.to_string(), sentence);
    for (at, value, what) in [
        (0, 7, "algorithm"),
        (2, 0xff, "plant that is not UTF-8"),
        (27, 0xff, "name that is not UTF-8"),
        (36, 0xff, "unit that is not UTF-8 or too long"),
    ] {
        assert_eq!(contract(|bytes| bytes[at] = value), Some(BlobError::Contract), "{what}");
    }
    // A fingerprint of more than 32 bits.
    let wide = contract(|bytes| drop(bytes.splice(8..12, [0xff, 0xff, 0xff, 0xff, 0x1f])));
    assert_eq!(wide, Some(BlobError::Contract));
}

#[test]
fn ranges_that_are_none_are_refused() {
    for (low, high) in [
        (1.0, -1.0),
        (f32::NAN, 1.0),
        (-1.0, f32::NAN),
        (f32::NAN, f32::NAN),
        (f32::INFINITY, f32::NEG_INFINITY),
    ] {
        for is_action in [false, true] {
            let mut sample = blobs::spring();
            let entries = if is_action { &mut sample.action } else { &mut sample.observation };
            *entries.last_mut().unwrap() = Entry::new("x", "m", low, high);
            let blob = sample.blob();
            let error = AnyPolicy::<16>::read(blob.bytes()).unwrap().contract().err();
            assert_eq!(error, Some(BlobError::Contract), "{low} to {high}");
        }
    }
    let mut sample = blobs::spring();
    sample.action[0] = Entry::new("x", "m", 1.0, 1.0);
    assert!(AnyPolicy::<16>::read(sample.blob().bytes()).unwrap().contract().is_ok());
}

#[test]
fn examples_are_a_test_of_the_machine() {
    for sample in blobs::of_each_kind() {
        let sample = sample.with_examples(&[
            &[0.5, -0.5, 1.0],
            &[f32::NAN, 0.0, 0.0],
            &[-1.0, 0.75, 0.125],
            &[0.0; 3],
        ]);
        let blob = sample.blob();
        assert_eq!(AnyPolicy::<16>::read(blob.bytes()).unwrap().self_test(), Ok(4));
    }
    let mut none = blobs::spring();
    none.examples.clear();
    assert_eq!(AnyPolicy::<16>::read(none.blob().bytes()).unwrap().self_test(), Ok(0));
}

/// The first of 3 examples that does not fit after a change of the blob's bytes.
fn failing(sample: &Sample, change: impl FnOnce(&mut Vec<u8>)) -> Option<usize> {
    let blob: Aligned = sample.blob().changed(change);
    let outcome = AnyPolicy::<16>::read(blob.bytes()).unwrap().self_test();
    outcome.err().map(|SelfTestError { example }| example)
}

#[test]
fn another_weight_fails_where_it_matters() {
    // The second and the third entry of the observation are 0 up to the example that needs them.
    let observations: [&[f32]; 3] = [&[0.5, 0.0, 0.0], &[0.25, 0.0, 0.0], &[0.5, 0.0, 2.0]];
    let spring = blobs::spring().with_examples(&observations);
    assert_eq!(failing(&spring, |_| ()), None);
    // Bias of row 0, then its weight of entry 0: a bit of the fraction.
    assert_eq!(failing(&spring, |bytes| bytes[58] ^= 0x20), Some(0));
    // Row 0 has W = 1, −2, 0.25: flip 0.25 in bits that leave it finite.
    assert_eq!(failing(&spring, |bytes| bytes[70] ^= 0x40), Some(2));
    for sample in [blobs::cart_16(), blobs::cart()] {
        let sample = sample.with_examples(&[&[0.5, 0.5, 0.0], &[0.25, 0.5, 0.0], &[0.5, 0.5, 2.0]]);
        // After biases and scales of rows 0 and 1, columns 2 and 3 of row 0; shift and scale make 0 of 0.5 for entry 1.
        let columns = if sample.kind() == policy_core::WeightKind::Int8 { 100 } else { 104 };
        assert_eq!(failing(&sample, |bytes| bytes[columns] ^= 4), Some(2));
        // The bias of row 0.
        assert_eq!(failing(&sample, |bytes| bytes[82] ^= 4), Some(0));
    }
    // An example's own action word.
    let word = 112 + 2 * 16 + 12;
    assert_eq!(failing(&spring, |bytes| bytes[word] ^= 1), Some(2));
    assert_eq!(
        SelfTestError { example: 2 }.to_string(),
        "example 2 of the policy gives another action here than where it was exported"
    );
}
