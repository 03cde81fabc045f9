//! Any bytes as a policy of the kind of weights that they say, under a checksum that fits them: refused, or every
//! action lies within its head's range.

#![no_main]

use libfuzzer_sys::fuzz_target;
use policy_core::format::{self, MAGIC, PREFIX, VERSION};

use any::AnyPolicy;

#[path = "../../tests/api/any.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod any;
#[path = "../../tests/api/harm.rs"]
mod harm;

fuzz_target!(|bytes: &[u8]| {
    let mut words = vec![0_u32; bytes.len().div_ceil(4)];
    let blob: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let blob = &mut blob[..bytes.len()];
    blob.copy_from_slice(bytes);
    // What every blob has, so that it is the rest that is tried.
    if blob.len() >= PREFIX {
        let length = (bytes.len() as u32).to_le_bytes();
        blob[..4].copy_from_slice(&MAGIC);
        blob[4..6].copy_from_slice(&VERSION.to_le_bytes());
        blob[8..12].copy_from_slice(&length);
    }
    format::seal(blob);
    if let Ok(policy) = AnyPolicy::<32>::read(blob) {
        harm::actions(&policy, &[0.5, -1.25, 3.0]).expect("no harm");
    }
});
