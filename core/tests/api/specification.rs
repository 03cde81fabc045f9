//! `FORMAT.md` and the code say the same: its examples are read from the document and compared.

use policy_core::{
    ActError, Activation, Algorithm, Head, Header, LayerShape, LogStdBound, Policy, Recording,
    action::MAX_ACTION_SIZE,
    format::{self, MAX_HEADER, MAX_LAYERS, MAX_NAME},
    recording,
};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    blobs::{self, Aligned, OUTPUT_OBSERVATION, SPRING_OBSERVATION},
    reader,
};

const DOCUMENT: &str = include_str!("../../FORMAT.md");

/// The lines of the first code block after a heading.
fn block(heading: &str) -> impl Iterator<Item = &'static str> {
    let (_, section) = DOCUMENT.split_once(&format!("# {heading}\n")).expect(heading);
    section.lines().skip_while(|line| !line.starts_with("```")).skip(1).take_while(|l| *l != "```")
}

/// The bytes of a dump; each of its lines has an offset, bytes and a meaning, two spaces between.
fn dump(heading: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in block(heading) {
        let (offset, rest) = line.trim().split_once("  ").expect(line);
        assert_eq!(offset.parse(), Ok(bytes.len()), "{line}");
        let (hex, _) = rest.trim().split_once("  ").expect(line);
        bytes.extend(hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect(line)));
    }
    bytes
}

#[test]
fn the_worked_example_has_these_bytes() {
    let document = dump("Worked example");
    let blob = blobs::spring().blob();
    assert_eq!(blob.bytes(), document, "\n{:02x?}", blob.bytes());
    assert_eq!(blob.bytes().len(), 112);
    // Once more here, so that document and code cannot change together unnoticed.
    assert_eq!(blob.bytes()[..16], *b"PLCY\x01\x80\x26\x00\x70\x00\x00\x00\x71\xbb\x8c\x90");
}

#[test]
fn the_worked_example_acts_as_written() {
    let blob = Aligned::new(&dump("Worked example"));
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    assert_eq!(*policy.header(), blobs::spring().header);
    let action = policy.act(&SPRING_OBSERVATION).unwrap();
    assert_eq!(action[0].to_bits(), 0xbe25_8588, "{:08x}", action[0].to_bits());
    let written = format!("{:?} with bits {:08x}", action[0], action[0].to_bits());
    assert!(DOCUMENT.contains(&written), "{written}");
}

#[test]
fn the_other_heads_have_these_bytes() {
    for (number, head) in blobs::heads().into_iter().enumerate().skip(1) {
        let document = dump(&format!("Head {number}"));
        let mut sample = blobs::spring();
        sample.header.head = head;
        let blob = sample.blob();
        let end = 16 + usize::from(u16::from_le_bytes([blob.bytes()[6], blob.bytes()[7]]));
        assert_eq!(blob.bytes()[34..end], document, "head {number}");
    }
    // Once more here, so that document and code cannot change together unnoticed.
    let numbers = [
        "0 squashed Gaussian | scale |",
        "1 tanh | scale |",
        "2 clamp | low |",
        "3 clamped Gaussian | low |",
        "4 grid | low |",
    ];
    assert!(numbers.iter().all(|number| DOCUMENT.contains(&format!("\n| {number}"))));
    let first: Vec<u8> = (1..5).map(|number| dump(&format!("Head {number}"))[0]).collect();
    assert_eq!(first, [1, 2, 3, 4]);
}

#[test]
fn the_other_heads_act_as_written() {
    let words = |text: &str| -> Vec<f32> {
        let words = text.split_whitespace().map(|word| u32::from_str_radix(word, 16).expect(text));
        words.map(f32::from_bits).collect()
    };
    let mut lines = [0; 5];
    for line in block("Check values of these heads") {
        let (head, rest) = line.split_once(": ").expect(line);
        let (z, expected) = rest.split_once(" → ").expect(line);
        let (number, z): (usize, _) = (head.parse().expect(line), words(z));
        lines[number] += 1;
        let blob = blobs::giving(blobs::heads()[number].clone(), &z).blob();
        let policy = Policy::<4>::from_bytes(blob.bytes()).unwrap();
        let written = match policy.act(&OUTPUT_OBSERVATION) {
            Ok(action) => {
                action.iter().map(|a| format!("{:08x}", a.to_bits())).collect::<Vec<_>>().join(" ")
            }
            Err(ActError::ActionNotFinite { .. }) => "refused".to_owned(),
            Err(other) => panic!("{line}: {other}"),
        };
        assert_eq!(written, expected, "{line}");
    }
    assert_eq!(lines, [0, 3, 4, 3, 7]);
}

#[test]
fn the_recording_has_these_bytes() {
    let blob = blobs::spring().blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let words: Vec<u32> = [SPRING_OBSERVATION, [0.0, f32::NAN, 0.0]]
        .iter()
        .flat_map(|x| x.iter().map(|x| x.to_bits()).chain(recording::action_words(&policy, x)))
        .collect();
    let recorded = blobs::recording(3, 1, 2, &words);
    let document = Aligned::new(&dump("The recording"));
    assert_eq!(recorded, document);
    let replay = Recording::from_bytes(document.bytes()).unwrap().replay(&policy).unwrap();
    assert_eq!((replay.compared, replay.refused, replay.mismatches), (2, 1, 0));
}

