//! Frames on a line that does what it likes.

use policy_core::link::{
    Cost, Decoder, Fault, Floats, Frame, Identity, Packet, Refusal, Reply, Request, SensorFault,
    Source, UpdateRefusal, frame::read,
};
use proptest::prelude::*;

fn bytes(sequence: u32, body: Request<'_>) -> Vec<u8> {
    let mut frame = Frame::new();
    frame.fill(&Packet { session: 9, sequence, body }).unwrap();
    frame.bytes().to_vec()
}

/// The sequence numbers of all questions that arrive whole.
fn arrived(line: &[u8]) -> Vec<u32> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for byte in line {
        if let Some(Ok(plain)) = decoder.push(*byte) {
            found.extend(read::<Request<'_>>(plain).map(|packet| packet.sequence));
        }
    }
    found
}

proptest! {
    /// After whatever noise: the next frame arrives.
    #[test]
    fn the_frame_after_any_noise_arrives(
        noise in proptest::collection::vec(any::<u8>(), 0..2000),
        observation in proptest::collection::vec(any::<f32>(), 0..128),
    ) {
        let act = Request::Act { observation: Floats::new(&observation) };
        let line = [noise, bytes(77, act)].concat();
        prop_assert!(arrived(&line).last() == Some(&77));
    }

    /// Bytes of some frames are altered, lost or doubled: each frame that was not hit arrives, in order, and nothing else does.
    #[test]
    fn only_the_frames_that_were_hit_are_lost(
        hits in proptest::collection::btree_map(0_usize..20, (any::<prop::sample::Index>(), 1_u8..=255, 0..3), 0..8),
    ) {
        let mut line = Vec::new();
        for sequence in 0..20 {
            let observation = [sequence as f32, 0.0, f32::NAN];
            let act = Request::Act { observation: Floats::new(&observation) };
            let mut frame = bytes(sequence, act);
            if let Some((at, change, kind)) = hits.get(&(sequence as usize)) {
                // Not the zero at either end, whose loss only joins a frame to its neighbour.
                let at = 1 + at.index(frame.len() - 2);
                match kind {
                    0 => frame[at] ^= change,
                    1 => drop(frame.remove(at)),
                    _ => frame.insert(at, *change),
                }
            }
            line.extend(frame);
        }
        let whole: Vec<u32> = (0..20).filter(|n| !hits.contains_key(&(*n as usize))).collect();
        prop_assert_eq!(arrived(&line), whole);
    }

    /// What comes back is what was sent, to the bit.
    #[test]
    fn numbers_keep_their_bits(words in proptest::collection::vec(any::<u32>(), 0..100)) {
        let numbers: Vec<f32> = words.iter().copied().map(f32::from_bits).collect();
        let mut frame = Frame::new();
        let body = Reply::Action { action: Floats::new(&numbers), cost: 3 };
        frame.fill(&Packet { session: 1, sequence: 2, body }).unwrap();
        let mut decoder = Decoder::new();
        let plain = frame.bytes().iter().find_map(|byte| Some(decoder.push(*byte)?.unwrap().to_vec()));
        let plain = plain.unwrap();
        let Reply::Action { action, cost: 3 } = read(&plain).unwrap().body else {
            panic!("another reply")
        };
        let mut found = [0.0; 100];
        let found = action.read(&mut found).unwrap();
        prop_assert_eq!(found.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), words);
    }
}

/// Variants and fields are numbered by their order, so that a new one goes to the end.
#[test]
fn the_bytes_of_answers_are_pinned() {
    let plain = |body: Reply<'_>| {
        let mut frame = Frame::new();
        frame.fill(&Packet { session: 1, sequence: 300, body }).unwrap();
        let mut decoder = Decoder::new();
        let found =
            frame.bytes().iter().find_map(|byte| Some(decoder.push(*byte)?.unwrap().to_vec()));
        found.unwrap()
    };
    let head = [1, 0xAC, 2];
    let is = |body, tail: &[u8]| assert_eq!(plain(body), [&head[..], tail].concat());
    let one = [1.0];
    is(Reply::Action { action: Floats::new(&one), cost: 200 }, &[1, 4, 0, 0, 0x80, 0x3F, 200, 1]);
    is(Reply::Done, &[3]);
    let identity = Identity {
        protocol: 1,
        board: "ab",
        firmware: "c",
        cost: Cost::Cycles,
        capacity: 130_560,
        policy: Source::Update { version: 5 },
        checksum: 6,
        plant_fingerprint: 7,
        control_period: 1.0,
        observation_size: 3,
        action_size: 1,
        weights: 2,
        width: 300,
    };
    #[rustfmt::skip]
    let hello = [
        0, 1, 2, b'a', b'b', 1, b'c', 1, 0x80, 0xFC, 7, 1, 5, 6, 7, 0, 0, 0x80, 0x3F, 3, 1, 2, 0xAC, 2,
    ];
    is(Reply::Hello(identity), &hello);
    for (refusal, tail) in [
        (UpdateRefusal::NoSlots, &[0][..]),
        (UpdateRefusal::Weights { needed: 0, width: 64, found: 2 }, &[10, 0, 64, 2]),
        (UpdateRefusal::TooWide { limit: 64, weights: 1, found: 300 }, &[11, 64, 1, 0xAC, 2]),
        (UpdateRefusal::TooLarge { capacity: 1, found: 2 }, &[12, 1, 2]),
        (UpdateRefusal::Flash, &[20]),
    ] {
        is(Reply::Refused(Refusal::Update(refusal)), &[&[4, 4], tail].concat());
    }
    is(Reply::Refused(Refusal::Running), &[4, 2]);
    for (sensor, number) in [
        (SensorFault::Silent, 0),
        (SensorFault::NoMagnet, 1),
        (SensorFault::MagnetTooWeak, 2),
        (SensorFault::MagnetTooStrong, 3),
        (SensorFault::Contradiction, 4),
        (SensorFault::NoSpeed, 5),
    ] {
        is(Reply::Refused(Refusal::Fault(Fault::Sensor(sensor))), &[4, 3, 0, number]);
    }
    is(Reply::Refused(Refusal::Fault(Fault::NotFinite { entry: 2 })), &[4, 3, 4, 2]);
}
