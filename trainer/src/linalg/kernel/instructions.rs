//! The kernel, compiled for the instructions of each backend.

use super::Product;
use crate::linalg::pack::Scratch;
#[cfg(target_arch = "x86_64")]
use crate::linalg::peak::{self, FEW, MANY};

/// The kernel with AVX2 and FMA: 6 × 2 registers for sums, 2 for B, 1 for A, of 16.
///
/// # Safety
///
/// The processor has AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1")]
pub(in crate::linalg) unsafe fn run_avx2(product: Product<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's promise.
    unsafe { product.run::<std::arch::x86_64::__m256, 6, 8, 2>(scratch) }
}

/// The chains of [`peak`] with AVX2 and FMA.
///
/// # Safety
///
/// The processor has AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1")]
pub(in crate::linalg) unsafe fn chains_avx2(factor: f32) -> f32 {
    // SAFETY: the caller's promise.
    unsafe { peak::chains::<std::arch::x86_64::__m256, FEW>(factor) }
}

/// The chains of [`peak`] with AVX-512.
///
/// # Safety
///
/// The processor has AVX-512F, AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma,bmi1")]
pub(in crate::linalg) unsafe fn chains_avx512(factor: f32) -> f32 {
    // SAFETY: the caller's promise.
    unsafe { peak::chains::<std::arch::x86_64::__m512, MANY>(factor) }
}

/// The kernel with AVX-512: 6 × 4 registers for sums, 4 for B, 1 for A, of 32.
///
/// # Safety
///
/// The processor has AVX-512F, AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma,bmi1")]
pub(in crate::linalg) unsafe fn run_avx512(product: Product<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's promise.
    unsafe { product.run::<std::arch::x86_64::__m512, 6, 8, 4>(scratch) }
}

/// The kernel with NEON: 6 × 4 registers for sums, 4 for B, 1 for A, of 32.
#[cfg(target_arch = "aarch64")]
pub(in crate::linalg) fn run_neon(product: Product<'_>, scratch: &mut Scratch) {
    // SAFETY: every processor of this architecture has NEON.
    unsafe { product.run::<std::arch::aarch64::float32x4_t, 6, 8, 4>(scratch) }
}
