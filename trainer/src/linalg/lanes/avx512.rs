//! Sixteen numbers in an AVX-512 register.

use std::arch::x86_64::{
    __m512, __mmask16, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_NLE_UQ, _mm_loadu_ps, _mm512_castps128_ps512,
    _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_insertf32x4, _mm512_loadu_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_maskz_mov_ps, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_shuffle_ps, _mm512_storeu_ps, _mm512_unpackhi_ps, _mm512_unpacklo_ps,
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
    /// Shuffles do not cross the four quarters of a register: one has rows j, j + 4, j + 8 and j + 12, four columns at a time.
    #[inline(always)]
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square {
        // SAFETY: the caller's promise. No closures, as for AVX2.
        unsafe {
            let mut square = [_mm512_setzero_ps(); 16];
            for quarter in [0, 4, 8, 12] {
                let mut rows = [_mm512_setzero_ps(); 4];
                for (i, row) in rows.iter_mut().enumerate() {
                    let from = from.add(i * stride + quarter);
                    let all = _mm512_castps128_ps512(_mm_loadu_ps(from));
                    let all = _mm512_insertf32x4::<1>(all, _mm_loadu_ps(from.add(4 * stride)));
                    let all = _mm512_insertf32x4::<2>(all, _mm_loadu_ps(from.add(8 * stride)));
                    *row = _mm512_insertf32x4::<3>(all, _mm_loadu_ps(from.add(12 * stride)));
                }
                // First two rows with their numbers alternating, then four.
                let low =
                    [_mm512_unpacklo_ps(rows[0], rows[1]), _mm512_unpacklo_ps(rows[2], rows[3])];
                let high =
                    [_mm512_unpackhi_ps(rows[0], rows[1]), _mm512_unpackhi_ps(rows[2], rows[3])];
                square[quarter] = _mm512_shuffle_ps::<0x44>(low[0], low[1]);
                square[quarter + 1] = _mm512_shuffle_ps::<0xEE>(low[0], low[1]);
                square[quarter + 2] = _mm512_shuffle_ps::<0x44>(high[0], high[1]);
                square[quarter + 3] = _mm512_shuffle_ps::<0xEE>(high[0], high[1]);
            }
            square
        }
    }
}
