//! `FORMAT.md` and the code say the same: its examples are read from the document and compared.

use policy_core::{
    ActError, Activation, Policy, Recording,
    action::MAX_ACTION_SIZE,
    format::{self, MAX_LAYERS},
    recording,
};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, CART_OBSERVATION, Fixed, OUTPUT_OBSERVATION, SPRING_OBSERVATION},
    reader::{
        self,
        tanh::{F, t, tanh, tanhq},
    },
};

const DOCUMENT: &str = include_str!("../../FORMAT.md");

/// The section under a heading.
fn section(heading: &str) -> &'static str {
    DOCUMENT.split_once(&format!("# {heading}\n")).expect(heading).1
}

/// The lines of the first code block in a text.
fn block(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().skip_while(|line| !line.starts_with("```")).skip(1).take_while(|l| *l != "```")
}

/// The bytes of a dump; each of its lines has an offset, bytes and a meaning, two spaces between.
fn dump(text: &'static str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in block(text) {
        let (offset, rest) = line.trim().split_once("  ").expect(line);
        assert_eq!(offset.parse(), Ok(bytes.len()), "{line}");
        let (hex, _) = rest.trim().split_once("  ").expect(line);
        bytes.extend(hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect(line)));
    }
    bytes
}

/// The pairs `a → b` of a section's block, three spaces between.
fn pairs(heading: &str) -> Vec<(&'static str, &'static str)> {
    let pairs = block(section(heading)).flat_map(|line| line.split("   "));
    pairs.map(|pair| pair.trim().split_once(" → ").expect(pair)).collect()
}

fn hex(word: &str) -> u32 {
    u32::from_str_radix(word, 16).expect(word)
}

#[test]
fn the_worked_example_has_these_bytes() {
    let document = dump(section("Worked example"));
    let blob = blobs::spring().blob();
    assert_eq!(blob.bytes(), document, "\n{:02x?}", blob.bytes());
    assert_eq!(blob.bytes().len(), 222);
    // Once more here, so that document and code cannot change together unnoticed.
    let start = *b"PLCY\x01\x00\x00\x00\xde\x00\x00\x00\x45\x00\xa5\x8c";
    assert_eq!(blob.bytes()[..16], start);
}

#[test]
fn the_worked_example_in_integers_has_these_bytes() {
    let text = section("Worked example in integers");
    let document = dump(text);
    let blob = blobs::cart().blob();
    assert_eq!(blob.bytes(), document, "\n{:02x?}", blob.bytes());
    // Once more here, as above.
    assert_eq!(blob.bytes()[..16], *b"PLCY\x01\x00\x02\x02\x08\x01\x00\x00\xdf\x95\xd5\x15");
    let weights = dump(text.split_once("In 16 bits").unwrap().1);
    let wide = blobs::cart_16().blob();
    // After biases and scales of each panel of 2 rows.
    let panels = [96, 128, 160].map(|start| &wide.bytes()[start..start + 16]);
    let found = panels.concat();
    assert_eq!(found, weights);
    assert_eq!(wide.bytes()[6], 1);
}

#[test]
fn the_worked_examples_act_as_written() {
    for (heading, observation, bits) in [
        ("Worked example", SPRING_OBSERVATION, 0xbe25_8588_u32),
        ("Worked example in integers", CART_OBSERVATION, 0xbf7b_4400),
    ] {
        let blob = Aligned::new(&dump(section(heading)));
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        assert_eq!(policy.self_test(), Ok(1));
        let action = policy.act(&observation).unwrap()[0];
        assert_eq!(action.to_bits(), bits, "{:08x}", action.to_bits());
        let written = format!("{action:?} with bits {bits:08x}");
        assert!(DOCUMENT.contains(&written), "{written}");
        let width = format!("The width is {}.", format::width(blob.bytes()));
        assert!(section(heading).contains(&width), "{width}");
    }
    // In 16 bits the same.
    let blob = blobs::cart_16().blob();
    let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
    assert_eq!(policy.action_words(&CART_OBSERVATION), [0xbf7b_4400]);
    let z = reader::read(blob.bytes()).network(&CART_OBSERVATION);
    assert_eq!(z[0].to_bits(), 0xbf73_c4f4);
}

#[test]
fn the_other_heads_have_these_bytes() {
    for (number, head) in (0_u8..).zip(blobs::heads()).skip(1) {
        let document = dump(section(&format!("Head {number}")));
        let z = vec![0.0; head.inputs().0];
        let blob = blobs::giving(head.clone(), &z).blob();
        // After one layer.
        assert_eq!(blob.bytes()[36..36 + document.len()], document, "head {number}");
        assert_eq!((blob.bytes()[7], usize::from(blob.bytes()[18])), (number, head.action_size()));
    }
    // Once more here, so that document and code cannot change together unnoticed.
    for row in [
        "0 squashed Gaussian, ζ clamped | n × scale,",
        "1 squashed Gaussian, ζ through tanh | n × scale,",
        "2 tanh | n × scale,",
        "3 clamp | n × low,",
        "4 clamped Gaussian | n × low,",
        "5 grid | low,",
    ] {
        assert!(DOCUMENT.contains(&format!("\n| {row}")), "{row}");
    }
}

