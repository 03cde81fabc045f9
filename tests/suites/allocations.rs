//! Once compiled, an update allocates nothing.

use allocation_counter::measure;
use trainer::config::RunConfig;
use trainer::replay::{Minibatch, Replay, Transition};
use trainer::rng::{Stream, stream};
use trainer::{algos, envs};

#[test]
fn updates_and_actions_allocate_nothing() {
    let config = RunConfig::resolve(Some("sac"), None, &[]).unwrap();
    let environment = envs::make(&config.environment).unwrap();
    let spec = environment.spec();
    let mut rng = stream(1, Stream::Initialisation);
    let batch_size = config.training.batch_size;
    let mut agent =
        algos::make(&config.algorithm, &config.agent, spec, batch_size, &mut rng).unwrap();
    let mut replay = Replay::new(10, spec.observation_size, spec.action_size());
    let observation = vec![0.5; spec.observation_size];
    let mut action = vec![0.1; spec.action_size()];
    replay.push(&Transition {
        observation: &observation,
        action: &action,
        reward: -1.0,
        next_observation: &observation,
        terminated: false,
    });
    let mut minibatch = Minibatch::new(batch_size, spec.observation_size, spec.action_size());
    let counted = measure(|| {
        for _ in 0..10 {
            replay.sample(&mut rng, &mut minibatch);
            agent.update(&minibatch.batch(), &mut rng);
            agent.explore(&observation, &mut rng, &mut action);
            agent.act(&observation, &mut action);
        }
    });
    assert_eq!(counted.count_total, 0);
    // The counter counts at all.
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total, 1);
}
