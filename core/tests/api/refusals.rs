//! Every error about a blob, provoked, with the exact sentence that a person reads.

mod numbers;

use policy_core::{Activation, Head, Policy};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, Fixed, Network, Sample, layer},
};

/// The sentence with which a policy with room for 4 refuses the bytes.
fn sentence(bytes: &[u8]) -> String {
    AnyPolicy::<4>::read(bytes).expect_err("a wrong blob").to_string()
}

/// The sentence about `spring` with other bytes and a fitting checksum.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> String {
    sentence(blobs::spring().blob().changed(change).bytes())
}

/// The same with a fitting length field.
fn resized(change: impl FnOnce(&mut Vec<u8>)) -> String {
    sentence(blobs::spring().blob().resized(change).bytes())
}

/// The sentence about one layer with as many outputs as the head needs.
fn head_only(head: Head) -> String {
    let z = vec![0.0; head.inputs().0];
    sentence(blobs::giving(head, &z).blob().bytes())
}

#[test]
fn bytes_that_lie_wrong() {
    let blob = blobs::spring().blob();
    let mut shifted = vec![0];
    shifted.extend(blob.bytes());
    let shifted = Aligned::new(&shifted);
    assert_eq!(
        sentence(&shifted.bytes()[1..]),
        "the blob starts 1 bytes past a 4-byte boundary: align it to 4 bytes"
    );
    assert_eq!(
        sentence(&[]),
        "the blob has 0 bytes, fewer than the 32 of its fixed part: the file is truncated"
    );
}

#[test]
fn wrong_fixed_parts() {
    assert_eq!(
        changed(|bytes| bytes[3] = b'X'),
        "the blob starts with [50, 4c, 43, 58] instead of \"PLCY\": this is not a policy file"
    );
    // Drafts: the first, then those from 32 769 on.
    for (version, found) in [([0, 0], 0), ([1, 0x80], 32_769), ([2, 0], 2)] {
        assert_eq!(
            changed(|bytes| bytes[4..6].copy_from_slice(&version)),
            format!(
                "the blob has format version {found}, this reader knows version 1: export it again or update the reader"
            )
        );
    }
    assert_eq!(
        changed(|bytes| bytes.push(0)),
        "the blob says it has 222 bytes, but 223 were given: it is truncated or something follows it"
    );
    let blob = blobs::spring().blob();
    let mut bytes = blob.bytes().to_vec();
    bytes[12] = 0x55;
    assert_eq!(
        sentence(Aligned::new(&bytes).bytes()),
        "the blob's checksum is 8ca50045, but 8ca50055 is stored in it: its bytes were altered"
    );
    assert_eq!(
        changed(|bytes| bytes[26..28].copy_from_slice(&[191, 0])),
        "the contract needs 191 bytes, but only 190 are left in the blob"
    );
    assert_eq!(
        changed(|bytes| bytes[26] -= 1),
        "between fixed part and contract lie 97 bytes, which is no multiple of 4"
    );
}

#[test]
fn numbers_without_meaning() {
    for (at, value, part) in [
        (6, 3, "weights"),
        (28, 2, "normalisation"),
        (29, 1, "reserved bytes"),
        (30, 2, "reserved bytes"),
        (31, 0xff, "reserved bytes"),
        (18, 9, "action"),
        (18, 0xff, "action"),
        (19, 9, "list of layers"),
        (34, 3, "activation of a layer"),
        (39, 4, "activation of a layer"),
        (7, 6, "head"),
        (7, 0xff, "head"),
    ] {
        assert_eq!(
            changed(|bytes| bytes[at] = value),
            format!(
                "the number {value} for the {part} has no meaning in this version of the format"
            )
        );
    }
    // A grid has one action entry.
    let mut two = blobs::giving(blobs::heads()[2].clone(), &[0.0; 2]).blob();
    two = two.changed(|bytes| bytes[7] = 5);
    assert_eq!(
        sentence(two.bytes()),
        "the number 2 for the action has no meaning in this version of the format"
    );
    // Integers need a normalisation.
    for sample in [blobs::cart_16(), blobs::cart()] {
        assert_eq!(
            sentence(Sample { normalisation: None, ..sample }.blob().bytes()),
            "the number 0 for the normalisation has no meaning in this version of the format"
        );
    }
}

