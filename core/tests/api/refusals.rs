//! Every error, provoked, with the exact sentence that a person reads.

use policy_core::{
    ActError, Action, Activation, EncodeError, Head, Header, LayerShape, LogStdBound, Policy,
    Recording,
    format::{self, MAX_HEADER},
};

use crate::blobs::{self, Aligned, SPRING_OBSERVATION, Sample};

/// The sentence with which a policy with layers of at most 2 outputs refuses the bytes.
fn sentence(bytes: &[u8]) -> String {
    Policy::<2>::from_bytes(bytes).expect_err("a wrong blob").to_string()
}

/// The sentence about `spring` with other bytes and a fitting checksum.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> String {
    sentence(blobs::spring().blob().changed(change).bytes())
}

/// The sentence about `spring` with another header, and weights of 0 as its shapes need.
fn with_header(change: impl FnOnce(&mut Header)) -> String {
    let Sample { mut header, .. } = blobs::spring();
    change(&mut header);
    let weights = vec![0.0; header.parameters() as usize];
    sentence(Sample { header, weights }.blob().bytes())
}

/// The sentence about `spring` with another head.
fn with_head(scale: &[f32], bias: &[f32], log_std: LogStdBound) -> String {
    let (scale, bias) = (action(scale), action(bias));
    with_header(|header| header.head = Head::SquashedGaussian { scale, bias, log_std })
}

/// The sentence about one layer with as many outputs as the head needs.
fn head_only(head: Head) -> String {
    // Even a head that needs none: a layer without outputs would be another error.
    let z = vec![0.0; head.inputs().0.max(1)];
    let sample = blobs::giving(head, &z);
    Policy::<16>::from_bytes(sample.blob().bytes()).expect_err("a wrong head").to_string()
}

fn action(values: &[f32]) -> Action {
    values.iter().copied().collect()
}

/// The sentences about a tanh head with these scales and biases, which must be those about a squashed
/// Gaussian.
fn with_scale(scale: &[f32], bias: &[f32]) -> String {
    let sentence = with_head(scale, bias, BOUND);
    let tanh = head_only(Head::Tanh { scale: action(scale), bias: action(bias) });
    assert_eq!(tanh, sentence);
    sentence
}

/// The sentence about a clamp and a clamped Gaussian head with these bounds.
fn with_bounds(low: &[f32], high: &[f32]) -> String {
    let sentence = head_only(Head::Clamp { low: action(low), high: action(high) });
    let (low, high) = (action(low), action(high));
    let gaussian = head_only(Head::ClampedGaussian { low, high, std_min: 0.1, std_max: 1.0 });
    assert_eq!(gaussian, sentence);
    sentence
}

const BOUND: LogStdBound = LogStdBound::Clamp { min: -20.0, max: 2.0 };

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
        "the blob has 0 bytes, fewer than the 16 of its fixed part: the file is truncated"
    );
}

#[test]
fn wrong_fixed_parts() {
    assert_eq!(
        changed(|bytes| bytes[3] = b'X'),
        "the blob starts with [50, 4c, 43, 58] instead of \"PLCY\": this is not a policy file"
    );
    assert_eq!(
        changed(|bytes| bytes[5] = 1),
        "the blob has format version 257, this reader knows version 32769: export it again or update the reader"
    );
    assert_eq!(
        changed(|bytes| bytes.push(0)),
        "the blob says it has 112 bytes, but 113 were given: it is truncated or something follows it"
    );
    let blob = blobs::spring().blob();
    let mut bytes = blob.bytes().to_vec();
    bytes[12] = 0x55;
    assert_eq!(
        sentence(Aligned::new(&bytes).bytes()),
        "the blob's checksum is 908cbb71, but 908cbb55 is stored in it: its bytes were altered"
    );
    assert_eq!(
        changed(|bytes| bytes[6..8].copy_from_slice(&[0xff, 0xff])),
        "the header needs 65536 bytes, but only 96 follow the fixed part"
    );
}

#[test]
fn headers_that_cannot_be_decoded() {
    let sentence = "the header cannot be decoded: it is cut short, or has an algorithm, activation or head \
                    that this reader does not know, or more layers or actions than it supports";
    for (at, value, what) in [
        (6, 37, "cut short"),
        (16, 7, "algorithm"),
        (17, 33, "longer name"),
        (18, 0xff, "name that is not UTF-8"),
        (29, 9, "more layers"),
        (31, 3, "activation"),
        (34, 5, "head"),
        (35, 9, "more actions"),
        (45, 2, "log σ bound"),
    ] {
        assert_eq!(changed(|bytes| bytes[at] = value), sentence, "{what}");
    }
    // Layer 0 with 65 536 outputs, one more than a u16 holds; the padding gives up its place.
    let wide = changed(|bytes| {
        bytes[6] = 40;
        bytes.splice(30..31, [0x80, 0x80, 0x04]);
        bytes.drain(56..58);
    });
    assert_eq!(wide, sentence, "outputs");
}

