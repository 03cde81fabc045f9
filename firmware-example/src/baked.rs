//! The policy and the recording that `build.rs` found, as part of the firmware.

/// `include_bytes!` gives bytes at any address, but both are read in place as 32-bit words.
#[repr(C, align(4))]
struct Aligned<Bytes: ?Sized>(Bytes);

static POLICY: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("BAKED_POLICY")));
static RECORDING: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("BAKED_RECORDING")));

/// Outputs of the policy's widest layer, which decides how much stack an action takes.
pub const WIDTH: usize = match usize::from_str_radix(env!("BAKED_WIDTH"), 10) {
    Ok(width) => width,
    Err(_) => panic!("build.rs writes a number"),
};

/// The policy's blob.
pub fn policy() -> &'static [u8] {
    &POLICY.0
}

/// The recording.
pub fn recording() -> &'static [u8] {
    &RECORDING.0
}
