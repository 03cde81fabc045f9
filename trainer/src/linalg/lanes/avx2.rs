//! Eight numbers in an AVX2 register.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_NLE_UQ, _mm256_and_ps, _mm256_cmp_ps, _mm256_cmpgt_epi32,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_movemask_ps,
    _mm256_permute2f128_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::Lanes;

/// All bits set in the first `count` ≤ 8 lanes.
///
/// # Safety
///
/// The processor has AVX2.
#[inline(always)]
unsafe fn first(count: usize) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes)
    }
}

impl Lanes for __m256 {
    const COUNT: usize = 8;
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { _mm256_storeu_ps(to, self) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise; lanes outside the mask are not touched.
        unsafe { _mm256_maskload_ps(from, first(count)) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's promise; lanes outside the mask are not touched.
        unsafe { _mm256_maskstore_ps(to, first(count), self) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_fmadd_ps(a, b, self) }
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: the caller's promise. Not ≤ 0, or a NaN: all bits set, else none.
        unsafe {
            let stays = _mm256_cmp_ps::<_CMP_NLE_UQ>(self, _mm256_setzero_ps());
            _mm256_and_ps(stays, self)
        }
    }
    #[inline(always)]
    unsafe fn where_positive(self, y: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let stays = _mm256_cmp_ps::<_CMP_GT_OQ>(y, _mm256_setzero_ps());
            _mm256_and_ps(stays, self)
        }
    }
    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: the caller's promise.
        let bits = unsafe {
            _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(self, _mm256_setzero_ps()))
        };
        u64::from(bits as u32)
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            // No closures: they would not be compiled for these instructions.
            let mut rows = [_mm256_setzero_ps(); 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(i * stride));
            }
            // A register has two halves of four, which these two steps do not cross. First two
            // rows with their numbers alternating, then four.
            let mut pairs = rows;
            for i in [0, 2, 4, 6] {
                pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
                pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
            }
            let mut quads = pairs;
            for i in [0, 4] {
                quads[i] = _mm256_shuffle_ps::<0x44>(pairs[i], pairs[i + 2]);
                quads[i + 1] = _mm256_shuffle_ps::<0xEE>(pairs[i], pairs[i + 2]);
                quads[i + 2] = _mm256_shuffle_ps::<0x44>(pairs[i + 1], pairs[i + 3]);
                quads[i + 3] = _mm256_shuffle_ps::<0xEE>(pairs[i + 1], pairs[i + 3]);
            }
            for j in [0, 1, 2, 3] {
                let left = _mm256_permute2f128_ps::<0x20>(quads[j], quads[j + 4]);
                let right = _mm256_permute2f128_ps::<0x31>(quads[j], quads[j + 4]);
                _mm256_storeu_ps(to.add(j * to_stride), left);
                _mm256_storeu_ps(to.add((j + 4) * to_stride), right);
            }
        }
    }
}