#[test]
fn a_header_with_something_left_over() {
    assert_eq!(changed(|bytes| bytes[6] = 40), "the header has 2 bytes more than its fields need");
}

#[test]
fn sizes_of_zero() {
    let needed = "has size 0, at least 1 is needed";
    assert_eq!(with_header(|h| h.observation_size = 0), format!("the observation {needed}"));
    assert_eq!(with_header(|h| h.layers.clear()), format!("the list of layers {needed}"));
    assert_eq!(with_header(|h| h.layers[0].outputs = 0), format!("the output of a layer {needed}"));
    assert_eq!(with_scale(&[], &[]), format!("the action {needed}"));
    assert_eq!(with_bounds(&[], &[]), format!("the action {needed}"));
    assert_eq!(with_bounds(&[], &[1.0]), format!("the action {needed}"));
}

#[test]
fn sizes_that_do_not_agree() {
    assert_eq!(
        with_header(|h| h.layers[1].outputs = 1),
        "the head needs 2 outputs of the last layer, which has 1"
    );
    assert_eq!(
        with_scale(&[1.0], &[0.0, 0.0]),
        "the action scale has 1 entries and the action bias 2: they must agree"
    );
    for (low, high) in [(&[-1.0][..], &[1.0, 1.0][..]), (&[-1.0, -1.0], &[1.0])] {
        let (one, other) = (low.len(), high.len());
        assert_eq!(
            with_bounds(low, high),
            format!(
                "the lowest action has {one} entries and the highest action {other}: they must agree"
            )
        );
    }
    for points in [0, 1] {
        assert_eq!(
            head_only(Head::Grid { low: -1.0, high: 1.0, points }),
            format!("the grid of actions has {points} points, at least 2 are needed")
        );
    }
    for (head, needed) in [(1, 2), (2, 2), (3, 2), (4, 4)] {
        for found in [1, 3, 5] {
            let sample = blobs::giving(blobs::heads()[head].clone(), &vec![0.0; found]);
            assert_eq!(
                sentence(sample.blob().bytes()),
                format!("the head needs {needed} outputs of the last layer, which has {found}")
            );
        }
    }
    assert_eq!(
        with_header(|h| h.layers[0].outputs = 3),
        "layer 0 has 3 outputs, but this Policy is built for at most 2: use Policy::<3>"
    );
    for (length, found) in [(108_u8, 52), (109, 53), (116, 60)] {
        let sentence = changed(|bytes| {
            bytes.resize(length.into(), 0);
            bytes[8] = length;
        });
        assert_eq!(
            sentence,
            format!("the shapes need 56 bytes of weights, the blob holds {found}")
        );
    }
}

#[test]
fn shapes_beyond_any_memory() {
    // 8 layers of 65 535 outputs need more bytes than 32 bits can count.
    let layers = [0xff, 0xff, 0x03, 0x00].repeat(8);
    let sentence = changed(|bytes| {
        bytes.splice(29..34, [8].into_iter().chain(layers));
        bytes[6] = 38 + 28;
        bytes[8] = 112 + 28;
    });
    assert_eq!(sentence, "the head needs 2 outputs of the last layer, which has 65535");
    let mut layers = [0xff, 0xff, 0x03, 0x00].repeat(8);
    layers.splice(28.., [2, 0]);
    let sentence = changed(|bytes| {
        bytes.splice(29..34, [8].into_iter().chain(layers));
        bytes[6] = 38 + 26;
        bytes.drain(80..82); // The longer header needs no padding.
        bytes[8] = 112 + 24;
    });
    let needed = 4 * (4 * 65_535_u64 + 6 * 65_536 * 65_535 + 65_536 * 2);
    let found = 112 + 24 - 80;
    assert_eq!(
        sentence,
        format!("the shapes need {needed} bytes of weights, the blob holds {found}")
    );
}

#[test]
fn weights_that_are_not_finite() {
    // Rows 0 and 1 are panels of their own.
    for (at, layer, index) in [(0, 0, 0), (7, 0, 7), (8, 1, 0), (9, 1, 3), (13, 1, 5)] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut sample = blobs::spring();
            sample.weights[at] = value;
            assert_eq!(
                sentence(sample.blob().bytes()),
                format!("parameter {index} of layer {layer} is not finite")
            );
        }
    }
}

