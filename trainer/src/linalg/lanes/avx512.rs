//! Sixteen numbers in an AVX-512 register.

use std::arch::x86_64::{
    __m256, __m512, __mmask16, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_NLE_UQ, _mm512_cmp_ps_mask,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_maskz_mov_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::Lanes;

/// A bit for each of the first `count` ≤ 16 lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

impl Lanes for __m512 {
    const COUNT: usize = 16;
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { _mm512_storeu_ps(to, self) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise; lanes outside the mask are not touched.
        unsafe { _mm512_maskz_loadu_ps(first(count), from) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's promise; lanes outside the mask are not touched.
        unsafe { _mm512_mask_storeu_ps(to, first(count), self) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_fmadd_ps(a, b, self) }
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: the caller's promise. A bit where it is not ≤ 0, or a NaN.
        unsafe {
            let stays = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(self, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(stays, self)
        }
    }
    #[inline(always)]
    unsafe fn where_positive(self, y: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let stays = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(y, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(stays, self)
        }
    }
    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: the caller's promise.
        u64::from(unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self, _mm512_setzero_ps()) })
    }
    /// As four squares of half the size.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        for (row, column) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            // SAFETY: the caller's promise; a processor with AVX-512 has AVX2.
            unsafe {
                let from = from.add(row * stride + column);
                __m256::transpose(from, stride, to.add(column * to_stride + row), to_stride);
            }
        }
    }
}
