//! Eight numbers in an AVX2 register.

use std::arch::asm;
use std::arch::x86_64::{
    __m256, __m256i, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_NLE_UQ, _mm_castsi128_ps, _mm_cvtsi32_si128,
    _mm_loadu_ps, _mm256_and_ps, _mm256_broadcastss_ps, _mm256_castps128_ps256, _mm256_cmp_ps,
    _mm256_cmpgt_epi32, _mm256_fmadd_ps, _mm256_insertf128_ps, _mm256_loadu_ps, _mm256_maskload_ps,
    _mm256_maskstore_ps, _mm256_movemask_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
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
    type Square = [Self; 8];
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
    /// By way of a general register, where the compiler would read a vector. AMD's processors since Zen 3
    /// read two vectors a cycle and a general register besides, and products with many zeros have
    /// no reads to spare.
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> Self {
        let bits: i32;
        // SAFETY: the caller's promise; four bytes are read, and nothing but the register changes.
        unsafe {
            asm!("mov {:e}, dword ptr [{}]", out(reg) bits, in(reg) from,
                options(pure, readonly, nostack, preserves_flags));
            _mm256_broadcastss_ps(_mm_castsi128_ps(_mm_cvtsi32_si128(bits)))
        }
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
        let bits =
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(self, _mm256_setzero_ps())) };
        u64::from(bits as u32)
    }
    #[inline(always)]
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square {
        // SAFETY: the caller's promise.
        unsafe {
            // No closures that the compiler might not inline: they would not be compiled for these
            // instructions. A register has two
            // halves of four, which shuffles do not cross: rows j and j + 4 share one, first with
            // their left halves, then with their right ones.
            let mut square = [_mm256_setzero_ps(); 8];
            for half in [0, 4] {
                let mut rows = [_mm256_setzero_ps(); 4];
                for (i, row) in rows.iter_mut().enumerate() {
                    let upper = _mm_loadu_ps(from.add(i * stride + half));
                    let lower = _mm_loadu_ps(from.add((i + 4) * stride + half));
                    *row = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(upper), lower);
                }
                // First two rows with their numbers alternating, then four.
                let low =
                    [_mm256_unpacklo_ps(rows[0], rows[1]), _mm256_unpacklo_ps(rows[2], rows[3])];
                let high =
                    [_mm256_unpackhi_ps(rows[0], rows[1]), _mm256_unpackhi_ps(rows[2], rows[3])];
                square[half] = _mm256_shuffle_ps::<0x44>(low[0], low[1]);
                square[half + 1] = _mm256_shuffle_ps::<0xEE>(low[0], low[1]);
                square[half + 2] = _mm256_shuffle_ps::<0x44>(high[0], high[1]);
                square[half + 3] = _mm256_shuffle_ps::<0xEE>(high[0], high[1]);
            }
            square
        }
    }
}
