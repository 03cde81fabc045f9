//! policy-core as its user calls it: `Policy::from_bytes` at start, kept in a static, then `act`.
#![no_std]

use core::{cell::UnsafeCell, panic::PanicInfo};

use policy_core::{Policy, format, include_policy};

const BLOB: &[u8] = include_policy!(env!("COST_BLOB"));

#[cfg(feature = "f32")]
type Weights = f32;
#[cfg(feature = "int16")]
type Weights = i16;
#[cfg(feature = "int8")]
type Weights = i8;

struct Place(UnsafeCell<Option<Policy<'static, Weights, { format::width(BLOB) }>>>);
// SAFETY: there is one thread and no interrupt.
unsafe impl Sync for Place {}
static POLICY: Place = Place(UnsafeCell::new(None));

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn cost_init() {
    // A blob that the compiler does not see, as one that came over a wire: it would leave out what this one does not need.
    let blob = core::hint::black_box(BLOB);
    // SAFETY: nobody else holds a reference.
    unsafe { *POLICY.0.get() = Policy::from_bytes(blob).ok() };
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
