//! Whole updates of every algorithm, and the share of the processor's peak that they reach:
//! `cargo bench --bench updates`. "G/s" and the first share count terms of zeros as if they were computed,
//! as `kernels` does; "computed" does not.

use std::time::Duration;

use trainer::bench::Learner;
use trainer::config::RunConfig;
use trainer::linalg::Backend;

fn main() {
    let peak = Backend::current().measure_peak();
    println!("{}: peak {:.1} G multiply-adds/s, in registers", Backend::current(), 1e-9 * peak);
    println!(
        "{:<12} {:>10} {:>6} {:>10} {:>12} {:>6} {:>9}",
        "preset", "hidden", "batch", "µs", "G/s", "peak", "computed"
    );
    for preset in ["dqn", "double-dqn", "ddpg", "td3", "sac", "sac-v", "hw2-sac-m3"] {
        for (hidden, batch) in [([64, 64], 100), ([256, 256], 256), ([400, 300], 256)] {
            let settings = [format!("hidden={hidden:?}"), format!("batch_size={batch}")];
            let config = RunConfig::resolve(Some(preset), None, &settings)
                .expect("presets are checked by a test");
            let mut learner = Learner::new(&config).expect("presets are checked by a test");
            let cost = learner.cost(Duration::from_millis(500));
            let rate = cost.multiplications / cost.seconds;
            println!(
                "{preset:<12} {:>10} {batch:>6} {:>10.1} {:>12.1} {:>4.0} % {:>7.0} %",
                format!("{}-{}", hidden[0], hidden[1]),
                1e6 * cost.seconds,
                1e-9 * rate,
                100.0 * rate / peak,
                100.0 * cost.computed / cost.seconds / peak
            );
        }
    }
}
