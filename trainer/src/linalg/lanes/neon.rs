//! Four numbers in a NEON register.

use std::arch::aarch64::{
    float32x4_t, vaddvq_u32, vandq_u32, vbicq_u32, vceqzq_f32, vcgtq_f32, vcleq_f32, vdupq_n_f32,
    vfmaq_f32, vld1q_f32, vld1q_u32, vreinterpretq_f32_f64, vreinterpretq_f32_u32,
    vreinterpretq_f64_f32, vreinterpretq_u32_f32, vst1q_f32, vtrn1q_f32, vtrn1q_f64, vtrn2q_f32,
    vtrn2q_f64,
};

use super::Lanes;

impl Lanes for float32x4_t {
    const COUNT: usize = 4;
    type Square = [Self; 4];
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; no alignment beyond that of a number is needed.
        unsafe { vld1q_f32(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; no alignment beyond that of a number is needed.
        unsafe { vst1q_f32(to, self) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0_f32; 4];
        // SAFETY: the caller's promise, for the first `count` numbers; the array has four.
        unsafe {
            std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
            vld1q_f32(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        let mut lanes = [0.0_f32; 4];
        // SAFETY: the array has four numbers; the caller's promise, for the first `count`.
        unsafe {
            vst1q_f32(lanes.as_mut_ptr(), self);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, count);
        }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { vfmaq_f32(self, a, b) }
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: the caller's promise. Bits are cleared where it is ≤ 0, which no NaN is.
        unsafe {
            let goes = vcleq_f32(self, vdupq_n_f32(0.0));
            vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(self), goes))
        }
    }
    #[inline(always)]
    unsafe fn where_positive(self, y: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let stays = vcgtq_f32(y, vdupq_n_f32(0.0));
            vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(self), stays))
        }
    }
    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: the caller's promise. Each lane has a bit of its own, and their sum has them all.
        unsafe {
            let bits = vld1q_u32([1, 2, 4, 8].as_ptr());
            u64::from(vaddvq_u32(vbicq_u32(bits, vceqzq_f32(self))))
        }
    }
    #[inline(always)]
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square {
        // SAFETY: the caller's promise.
        unsafe {
            let mut rows = [vdupq_n_f32(0.0); 4];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = vld1q_f32(from.add(i * stride));
            }
            // Even and odd columns of two rows; then, taken as pairs, of four.
            let mut square = rows;
            let even = [vtrn1q_f32(rows[0], rows[1]), vtrn1q_f32(rows[2], rows[3])];
            let odd = [vtrn2q_f32(rows[0], rows[1]), vtrn2q_f32(rows[2], rows[3])];
            for (j, [upper, lower]) in [even, odd].into_iter().enumerate() {
                let (upper, lower) = (vreinterpretq_f64_f32(upper), vreinterpretq_f64_f32(lower));
                square[j] = vreinterpretq_f32_f64(vtrn1q_f64(upper, lower));
                square[j + 2] = vreinterpretq_f32_f64(vtrn2q_f64(upper, lower));
            }
            square
        }
    }
}
