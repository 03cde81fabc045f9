//! microflow: its macro makes the program from a model of TensorFlow Lite when this is compiled.
#![no_std]

use core::panic::PanicInfo;

use microflow::buffer::Buffer2D;

// Written for each network: `Network` with the attribute that names its model, and INPUTS.
include!(env!("COST_NETWORK"));

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn cost_init() {}

/// # Safety
///
/// `observation` must hold INPUTS numbers, and `action` one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cost_act(observation: *const f32, action: *mut f32) {
    // SAFETY: as the caller promises.
    let (observation, action) = unsafe { (&*observation.cast::<[f32; INPUTS]>(), &mut *action) };
    let observation = Buffer2D::<f32, 1, INPUTS>::from_fn(|_, column| observation[column]);
    *action = Network::predict(observation)[0];
}
