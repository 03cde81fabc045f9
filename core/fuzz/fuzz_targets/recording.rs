//! Any bytes as a recording, replayed by a policy of each kind of weights.

#![no_main]

use libfuzzer_sys::fuzz_target;
use policy_core::{Recording, include_policy};

use any::AnyPolicy;

#[path = "../../tests/api/any.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod any;

/// Each has 3 observation entries and 1 action entry.
const POLICIES: [&[u8]; 3] = [
    include_policy!("../../tests/golden/v1-f32.bin"),
    include_policy!("../../tests/golden/v1-int16.bin"),
    include_policy!("../../tests/golden/v1-int8.bin"),
];

fuzz_target!(|bytes: &[u8]| {
    let mut words = vec![0_u32; bytes.len().div_ceil(4)];
    let copy: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let copy = &mut copy[..bytes.len()];
    copy.copy_from_slice(bytes);
    let Ok(recording) = Recording::from_bytes(copy) else { return };
    for policy in POLICIES {
        let policy = AnyPolicy::<16>::read(policy).expect("a golden policy");
        if let Ok(replay) = policy.replay(&recording) {
            assert_eq!(replay.compared, recording.len());
            assert!(replay.refused + replay.mismatches <= replay.compared);
            assert_eq!(replay.first_mismatch.is_some(), replay.mismatches > 0);
        }
    }
});
