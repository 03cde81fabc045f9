//! Every error about a blob, provoked, with the exact sentence that a person reads.

mod numbers;

use policy_core::{Activation, Head, Policy, format};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, Fixed, Network, Sample, layer},
};

const CONTRACT: &str = "the contract of the blob is longer than the blob, or what lies before it is not made of 32-bit words: export it again";
const LAYERS: &str = "the layers of the blob are cut short, none, more than 8, of unknown activation or without outputs, or the last one is not linear: export it again";
const PERIOD: &str = "the control period of the blob is not finite and positive: export it again";
const SIZES: &str = "the numbers of observation and action entries of the blob are 0 or more than 8 actions: export it again";
const HEAD: &str = "the head of the blob is unknown, cut short, has a range or bounds that are no range, or needs other outputs than the last layer has: export it again";
const NORMALISATION: &str = "the normalisation of the blob is cut short or not finite, or with integer weights missing or without positive scales: export it again";
const WEIGHTS: &str = "the weights of the blob are of an unknown kind, or not as many as the layers need: export it again";

/// The sentence with which a policy with room for 16 refuses the bytes.
fn sentence(bytes: &[u8]) -> String {
    AnyPolicy::<16>::read(bytes).expect_err("a wrong blob").to_string()
}

/// The sentence about `spring` with other bytes and a fitting checksum.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> String {
    sentence(blobs::spring().blob().changed(change).bytes())
}

/// The same with a fitting length field.
fn resized(change: impl FnOnce(&mut Vec<u8>)) -> String {
    sentence(blobs::spring().blob().resized(change).bytes())
}

/// What becomes of one layer with as many outputs as the head needs: a sentence, or nothing to complain of.
fn head_only(head: Head) -> Option<String> {
    let z = vec![0.0; head.inputs().0];
    let blob = blobs::giving(head, &z).blob();
    AnyPolicy::<16>::read(blob.bytes()).err().map(|error| error.to_string())
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
    for length in [0, 1, 3, 4, 31] {
        assert_eq!(
            sentence(&blob.bytes()[..length]),
            format!(
                "the blob has {length} bytes, fewer than the 32 of its fixed part: the file is truncated"
            )
        );
    }
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
    let length = blobs::spring().blob().bytes().len();
    assert_eq!(
        changed(|bytes| bytes.push(0)),
        format!(
            "the blob says it has {length} bytes, but {} were given: it is truncated or something follows it",
            length + 1
        )
    );
    let blob = blobs::spring().blob();
    let mut bytes = blob.bytes().to_vec();
    bytes[12] ^= 0x10;
    let [stored, computed] = [&bytes, blob.bytes()]
        .map(|bytes| u32::from_le_bytes(bytes[12..16].try_into().expect("a word")));
    assert_eq!(
        sentence(Aligned::new(&bytes).bytes()),
        format!(
            "the blob's checksum is {computed:08x}, but {stored:08x} is stored in it: its bytes were altered"
        )
    );
}

#[test]
fn contracts_that_leave_no_words() {
    let length = blobs::spring().blob().bytes().len();
    // Longer than what follows the fixed part, and longer than the blob.
    for contract in [length - 31, length - 30, length, length + 1, 65_535] {
        let field = (contract as u16).to_le_bytes();
        assert_eq!(changed(|bytes| bytes[26..28].copy_from_slice(&field)), CONTRACT, "{contract}");
    }
    for fewer in 1..4 {
        assert_eq!(changed(|bytes| bytes[26] -= fewer), CONTRACT, "{fewer}");
    }
}

