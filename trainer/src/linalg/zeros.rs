//! Whether to leave the terms of zeros out: whichever way is faster here.
//!
//! That depends on the processor, its registers and the sizes: with AVX2, leaving out half of the terms saves a third of the time; with
//! AVX-512 it saves a tenth on some processors and costs a fifth on others. So both ways are measured, once for each size
//! in a process, which takes a millisecond or two. Whatever is chosen, the bits are the same.

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::backend::Backend;
use super::factors::{Finish, Left, Right, Start};
use super::kernel;

/// Sizes and forms of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Is A the transpose of a row-major matrix?
    pub left_transposed: bool,
    /// Is B?
    pub right_transposed: bool,
}

/// What becomes of the terms of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// Whatever is faster.
    Measured,
    /// They are left out where the kernel can do so.
    LeftOut,
    /// They are computed.
    Computed,
}

/// The fastest times of a product of which half of the left factor's numbers are zeros, in s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// Without the terms of zeros.
    pub left_out: f64,
    /// With them.
    pub computed: f64,
}

/// Each way is measured so often at least.
const TURNS: usize = 8;
/// Large products are not measured more often than that after so long.
const BUDGET: Duration = Duration::from_millis(1);
/// Places where the zeros of a turn may begin: a processor learns a pattern that comes again.
const SHIFTS: usize = 1 << 14;

thread_local! {
    static PREFERENCE: Cell<Zeros> = const { Cell::new(Zeros::Measured) };
}

/// Programs that `work` compiles on this thread take that way, for tests and comparisons.
pub fn with<R>(zeros: Zeros, work: impl FnOnce() -> R) -> R {
    /// Puts back what was there before, after a panic, too.
    struct Restore(Zeros);
    impl Drop for Restore {
        fn drop(&mut self) {
            PREFERENCE.set(self.0);
        }
    }
    let _restore = Restore(PREFERENCE.replace(zeros));
    work()
}

/// Whether a product of a left factor with many zeros should leave out their terms.
pub fn leave_out(backend: Backend, shape: Shape) -> bool {
    static CHOICES: Mutex<Option<HashMap<(Backend, Shape), bool>>> = Mutex::new(None);
    let Shape { m, k, n, .. } = shape;
    if !kernel::leaves_zeros_out(m, k, n) {
        return false;
    }
    match PREFERENCE.get() {
        Zeros::LeftOut => true,
        Zeros::Computed => false,
        Zeros::Measured if !backend.has_registers() => true,
        Zeros::Measured => {
            // Held while it measures, so that others wait instead of disturbing it.
            let mut choices = CHOICES.lock().unwrap_or_else(PoisonError::into_inner);
            let choices = choices.get_or_insert_default();
            *choices.entry((backend, shape)).or_insert_with(|| {
                let Times { left_out, computed } = measure(backend, shape, BUDGET);
                left_out < computed
            })
        }
    }
}

/// Measures both ways in turn, for about that long, with other zeros each time.
pub fn measure(backend: Backend, shape: Shape, budget: Duration) -> Times {
    let Shape { m, k, n, left_transposed, right_transposed } = shape;
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut numbers = |count: usize| -> Vec<f32> {
        let mut number = || {
            // Marsaglia's xorshift64 (2003).
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            (bits >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| number()).collect()
    };
    let mut left = numbers(m * k + SHIFTS);
    left.iter_mut().for_each(|x| *x = x.max(0.0));
    let (right, mut c) = (numbers(k * n), vec![0.0; m * n]);
    let right = if right_transposed { Right::columns(&right) } else { Right::rows(&right) };
    let mut times = Times { left_out: f64::INFINITY, computed: f64::INFINITY };
    let (begin, mut turn) = (Instant::now(), 0);
    while turn <= TURNS || begin.elapsed() < budget {
        let numbers = &left[turn * 977 % SHIFTS..][..m * k];
        let a = if left_transposed { Left::columns(numbers, m) } else { Left::rows(numbers, k) };
        for (a, time) in [(a.with_zeros(), &mut times.left_out), (a, &mut times.computed)] {
            let start = Instant::now();
            backend.matmul(a, right, n, Start::Zero, Finish::Sums, black_box(&mut c));
            // The first turn warms up.
            if turn > 0 {
                *time = time.min(start.elapsed().as_secs_f64());
            }
        }
        turn += 1;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { m: 100, k: 64, n: 64, left_transposed: false, right_transposed: false };

    #[test]
    fn a_preference_goes_before_what_was_measured() {
        let backend = Backend::current();
        let measured = leave_out(backend, SHAPE);
        assert!(with(Zeros::LeftOut, || leave_out(backend, SHAPE)));
        assert!(!with(Zeros::Computed, || leave_out(backend, SHAPE)));
        assert_eq!(leave_out(backend, SHAPE), measured, "once in a process");
        let few = Shape { n: 8, ..SHAPE };
        assert!(!with(Zeros::LeftOut, || leave_out(backend, few)), "no kernel does so");
    }

    #[test]
    fn both_ways_are_measured() {
        for left_transposed in [false, true] {
            let shape = Shape { left_transposed, right_transposed: !left_transposed, ..SHAPE };
            let times = measure(Backend::current(), shape, Duration::ZERO);
            assert!(times.left_out > 0.0 && times.computed > 0.0, "{times:?}");
            assert!(times.left_out < 1.0 && times.computed < 1.0, "{times:?}");
        }
    }
}
