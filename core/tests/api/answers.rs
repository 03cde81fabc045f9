//! Every error about an observation, a description or a recording, provoked, with the exact sentence.

use policy_core::{ActError, Activation, EncodeError, Head, LogStdBound, Recording, format};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, Entry, Network, SPRING_OBSERVATION, Sample, action, layer},
};

#[test]
fn outputs_that_are_no_action() {
    let heads = blobs::heads();
    for (index, (head, z)) in [
        (0, (heads[1].clone(), vec![f32::NAN, 0.0])),
        (1, (heads[2].clone(), vec![0.0, f32::NAN])),
        (1, (heads[3].clone(), vec![0.0, f32::NAN])),
        (0, (heads[4].clone(), vec![f32::NAN, 0.0])),
        (0, (heads[5].clone(), vec![1.0, 0.0, 0.0, f32::NAN])),
        (0, (heads[5].clone(), vec![1.0, 0.0, f32::INFINITY, 0.0])),
        (0, (heads[5].clone(), vec![1.0, f32::NEG_INFINITY, 0.0, 0.0])),
    ] {
        let blob = blobs::giving(head, &z).blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        let refused = Err(ActError::ActionNotFinite { index });
        assert_eq!(policy.act(&blobs::OUTPUT_OBSERVATION), refused, "{z:?}");
        // It is the overflow that is refused, not the policy.
        assert!(policy.act(&[0.0, 0.0]).is_ok(), "{z:?}");
    }
    // An infinity of integers, too, has no place on a grid.
    let blob = blobs::giving_fixed(heads[5].clone(), &[1.0, f32::INFINITY, 0.0, 0.0]).blob();
    let action = AnyPolicy::<16>::read(blob.bytes()).unwrap().act(&[0.0; 2]);
    assert_eq!(action, Err(ActError::ActionNotFinite { index: 0 }));
}

#[test]
fn observations() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        let sentence = |x: &[f32]| policy.act(x).unwrap_err().to_string();
        assert_eq!(sentence(&[0.0; 2]), "the observation has 2 entries, the policy needs 3");
        assert_eq!(sentence(&[0.0; 4]), "the observation has 4 entries, the policy needs 3");
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(
                sentence(&[0.0, value, f32::NAN]),
                "entry 1 of the observation is not finite: check the sensor"
            );
        }
        assert_eq!(
            policy.act(&[0.0; 2]),
            Err(ActError::ObservationSize { needed: 3, found: 2 }),
            "the variants are public too"
        );
    }
}

#[test]
fn an_overflow_of_the_second_entry() {
    // Its mean is ∞ − ∞.
    let mut sample = blobs::spring();
    sample.layers = vec![layer(4, Activation::Linear)];
    sample.head = Head::SquashedGaussian {
        scale: action(&[1.0; 2]),
        bias: action(&[1.0; 2]),
        log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
    };
    let mut weights = vec![0.0; 16];
    (weights[5], weights[9]) = (2.0, -2.0);
    sample.network = Network::F32(weights);
    sample.examples.clear();
    let blob = sample.with_entries().blob();
    let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
    assert!(policy.act(&SPRING_OBSERVATION).is_ok());
    assert_eq!(
        policy.act(&[f32::MAX, f32::MAX, 0.0]).unwrap_err().to_string(),
        "entry 1 of the action would not be finite: the observation is far outside the trained range"
    );
}

/// The sentence with which the encoder refuses a description.
fn encoding(sample: &Sample) -> String {
    sample.encode(&mut vec![0; 1 << 17]).expect_err("a wrong description").to_string()
}

#[test]
fn buffers_that_are_too_small() {
    let sample = blobs::spring();
    let encode = |room| sample.encode(&mut vec![0; room]).map_err(|error| error.to_string());
    assert_eq!(encode(222), Ok(222));
    for room in [128, 221] {
        let limit = room - 128;
        assert_eq!(encode(room), Err(format!("the contract does not fit in {limit} bytes")));
    }
    for room in [0, 31, 127] {
        let sentence = format!("the blob needs 128 bytes or more, the buffer has {room}");
        assert_eq!(encode(room), Err(sentence));
    }
    // One byte more than its field can say, in a buffer that has room for it.
    let mut long = blobs::spring();
    long.plant = "n".repeat(65_446);
    assert_eq!(encoding(&long), "the contract does not fit in 65535 bytes");
    long.plant.pop();
    assert_eq!(long.encode(&mut vec![0; 1 << 17]), Ok(128 + 65_535));
    // Nobody has a buffer for that.
    assert_eq!(
        EncodeError::TooLong { found: 1 << 32 }.to_string(),
        "the blob would have 4294967296 bytes, at most 4294967295 are possible"
    );
}

