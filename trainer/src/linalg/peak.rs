//! The most multiplications that a processor can do.

use std::hint::black_box;
use std::time::Instant;

use super::backend::Backend;
use super::lanes::Lanes;

/// Sums under way at a time: more than a processor has in its pipelines, and with the two factors as
/// many as it has registers.
pub(super) const CHAINS: usize = 14;
/// Multiplications of each sum in a measurement, some 10 µs, so that many see no interruption.
const LENGTH: usize = 4000;
const MEASUREMENTS: usize = 2000;

/// `LENGTH` fused multiply-adds of `CHAINS` registers, nothing read or written between them.
///
/// # Safety
///
/// The processor has the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn chains<L: Lanes>(factor: f32) -> f32 {
    let mut lanes = [0.0_f32; 64];
    // SAFETY: the caller's promise; no type has more than 64 lanes.
    unsafe {
        let (x, y) = (L::splat(factor), L::splat(1e-9));
        let mut sums = [L::splat(0.5); CHAINS];
        for _ in 0..LENGTH {
            for sum in &mut sums {
                *sum = y.add_product(*sum, x);
            }
        }
        for sum in sums {
            sum.store(lanes.as_mut_ptr());
            black_box(&lanes);
        }
    }
    lanes[0]
}

impl Backend {
    /// The most fused multiply-adds in a second that one thread was seen to do, of numbers that are
    /// in registers. It takes some 20 ms.
    pub fn measure_peak(self) -> f64 {
        let count = (LENGTH * CHAINS * self.lanes()) as f64;
        let rate = |_| {
            let begin = Instant::now();
            black_box(self.chains(black_box(0.999)));
            count / begin.elapsed().as_secs_f64()
        };
        (0..MEASUREMENTS).map(rate).fold(0.0, f64::max)
    }
}
