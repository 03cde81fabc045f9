//! What environments are given, what is told of their episodes, and where several of them go.

use super::*;

/// One episode as the observer is told of it: step, number, return, length.
type Told = (usize, usize, f64, usize);

struct Listener(Vec<Told>);

impl Observer for Listener {
    fn on_step(&mut self, _: usize) {}
    fn on_episode(&mut self, e: &Episode<'_>) -> Result<(), TrainError> {
        self.0.push((e.step, e.episode, e.episode_return, e.length));
        Ok(())
    }
}

/// A run over counters that are 1 000 000 apart: the agent after it, what each environment was
/// given, and what was told.
fn run(terminal_after: f32, config: &TrainingConfig) -> (Memory, Vec<Given>, Vec<Told>) {
    let offset = |index: usize| 1e6 * index as f32;
    let counters = (0..config.environments).map(|i| Counter::new(terminal_after, offset(i)));
    let counters: Vec<Counter> = counters.collect();
    let given = counters.iter().map(|counter| counter.given.clone()).collect();
    let (mut agent, mut listener) = (Memory::new(), Listener(Vec::new()));
    train(&mut boxed(counters), &mut agent, config, &mut listener).unwrap();
    (agent, given, listener.0)
}

/// Random ones span [−1, 1] for the agent and [−2, 4] for the environment; its own is 0.75 there.
#[test]
fn actions_are_random_at_first_and_in_the_environments_units() {
    for (environments, start_steps, random) in [(1, 50, 50), (2, 50, 25), (2, 5, 3), (1, 0, 0)] {
        let config = TrainingConfig { environments, start_steps, ..config() };
        for given in run(f32::INFINITY, &config).1 {
            let actions = given.actions.borrow();
            assert_eq!(actions.len(), 200 / environments);
            let (first, later) = actions.split_at(random);
            assert!(first.iter().all(|a| *a != 3.25), "{first:?}");
            assert!(later.iter().all(|a| *a == 3.25), "{later:?}");
            if random >= 25 {
                let least = first.iter().copied().fold(f32::INFINITY, f32::min);
                let largest = first.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(least < -1.25 && largest > 3.26, "{least} to {largest}");
            }
        }
    }
}

/// Each has a stream of its own, whatever others there are.
#[test]
fn environments_start_differently() {
    let starts = |environments: usize| -> Vec<Vec<u32>> {
        let config = TrainingConfig { environments, steps: 60 * environments, ..config() };
        let given = run(f32::INFINITY, &config).1;
        given.iter().map(|given| given.starts.borrow().clone()).collect()
    };
    let (alone, both) = (starts(1), starts(2));
    assert_eq!(alone[0].len(), 1 + 60 / 3);
    assert_eq!(alone[0], both[0]);
    assert!(both[0].iter().zip(&both[1]).all(|(first, second)| first != second), "{both:?}");
}

/// Rows of three steps at most, γ = ½, that end where an iteration of two steps cuts them off, and
/// never mix environments.
#[test]
fn n_steps_end_with_an_iteration_and_keep_to_their_environment() {
    for environments in [1, 2] {
        let config = TrainingConfig {
            environments,
            n_step: 3,
            rollout_steps: 2,
            reset_each_iteration: true,
            ..config()
        };
        let mut seen = [0; 2];
        for (s, r, next, not_terminated) in run(f32::INFINITY, &config).0.seen {
            let wanted = if next - s == 2.0 { (1.5, 0.5) } else { (1.0, 1.0) };
            assert!(next % 100.0 == 2.0 && next - s <= 2.0, "{s} → {next}");
            assert_eq!((r, not_terminated), wanted, "{s} → {next}");
            seen[usize::from(s > 5e5)] += 1;
        }
        assert!(seen[..environments].iter().all(|count| *count > 100), "{seen:?}");

        // Nothing is cut off: as `returns_span_n_steps_but_no_episodes`, with several of them.
        let config = TrainingConfig { reset_each_iteration: false, ..config };
        for (s, r, next, not_terminated) in run(f32::INFINITY, &config).0.seen {
            let wanted = [(1.0, 1.0), (1.5, 0.5), (1.75, 0.25)][(next - s) as usize - 1];
            assert_eq!(
                (next % 100.0, r, not_terminated),
                (3.0, wanted.0, wanted.1),
                "{s} → {next}"
            );
        }
    }
}

/// Environment 0 ends its episode one step, of all together, before environment 1.
#[test]
fn episodes_are_told_as_they_were() {
    let config = TrainingConfig {
        environments: 2,
        steps: 12,
        reward_scale: 100.0,
        rollout_steps: 3,
        ..config()
    };
    let (_, _, told) = run(f32::INFINITY, &config);
    assert_eq!(told, [(5, 1, 3.0, 3), (6, 2, 3.0, 3), (11, 3, 3.0, 3), (12, 4, 3.0, 3)]);
    let (_, _, told) = run(2.0, &TrainingConfig { steps: 8, n_step: 3, ..config.clone() });
    assert_eq!(told, [(3, 1, 2.0, 2), (4, 2, 2.0, 2), (7, 3, 2.0, 2), (8, 4, 2.0, 2)]);
    // What an iteration cuts off is told, too.
    let config =
        TrainingConfig { steps: 8, rollout_steps: 2, reset_each_iteration: true, ..config };
    let (_, _, told) = run(f32::INFINITY, &config);
    assert_eq!(told, [(4, 1, 2.0, 2), (4, 2, 2.0, 2), (8, 3, 2.0, 2), (8, 4, 2.0, 2)]);
}

/// γ = ½ and rows of three steps at most: the two steps after the first one have −½ log π − ¼ log π.
#[test]
fn later_entropies_are_of_the_steps_after_the_first() {
    let entropies = |start_steps: usize, likelihoods: Option<Vec<f32>>| {
        let config = TrainingConfig { environments: 2, n_step: 3, start_steps, ..config() };
        let counters = (0..2).map(|i| Counter::new(f32::INFINITY, 1e6 * i as f32)).collect();
        let mut agent = Memory { likelihoods, ..Memory::new() };
        train(&mut boxed(counters), &mut agent, &config, &mut Unobserved).unwrap();
        (agent.seen, agent.entropies)
    };
    let check = |start_steps: usize, log_pi: [f32; 2], tolerance: f32| {
        let (seen, entropies) = entropies(start_steps, Some(vec![-4.0, 0.5]));
        assert_eq!(seen.len(), entropies.len());
        for ((s, _, next, _), entropy) in seen.iter().zip(entropies) {
            let later = [0.0, 0.5, 0.75][(next - s) as usize - 1];
            let wanted = -log_pi[usize::from(*s > 5e5)] * later;
            assert!((entropy - wanted).abs() <= tolerance, "{s} → {next}: {entropy}, not {wanted}");
        }
    };
    check(0, [-4.0, 0.5], 0.0);
    // Random actions have the density of [−1, 1].
    check(1000, [-(2.0_f32.ln()); 2], 1e-6);
    assert!(entropies(0, None).1.is_empty());
}