#[test]
fn sizes_that_do_not_agree() {
    let size = |part, found: usize, needed: usize| {
        format!("the {part} has size {found}, {needed} is needed")
    };
    let spring = |change: &dyn Fn(&mut Sample)| {
        let mut sample = blobs::spring();
        change(&mut sample);
        encoding(&sample)
    };
    assert_eq!(spring(&|s| s.layers.clear()), size("layers", 0, 1));
    let nine = vec![layer(2, Activation::Linear); 9];
    assert_eq!(spring(&|s| s.layers = nine.clone()), size("layers", 9, 8));
    assert_eq!(spring(&|s| s.layers[1].outputs = 3), size("last layer", 3, 2));
    let (none, one, two) = (action(&[]), action(&[0.5]), action(&[0.5; 2]));
    let tanh = |scale: &policy_core::Action, bias: &policy_core::Action, outputs| {
        spring(&|s| {
            s.head = Head::Tanh { scale: scale.clone(), bias: bias.clone() };
            s.layers[1].outputs = outputs;
        })
    };
    assert_eq!(tanh(&none, &none, 0), size("list of action entries", 0, 1));
    assert_eq!(tanh(&one, &two, 1), size("head", 2, 1));
    assert_eq!(tanh(&two, &one, 2), size("head", 1, 2));
    for (shifts, scales, found) in [(2, 3, 2), (3, 4, 4)] {
        let normalisation = Some((vec![0.0; shifts], vec![1.0; scales]));
        let sentence = spring(&|s| s.normalisation = normalisation.clone());
        assert_eq!(sentence, size("normalisation", found, 3));
    }
    assert_eq!(spring(&|s| s.examples.truncate(3)), size("list of examples", 3, 0));
    assert_eq!(spring(&|s| s.examples.push(0)), size("list of examples", 5, 4));
    let many = 4 * 65_536;
    assert_eq!(spring(&|s| s.examples = vec![0; many]), size("list of examples", many, many - 4));
    assert_eq!(spring(&|s| drop(s.observation.pop())), size("list of observation entries", 2, 3));
    assert_eq!(
        spring(&|s| s.action.push(Entry::new("", "", 0.0, 0.0))),
        size("list of action entries", 2, 1)
    );
    assert_eq!(spring(&|s| s.floats().truncate(13)), size("weights", 13, 14));
    assert_eq!(spring(&|s| s.floats().push(0.0)), size("weights", 15, 14));
}

#[test]
fn layers_of_integers_that_do_not_agree() {
    let size = |part, found: usize, needed: usize| {
        format!("the {part} has size {found}, {needed} is needed")
    };
    for sample in [blobs::cart_16(), blobs::cart()] {
        let changed = |change: &dyn Fn(&mut Vec<blobs::Fixed>)| {
            let mut sample = sample.clone();
            change(sample.fixed());
            encoding(&sample)
        };
        assert_eq!(changed(&|layers| drop(layers.pop())), size("layers", 1, 2));
        assert_eq!(changed(&|layers| layers[0].weights.truncate(8)), size("weights", 8, 9));
        assert_eq!(changed(&|layers| layers[1].bias.push(0)), size("list of biases", 2, 1));
        assert_eq!(changed(&|layers| layers[1].scale.clear()), size("list of row scales", 0, 1));
    }
    let mut cart = blobs::cart();
    for (weight, fits) in
        [(127, true), (-128, true), (128, false), (-129, false), (i16::MIN, false)]
    {
        cart.fixed()[0].weights[4] = weight;
        let encoded = cart.encode(&mut [0; 300]).map_err(|error| error.to_string());
        let sentence = format!("the weight {weight} does not fit in 8 bits");
        assert_eq!(encoded, if fits { Ok(264) } else { Err(sentence) });
    }
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
        "the recording has format version 2, this reader knows version 1: record it again or update the reader"
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
    let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
    let other = blobs::recording(4, 2, 1, &[0; 6]);
    let replayed = Recording::from_bytes(other.bytes()).and_then(|r| policy.replay(&r));
    assert_eq!(
        replayed.unwrap_err().to_string(),
        "the recording has 4 observation and 2 action entries a row, the policy 3 and 1"
    );
}
