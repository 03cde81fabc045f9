//! What keeps code small and loads together.

/// Keeps the compiler from unrolling the loop it stands in, and from moving loads across it. On a microcontroller a loop that
/// runs a few times is cheaper as it stands; and on a Cortex-M4 a load takes one cycle after another load, and two
/// on its own. It does nothing else.
#[inline(always)]
pub(crate) fn barrier() {
    if cfg!(target_os = "none") {
        core::hint::black_box(());
    }
}

/// The place of the first number that is infinite or none.
#[inline(never)]
pub(crate) fn not_finite(numbers: &[f32]) -> Option<usize> {
    numbers.iter().position(|x| {
        barrier();
        !x.is_finite()
    })
}
