//! Steps of many environments, and evaluations of a 64-64 policy from all starts of one: one after the other, and many at a
//! time. `cargo bench --bench environments`

use std::hint::black_box;
use std::time::{Duration, Instant};

use trainer::config::RunConfig;
use trainer::envs;
use trainer::eval::{Starts, evaluate};
use trainer::export::export;
use trainer::interface::{Environment, Environments, Step};
use trainer::linalg::Backend;
use trainer::policy::AnyPolicy;
use trainer::rng::{Stream, stream};
use trainer::run;

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
    println!("evaluations, in ms");
    for entry in envs::ALL {
        let settings = [format!("environment.name={}", entry.name)];
        let config = RunConfig::resolve(Some("sac"), None, &settings).expect("a preset");
        let run::Start { environments, agent } = run::start(&config).expect("a run");
        let blob = export(&agent.policy(), environments.spec(), 0).expect("a policy");
        let policy = AnyPolicy::from_bytes(blob.bytes()).expect("a policy");
        let starts = Starts::builtin(&config.environment).expect("starts");
        let mut single = envs::make(&config.environment).expect("an environment");
        let mut many = starts.environments(&config.environment).expect("environments");
        let (mut one, mut all) = (f64::INFINITY, f64::INFINITY);
        let begin = Instant::now();
        while begin.elapsed() < 2 * BUDGET {
            let start = Instant::now();
            one_by_one(&policy, &mut *single, &starts);
            one = one.min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            black_box(evaluate(&policy, &mut *many, &starts).expect("an evaluation"));
            all = all.min(start.elapsed().as_secs_f64());
        }
        println!(
            "{:>20} {:>4}: one by one {:>6.2}, together {:>6.2}, ×{:.2}",
            entry.name,
            starts.states.len(),
            1e3 * one,
            1e3 * all,
            one / all
        );
    }
}

/// An evaluation as simple as can be.
fn one_by_one(policy: &AnyPolicy<'_>, environment: &mut dyn Environment, starts: &Starts) {
    let horizon = environment.spec().horizon;
    let mut observation = vec![0.0; environment.spec().observation_size()];
    for state in &starts.states {
        environment.restore(state, &mut observation);
        for _ in 0..horizon {
            let action = policy.act(&observation).expect("an action");
            if black_box(environment.step(&action, &mut observation)).terminated {
                break;
            }
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
