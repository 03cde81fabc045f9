//! The way that programs choose for products with many zeros is not the slower one on this machine.

use std::time::Duration;

use trainer::linalg::Backend;
use trainer::linalg::zeros::{Shape, Times, leave_out, measure};

/// How much slower the chosen way may seem: a shared machine disturbs measurements.
const TOLERANCE: f64 = 1.1;
const BUDGET: Duration = Duration::from_millis(40);
/// Measurements, the best of which counts.
const TURNS: usize = 5;

#[test]
fn the_faster_way_is_chosen() {
    let backend = Backend::current();
    for (batch, inputs, outputs) in [(100, 64, 64), (256, 64, 64), (256, 256, 256), (100, 400, 300)]
    {
        for shape in [
            Shape {
                m: batch,
                k: inputs,
                n: outputs,
                left_transposed: false,
                right_transposed: false,
            },
            Shape {
                m: batch,
                k: outputs,
                n: inputs,
                left_transposed: false,
                right_transposed: true,
            },
            Shape {
                m: inputs,
                k: batch,
                n: outputs,
                left_transposed: true,
                right_transposed: false,
            },
        ] {
            let left_out = leave_out(backend, shape);
            let ratio = || {
                let Times { left_out: without, computed: with } = measure(backend, shape, BUDGET);
                if left_out { without / with } else { with / without }
            };
            let least = (0..TURNS).map(|_| ratio()).fold(f64::INFINITY, f64::min);
            assert!(
                least <= TOLERANCE,
                "{backend}, {shape:?}: leaving zeros out ({left_out}) takes {least:.2} times as long as the other way"
            );
        }
    }
}