#[test]
fn other_weights() {
    let [float, wide, narrow] = blobs::of_each_kind().map(|sample| sample.blob());
    let sentence = |found, needed| {
        format!("the blob has {found} weights, but this Policy is built for {needed}")
    };
    for (found, blob) in [("f32", &float), ("int16", &wide), ("int8", &narrow)] {
        let bytes = blob.bytes();
        for (needed, error) in [
            ("f32", Policy::<'_, f32>::from_bytes(bytes).err()),
            ("int16", Policy::<'_, i16>::from_bytes(bytes).err()),
            ("int8", Policy::<'_, i8>::from_bytes(bytes).err()),
        ] {
            let expected = (found != needed).then(|| sentence(found, needed));
            assert_eq!(error.map(|error| error.to_string()), expected);
        }
    }
}

#[test]
fn sizes_of_zero() {
    for (at, part) in
        [(16, "observation"), (18, "action"), (19, "list of layers"), (32, "output of a layer")]
    {
        assert_eq!(
            changed(|bytes| bytes[at] = 0),
            format!("the {part} has size 0, at least 1 is needed")
        );
    }
}

#[test]
fn sizes_that_do_not_agree() {
    for (head, needed) in [(0, 2), (1, 2), (2, 2), (3, 2), (4, 2)] {
        for found in [1, 3, 5] {
            let head = blobs::heads()[head].clone();
            let blob = blobs::giving(head, &vec![0.0; needed]).blob();
            let blob = blob.changed(|bytes| bytes[32] = found);
            assert_eq!(
                sentence(blob.bytes()),
                format!("the head needs {needed} outputs of the last layer, which has {found}")
            );
        }
    }
    assert_eq!(
        head_only(Head::Grid { low: -1.0, high: 1.0, points: 1 }),
        "the grid of actions has 1 points, at least 2 are needed"
    );
    assert_eq!(
        changed(|bytes| bytes[38] = 1),
        "the last layer has an activation: it must be linear, as the head follows it"
    );
}

#[test]
fn parts_past_the_end() {
    let left = |part, needed: usize, found| {
        format!("the {part} needs {needed} words of 4 bytes, but only {found} are left in the blob")
    };
    // `spring` up to a word, all of it and no contract.
    let cut = |words: usize, change: &dyn Fn(&mut Vec<u8>)| {
        resized(|bytes| {
            bytes.truncate(32 + 4 * words);
            bytes[26..28].fill(0);
            change(bytes);
        })
    };
    let plain = &|_: &mut Vec<u8>| ();
    assert_eq!(cut(1, plain), left("list of layers", 2, 1));
    assert_eq!(cut(2, plain), left("head", 1, 0));
    assert_eq!(cut(3, plain), left("head", 1, 0));
    assert_eq!(cut(5, plain), left("head", 2, 1));
    assert_eq!(cut(11, &|bytes| bytes[28] = 1), left("normalisation", 6, 5));
    assert_eq!(cut(13, plain), left("weights", 8, 7));
    assert_eq!(cut(19, plain), left("weights", 6, 5));
    assert_eq!(cut(23, plain), left("list of examples", 4, 3));
    assert_eq!(
        cut(24, &|bytes| bytes[24] = 0),
        "16 bytes follow the last example and belong to nothing"
    );
    assert_eq!(cut(24, &|bytes| bytes[24..26].fill(0xff)), left("list of examples", 4 * 65_535, 4));
}

#[test]
fn shapes_beyond_any_memory() {
    // 8 layers of 65 535 outputs need more bytes than 32 bits can count.
    for (kind, needed) in
        [(0, 65_536 * 65_535_u64), (1, 131_072 + 65_536 * 32_768), (2, 131_072 + 32_768 * 32_768)]
    {
        let mut blob = blobs::spring();
        blob.layers = vec![layer(2, Activation::Linear)];
        blob.network = Network::F32(vec![0.0; 8]);
        blob.normalisation = Some((vec![0.0; 3], vec![1.0; 3]));
        blob.examples.clear();
        let blob = blob.blob().resized(|bytes| {
            (bytes[6], bytes[19]) = (kind, 8);
            bytes[16..18].fill(0xff);
            let layers = [0xff, 0xff, 2, 0].repeat(7);
            bytes.splice(32..32, layers);
            let normalisation = [0.0_f32; 65_535].into_iter().chain([1.0; 65_535]);
            let normalisation: Vec<u8> = normalisation.flat_map(f32::to_le_bytes).collect();
            let start = 32 + 4 * 8 + 16;
            bytes.splice(start..start + 24, normalisation);
        });
        let expected =
            format!("the weights needs {needed} words of 4 bytes, but only 8 are left in the blob");
        let error = AnyPolicy::<65_536>::read(blob.bytes()).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
}

#[test]
fn layers_that_are_too_wide() {
    let wide = |sample: Sample, outputs| blobs::widened(sample, outputs).blob();
    let too_wide = |found| {
        format!(
            "the policy keeps up to {found} numbers between two layers, but this Policy is built for at most 4: use a WIDTH of {found}"
        )
    };
    let [float, cart_16, cart] = blobs::of_each_kind();
    for (sample, outputs, width) in [
        (&float, 5, 5),
        (&float, 300, 300),
        // A padding row has to have its place.
        (&cart, 5, 6),
        (&cart_16, 6, 6),
    ] {
        assert_eq!(sentence(wide(sample.clone(), outputs).bytes()), too_wide(width));
    }
    for sample in [float, cart_16, cart] {
        assert!(AnyPolicy::<4>::read(wide(sample, 4).bytes()).is_ok());
    }
    // An odd WIDTH has no room for a pair that an even one below it has not.
    let blob = blobs::cart().blob();
    assert!(Policy::<'_, i8, 3>::from_bytes(blob.bytes()).is_err());
    assert!(Policy::<'_, i8, 5>::from_bytes(blob.bytes()).unwrap().self_test().is_ok());
    // A normalised observation is kept, too.
    let mut long = blobs::spring();
    long.normalisation = Some((vec![0.0; 3], vec![1.0; 3]));
    assert!(Policy::<'_, f32, 2>::from_bytes(long.blob().bytes()).is_err());
}

#[test]
fn weights_that_are_not_finite() {
    // Rows 0 and 1 are panels of their own.
    for (at, layer, index) in [(0, 0, 0), (7, 0, 7), (8, 1, 0), (9, 1, 3), (13, 1, 5)] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut sample = blobs::spring();
            sample.floats()[at] = value;
            assert_eq!(
                sentence(sample.blob().bytes()),
                format!("parameter {index} of layer {layer} is not finite")
            );
        }
    }
}

/// `cart` in both widths with another bias or scale.
fn with_row(change: impl Fn(&mut Fixed)) -> [Aligned; 2] {
    [blobs::cart_16(), blobs::cart()].map(|mut sample| {
        change(&mut sample.fixed()[0]);
        sample.blob()
    })
}

#[test]
fn sums_of_integers_that_may_overflow() {
    for (row, magnitudes) in [(0, 64 + 32 + 16), (1, 128 + 127), (2, 1 + 2 + 3)] {
        let room = i32::MAX - 32_767 * magnitudes;
        for sign in [1, -1] {
            for blob in with_row(|layer| layer.bias[row] = sign * room) {
                assert!(AnyPolicy::<4>::read(blob.bytes()).is_ok(), "{row}");
            }
            for blob in with_row(|layer| layer.bias[row] = sign * (room + 1)) {
                assert_eq!(
                    sentence(blob.bytes()),
                    format!(
                        "the sum of row {row} of layer 0 may leave 32 bits: its weights or its bias are too large"
                    )
                );
            }
        }
    }
    // The padding row is held to the same.
    let blob = blobs::cart().blob().changed(|bytes| bytes[87] = 0x80);
    assert!(sentence(blob.bytes()).starts_with("the sum of row 3 of layer 0"));
}

#[test]
fn scales_of_integers_that_are_none() {
    let out_of_range =
        |row, layer| format!("the scale of row {row} of layer {layer} is out of its range");
    for (scale, is_usable) in
        [(31 | 0x7fff_0000, true), (32, false), (0x0001_8000, false), (0x8000_0000, false)]
    {
        for blob in with_row(|layer| layer.scale[2] = scale) {
            let error = AnyPolicy::<4>::read(blob.bytes()).err().map(|error| error.to_string());
            assert_eq!(error, (!is_usable).then(|| out_of_range(2, 0)), "{scale:08x}");
        }
    }
    for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for mut sample in [blobs::cart_16(), blobs::cart()] {
            sample.fixed()[1].scale[0] = scale.to_bits();
            assert_eq!(sentence(sample.blob().bytes()), out_of_range(0, 1));
        }
    }
    // Those of padding, too.
    let blob = blobs::cart().blob().changed(|bytes| bytes[100] = 32);
    assert_eq!(sentence(blob.bytes()), out_of_range(3, 0));
}