#[test]
fn the_other_heads_act_as_written() {
    let words = |text: &str| -> Vec<f32> {
        text.split_whitespace().map(|word| f32::from_bits(hex(word))).collect()
    };
    let mut lines = [0; 6];
    for line in block(section("Check values of these heads")) {
        let (head, rest) = line.split_once(": ").expect(line);
        let (z, expected) = rest.split_once(" → ").expect(line);
        let (number, z): (usize, _) = (head.parse().expect(line), words(z));
        lines[number] += 1;
        let blob = blobs::giving(blobs::heads()[number].clone(), &z).blob();
        let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
        let written = match policy.act(&OUTPUT_OBSERVATION) {
            Ok(action) => {
                action.iter().map(|a| format!("{:08x}", a.to_bits())).collect::<Vec<_>>().join(" ")
            }
            Err(ActError::ActionNotFinite { .. }) => "refused".to_owned(),
            Err(other) => panic!("{line}: {other}"),
        };
        assert_eq!(written, expected, "{line}");
    }
    assert_eq!(lines, [0, 2, 3, 4, 3, 7]);
}

#[test]
fn the_recording_has_these_bytes() {
    let blob = blobs::spring().blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    let words: Vec<u32> = [SPRING_OBSERVATION, [0.0, f32::NAN, 0.0]]
        .iter()
        .flat_map(|x| x.iter().map(|x| x.to_bits()).chain(recording::action_words(&policy, x)))
        .collect();
    let recorded = blobs::recording(3, 1, 2, &words);
    let document = Aligned::new(&dump(section("The recording")));
    assert_eq!(recorded, document);
    let replay = Recording::from_bytes(document.bytes()).unwrap().replay(&policy).unwrap();
    assert_eq!((replay.compared, replay.refused, replay.mismatches), (2, 1, 0));
    assert_eq!(replay.hash, reader::crc32(&[0x88, 0x85, 0x25, 0xbe, 0xff, 0xff, 0xff, 0xff]));
}

#[test]
fn tanh_has_these_bits() {
    let pairs = pairs("Check values of tanhf");
    assert_eq!(pairs.len(), 12);
    for (x, y) in pairs {
        let tanh = Activation::Tanh.apply(f32::from_bits(hex(x))).to_bits();
        assert_eq!(tanh, hex(y), "tanh of {x} is {tanh:08x}");
    }
}

#[test]
fn tanh_is_what_the_document_spells_out() {
    // A prime step: every exponent and both signs, 1.4 million numbers.
    for bits in (0..=u32::MAX).step_by(3001) {
        let x = f32::from_bits(bits);
        let (ours, spelt) = (Activation::Tanh.apply(x), tanh(x));
        assert!(
            ours.to_bits() == spelt.to_bits() || ours.is_nan() && spelt.is_nan(),
            "tanh of {bits:08x}: {:08x}, the document gives {:08x}",
            ours.to_bits(),
            spelt.to_bits()
        );
    }
}

/// y of hidden rows whose v are these, from a tanh layer in integers of 16 bits.
fn hidden(v: &[i32]) -> Vec<i64> {
    let mut sample = blobs::cart_16();
    let rows = v.len();
    // The last layer shows one row after the other: z = y · 2⁻¹⁵, clamped far outside.
    let shown = |row: usize| {
        let weights = (0..rows).map(|i| i16::from(i == row)).collect();
        Fixed { weights, bias: vec![0], scale: vec![1.0_f32.to_bits()] }
    };
    // With the largest m, v = ⌊c · (1 − 2⁻¹⁵) / 2⌋.
    let bias = v.iter().map(|&v| if v > 0 { 2 * v + 2 } else { 2 * v }).collect();
    let first = Fixed { weights: vec![0; 3 * rows], bias, scale: vec![0x7fff_0000; rows] };
    sample.layers[0].outputs = rows as u16;
    sample.head =
        policy_core::Head::Clamp { low: blobs::action(&[-1e9]), high: blobs::action(&[1e9]) };
    sample.examples.clear();
    (0..rows)
        .map(|row| {
            *sample.fixed() = vec![first.clone(), shown(row)];
            let blob = sample.blob();
            AnyPolicy::<64>::read(blob.bytes()).unwrap().act(&[0.0; 3]).unwrap()[0] as i64
        })
        .collect()
}

