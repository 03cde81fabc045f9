//! Matrix products of the networks' sizes, and the share of the processor's peak that they reach:
//! `cargo bench --bench kernels`. Where half of the left factor's numbers are zeros, their terms count as if they were
//! computed, so that a share may be above 100 %; there the way that programs choose on this machine is shown, and how long the
//! other way takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use trainer::elementary::fill_normal;
use trainer::linalg::zeros::{self, Shape, Times};
use trainer::linalg::{Backend, Finish, Left, Right, Start};
use trainer::rng::{Stream, stream};

/// Of one product.
const BUDGET: Duration = Duration::from_millis(200);

/// (rows of a minibatch, inputs, outputs) of a layer.
const LAYERS: [(usize, usize, usize); 9] = [
    (100, 4, 64),
    (100, 64, 64),
    (100, 64, 1),
    (256, 64, 64),
    (100, 256, 256),
    (256, 256, 256),
    (256, 256, 1),
    (100, 400, 300),
    (256, 400, 300),
];

fn main() {
    for backend in Backend::available() {
        let peak = backend.measure_peak();
        println!("{backend}: peak {:.1} G multiply-adds/s, in registers", 1e-9 * peak);
        let show = |rate: f64| format!("{:.1} G/s {:>3.0} %", 1e-9 * rate, 100.0 * rate / peak);
        println!("{:>14} {:>22} {:>22} {:>22}", "batch·in·out", "y", "dx", "dw");
        for (batch, inputs, outputs) in LAYERS {
            let rates = layer(backend, batch, inputs, outputs);
            let text = rates.map(|rate| format!("{:>22}", show(rate)));
            println!("{:>14} {}", format!("{batch}·{inputs}·{outputs}"), text.join(" "));
        }
        println!(
            "half of the left factor's numbers are zeros; chosen, and how long the other way takes:"
        );
        for (batch, inputs, outputs) in LAYERS {
            let text = shapes(batch, inputs, outputs).map(|shape| {
                let Times { left_out, computed } = zeros::measure(backend, shape, BUDGET);
                let (way, chosen, other) = match zeros::leave_out(backend, shape) {
                    true => ("left out", left_out, computed),
                    false => ("computed", computed, left_out),
                };
                let rate = (shape.m * shape.k * shape.n) as f64 / chosen;
                format!("{:>17} {way} ×{:.2}", show(rate), other / chosen)
            });
            println!("{:>14} {}", format!("{batch}·{inputs}·{outputs}"), text.join(" "));
        }
    }
}

/// The products of a layer's y, dx and dw.
fn shapes(batch: usize, inputs: usize, outputs: usize) -> [Shape; 3] {
    let shape = |m, k, n, left_transposed, right_transposed| Shape {
        m,
        k,
        n,
        left_transposed,
        right_transposed,
    };
    [
        shape(batch, inputs, outputs, false, false),
        shape(batch, outputs, inputs, false, true),
        shape(inputs, batch, outputs, true, false),
    ]
}

/// Multiply-adds per second of a layer with its ReLU, the derivative by its input with that of the
/// ReLU before it, and the derivative by its weights.
fn layer(backend: Backend, batch: usize, inputs: usize, outputs: usize) -> [f64; 3] {
    let mut rng = stream(1, Stream::Initialisation);
    let mut numbers = |count: usize| -> Vec<f32> {
        let mut numbers = vec![0.0; count];
        fill_normal(&mut rng, &mut numbers);
        numbers
    };
    let (x, w, b) = (numbers(batch * inputs), numbers(inputs * outputs), numbers(outputs));
    let dy = numbers(batch * outputs);
    let [mut y, mut dx, mut dw] =
        [batch * outputs, batch * inputs, inputs * outputs].map(|count| vec![0.0; count]);
    let count = (batch * inputs * outputs) as f64;
    let forward = fastest(|| {
        let (x, w) = (Left::rows(&x, inputs), Right::rows(&w));
        backend.matmul(x, w, outputs, Start::Row(&b), Finish::Relu, black_box(&mut y));
    });
    let input = fastest(|| {
        let (dy, w) = (Left::rows(&dy, outputs), Right::columns(&w));
        let finish = Finish::WherePositive(&x);
        backend.matmul(dy, w, inputs, Start::Zero, finish, black_box(&mut dx));
    });
    let weights = fastest(|| {
        let (x, dy) = (Left::columns(&x, inputs), Right::rows(&dy));
        backend.matmul(x, dy, outputs, Start::Zero, Finish::Sums, black_box(&mut dw));
    });
    [forward, input, weights].map(|seconds| count / seconds)
}

/// The shortest time that the work took, in s.
fn fastest(mut work: impl FnMut()) -> f64 {
    let (begin, mut fastest) = (Instant::now(), f64::INFINITY);
    while begin.elapsed() < BUDGET {
        let turn = Instant::now();
        work();
        fastest = fastest.min(turn.elapsed().as_secs_f64());
    }
    fastest
}
