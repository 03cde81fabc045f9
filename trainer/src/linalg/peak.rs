//! The most multiplications that a processor can do.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::backend::Backend;
use super::lanes::Lanes;

/// Sums under way at a time, with the two factors as many as there are registers, of 16: more than
/// such processors have in their pipelines.
pub(super) const FEW: usize = 14;
/// The same of 32 registers.
pub(super) const MANY: usize = 28;
/// Multiplications of each sum in a turn, some 10 µs, so that many turns see no interruption.
const LENGTH: usize = 4000;
const BUDGET: Duration = Duration::from_millis(20);

/// `LENGTH` fused multiply-adds of `CHAINS` registers, nothing read or written between them.
///
/// # Safety
///
/// The processor has the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn chains<L: Lanes, const CHAINS: usize>(factor: f32) -> f32 {
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
        let (begin, mut fastest) = (Instant::now(), f64::INFINITY);
        while begin.elapsed() < BUDGET {
            let turn = Instant::now();
            black_box(self.chains(black_box(0.999)));
            fastest = fastest.min(turn.elapsed().as_secs_f64());
        }
        (LENGTH * self.under_way()) as f64 / fastest
    }
}