#[test]
fn tanh_has_these_bits() {
    let pairs: Vec<[u32; 2]> = block("Check values of tanhf")
        .flat_map(|line| line.split("   "))
        .map(|pair| {
            let (x, y) = pair.trim().split_once(" → ").expect(pair);
            [x, y].map(|bits| u32::from_str_radix(bits.trim(), 16).expect(pair))
        })
        .collect();
    assert_eq!(pairs.len(), 12);
    for [x, y] in pairs {
        let tanh = Activation::Tanh.apply(f32::from_bits(x)).to_bits();
        assert_eq!(tanh, y, "tanh of {x:08x} is {tanh:08x}");
    }
}

#[test]
fn tanh_is_what_the_document_spells_out() {
    // A prime step: every exponent and both signs, 1.4 million numbers.
    for bits in (0..=u32::MAX).step_by(3001) {
        let x = f32::from_bits(bits);
        let (ours, spelt) = (Activation::Tanh.apply(x), reader::tanh(x));
        assert!(
            ours.to_bits() == spelt.to_bits() || ours.is_nan() && spelt.is_nan(),
            "tanh of {bits:08x}: {:08x}, the document gives {:08x}",
            ours.to_bits(),
            spelt.to_bits()
        );
    }
}

#[test]
fn the_checksum_is_the_common_one() {
    assert_eq!(reader::crc32(b"123456789"), 0xcbf4_3926);
    let blob = blobs::spring().blob();
    let field = u32::from_le_bytes(blob.bytes()[12..16].try_into().unwrap());
    assert_eq!(field, reader::checksum(blob.bytes()));
    assert_eq!(Policy::<2>::from_bytes(blob.bytes()).unwrap().checksum(), field);
}

#[test]
fn the_limits_are_the_documents() {
    for (name, value) in [
        ("MAX_LAYERS", MAX_LAYERS),
        ("MAX_ACTION_SIZE", MAX_ACTION_SIZE),
        ("MAX_NAME", MAX_NAME),
        ("MAX_HEADER", MAX_HEADER),
    ] {
        assert!(DOCUMENT.contains(&format!("`{name}` = {value}\n")), "{name} = {value}");
    }
    assert!(DOCUMENT.contains(&format!("version {}", format::VERSION)));
}

#[test]
fn the_longest_header_fits() {
    let full = |value: f32| std::iter::repeat_n(value, MAX_ACTION_SIZE).collect();
    let layer = |outputs| LayerShape { outputs, activation: Activation::Tanh };
    let (low, high) = (full(-1.0), full(1.0));
    for (head, longest) in [
        (
            Head::SquashedGaussian {
                scale: full(1.0),
                bias: full(0.0),
                log_std: LogStdBound::Tanh { min: 0.0, max: 0.0 },
            },
            150,
        ),
        (Head::Tanh { scale: full(1.0), bias: full(0.0) }, 141),
        (Head::Clamp { low: full(-1.0), high: full(1.0) }, 141),
        (Head::ClampedGaussian { low, high, std_min: 1.0, std_max: 1.0 }, 149),
        (Head::Grid { low: -1.0, high: 1.0, points: u16::MAX }, 86),
    ] {
        let header = Header {
            algorithm: Algorithm::SacM,
            environment: "n".repeat(MAX_NAME).as_str().try_into().unwrap(),
            control_period: 1.0,
            observation_size: u16::MAX,
            layers: (0..MAX_LAYERS).map(|_| layer(u16::MAX)).collect(),
            head,
        };
        // Nobody has room for such a network; the size that is asked for shows the header's.
        let count = usize::try_from(header.parameters()).unwrap();
        let error = format::encode(&header, &[], &mut []).unwrap_err();
        let needed = format::PREFIX + usize::next_multiple_of(longest, 4) + 4 * count;
        assert_eq!(error.to_string(), format!("the blob needs {needed} bytes, the buffer has 0"));
    }
    assert!(DOCUMENT.contains("150 bytes"));
}

proptest! {
    #[test]
    fn a_reader_from_the_document_agrees(
        (sample, observation) in blobs::sample_and_observation(),
        seed in any::<u64>(),
    ) {
        let blob = sample.blob();
        let theirs = reader::read(blob.bytes());
        let ours: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
        let header = ours.header();
        prop_assert_eq!(ours.checksum(), reader::checksum(blob.bytes()));
        prop_assert_eq!(header.algorithm as u32, theirs.algorithm);
        prop_assert_eq!(header.environment.as_str(), theirs.environment.as_str());
        prop_assert_eq!(ours.control_period().to_bits(), theirs.control_period.to_bits());
        prop_assert_eq!(ours.observation_size(), theirs.observation_size);

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
