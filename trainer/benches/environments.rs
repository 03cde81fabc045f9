//! Steps of many environments: one after the other, and in lanes where there are some.
//! `cargo bench --bench environments`

use std::hint::black_box;
use std::time::{Duration, Instant};

use trainer::envs;
use trainer::interface::{Environment, Environments, Step};
use trainer::linalg::Backend;
use trainer::rng::{Stream, stream};

const BUDGET: Duration = Duration::from_millis(300);
/// Steps of a turn.
const STEPS: usize = 200;

fn main() {
    println!("{}: millions of steps a second, of all environments together", Backend::current());
    for entry in envs::ALL {
        let table = envs::defaults(entry.name).expect("an environment has defaults");
        for count in [1, 16, 256] {
            let singles = (0..count).map(|_| envs::make(&table).expect("an environment"));
            let mut singles: Vec<Box<dyn Environment>> = singles.collect();
            let mut many = envs::make_many(&table, count).expect("environments");
            let (one, all) = fastest(&mut singles, &mut *many, count);
            println!(
                "{:>20} {count:>4}: one by one {:>6.1}, together {:>6.1}, ×{:.2}",
                entry.name,
                1e-6 / one,
                1e-6 / all,
                one / all
            );
        }
    }
}

/// The shortest times of a step of one environment, in s, measured in turn.
fn fastest(
    singles: &mut Vec<Box<dyn Environment>>,
    many: &mut dyn Environments,
    count: usize,
) -> (f64, f64) {
    let (mut one, mut all) = (f64::INFINITY, f64::INFINITY);
    let begin = Instant::now();
    while begin.elapsed() < BUDGET {
        one = one.min(turn(singles, count));
        all = all.min(turn(many, count));
    }
    (one, all)
}

fn turn(environments: &mut dyn Environments, count: usize) -> f64 {
    let (obs, act) = (environments.spec().observation_size(), environments.spec().action_size());
    let (mut observations, actions) = (vec![0.0; count * obs], vec![0.1; count * act]);
    let mut outcomes = vec![Step { reward: 0.0, terminated: false }; count];
    let mut rng = stream(1, Stream::Environment);
    for (index, observation) in observations.chunks_exact_mut(obs).enumerate() {
        environments.reset(index, &mut rng, observation);
    }
    let start = Instant::now();
    for _ in 0..STEPS {
        environments.step(black_box(&actions), &mut observations, &mut outcomes);
        black_box((&observations, &outcomes));
    }
    start.elapsed().as_secs_f64() / (STEPS * count) as f64
}
