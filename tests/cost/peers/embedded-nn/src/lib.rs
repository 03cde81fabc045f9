//! embedded-nn's fully connected layers. Its memory planner is another crate; here two buffers take turns.
#![no_std]

use core::panic::PanicInfo;

// Written for each network: sizes, weights, and in int8 scales and zero points.
mod network {
    include!(env!("COST_NETWORK"));
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
pub extern "C" fn cost_init() {}

/// # Safety
///
/// `observation` must hold as many numbers as the network takes, and `action` one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cost_act(observation: *const f32, action: *mut f32) {
    // SAFETY: as the caller promises.
    unsafe {
        let observation = core::slice::from_raw_parts(observation, network::SIZES[0]);
        *action = run::act(observation);
    }
}

#[cfg(not(feature = "int8"))]
mod run {
    use embedded_nn::{
        Dims,
        float_ops::{fully_connected_f32, relu_f32},
    };

    use crate::network::*;

    fn layer(input: &[f32], weights: &[f32], biases: &[f32], output: &mut [f32]) {
        let dims = |n: usize, c: usize| Dims::new(n as i32, 1, 1, c as i32);
        let (inputs, outputs) = (input.len(), output.len());
        let (one, filter, many) = (dims(1, inputs), dims(inputs, outputs), dims(1, outputs));
        // It has no error to report.
        let _ = fully_connected_f32(&one, input, &filter, weights, Some(biases), &many, output);
    }

    #[inline]
    pub fn act(observation: &[f32]) -> f32 {
        let (mut first, mut second, mut third) =
            ([0.0; SIZES[1]], [0.0; SIZES[2]], [0.0; SIZES[3]]);
        layer(observation, &WEIGHTS_0, &BIASES_0, &mut first);
        relu_f32(&mut first);
        layer(&first, &WEIGHTS_1, &BIASES_1, &mut second);
        relu_f32(&mut second);
        layer(&second, &WEIGHTS_2, &BIASES_2, &mut third);
        // The crate's own tanh for f32 is x / (1 + |x|), which is another function.
        2.0 * libm::tanhf(third[0])
    }
}

#[cfg(feature = "int8")]
mod run {
    use embedded_nn::{
        Activation, Dims, FcParams, PerTensorQuantParams, dequantize_s8_to_f32, fully_connected_s8,
        quantize_f32_to_s8,
    };

    use crate::network::*;

    fn layer(
        input: &[i8],
        weights: &[i8],
        biases: &[i32],
        numbers: [i32; 4],
        relu: bool,
        output: &mut [i8],
    ) {
        let [input_zero, output_zero, multiplier, shift] = numbers;
        let parameters = FcParams {
            input_offset: -input_zero,
            filter_offset: 0,
            output_offset: output_zero,
            activation: Activation::new(if relu { output_zero } else { -128 }, 127),
        };
        let quantisation = PerTensorQuantParams::new(multiplier, shift);
        let dims = |n: usize, c: usize| Dims::new(n as i32, 1, 1, c as i32);
        let (inputs, outputs) = (input.len(), output.len());
        let (one, filter, many) = (dims(1, inputs), dims(inputs, outputs), dims(1, outputs));
        let bias = Some(biases);
        // It has no error to report.
        let _ = fully_connected_s8(
            &parameters,
            &quantisation,
            &one,
            input,
            &filter,
            weights,
            bias,
            &many,
            output,
        );
    }

    #[inline]
    pub fn act(observation: &[f32]) -> f32 {
        let mut input = [0; SIZES[0]];
        for (quantised, number) in input.iter_mut().zip(observation) {
            *quantised = quantize_f32_to_s8(*number, INPUT_SCALE, NUMBERS_0[0]);
        }
        let (mut first, mut second, mut third) = ([0; SIZES[1]], [0; SIZES[2]], [0; SIZES[3]]);
        layer(&input, &WEIGHTS_0, &BIASES_0, NUMBERS_0, true, &mut first);
        layer(&first, &WEIGHTS_1, &BIASES_1, NUMBERS_1, true, &mut second);
        layer(&second, &WEIGHTS_2, &BIASES_2, NUMBERS_2, false, &mut third);
        dequantize_s8_to_f32(third[0], OUTPUT_SCALE, NUMBERS_2[1])
    }
}
