use trainer::*;
struct Quiet;
impl train::Observer for Quiet {
    fn on_step(&mut self, _: usize) {}
    fn on_episode(&mut self, _: &train::Episode<'_>) -> Result<(), train::TrainError> {
        Ok(())
    }
}
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (from, n): (u64, u64) = (args[0].parse().unwrap(), args[1].parse().unwrap());
    let mut gaps = vec![];
    let t = std::time::Instant::now();
    for seed in from..from + n {
        let mut sets: Vec<String> = args[2..].to_vec();
        sets.push(format!("seed={seed}"));
        let c = config::RunConfig::resolve(Some("sac"), None, &sets).unwrap();
        let mut env = envs::make(&c.environment).unwrap();
        let spec = env.spec().clone();
        let mut agent = algos::make(
            &c.algorithm,
            &c.agent,
            &spec,
            c.training.batch_size,
            &mut rng::stream(seed, rng::Stream::Initialisation),
        )
        .unwrap();
        train::train(&mut *env, &mut *agent, &c.training, &mut Quiet).unwrap();
        let blob = export::export(&agent.policy(), &spec).unwrap();
        let p = export::HostPolicy::from_bytes(blob.bytes()).unwrap();
        let starts = eval::Starts::builtin("pendulum").unwrap();
        let e = eval::evaluate(&p, &mut *env, &starts).unwrap();
        let gap = e.gap_percent(starts.optimal_mean().unwrap());
        let metrics: Vec<String> =
            agent.metrics().iter().map(|m| format!("{} {:.3}", m.name, m.value)).collect();
        if std::env::var("V").is_ok() {
            println!("seed {seed} mean {:.1} gap {:.1} {}", e.mean, gap, metrics.join(" "));
        }
        gaps.push(gap);
    }
    gaps.sort_by(f64::total_cmp);
    println!(
        "{} median {:.1} worst {:.1} p90 {:.1} | {:.2} s each",
        args[2..].join(" "),
        gaps[gaps.len() / 2],
        gaps[gaps.len() - 1],
        gaps[gaps.len() * 9 / 10],
        t.elapsed().as_secs_f64() / n as f64
    );
}