#[test]
fn tanh_in_integers_has_these_values() {
    let pairs = pairs("Check values of tanh in integers");
    let number = |text: &str| text.parse::<i32>().expect(text);
    let v: Vec<i32> = pairs.iter().map(|(v, _)| number(v)).collect();
    let y: Vec<i64> = pairs.iter().map(|(_, y)| number(y).into()).collect();
    assert_eq!(v.len(), 9);
    assert_eq!(hidden(&v), y);
    let spelt = |v: &i32| t(16 * i64::from(*v)).clamp(-32_767, 32_767);
    assert_eq!(v.iter().map(spelt).collect::<Vec<_>>(), y);
    let numbers = block(section("tanh in integers")).flat_map(str::split_whitespace);
    assert_eq!(numbers.map(|f| i64::from(number(f))).collect::<Vec<_>>(), F);
}

#[test]
fn tanh_of_the_heads_in_integers_has_these_bits() {
    let pairs = pairs("Check values of tanhq");
    assert_eq!(pairs.len(), 10);
    let head =
        policy_core::Head::Tanh { scale: blobs::action(&[1.0]), bias: blobs::action(&[0.0]) };
    for (z, y) in pairs {
        let spelt = tanhq(f32::from_bits(hex(z)));
        assert_eq!(spelt.to_bits(), hex(y), "tanh of {z} is {:08x}", spelt.to_bits());
        // The same through a policy: the sum is 1 and its scale z.
        let mut sample = blobs::giving_fixed(head.clone(), &[0.0]);
        let layer = &mut sample.fixed()[0];
        (layer.bias[0], layer.scale[0]) = (1, hex(z));
        let blob = sample.blob();
        let action = AnyPolicy::<64>::read(blob.bytes()).unwrap().action_words(&[0.0; 2]);
        assert_eq!(action, [hex(y)], "{z}");
    }
}

#[test]
fn the_checksum_is_the_common_one() {
    assert_eq!(reader::crc32(b"123456789"), 0xcbf4_3926);
    let blob = blobs::spring().blob();
    let field = u32::from_le_bytes(blob.bytes()[12..16].try_into().unwrap());
    assert_eq!(field, reader::checksum(blob.bytes()));
    assert_eq!(AnyPolicy::<64>::read(blob.bytes()).unwrap().checksum(), field);
}

#[test]
fn versions_and_limits_are_the_documents() {
    for (name, value) in [("MAX_LAYERS", MAX_LAYERS), ("MAX_ACTION_SIZE", MAX_ACTION_SIZE)] {
        assert!(DOCUMENT.contains(&format!("`{name}` = {value}\n")), "{name} = {value}");
    }
    assert_eq!((format::VERSION, recording::VERSION), (1, 1));
    assert!(
        DOCUMENT
            .contains("**This is version 1, frozen: a blob of it keeps its meaning for ever.**")
    );
    assert!(section("The recording").contains("**This is version 1, frozen**"));
}

proptest! {
    #[test]
    fn a_reader_from_the_document_agrees(
        (sample, observation) in blobs::sample_and_observation(),
        seed in any::<u64>(),
    ) {
        let blob = sample.blob();
        let theirs = reader::read(blob.bytes());
        let ours = AnyPolicy::<64>::read(blob.bytes()).unwrap();
        prop_assert_eq!(ours.checksum(), reader::checksum(blob.bytes()));
        prop_assert_eq!(ours.control_period().to_bits(), theirs.control_period.to_bits());
        prop_assert_eq!(ours.observation_size(), theirs.observation_size);
        prop_assert_eq!(ours.action_size(), theirs.action_size);
        let normalisation = theirs.normalisation.iter().copied().unzip();
        prop_assert_eq!(ours.normalisation(), sample.normalisation.map(|_| normalisation));

        let contract = ours.contract().unwrap();
        prop_assert_eq!(contract.algorithm() as u32, theirs.contract.algorithm);
        prop_assert_eq!(contract.plant(), &theirs.contract.plant);
        prop_assert_eq!(contract.plant_fingerprint(), theirs.contract.plant_fingerprint);
        prop_assert_eq!(contract.trainer(), &theirs.contract.trainer);
        let channels: Vec<_> = contract
            .observation()
            .chain(contract.action())
            .map(|c| (c.name.to_owned(), c.unit.to_owned(), c.low, c.high))
            .collect();
        prop_assert_eq!(channels, theirs.contract.channels.clone());
        let examples = theirs.examples.iter().flat_map(|(x, a)| [&x[..], a].concat());
        prop_assert_eq!(examples.collect::<Vec<_>>(), sample.examples);

        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let words: Vec<u32> = (0..2 * ours.action_size()).map(|_| rng.next_u32()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (ours, theirs) in [
            (ours.act(&observation), theirs.act(&observation)),
            (ours.sample(&observation, &mut rng), theirs.sample(&observation, &words)),
        ] {
            let theirs_is_finite = theirs.iter().all(|a| a.is_finite());
            prop_assert_eq!(ours.is_ok(), theirs_is_finite);
            if let Ok(ours) = ours {
                let ours: Vec<u32> = ours.iter().map(|a| a.to_bits()).collect();
                let theirs: Vec<u32> = theirs.iter().map(|a| a.to_bits()).collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
