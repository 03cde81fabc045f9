//! Sixteen numbers in an AVX-512 register.

use std::arch::x86_64::{
    __m256, __m512, __mmask16, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_NLE_UQ, _mm256_castps_pd,
    _mm512_castpd_ps, _mm512_castpd256_pd512, _mm512_cmp_ps_mask, _mm512_fmadd_ps,
    _mm512_insertf64x4, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
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
    type Square = [Self; 16];
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
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square {
        // SAFETY: the caller's promise; a processor with AVX-512 has AVX2.
        unsafe {
            let mut square = [_mm512_setzero_ps(); 16];
            for half in [0, 8] {
                let upper = __m256::columns(from.add(half), stride);
                let lower = __m256::columns(from.add(8 * stride + half), stride);
                for j in 0..8 {
                    square[half + j] = joined(upper[j], lower[j]);
                }
            }
            square
        }
    }
}

/// Sixteen numbers from two times eight. (Inserting eight floats at once takes AVX-512DQ.)
///
/// # Safety
///
/// The processor has AVX-512F.
#[inline(always)]
unsafe fn joined(upper: __m256, lower: __m256) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        let upper = _mm512_castpd256_pd512(_mm256_castps_pd(upper));
        _mm512_castpd_ps(_mm512_insertf64x4::<1>(upper, _mm256_castps_pd(lower)))
    }
}
