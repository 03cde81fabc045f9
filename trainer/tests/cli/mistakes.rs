//! What mistakes are answered with.

use std::fs;
use std::process::Command;

use trainer::linalg::VARIABLE;

use crate::{fail, short_run, succeed};

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let usage = |arguments: &[&str]| fail(directory, arguments, 2);
    assert!(usage(&["train", "--preset", "scc"]).contains("did you mean `sac`?"));
    assert!(
        usage(&["train", "--preset", "sac", "--set", "gama=1"]).contains("did you mean `gamma`?")
    );
    assert!(
        usage(&["train", "--preset", "sac", "--set", "gamma=2"])
            .contains("`agent.gamma` must be in [0, 1]")
    );
    assert!(usage(&["train", "--preset", "sac", "--set", "activation=gelu"]).contains("gelu"));
    let table = usage(&["train", "--preset", "sac", "--set", "environment=cartpole"]);
    assert!(table.contains("such as environment.KEY=VALUE"), "{table}");
    let unknown = usage(&["train", "--preset", "sac", "--env", "cartpole"]);
    assert!(unknown.contains("choose from: pendulum, inverted-pendulum"), "{unknown}");
    let twice = ["train", "--preset", "sac", "--env", "pendulum", "--env", "pendulum"];
    assert!(usage(&twice).contains("'--env <NAME>' cannot be used multiple times"));
    for set in ["environment.name=pendulum", "name=pendulum"] {
        let twice = ["train", "--preset", "sac", "--env", "pendulum", "--set", set];
        assert!(usage(&twice).contains("given twice, by --env and by --set"));
    }
    let algorithm = usage(&["train", "--preset", "sac", "--set", "algorithm=ddpg"]);
    assert!(
        algorithm.contains("`algorithm` must be \"sac\", not \"ddpg\": it comes with the preset")
    );
    fs::write(directory.join("td3.toml"), "preset = \"td3\"\n").unwrap();
    let other = usage(&["train", "--preset", "sac", "--config", "td3.toml"]);
    assert!(other.contains("`preset` must be `sac`, not `td3` as in the file"), "{other}");
    let far = usage(&["train", "--preset", "sac", "--set", "double=true"]);
    assert!(far.contains("no setting `double`; choose from"), "{far}");
    let whole = usage(&["train", "--preset", "sac", "--set", "hidden=[64,-1]"]);
    assert!(whole.contains("expected a whole number"), "{whole}");
    fs::write(
        directory.join("on.toml"),
        "preset = \"sac\"\n[on.inverted-pendulum.training]\nsteps = 1\n",
    )
    .unwrap();
    let on = usage(&["train", "--config", "on.toml"]);
    assert!(on.contains("no table `on`; choose from: agent, environment, training"), "{on}");
    if cfg!(unix) {
        let endless = usage(&["train", "--config", "/dev/zero"]);
        assert!(endless.contains("it has more than 1048576 bytes"), "{endless}");
    }
    assert!(!usage(&["train", "--threads", "0"]).contains("For more information"));
    assert!(usage(&["train"]).contains("--preset NAME"));
    let twice = ["train", "--preset", "sac", "--steps", "700", "--set", "steps=800"];
    assert!(usage(&twice).contains("`steps` is given twice"));
    assert!(usage(&["train", "--preset", "sac", "--steps", "-5"]).contains("-5"));
    assert!(usage(&["train", "--preset", "sac", "--steps", "many"]).contains("many"));
    assert!(usage(&["train", "--config", "missing.toml"]).contains("cannot read missing.toml"));
    assert!(usage(&["learn"]).contains("learn"));
    assert!(usage(&["trian"]).contains("a similar subcommand exists: 'train'"));
    let seed = "9223372036854775808"; // One more than config.toml can hold.
    assert!(usage(&["train", "--preset", "sac", "--seed", seed]).contains(seed));
    fs::write(directory.join("broken.toml"), "preset = \"sac\"\n[agent\n").unwrap();
    assert!(usage(&["train", "--config", "broken.toml"]).contains("broken.toml, line 2"));
}

#[test]
fn a_backend_that_is_not_there_gets_one_sentence() {
    let output = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["presets", "--json"])
        .env(VARIABLE, "sse")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with("error: TRAINER_BACKEND names the backend `sse`, but"), "{error}");
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
}

