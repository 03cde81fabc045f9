//! The committed blobs of version 1 mean today what they meant when they were written.

use policy_core::{Policy, Recording, Replay, WeightKind, format, gaussian, include_policy};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{any::AnyPolicy, blobs, reader};

#[path = "../../examples/golden.rs"]
#[allow(dead_code, reason = "its `main` is for those who make version 2")]
mod writer;

const F32: &[u8] = include_policy!("../golden/v1-f32.bin");
const INT16: &[u8] = include_policy!("../golden/v1-int16.bin");
const INT8: &[u8] = include_policy!("../golden/v1-int8.bin");

pub(crate) const ALL: [&[u8]; 3] = [F32, INT16, INT8];

#[test]
fn they_have_these_checksums() {
    let kinds = [WeightKind::F32, WeightKind::Int16, WeightKind::Int8];
    let checksums = [0xa0e4_5d34, 0xb175_527d, 0x11b2_2b2b];
    for ((blob, kind), checksum) in ALL.into_iter().zip(kinds).zip(checksums) {
        let policy = AnyPolicy::<16>::read(blob).unwrap();
        assert_eq!(policy.checksum(), checksum, "{kind}: {:08x}", policy.checksum());
        assert_eq!((WeightKind::of(blob), format::width(blob)), (Some(kind), 16));
        assert_eq!(policy.parameters(), 3 * 16 + 16 + 16 * 16 + 16 + 16 + 1);
    }
}

#[test]
fn they_have_this_contract() {
    for blob in ALL {
        let policy = AnyPolicy::<16>::read(blob).unwrap();
        let contract = policy.contract().unwrap();
        assert_eq!(contract.algorithm().to_string(), "td3");
        assert_eq!((contract.plant(), contract.plant_fingerprint()), ("pendulum", 0x7065_6e64));
        assert_eq!((contract.trainer(), policy.control_period()), ("trainer 0.1.0", 0.05));
        let entries: Vec<_> = contract
            .observation()
            .chain(contract.action())
            .map(|entry| (entry.name, entry.unit, entry.low, entry.high))
            .collect();
        let expected = [
            ("cos θ", "", -1.0, 1.0),
            ("sin θ", "", -1.0, 1.0),
            ("angular velocity", "rad/s", -8.0, 8.0),
            ("torque", "N·m", -2.0, 2.0),
        ];
        assert_eq!(entries, expected);
    }
}

#[test]
fn they_pass_their_own_examples() {
    for blob in ALL {
        assert_eq!(AnyPolicy::<16>::read(blob).unwrap().self_test(), Ok(4));
    }
}

/// 1000 states of the pendulum, some faster than it can be, and as many rows of a recording.
fn observations() -> Vec<[f32; 3]> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut draw = || 2.0 * gaussian::uniform(&mut rng) - 1.0;
    (0..1000).map(|_| [draw(), draw(), 10.0 * draw()]).collect()
}

#[test]
fn they_act_as_ever() {
    let observations = observations();
    let words: Vec<u32> =
        observations.iter().flat_map(|x| x.map(f32::to_bits).into_iter().chain([0])).collect();
    let recorded = blobs::recording(3, 1, 1000, &words);
    let recording = Recording::from_bytes(recorded.bytes()).unwrap();
    let hashes = [0x35c8_7058, 0x6d33_3089, 0x6182_a51d];
    for (blob, hash) in ALL.into_iter().zip(hashes) {
        let policy = AnyPolicy::<16>::read(blob).unwrap();
        let Replay { compared, refused, hash: found, .. } = policy.replay(&recording).unwrap();
        assert_eq!((compared, refused, found), (1000, 0, hash), "{found:08x}");
        // And what a reader that knows only the document makes of them.
        let theirs = reader::read(blob);
        let actions: Vec<u8> =
            observations.iter().flat_map(|x| theirs.act(x)[0].to_le_bytes()).collect();
        assert_eq!(reader::crc32(&actions), hash);
    }
}

#[test]
fn the_kinds_of_weights_agree_about_as_well_as_they_have_bits() {
    let [float, wide, narrow] = ALL.map(|blob| AnyPolicy::<16>::read(blob).unwrap());
    let (mut worst, mut least, mut most) = ([0.0_f32; 2], 2.0_f32, -2.0_f32);
    for x in observations() {
        let action = float.act(&x).unwrap()[0];
        (least, most) = (least.min(action), most.max(action));
        for (policy, worst) in [&wide, &narrow].into_iter().zip(&mut worst) {
            *worst = worst.max((policy.act(&x).unwrap()[0] - action).abs());
        }
    }
    // In N·m; and the actions differ enough for that to mean anything.
    assert!(worst[0] < 0.002 && worst[1] < 0.02, "{worst:?}");
    assert!(least < -1.5 && most > 1.5, "{least} to {most}");
}

#[test]
fn they_are_what_is_written_today() {
    for ((name, written), blob) in writer::blobs().iter().zip(ALL) {
        assert_eq!(written, blob, "{name}");
    }
}

#[test]
fn their_width_and_kind_are_known_to_the_compiler() {
    const WIDTH: usize = format::width(INT8);
    const KIND: Option<WeightKind> = WeightKind::of(INT8);
    assert_eq!((WIDTH, KIND), (16, Some(WeightKind::Int8)));
    let policy: Policy<'static, i8, WIDTH> = Policy::from_bytes(INT8).unwrap();
    assert!(policy.act(&[1.0, 0.0, 0.0]).is_ok());
}
