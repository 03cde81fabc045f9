//! What agents do besides their losses: step sizes that fall, exploring by ε, targets in turn.

use ndarray::{Array1, Array2};

use super::*;
use crate::config::RunConfig;
use crate::envs;
use crate::interface::{Batch, channel};
use crate::rng::{Stream, stream};

/// Transitions in a minibatch.
const ROWS: usize = 8;

/// The agent of a preset on the pendulum, with settings over it.
fn agent(preset: &str, settings: &[&str], environments: usize) -> Box<dyn Algorithm> {
    over_steps(preset, settings, environments, 1).unwrap()
}

/// The same for returns over n steps.
fn over_steps(
    preset: &str,
    settings: &[&str],
    environments: usize,
    n_step: usize,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let config = RunConfig::resolve(Some(preset), None, &settings).unwrap();
    let environment = envs::make(&envs::defaults("pendulum").unwrap()).unwrap();
    let spec = environment.spec();
    let setup = Setup { spec, batch_size: ROWS, environments, n_step, actor_updates: None };
    make(&config.algorithm, &config.agent, &setup, &mut stream(1, Stream::Initialisation))
}

/// A step on a minibatch.
type Step = fn(&mut dyn Algorithm, &Batch<'_, f32>);

const CRITICS: Step = |agent, batch| agent.update_critics(batch, &mut stream(1, Stream::Update));
const ACTOR: Step = |agent, batch| agent.update_actor(batch, &mut stream(1, Stream::Update));
const TARGETS: Step = |agent, _| agent.update_targets();
const WHOLE: Step = |agent, batch| agent.update(batch, &mut stream(1, Stream::Update));

/// By how much each parameter changes in a step.
fn change(agent: &mut dyn Algorithm, step: Step) -> Vec<f32> {
    let s = Array2::from_shape_fn((ROWS, 3), |(row, i)| ((3 * row + i) as f32).sin());
    // An index as well as an action.
    let a = Array2::from_shape_fn((ROWS, 1), |(row, _)| (row % 3) as f32);
    let (r, not_terminated) = (Array1::linspace(-3.0, 0.0, ROWS), Array1::ones(ROWS));
    let batch = Batch::new(s.view(), a.view(), r.view(), s.view(), not_terminated.view()).unwrap();
    let before = agent.parameters().value.clone();
    step(agent, &batch);
    agent.parameters().value.iter().zip(before).map(|(after, before)| after - before).collect()
}

/// Adam's first step is its step size, whatever the gradient.
#[test]
fn step_sizes_fall_with_progress() {
    for (preset, step) in [
        ("dqn", CRITICS),
        ("ddpg", CRITICS),
        ("ddpg", ACTOR),
        ("td3", CRITICS),
        ("td3", ACTOR),
        ("sac", CRITICS),
        ("sac", ACTOR), // and the temperature
        ("sac-v", CRITICS),
        ("sac-v", ACTOR), // and V
        ("hw2-sac-m3", CRITICS),
        ("hw2-sac-m3", ACTOR),
    ] {
        let settings = ["final_learning_rate_factor=0.1"];
        let whole = change(&mut *agent(preset, &settings, 1), step);
        assert!(whole.iter().filter(|x| x.abs() > 1e-4).count() > 50, "{preset}");
        for (progress, factor) in [(0.0, 1.0), (0.5, 0.55), (1.0, 0.1)] {
            let mut agent = agent(preset, &settings, 1);
            agent.iteration_ended(progress);
            let scaled = change(&mut *agent, step);
            for (entry, (x, whole)) in scaled.into_iter().zip(&whole).enumerate() {
                let what = format!("{preset}, {progress}, parameter {entry}: {x}, {whole}");
                assert!((x - factor * whole).abs() < 1e-6, "{what}");
            }
        }
    }
}

/// A temperature rises where more entropy is wanted than there is, and falls where less is.
#[test]
fn the_target_entropy_changes_with_progress() {
    for loss in ["alpha_loss=log-alpha", "alpha_loss=exp-alpha"] {
        let settings = [loss, "target_entropy_per_action=50", "target_entropy_change=-100"];
        for (progress, sign) in [(0.0, 1.0), (0.4, 1.0), (0.6, -1.0), (1.0, -1.0)] {
            let mut agent = agent("sac", &settings, 1);
            agent.iteration_ended(progress);
            let lambda = change(&mut *agent, ACTOR).pop().unwrap();
            assert!(lambda * sign > 1e-4, "{loss}, {progress}: {lambda}");
        }
    }
}

/// A network that is small, and actions so many that few are greedy by chance.
const GRID: &[&str] = &["hidden=[4]", "grid_points=4096"];

/// Of that many calls for eight environments, how many explore: by one draw for all of them.
fn random_calls(agent: &mut dyn Algorithm, calls: usize) -> usize {
    let observations = [0.3; 8 * 3];
    let (mut greedy, mut actions) = ([0.0; 8], [0.0; 8]);
    let mut rng = stream(1, Stream::Exploration);
    let settings = [GRID, &["epsilon=0", "epsilon_min=0"]].concat();
    let mut same = self::agent("dqn", &settings, 8);
    same.explore(&observations, &mut rng, &mut greedy);
    let mut random = |_: &usize| {
        agent.explore(&observations, &mut rng, &mut actions);
        let equal = actions.iter().zip(&greedy).filter(|(action, greedy)| action == greedy).count();
        assert!(equal == 8 || equal <= 1, "{actions:?}");
        equal < 8
    };
    (0..calls).filter(|call| random(call)).count()
}

#[test]
fn one_draw_decides_for_all_environments() {
    let settings = [GRID, &["epsilon=0.5", "epsilon_decay=1"]].concat();
    let random = random_calls(&mut *agent("dqn", &settings, 8), 400);
    assert!((150..250).contains(&random), "{random}");
}

#[test]
fn epsilon_decays_to_its_floor() {
    let settings = [GRID, &["epsilon=1", "epsilon_decay=0.5", "epsilon_min=0.2"]].concat();
    let mut agent = agent("dqn", &settings, 8);
    for epsilon in [1.0, 0.5, 0.25, 0.2, 0.2] {
        let share = random_calls(&mut *agent, 500) as f64 / 500.0;
        assert!((share - epsilon).abs() < 0.06, "{share} instead of {epsilon}");
        agent.iteration_ended(0.5);
    }
}

/// A turn is a call of their own, or a whole update: of TD3 only one that the actor is part of.
#[test]
fn targets_follow_in_every_so_manyth_turn() {
    for preset in ["dqn", "ddpg", "td3", "sac", "sac-v", "hw2-sac-m1"] {
        let mut agent = agent(preset, &["target_update_interval=3", "tau=1"], 1);
        for turn in 1..=7 {
            change(&mut *agent, CRITICS);
            change(&mut *agent, ACTOR);
            let follow = change(&mut *agent, TARGETS).iter().any(|x| *x != 0.0);
            assert_eq!(follow, turn % 3 == 0, "{preset}, turn {turn}");
        }
    }
    // Where the targets are: what a turn of theirs changes.
    let mut probe = agent("td3", &["tau=1"], 1);
    change(&mut *probe, WHOLE);
    change(&mut *probe, CRITICS);
    let target = change(&mut *probe, TARGETS);
    let mut agent = agent("td3", &["target_update_interval=3", "tau=1", "policy_delay=2"], 1);
    for update in 1..=12 {
        let changed = change(&mut *agent, WHOLE);
        let follow = changed.iter().zip(&target).any(|(x, t)| *x != 0.0 && *t != 0.0);
        assert_eq!(follow, update == 5 || update == 11, "update {update}");
    }
}

/// Of an environment's actions, a grid takes a single one, and a policy file has room for eight.
#[test]
fn too_many_actions_are_refused() {
    let environment = envs::make(&envs::defaults("pendulum").unwrap()).unwrap();
    for (preset, actions, needed) in [
        ("dqn", 2, "`environment.name` must be one with a single action entry, not \"pendulum\""),
        ("sac", 9, "`environment.name` must be one of at most 8 action entries, not \"pendulum\""),
    ] {
        let config = RunConfig::resolve(Some(preset), None, &[]).unwrap();
        let mut spec = environment.spec().clone();
        spec.action = vec![channel("", "", -1.0, 1.0); actions];
        let setup = Setup {
            spec: &spec,
            batch_size: ROWS,
            environments: 1,
            n_step: 1,
            actor_updates: None,
        };
        let mut rng = stream(1, Stream::Initialisation);
        let made = make(&config.algorithm, &config.agent, &setup, &mut rng);
        assert_eq!(made.err().unwrap().to_string(), needed);
    }
}

/// y with the bonus −α Σₖ γᵏ log π is y of rewards that have it: the same losses from both.
#[test]
fn returns_over_several_steps_have_the_entropy_of_those_between() {
    for (preset, settings, alpha) in [
        ("sac", &["alpha=0.5"][..], 0.5),
        ("sac", &["alpha=0.3", "learn_alpha=false"], 0.3),
        ("sac", &["policy=deterministic", "alpha=0", "learn_alpha=false"], 0.0),
        ("sac-v", &["alpha=0.2"], 0.2),
    ] {
        let s = Array2::from_shape_fn((ROWS, 3), |(row, i)| ((3 * row + i) as f32).cos());
        let a = Array2::from_shape_fn((ROWS, 1), |(row, _)| (row % 3) as f32 - 1.0);
        let (r, d) = (Array1::linspace(-3.0, 0.0, ROWS), Array1::from_elem(ROWS, 0.9));
        let entropy = Array1::from_shape_fn(ROWS, |row| 1.0 - 0.4 * row as f32);
        let loss = |n_step: usize, r: &Array1<f32>| {
            let mut agent = over_steps(preset, settings, 1, n_step).unwrap();
            assert_eq!(agent.log_likelihoods().is_some(), n_step > 1);
            let batch = Batch::new(s.view(), a.view(), r.view(), s.view(), d.view()).unwrap();
            let batch = match n_step {
                1 => batch,
                _ => batch.with_later_entropy(entropy.view()).unwrap(),
            };
            agent.update_critics(&batch, &mut stream(1, Stream::Update));
            agent.metrics()[0].value
        };
        let (found, wanted) = (loss(3, &r), loss(1, &(&r + alpha * &entropy)));
        assert!((found - wanted).abs() < 1e-6 * wanted, "{preset}: {found}, not {wanted}");
        let without = loss(1, &r);
        assert!((without - wanted).abs() > 0.01 * wanted || alpha == 0.0, "{preset}: {without}");
    }
}

/// The mean of 1/π over the actions drawn within some range is its length: ∫ π · 1/π da.
#[test]
fn likelihoods_are_those_of_the_actions_drawn() {
    for preset in ["sac", "sac-v"] {
        let mut agent = over_steps(preset, &[], 500, 2).unwrap();
        let (observations, mut actions) = (vec![0.5; 3 * 500], vec![0.0; 500]);
        agent.explore(&observations, &mut stream(1, Stream::Exploration), &mut actions);
        let drawn = agent.log_likelihoods().unwrap();
        let within = actions.iter().zip(drawn).filter(|(a, _)| a.abs() <= 0.5);
        let length = within.map(|(_, log_pi)| f64::from(-log_pi).exp()).sum::<f64>() / 500.0;
        assert!((length - 1.0).abs() < 0.15, "{preset}: {length}");
        assert!(over_steps(preset, &[], 1, 1).unwrap().log_likelihoods().is_none());
    }
    assert!(over_steps("td3", &[], 1, 2).unwrap().log_likelihoods().is_none());
}

#[test]
fn entropy_that_is_not_kept_is_refused() {
    let error = over_steps("hw2-sac-m3", &[], 1, 2).err().unwrap().to_string();
    assert!(error.contains("training.n_step") && error.contains("SAC-M3"), "{error}");
    assert!(over_steps("hw2-sac-m3", &["alpha=0"], 1, 2).is_ok());
    assert!(over_steps("hw2-sac-m2", &[], 1, 2).is_ok());
}

/// Networks of the same first weights: what stands between their layers is all that differs.
#[test]
fn critics_may_have_another_activation_than_the_actor() {
    let (s, actions) = ([0.3, -0.8, 2.0], |agent: &mut dyn Algorithm, s: &[f32]| {
        let mut action = [0.0];
        agent.act(s, &mut action);
        (action[0], agent.value(s))
    });
    for preset in ["ddpg", "td3", "sac", "sac-v", "hw2-sac-m3"] {
        let of = |settings: &[&str]| actions(&mut *agent(preset, settings, 1), &s);
        let relu = of(&["critic_activation=same"]);
        let smooth = of(&["critic_activation=tanh"]);
        assert_eq!(relu, of(&["critic_activation=relu"]), "{preset}");
        assert_eq!(relu.0, smooth.0, "{preset}: the actor keeps what it has");
        assert_ne!(relu.1, smooth.1, "{preset}: the critics do not");
        let tanh = of(&["activation=tanh", "critic_activation=same"]);
        assert_eq!(tanh, of(&["activation=tanh", "critic_activation=tanh"]), "{preset}");
        let mixed = of(&["activation=tanh", "critic_activation=relu"]);
        assert!(mixed.0 == tanh.0 && mixed.1 != tanh.1, "{preset}: {mixed:?}, {tanh:?}");
    }
}

/// y − α (maxₐ Q(s, a) − Q(s)[a]), seen in the loss of a single state.
#[test]
fn advantage_learning_widens_the_gap_between_actions() {
    let loss = |settings: &[&str], action: f32, reward: f32| {
        let s = Array2::from_shape_fn((ROWS, 3), |(_, i)| 0.5 - i as f32);
        let a = Array2::from_elem((ROWS, 1), action);
        let (r, d) = (Array1::from_elem(ROWS, reward), Array1::ones(ROWS));
        let batch = Batch::new(s.view(), a.view(), r.view(), s.view(), d.view()).unwrap();
        let mut agent = agent("dqn", &[&["gamma=0", "grid_points=3"], settings].concat(), 1);
        agent.update_critics(&batch, &mut stream(1, Stream::Update));
        agent.metrics()[0].value
    };
    // q² − (q − 1)² = 2q − 1
    let q = [0.0, 1.0, 2.0].map(|a| 0.5 * (1.0 + loss(&[], a, 0.0) - loss(&[], a, 1.0)));
    let best = q.into_iter().fold(f64::NEG_INFINITY, f64::max);
    for (action, q) in q.into_iter().enumerate() {
        let found = loss(&["action_gap=0.75"], action as f32, 0.0);
        let wanted = (q + 0.75 * (best - q)).powi(2);
        assert!((found - wanted).abs() < 1e-5, "action {action}: {found}, not {wanted}");
    }
    assert!(q.iter().any(|q| best - q > 0.05), "{q:?}");
}

/// The value of an observation is that of the critic which expects less.
#[test]
fn an_actor_climbs_the_critic_that_its_settings_say() {
    let loss = |settings: &[&str]| {
        let mut agent = agent("td3", settings, 1);
        let s = Array2::from_shape_fn((ROWS, 3), |(row, i)| ((3 * row + i) as f32).sin());
        let values = s.rows().into_iter().map(|s| f64::from(agent.value(s.as_slice().unwrap())));
        let least = -values.sum::<f64>() / ROWS as f64;
        change(&mut *agent, ACTOR);
        (agent.metrics()[2].value, least)
    };
    let mut higher = 0;
    for hidden in ["hidden=[4]", "hidden=[8]", "hidden=[12]", "hidden=[16]"] {
        let (found, least) = loss(&["actor_critic=least", hidden]);
        assert!((found - least).abs() < 1e-6, "{found}, not {least}");
        let (first, least) = loss(&[hidden]);
        assert!(first < least + 1e-6, "{first} is of one critic, {least} of the lesser of two");
        higher += usize::from(first < least - 1e-3);
    }
    assert!(higher > 0, "no first critic expects more than its second");
}
