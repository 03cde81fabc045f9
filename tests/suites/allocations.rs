//! Once compiled, an update allocates nothing.

use allocation_counter::measure;
use trainer::config::RunConfig;
use trainer::replay::{Minibatch, Replay, Transition};
use trainer::rng::{Stream, stream};
use trainer::run;

#[test]
fn updates_and_actions_allocate_nothing() {
    for (preset, n_step) in [
        ("dqn", 1),
        ("double-dqn", 1),
        ("ddpg", 3),
        ("td3", 1),
        ("sac", 1),
        ("sac", 3),
        ("sac-v", 3),
        ("hw2-sac-m3", 1),
    ] {
        let settings = ["max_gradient_norm=1".into(), "critic_loss=huber".into()];
        let settings = [&settings[..], &[format!("n_step={n_step}")]].concat();
        let config = RunConfig::resolve(Some(preset), None, &settings).unwrap();
        let run::Start { environments, mut agent } = run::start(&config).unwrap();
        let spec = environments.spec();
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let (mut rng, count) = (stream(1, Stream::Initialisation), environments.count());
        let mut replay = Replay::for_agent(&*agent, 10, obs, act);
        let mut action = vec![0.0; act];
        agent.action_space().random(&mut rng, &mut action);
        replay.push(&Transition {
            observation: &vec![0.5; obs],
            action: &action,
            reward: -1.0,
            next_observation: &vec![0.5; obs],
            not_terminated: 1.0,
            later_entropy: 0.5,
        });
        let mut minibatch = Minibatch::new(config.training.batch_size, &replay);
        let (observations, mut actions) = (vec![0.5; count * obs], vec![0.0; count * act]);
        let counted = measure(|| {
            for _ in 0..10 {
                replay.sample(&mut rng, &mut minibatch);
                agent.update(&minibatch.batch(), &mut rng);
                agent.explore(&observations, &mut rng, &mut actions);
                agent.act(&observations[..obs], &mut action);
                agent.iteration_ended(0.5);
            }
        });
        assert_eq!(counted.count_total, 0, "{preset}");
    }
    // The counter counts at all.
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8]))).count_total, 1);
}
