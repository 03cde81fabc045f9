//! A million blobs that somebody has damaged on purpose, under a checksum that fits.

use policy_core::format;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    any::AnyPolicy,
    blobs::{self, Sample},
    golden, harm,
};

/// What the mutations start from: each kind of weights and each head, small so that a million of them are soon read,
/// and the golden ones now and then.
fn originals() -> Vec<Vec<u8>> {
    let z = [0.125, -1.0, 3.0, 0.5];
    let heads = blobs::heads().into_iter().flat_map(|head| {
        let z = &z[..head.inputs().0];
        [blobs::giving(head.clone(), z), blobs::giving_fixed(head.clone(), z)]
    });
    let small = blobs::of_each_kind().into_iter().chain(heads);
    let small: Vec<Vec<u8>> = small.map(|sample| sample.blob().bytes().to_vec()).collect();
    // The kinds' examples have hidden layers: four of each for one golden blob.
    let kinds = small[..3].iter().cycle().take(12).cloned();
    let fixed = || [blobs::cart_16(), blobs::cart()].map(|sample| blobs::widened(sample, 7));
    // Refused as they are, but for one reason only.
    let plain = fixed().map(|sample| Sample { normalisation: None, ..sample });
    let wide = fixed().into_iter().chain(plain).map(|sample| sample.blob().bytes().to_vec());
    let golden = golden::ALL.map(<[u8]>::to_vec);
    kinds.chain(small[3..].iter().cloned()).chain(wide).chain(golden).collect()
}

/// One change of the bytes.
fn mutate(bytes: &mut Vec<u8>, originals: &[Vec<u8>], rng: &mut impl Rng) {
    let below = |end: usize, rng: &mut dyn FnMut() -> u32| rng() as usize % end.max(1);
    let mut next = || rng.next_u32();
    // Half of them where a byte changes shapes and meanings.
    let span = if next() % 2 == 0 { bytes.len() } else { bytes.len().min(64) };
    let at = below(span, &mut next);
    match next() % 8 {
        0 | 1 => bytes[at] = next() as u8,
        2 => bytes[at] = (next() % 4) as u8,
        3 => bytes[at] = [0x7f, 0x80, 0xff, 0xfe][below(4, &mut next)],
        4 | 5 => bytes[at] ^= 1 << (next() % 8),
        6 if next() % 4 == 0 => bytes.truncate(at.max(32)),
        6 => {
            // A word that is an extreme number, where words begin.
            let words =
                [0, 0x8000_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 1, u32::MAX, 0x7fff_001f];
            let word: u32 = words[below(8, &mut next)];
            let at = at / 4 * 4;
            bytes.splice(at..(at + 4).min(bytes.len()), word.to_le_bytes());
        }
        _ => {
            // Some bytes of another blob, in the place of as many or between these.
            let other = &originals[below(originals.len(), &mut next)];
            let from = below(other.len(), &mut next);
            let piece = &other[from..(from + below(40, &mut next)).min(other.len())];
            let end = if next() % 2 == 0 { (at + piece.len()).min(bytes.len()) } else { at };
            bytes.splice(at..end, piece.iter().copied());
        }
    }
}

#[test]
fn a_million_mutated_blobs_do_no_harm() {
    const COUNT: usize = 1_000_000;
    let originals = originals();
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_127);
    let (mut refused, mut acted, mut answers) = (0, [0; 3], 0);
    let mut words = vec![0_u32; 1024];
    for index in 0..COUNT {
        let mut bytes = originals[rng.next_u32() as usize % originals.len()].clone();
        for _ in 0..=rng.next_u32() % 4 {
            mutate(&mut bytes, &originals, &mut rng);
        }
        // Most of them with a start that fits, so that what comes after it is tried.
        if rng.next_u32() % 8 > 0 {
            let length = (bytes.len() as u32).to_le_bytes();
            bytes[8..12].copy_from_slice(&length);
            bytes[..6].copy_from_slice(b"PLCY\x01\x00");
            format::seal(&mut bytes);
        }
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let room = &mut room[..bytes.len()];
        room.copy_from_slice(&bytes);
        let Ok(policy) = AnyPolicy::<16>::read(room) else {
            refused += 1;
            continue;
        };
        let kind = match policy {
            AnyPolicy::F32(_) => 0,
            AnyPolicy::Int16(_) => 1,
            AnyPolicy::Int8(_) => 2,
        };
        acted[kind] += 1;
        answers += harm::actions(&policy, &[0.5, -1.25, 3.0])
            .unwrap_or_else(|error| panic!("mutation {index}, {bytes:02x?}: {error}"));
    }
    let accepted = acted.iter().sum::<usize>();
    println!(
        "{refused} refused; accepted {acted:?} of f32, int16 and int8, {answers} actions of them"
    );
    assert_eq!(refused + accepted, COUNT);
    assert!(refused > 200_000 && acted.iter().all(|count| *count > 20_000));
    // Of six answers of each.
    assert!(answers > 3 * accepted);
}