#[test]
fn numbers_of_the_header() {
    for period in [0.0, -0.05, f32::INFINITY, f32::NAN] {
        assert_eq!(
            with_header(|h| h.control_period = period),
            "the control period of the header must be finite and positive"
        );
    }
    for scale in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        assert_eq!(
            with_scale(&[1.0, scale], &[0.0, 0.0]),
            "the action scale of the header must be finite and positive"
        );
    }
    for bias in [f32::NEG_INFINITY, f32::NAN] {
        assert_eq!(
            with_scale(&[1.0, 1.0], &[0.0, bias]),
            "the action bias of the header must be finite"
        );
    }
    for bias in [f32::MAX, f32::MIN] {
        assert_eq!(
            with_scale(&[1.0, 1e38], &[0.0, bias]),
            "the action range (bias ± scale) of the header must be finite"
        );
    }
    for (min, max) in [(1.0, 0.0), (f32::NEG_INFINITY, 0.0), (0.0, f32::NAN)] {
        for bound in [LogStdBound::Clamp { min, max }, LogStdBound::Tanh { min, max }] {
            assert_eq!(
                with_head(&[1.0], &[0.0], bound),
                "the bounds of log σ of the header must be finite and in order"
            );
        }
    }
}

#[test]
fn bounds_of_the_action() {
    let sentence = "the lowest and highest action of the header must be finite, low below high";
    for (low, high) in [
        (1.0, -1.0),
        (1.0, 1.0),
        (0.0, -0.0),
        (f32::NEG_INFINITY, 1.0),
        (-1.0, f32::INFINITY),
        (f32::NAN, 1.0),
        (-1.0, f32::NAN),
    ] {
        assert_eq!(with_bounds(&[-1.0, low], &[1.0, high]), sentence, "{low} to {high}");
        assert_eq!(head_only(Head::Grid { low, high, points: 3 }), sentence, "{low} to {high}");
    }
}

#[test]
fn bounds_of_the_noise() {
    for (std_min, std_max) in [
        (0.0, 1.0),
        (-0.1, 1.0),
        (1.0, 0.5),
        (0.1, f32::INFINITY),
        (f32::INFINITY, f32::INFINITY),
        (f32::NAN, 1.0),
        (0.1, f32::NAN),
    ] {
        let (low, high) = (action(&[-1.0]), action(&[1.0]));
        assert_eq!(
            head_only(Head::ClampedGaussian { low, high, std_min, std_max }),
            "the bounds of σ of the header must be finite, positive and in order",
            "{std_min} to {std_max}"
        );
    }
}

#[test]
fn a_grid_too_wide_for_its_points() {
    for (low, high, points) in [(f32::MIN, f32::MAX, 2), (0.0, f32::MAX, 3), (-1e38, 1e38, 16)] {
        assert_eq!(
            head_only(Head::Grid { low, high, points }),
            "the grid's (high − low) · (points − 1) of the header must be finite",
            "{low} to {high}"
        );
    }
    let widest =
        blobs::giving(Head::Grid { low: 0.0, high: f32::MAX, points: 2 }, &[0.0, 1.0]).blob();
    let policy = Policy::<2>::from_bytes(widest.bytes()).unwrap();
    assert_eq!(policy.act(&blobs::OUTPUT_OBSERVATION).unwrap()[..], [f32::MAX]);
}

#[test]
fn outputs_that_are_no_action() {
    for (index, (head, z)) in [
        (1, (blobs::heads()[1].clone(), vec![0.0, f32::NAN])),
        (1, (blobs::heads()[2].clone(), vec![0.0, f32::NAN])),
        (0, (blobs::heads()[3].clone(), vec![f32::NAN, 0.0])),
        (0, (blobs::heads()[4].clone(), vec![1.0, 0.0, 0.0, f32::NAN])),
        (0, (blobs::heads()[4].clone(), vec![1.0, 0.0, f32::INFINITY, 0.0])),
        (0, (blobs::heads()[4].clone(), vec![1.0, f32::NEG_INFINITY, 0.0, 0.0])),
    ] {
        let blob = blobs::giving(head, &z).blob();
        let policy = Policy::<4>::from_bytes(blob.bytes()).unwrap();
        let refused = Err(ActError::ActionNotFinite { index });
        assert_eq!(policy.act(&blobs::OUTPUT_OBSERVATION), refused, "{z:?}");
        // It is the overflow that is refused, not the policy.
        assert!(policy.act(&[0.0, 0.0]).is_ok(), "{z:?}");
    }
}