/// Each value is within its range, but not with the others.
#[test]
fn settings_that_contradict_each_other_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    for (preset, settings, complaint) in [
        ("dqn", "epsilon=0.1 epsilon_min=0.2", "`agent.epsilon_min` must be between 0 and epsilon"),
        (
            "sac",
            "policy=deterministic",
            "`agent.alpha` must be 0 where the policy is deterministic, not 1.0: it has no entropy",
        ),
        (
            "sac",
            "policy=deterministic learn_alpha=false alpha=0.2",
            "`agent.alpha` must be 0 where the policy is deterministic",
        ),
        ("sac", "alpha=0", "`agent.alpha` must be between 1e-30 and 1e30, or 0 where it is not"),
        (
            "sac",
            "log_std_min=1 log_std_max=0",
            "`agent.log_std_min` must be between −40 and log_std_max",
        ),
        (
            "td3",
            "separate_updates=true",
            "`agent.policy_delay` must be 1 where updates are separate",
        ),
        (
            "ddpg",
            "separate_updates=true actor_updates=0",
            "`training.actor_updates` must be at least 1 where updates are separate, not 0: the actor would",
        ),
        (
            "ddpg",
            "noise_decay=0.9 noise_decay_period=10",
            "`agent.noise_decay_period` must be 0 where noise_decay is not 1",
        ),
        ("dqn", "separate_updates=true", "not 1: there is no actor"),
        ("sac", "noise_std=0.5", "`noise_std` does nothing while policy is gaussian"),
        (
            "sac",
            "hidden=[4096,4096] batch_size=65536 buffer_size=65536",
            "`training.batch_size` must be at most 8192 with hidden layers this wide, not 65536",
        ),
        (
            "ddpg",
            "noise_decay=0.99 noise_std_min=0.5",
            "`agent.noise_std_min` must be between 0 and noise_std",
        ),
        (
            "ddpg",
            "actor_output=clamp normalise_actions=true",
            "`agent.actor_output` must be tanh where actions are normalised",
        ),
        ("hw2-sac-m2", "std_min=3", "`agent.std_min` must be between 1e-30 and std_max"),
        (
            "sac",
            "batch_size=100 buffer_size=99",
            "`training.batch_size` must be at most buffer_size",
        ),
    ] {
        let mut arguments = vec!["train", "--preset", preset];
        settings.split(' ').for_each(|set| arguments.extend(["--set", set]));
        let error = fail(temporary.path(), &arguments, 2);
        assert!(error.contains(complaint), "{preset} {settings}: {error}");
    }
    let left = fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "a run that cannot be leaves nothing");
}

/// The forms of numbers that people write, in options, settings and files, and with the marks of other systems' editors.
#[test]
fn numbers_and_texts_are_taken_as_people_write_them() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let usual = short_run(directory, "usual", &["--seed", "7", "--set", "gamma=0.97"]);
    let text = "preset = \"sac\"\n[training]\nsteps = 7e2\nseed = 007\n[agent]\ngamma = .97\nhidden = [64., 064]\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(directory.join("bom.toml"), [b"\xef\xbb\xbf", text.as_bytes()].concat()).unwrap();
    fs::write(directory.join("wide.toml"), [b"\xff\xfe", &wide[..]].concat()).unwrap();
    let fingerprint = &usual["parameters_fingerprint"];
    for arguments in [
        &["--preset", "sac", "--steps", "7e2", "--seed", "007", "--set", "gamma=.97"][..],
        &["--preset", "sac", "--set", "steps=700.", "--set", "seed=+7", "--set", "gamma=9.7e-1"],
        &["--config", "bom.toml"],
        &["--config", "wide.toml"],
    ] {
        let all = [&["train", "--restart", "--out", "other", "--json"], arguments].concat();
        let other: serde_json::Value = serde_json::from_str(&succeed(directory, &all)).unwrap();
        assert_eq!(&other["parameters_fingerprint"], fingerprint, "{arguments:?}");
    }
    fs::write(directory.join("starts.json"), b"\xef\xbb\xbf[[.5, 1.], [+1, -007]]").unwrap();
    let eval = ["eval", "usual/policy.bin", "--starts", "starts.json", "--json"];
    let found: serde_json::Value = serde_json::from_str(&succeed(directory, &eval)).unwrap();
    assert_eq!(found["returns"].as_array().unwrap().len(), 2);
    fs::write(directory.join("latin.json"), b"[[1, 2]] \xe9").unwrap();
    let error = fail(directory, &["eval", "usual/policy.bin", "--starts", "latin.json"], 1);
    assert!(error.contains("cannot read latin.json: it is no text in UTF-8: save it"), "{error}");
}

#[test]
fn what_cannot_be_done_says_why() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let failed = |arguments: &[&str]| fail(directory, arguments, 1);
    short_run(directory, "run", &[]);
    let policy = fs::read(directory.join("run/policy.bin")).unwrap();

    let truncated = directory.join("truncated.bin");
    fs::write(&truncated, &policy[..policy.len() / 2]).unwrap();
    for command in ["eval", "inspect"] {
        assert!(failed(&[command, "truncated.bin"]).contains("truncated.bin is no usable policy"));
        assert!(failed(&[command, "missing.bin"]).contains("cannot read missing.bin"));
    }
    let mut flipped = policy.clone();
    flipped[1000] ^= 1;
    fs::write(directory.join("flipped.bin"), &flipped).unwrap();
    assert!(failed(&["eval", "flipped.bin"]).contains("checksum"));

    fs::write(directory.join("starts.json"), "[[1.0]]").unwrap();
    let starts = failed(&["eval", "run/policy.bin", "--starts", "starts.json"]);
    assert!(starts.contains("starts.json: needed is a JSON array of states of 2 numbers"));

    // A file where the directory should be: no one may write there, not even root.
    fs::write(directory.join("file"), "").unwrap();
    let arguments = ["train", "--preset", "sac", "--steps", "700", "--out", "file/run"];
    assert!(failed(&arguments).contains("choose another directory with --out"));
}

#[test]
fn one_run_at_a_time_writes_to_a_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    fs::create_dir(directory.join("run")).unwrap();
    let held = fs::File::create(directory.join("run/.lock")).unwrap();
    held.lock().unwrap();
    let arguments = ["train", "--preset", "sac", "--steps", "700", "--out", "run"];
    assert!(fail(directory, &arguments, 1).contains("another command is writing to run"));
    drop(held);
    // Processes that other tests start hold what was open when they began, until they are programs of their own.
    while fs::File::open(directory.join("run/.lock")).unwrap().try_lock().is_err() {}
    short_run(directory, "run", &[]);
}