#[test]
fn numbers_without_meaning() {
    for (at, value, sentence) in [
        (6, 3, WEIGHTS),
        (6, 0xff, WEIGHTS),
        (7, 6, HEAD),
        (7, 0xff, HEAD),
        (16, 0, SIZES),
        (18, 0, SIZES),
        (18, 9, SIZES),
        (18, 0xff, SIZES),
        (19, 0, LAYERS),
        (19, 9, LAYERS),
        (19, 0xff, LAYERS),
        (28, 2, NORMALISATION),
        (29, 1, NORMALISATION),
        (30, 2, NORMALISATION),
        (31, 0xff, NORMALISATION),
        (32, 0, LAYERS),
        (34, 3, LAYERS),
        (35, 1, LAYERS),
        (36, 0, LAYERS),
        (39, 4, LAYERS),
    ] {
        assert_eq!(changed(|bytes| bytes[at] = value), sentence, "{value} at {at}");
    }
    // The head follows the last layer.
    for activation in [1, 2] {
        assert_eq!(changed(|bytes| bytes[38] = activation), LAYERS);
    }
    // A grid has one action entry.
    let two = blobs::giving(blobs::heads()[2].clone(), &[0.0; 2]).blob();
    assert_eq!(sentence(two.changed(|bytes| bytes[7] = 5).bytes()), HEAD);
    // Integers need a normalisation.
    for sample in [blobs::cart_16(), blobs::cart()] {
        assert_eq!(
            sentence(Sample { normalisation: None, ..sample }.blob().bytes()),
            NORMALISATION
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
fn heads_that_need_other_outputs() {
    for head in &blobs::heads()[..5] {
        let needed = head.inputs().0;
        let blob = blobs::giving(head.clone(), &vec![0.0; needed]).blob();
        assert!(AnyPolicy::<16>::read(blob.bytes()).is_ok());
        for found in [needed - 1, needed + 1, needed + 256] {
            let outputs = (found as u16).to_le_bytes();
            let blob = blob.changed(|bytes| bytes[32..34].copy_from_slice(&outputs));
            let expected = if found == 0 { LAYERS } else { HEAD };
            assert_eq!(sentence(blob.bytes()), expected, "{head:?} {found}");
        }
    }
}

#[test]
fn parts_past_the_end() {
    // `spring` up to a word, all of it and no contract.
    let cut = |words: usize, change: &dyn Fn(&mut Vec<u8>)| {
        resized(|bytes| {
            bytes.truncate(32 + 4 * words);
            bytes[26..28].fill(0);
            change(bytes);
        })
    };
    let plain = &|_: &mut Vec<u8>| ();
    for (words, sentence) in [
        (0, LAYERS),
        (1, LAYERS),
        (2, HEAD),
        (5, HEAD),
        (6, WEIGHTS),
        (13, WEIGHTS),
        (19, WEIGHTS),
        (20, WEIGHTS),
        (23, WEIGHTS),
    ] {
        assert_eq!(cut(words, plain), sentence, "{words}");
    }
    assert_eq!(cut(11, &|bytes| bytes[28] = 1), NORMALISATION);
    // Words that belong to nothing, and examples that are not there.
    assert_eq!(cut(24, &|bytes| bytes[24] = 0), WEIGHTS);
    assert_eq!(cut(24, &|bytes| bytes[24] = 2), WEIGHTS);
    assert_eq!(cut(24, &|bytes| bytes[24..26].fill(0xff)), WEIGHTS);
    assert_eq!(cut(24, &|bytes| bytes.extend([0; 4])), WEIGHTS);
}

#[test]
fn shapes_beyond_any_memory() {
    // 8 layers of 65 535 outputs need more bytes than 32 bits can count.
    for kind in 0..3 {
        let mut blob = blobs::spring();
        blob.layers = vec![layer(2, Activation::Linear)];
        blob.network = Network::F32(vec![0.0; 8]);
        blob.normalisation = Some((vec![0.0; 3], vec![1.0; 3]));
        blob.examples.clear();
        let blob = blob.blob().resized(|bytes| {
            (bytes[6], bytes[19]) = (kind, 8);
            bytes[16..18].fill(0xff);
            // As many examples as there can be.
            bytes[24..26].fill(0xff);
            let layers = [0xff, 0xff, 2, 0].repeat(7);
            bytes.splice(32..32, layers);
            let normalisation = [0.0_f32; 65_535].into_iter().chain([1.0; 65_535]);
            let normalisation: Vec<u8> = normalisation.flat_map(f32::to_le_bytes).collect();
            let start = 32 + 4 * 8 + 16;
            bytes.splice(start..start + 24, normalisation);
        });
        let error = AnyPolicy::<65_536>::read(blob.bytes()).unwrap_err().to_string();
        assert_eq!(error, WEIGHTS);
    }
}

#[test]
fn layers_that_are_too_wide() {
    let wide = |sample: Sample, outputs| blobs::widened(sample, outputs).blob();
    let too_wide = |found| {
        format!(
            "the policy keeps up to {found} numbers between two layers, but this Policy is built for at most 16: use a WIDTH of {found}"
        )
    };
    let [float, cart_16, cart] = blobs::of_each_kind();
    for (sample, outputs, width) in [
        (&float, 17, 17),
        (&float, 300, 300),
        // A padding row has to have its place.
        (&cart, 17, 18),
        (&cart_16, 18, 18),
    ] {
        let blob = wide(sample.clone(), outputs);
        assert_eq!(sentence(blob.bytes()), too_wide(width));
        assert_eq!(format::width(blob.bytes()), width);
    }
    // f32 need a panel of the last layer, too.
    let blob = float.blob();
    assert!(Policy::<'_, f32, 15>::from_bytes(blob.bytes()).is_err());
    assert!(Policy::<'_, f32, 16>::from_bytes(blob.bytes()).unwrap().self_test().is_ok());
    for sample in [&float, &cart_16, &cart] {
        assert!(AnyPolicy::<16>::read(wide(sample.clone(), 16).bytes()).is_ok());
    }
    // An odd WIDTH has no room for a pair that an even one below it has not.
    let blob = cart.blob();
    assert!(Policy::<'_, i8, 3>::from_bytes(blob.bytes()).is_err());
    assert!(Policy::<'_, i8, 5>::from_bytes(blob.bytes()).unwrap().self_test().is_ok());
    // A normalised observation is kept, too.
    let mut long = float;
    long.observation_size = 17;
    *long.floats() = vec![0.0; 2 * 18 + 6];
    long.normalisation = Some((vec![0.0; 17], vec![1.0; 17]));
    long.examples.clear();
    let mut long = long.with_entries();
    assert_eq!(sentence(long.blob().bytes()), too_wide(17));
    long.normalisation = None;
    assert!(AnyPolicy::<16>::read(long.blob().bytes()).is_ok());
}

/// What is said of weights that cannot be.
fn unusable(layer: usize) -> String {
    format!(
        "the weights of layer {layer} are not finite, too large for sums of 32 bits, or have no usable scale: export it again"
    )
}

#[test]
fn weights_that_are_not_finite() {
    for (at, layer) in [(0, 0), (1, 0), (7, 0), (8, 1), (9, 1), (13, 1)] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut sample = blobs::spring();
            sample.floats()[at] = value;
            assert_eq!(sentence(sample.blob().bytes()), unusable(layer));
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
                assert!(AnyPolicy::<16>::read(blob.bytes()).is_ok(), "{row}");
            }
            for blob in with_row(|layer| layer.bias[row] = sign * (room + 1)) {
                assert_eq!(sentence(blob.bytes()), unusable(0));
            }
        }
    }
    // The padding row is held to the same: the fourth bias of four, in two panels.
    let blob = blobs::cart().blob().changed(|bytes| bytes[PADDING_BIAS + 3] = 0x80);
    assert_eq!(sentence(blob.bytes()), unusable(0));
}

/// Where the padding row of `cart`'s first layer begins: after the panel of rows 0 and 1 (2 biases, 2 scales, 2 pairs of
/// columns of a word each) and the bias of row 2.
const PADDING_BIAS: usize = 80 + 4 * 6 + 4;

#[test]
fn scales_of_integers_that_are_none() {
    for (scale, is_usable) in
        [(31 | 0x7fff_0000, true), (32, false), (0x0001_8000, false), (0x8000_0000, false)]
    {
        for blob in with_row(|layer| layer.scale[2] = scale) {
            let error = AnyPolicy::<16>::read(blob.bytes()).err().map(|error| error.to_string());
            assert_eq!(error, (!is_usable).then(|| unusable(0)), "{scale:08x}");
        }
    }
    for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for mut sample in [blobs::cart_16(), blobs::cart()] {
            sample.fixed()[1].scale[0] = scale.to_bits();
            assert_eq!(sentence(sample.blob().bytes()), unusable(1));
        }
    }
    // Those of padding, too.
    let blob = blobs::cart().blob().changed(|bytes| bytes[PADDING_BIAS + 8] = 32);
    assert_eq!(sentence(blob.bytes()), unusable(0));
}
