//! policy-core as its user calls it: `Policy::from_bytes` at start, kept in a static, then `act`.
#![no_std]

use core::{cell::UnsafeCell, panic::PanicInfo};

use policy_core::Policy;

/// Outputs of the widest layer.
const WIDTH: usize = match usize::from_str_radix(env!("COST_WIDTH"), 10) {
    Ok(width) => width,
    Err(_) => panic!("tests/cost writes a number"),
};

/// `include_bytes!` gives bytes at any address, but the weights are read in place.
#[repr(C, align(16))]
struct Aligned<Bytes: ?Sized>(Bytes);
static BLOB: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("COST_BLOB")));

struct Place(UnsafeCell<Option<Policy<'static, WIDTH>>>);
// SAFETY: there is one thread and no interrupt.
unsafe impl Sync for Place {}
static POLICY: Place = Place(UnsafeCell::new(None));

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn cost_init() {
    // SAFETY: nobody else holds a reference.
    unsafe { *POLICY.0.get() = Policy::from_bytes(&BLOB.0).ok() };
}

/// # Safety
///
/// `observation` must hold as many numbers as the policy takes, and `action` one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cost_act(observation: *const f32, action: *mut f32) {
    // SAFETY: nobody changes the policy after cost_init; the pointers are as the caller promises.
    let (policy, action) = unsafe { (&*POLICY.0.get(), &mut *action) };
    let Some(policy) = policy else { return };
    let observation =
        unsafe { core::slice::from_raw_parts(observation, policy.observation_size()) };
    if let Ok([first]) = policy.act(observation).as_deref() {
        *action = *first;
    }
}
