//! What the sources say of their runs, written down a second time: a preset of theirs is not to be
//! tuned, not even by accident.

use toml::{Table, Value};

use super::{ALL, table};

/// Presets, and what their sources say of them.
const CONTRACT: &[(&str, &str)] = &[
    (
        "hw2-dqn|hw2-double-dqn|hw2-ddpg|hw2-sac-m1|hw2-sac-m2|hw2-sac-m3",
        "environment.name=inverted-pendulum reset_noise_scale=0.2 steps=2097152 environments=32 \
         rollout_steps=128 updates_per_iteration=64 batch_size=32 reset_each_iteration=true \
         reward_scale=0.01 buffer_size=1e6 gamma=0.99 truncation_is_terminal=true activation=relu \
         start_steps=0",
    ),
    ("hw2-dqn", "double=false"),
    ("hw2-double-dqn", "double=true"),
    (
        "hw2-dqn|hw2-double-dqn",
        "algorithm=dqn hidden=[64,128] grid_points=2 critic_learning_rate=3e-4 tau=1 \
         target_update_interval=16 epsilon=1 epsilon_decay=0.985 epsilon_min=0.05",
    ),
    (
        "hw2-ddpg|hw2-sac-m1|hw2-sac-m2|hw2-sac-m3",
        "hidden=[64] critic_learning_rate=3e-3 actor_learning_rate=3e-3 separate_updates=true \
         actor_updates=4 tau=0.1 target_update_interval=1",
    ),
    (
        "hw2-ddpg",
        "algorithm=ddpg noise=gaussian noise_std=1 noise_decay=0.985 noise_std_min=0.05 \
         noise_unit=action actor_output=clamp critic=plain",
    ),
    (
        "hw2-sac-m1|hw2-sac-m2|hw2-sac-m3",
        "algorithm=sac-m alpha=0.002 entropy_form=code std_min=0.2 std_max=2",
    ),
    ("hw2-sac-m1", "milestone=m1"),
    ("hw2-sac-m2", "milestone=m2"),
    ("hw2-sac-m3", "milestone=m3"),
    (
        "lab-ddpg|lab-sac|lab-sac-auto|lab-sac-deterministic",
        "environment.name=pendulum steps=40000 environments=1 rollout_steps=1 \
         updates_per_iteration=1 hidden=[256,256] batch_size=128 buffer_size=50000 tau=0.005 \
         gamma=0.99 activation=relu reward_scale=1",
    ),
    (
        "lab-ddpg",
        "algorithm=ddpg critic=branched actor_output=tanh critic_learning_rate=2e-3 \
         actor_learning_rate=1e-3 noise=ornstein-uhlenbeck-continuous noise_std=0.2",
    ),
    (
        "lab-sac|lab-sac-auto|lab-sac-deterministic",
        "algorithm=sac critic_learning_rate=1e-3 actor_learning_rate=1e-3 start_steps=1000 \
         initialisation=xavier-uniform log_std_form=clamp",
    ),
    ("lab-sac", "policy=gaussian alpha=0.1 learn_alpha=false"),
    ("lab-sac-auto", "policy=gaussian learn_alpha=true target_entropy_per_action=-1"),
    ("lab-sac-deterministic", "policy=deterministic alpha=0 noise_std=0.1 noise_clip=0.25"),
    (
        "slides-td3",
        "algorithm=td3 environment.name=pendulum steps=200000 hidden=[400,300] \
         critic_learning_rate=1e-3 actor_learning_rate=1e-3 batch_size=128 gamma=0.99 tau=0.005 \
         noise=gaussian noise_std=0.1 noise_unit=action target_noise_std=0.2 \
         target_noise_clip=0.5 target_noise_unit=action policy_delay=2 buffer_size=50000 \
         update_after=49999 updates_per_iteration=10 rollout_steps=1",
    ),
    (
        "slides-sac-v",
        "algorithm=sac-v environment.name=pendulum hidden=[256,256] initialisation=xavier-uniform \
         critic_learning_rate=3e-4 actor_learning_rate=3e-4 value_learning_rate=3e-4 alpha=0.2 \
         batch_size=256 buffer_size=1e6 start_steps=10000 tau=0.005 regulariser=0.001 \
         truncation_is_terminal=false normalise_actions=true",
    ),
    (
        "tutorial-ddpg",
        "algorithm=ddpg environment.name=pendulum normalise_actions=true hidden=[256,256] \
         actor_output=tanh noise=ornstein-uhlenbeck noise_std=0.3 actor_learning_rate=1e-4 \
         critic_learning_rate=1e-3 tau=0.01 batch_size=128 buffer_size=50000 steps=20000",
    ),
    (
        "chapter-ddpg|chapter-td3|chapter-sac|chapter-sac-auto",
        "environment.name=inverted-pendulum reset_noise_scale=0.01 hidden=[256,256] gamma=0.99 \
         buffer_size=1e6 critic_learning_rate=3e-4 actor_learning_rate=3e-4 batch_size=256 \
         tau=0.005 start_steps=10000 steps=20000 updates_per_iteration=1",
    ),
    (
        "chapter-ddpg|chapter-td3",
        "noise=gaussian noise_std=0.1 noise_unit=scale actor_output=tanh critic=plain",
    ),
    (
        "chapter-td3",
        "algorithm=td3 target_noise_std=0.2 target_noise_clip=0.5 target_noise_unit=scale \
         policy_delay=2",
    ),
    ("chapter-sac|chapter-sac-auto", "algorithm=sac policy=gaussian log_std_form=tanh"),
    ("chapter-sac", "alpha=0.2 learn_alpha=false"),
    ("chapter-sac-auto", "learn_alpha=true"),
];

/// The value of a key, or of its short form.
fn value<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, key)) => table.get(section)?.get(key),
        None => {
            let sections = ["training", "agent", "environment"].map(|name| table.get(name));
            let found = sections.into_iter().flatten().find_map(|section| section.get(key));
            table.get(key).or(found)
        }
    }
}

/// Is it what the text says?
fn is(value: &Value, text: &str) -> bool {
    match (value, text.parse::<f64>()) {
        (Value::Integer(value), Ok(number)) => *value as f64 == number,
        (Value::Float(value), Ok(number)) => *value == number,
        _ => value.to_string().replace([' ', '"'], "") == text,
    }
}

#[test]
fn presets_are_what_their_sources_say() {
    for (presets, settings) in CONTRACT {
        for preset in presets.split('|') {
            let table = table(preset).unwrap();
            for setting in settings.split_whitespace() {
                let (key, text) = setting.split_once('=').unwrap();
                let value = value(&table, key).unwrap_or_else(|| panic!("{preset}: no {key}"));
                assert!(is(value, text), "{preset}: {key} is {value}, its source says {text}");
            }
        }
    }
}

#[test]
fn every_source_has_its_row() {
    let ours = ["dqn", "double-dqn", "ddpg", "td3", "sac", "sac-v", "sac-best"];
    let theirs = |name: &str| !ours.contains(&name) && !name.ends_with("-still");
    for (name, _) in ALL.iter().filter(|(name, _)| theirs(name)) {
        let listed = |(presets, _): &(&str, &str)| presets.split('|').any(|preset| preset == *name);
        assert!(CONTRACT.iter().any(listed), "{name}");
    }
}