#[test]
fn observations() {
    let blob = blobs::spring().blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let sentence = |x: &[f32]| policy.act(x).unwrap_err().to_string();
    assert_eq!(sentence(&[0.0; 2]), "the observation has 2 entries, the policy needs 3");
    assert_eq!(sentence(&[0.0; 4]), "the observation has 4 entries, the policy needs 3");
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(
            sentence(&[0.0, value, f32::NAN]),
            "entry 1 of the observation is not finite: check the sensor"
        );
    }
    // The second action's mean is ∞ − ∞.
    let mut sample = blobs::spring();
    sample.header.layers =
        [LayerShape { outputs: 4, activation: Activation::Linear }].into_iter().collect();
    let two = || [1.0, 1.0].into_iter().collect();
    sample.header.head = Head::SquashedGaussian { scale: two(), bias: two(), log_std: BOUND };
    sample.weights = vec![0.0; 16];
    (sample.weights[5], sample.weights[9]) = (2.0, -2.0);
    let blob = sample.blob();
    let policy = Policy::<4>::from_bytes(blob.bytes()).unwrap();
    assert!(policy.act(&SPRING_OBSERVATION).is_ok());
    assert_eq!(
        policy.act(&[f32::MAX, f32::MAX, 0.0]).unwrap_err().to_string(),
        "entry 1 of the action would not be finite: the observation is far outside the trained range"
    );
    assert_eq!(
        policy.act(&[0.0; 2]),
        Err(ActError::ObservationSize { needed: 3, found: 2 }),
        "the variants are public too"
    );
}

#[test]
fn blobs_that_cannot_be_written() {
    let Sample { header, weights } = blobs::spring();
    let encode = |count, room| {
        let weights = weights.iter().copied().cycle().take(count).collect::<Vec<_>>();
        format::encode(&header, &weights, &mut vec![0; room]).map_err(|e| e.to_string())
    };
    assert_eq!(encode(14, 112), Ok(112));
    assert_eq!(encode(14, 111), Err("the blob needs 112 bytes, the buffer has 111".to_owned()));
    let count = |found| Err(format!("the header's shapes need 14 weights, {found} were given"));
    assert_eq!(encode(13, 112), count(13));
    assert_eq!(encode(15, 116), count(15));
    // No header is that long today, see `the_longest_header_fits`.
    let error = EncodeError::HeaderTooLong { limit: MAX_HEADER };
    assert_eq!(error.to_string(), "the header does not fit in 256 bytes");
}

#[test]
fn sealing_too_few_bytes_does_nothing() {
    let mut bytes = [7; 15];
    format::seal(&mut bytes);
    assert_eq!(bytes, [7; 15]);
}

#[test]
fn recordings() {
    let sentence = |bytes: &[u8]| Recording::from_bytes(bytes).unwrap_err().to_string();
    let recording = blobs::recording(3, 1, 1, &[0; 4]);
    let changed = |at: usize, value| {
        let mut bytes = recording.bytes().to_vec();
        bytes[at] = value;
        sentence(Aligned::new(&bytes).bytes())
    };
    let mut shifted = vec![0; 3];
    shifted.extend(recording.bytes());
    assert_eq!(
        sentence(&Aligned::new(&shifted).bytes()[3..]),
        "the recording starts 3 bytes past a 4-byte boundary: align it to 4 bytes"
    );
    assert_eq!(
        changed(0, b'P'),
        "the recording starts with [50, 45, 43, 44] instead of \"RECD\": this is not a recording"
    );
    assert_eq!(
        changed(4, 2),
        "the recording has format version 2, this reader knows version 0: record it again or update the reader"
    );
    for (at, sizes) in [(6, "0 observation and 1"), (7, "3 observation and 0")] {
        assert_eq!(
            changed(at, 0),
            format!("the recording has {sizes} action entries a row: at least 1 of each is needed")
        );
    }
    let length =
        |needed, found| format!("the recording's rows need {needed} bytes, {found} were given");
    assert_eq!(changed(8, 2), length(44_u64, 28));
    assert_eq!(changed(11, 0xff), length(12 + 16 * 0xff00_0001, 28));
    assert_eq!(sentence(&recording.bytes()[..11]), length(12, 11));
    assert_eq!(sentence(&recording.bytes()[..27]), length(28, 27));
    assert_eq!(sentence(&[]), length(12, 0));
    assert_eq!(sentence(blobs::recording(3, 1, 1, &[0; 5]).bytes()), length(28, 32));
    let blob = blobs::spring().blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let other = blobs::recording(4, 2, 1, &[0; 6]);
    let replayed = Recording::from_bytes(other.bytes()).and_then(|r| r.replay(&policy));
    assert_eq!(
        replayed.unwrap_err().to_string(),
        "the recording has 4 observation and 2 action entries a row, the policy 3 and 1"
    );
}
