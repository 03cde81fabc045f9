//! What commands leave and print.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use trainer::linalg::VARIABLE;

use crate::{fail, json, short_run, succeed, trainer};

#[test]
fn a_run_leaves_its_files() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let printed = short_run(directory, "run", &["--seed", "5", "--set", "gamma=0.98"]);
    let read = |name: &str| fs::read(directory.join("run").join(name)).unwrap();
    let summary: Value = serde_json::from_slice(&read("summary.json")).unwrap();
    assert_eq!(printed, summary);

    for (key, value) in [("preset", "sac"), ("algorithm", "sac"), ("environment", "pendulum")] {
        assert_eq!(summary[key], value);
    }
    for (key, value) in [("schema", 1), ("seed", 5), ("steps", 700), ("updates", 200)] {
        assert_eq!(summary[key], value);
    }
    let evaluation = &summary["evaluation"];
    assert_eq!(evaluation["starts"], 200);
    for key in ["mean", "standard_error", "worst", "best_known_mean", "gap_percent"] {
        assert!(evaluation[key].is_number(), "evaluation.{key}");
    }
    assert!(summary["train_seconds"].as_f64().unwrap() > 0.0);
    assert!(summary["parity"]["max_difference"].as_f64().unwrap() < 1e-4);
    assert_eq!(summary["parameters_fingerprint"].as_str().unwrap().len(), 16);
    assert_eq!(summary["policy"]["file"], "policy.bin");
    assert_eq!(summary["policy"]["bytes"], read("policy.bin").len());

    let config: toml::Table = String::from_utf8(read("config.toml")).unwrap().parse().unwrap();
    assert_eq!(config["agent"]["gamma"].as_float(), Some(0.98));
    assert_eq!(config["training"]["seed"].as_integer(), Some(5));
    let metrics = String::from_utf8(read("metrics.csv")).unwrap();
    assert!(metrics.starts_with("step,episode,return,length,updates,q1_loss"));
    assert_eq!(metrics.lines().count(), 1 + 3, "700 steps end three episodes");
    assert!(String::from_utf8(read("learning_curve.svg")).unwrap().contains("</svg>"));
    let mut files: Vec<_> =
        fs::read_dir(directory.join("run")).unwrap().map(|f| f.unwrap().file_name()).collect();
    files.sort();
    // A run's own folder; its name has the time, and the file's this machine's name.
    let entries = |path: &Path| -> Vec<_> {
        fs::read_dir(path).unwrap().map(|f| f.unwrap().path()).collect()
    };
    let folders = entries(&directory.join("run/events"));
    let events = entries(&folders[0]);
    let name = events[0].file_name().and_then(|name| name.to_str()).unwrap();
    assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".trainer"), "{name}");
    assert_eq!((folders.len(), events.len()), (1, 1));
    let whole = [
        "agent.bin",
        "config.toml",
        "events",
        "learning_curve.svg",
        "metrics.csv",
        "policy.bin",
        "recording.bin",
        "report.html",
        "summary.json",
    ];
    assert_eq!(files, whole, "nothing is left half-written");
}

#[test]
fn the_same_settings_give_the_same_bits() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let first = short_run(directory, "a", &[]);
    let again = short_run(directory, "b", &[]);
    let other = short_run(directory, "c", &["--seed", "2"]);
    // Instructions and threads change nothing.
    let plain = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["train", "--preset", "sac", "--steps", "700", "--threads", "3", "--out", "e"])
        .env(VARIABLE, "portable")
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(plain.status.success());
    let plain = json(&fs::read_to_string(directory.join("e/summary.json")).unwrap());
    assert_eq!(plain["backend"], "portable");
    // Its own config.toml is a complete description of a run.
    let arguments = ["train", "--config", "a/config.toml", "--out", "d", "--json"];
    let resolved = json(&succeed(directory, &arguments));
    let fingerprint = |summary: &Value| summary["parameters_fingerprint"].clone();
    assert_eq!(fingerprint(&first), fingerprint(&again));
    assert_eq!(fingerprint(&first), fingerprint(&resolved));
    assert_eq!(fingerprint(&first), fingerprint(&plain));
    assert_ne!(fingerprint(&first), fingerprint(&other));
    let policy = |run: &str| fs::read(directory.join(run).join("policy.bin")).unwrap();
    assert_eq!(policy("a"), policy("b"));
}

#[test]
fn a_policy_is_evaluated_and_inspected() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let summary = short_run(directory, "run", &[]);
    let builtin = json(&succeed(directory, &["eval", "run/policy.bin", "--json"]));
    assert_eq!(builtin["mean"], summary["evaluation"]["mean"]);
    assert_eq!(builtin["returns"].as_array().unwrap().len(), 200);
    assert_eq!(
        (&builtin["schema"], &builtin["environment"]["name"]),
        (&1.into(), &"pendulum".into())
    );
    assert_eq!(builtin["gap_percent"], summary["evaluation"]["gap_percent"]);

    fs::write(directory.join("starts.json"), "[[3.14, 0.0, 7.0], [0.0, 0.0, 8.0]]").unwrap();
    let arguments = ["eval", "run/policy.bin", "--starts", "starts.json", "--json"];
    let own = json(&succeed(directory, &arguments));
    let returns = own["returns"].as_array().unwrap();
    assert_eq!(returns.len(), 2);
    assert_eq!(own["worst"].as_f64(), returns.iter().map(|r| r.as_f64().unwrap()).reduce(f64::min));
    let text = succeed(directory, &["eval", "run/policy.bin"]);
    assert!(text.contains("\nbest known from the same starts: -141.41, gap "), "{text}");
    assert!(builtin.get("optimal_mean").is_none() && builtin["best_known_mean"].is_number());

    // From one start nobody knows how returns vary; a start that is there twice is one.
    for starts in ["[[3.14, 0.0]]", "[[3.14, 0.0], [3.14, 0.0, 8.0], [3.14, -0.0]]"] {
        fs::write(directory.join("starts.json"), starts).unwrap();
        let arguments = ["eval", "run/policy.bin", "--starts", "starts.json"];
        let one = json(&succeed(directory, &[&arguments[..], &["--json"]].concat()));
        assert_eq!(
            (&one["standard_error"], one["returns"].as_array().unwrap().len()),
            (&Value::Null, 1)
        );
        let text = succeed(directory, &arguments);
        assert!(text.contains(" over 1 start, worst ") && !text.contains('±'), "{text}");
        let output = trainer(directory, &arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_told = told.starts_with("warning: starts.json: 2 of 3 starts are left out");
        assert_eq!(is_told, starts.len() > 20, "{told}");
    }

    let inspected = json(&succeed(directory, &["inspect", "run/policy.bin", "--json"]));
    assert_eq!(inspected["checksum"], summary["policy"]["checksum"]);
    assert_eq!(inspected["layers"][0]["inputs"], 3);
    assert_eq!(inspected["weights"], "f32");
    assert_eq!(inspected["environment_fingerprint"], "97c2166c");
    assert_eq!(inspected["trainer"], format!("trainer {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        (&inspected["examples"]["count"], &inspected["examples"]["passed"]),
        (&8.into(), &true.into())
    );
    assert_eq!(inspected["action"][0]["unit"], "N·m");
    let text = succeed(directory, &["inspect", "run/policy.bin"]);
    for line in [
        "policy of sac for pendulum, format version 1",
        "observation angular velocity: -8 to 8 rad/s",
        "action torque: -2 to 2 N·m",
        "self-test passed: 8 examples, all bits equal",
    ] {
        assert!(text.lines().any(|found| found == line), "not {line:?} in {text}");
    }
}

/// The preset's settings for it, its summary, an evaluation with other starts.
#[test]
fn another_environment_can_be_chosen() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let summary = short_run(directory, "run", &["--env", "inverted-pendulum"]);
    assert_eq!(summary["environment"], "inverted-pendulum");
    let evaluation = &summary["evaluation"];
    assert_eq!(evaluation["starts"], 100);
    assert!(evaluation["full_episodes"].as_u64().unwrap() <= 100);
    assert!(evaluation["best_known_mean"].is_null() && evaluation["gap_percent"].is_null());
    let (worst, mean) = (evaluation["worst"].as_f64(), evaluation["mean"].as_f64());
    assert!(worst.unwrap() >= 0.0 && worst <= mean && mean.unwrap() <= 1000.0, "{evaluation}");

    let metrics = fs::read_to_string(directory.join("run/metrics.csv")).unwrap();
    let returns: Vec<f64> = metrics
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    let told = &summary["training_return"];
    assert_eq!(told["episodes"], returns.len());
    for (key, most) in [("last_100_mean", 100), ("last_10_mean", 10)] {
        let last = &returns[returns.len().saturating_sub(most)..];
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        assert!((told[key].as_f64().unwrap() - mean).abs() < 1e-9, "{key}: {told}");
    }
    for file in ["learning_curve.svg", "policy.bin", "recording.bin"] {
        assert!(directory.join("run").join(file).is_file(), "{file}");
    }
    let config = fs::read_to_string(directory.join("run/config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    assert_eq!(config["environment"]["reset_noise_scale"].as_float(), Some(0.01));
    assert_eq!(config["agent"]["critic_learning_rate"].as_float(), Some(1e-3));

    let eval = |set: &[&str]| {
        json(&succeed(directory, &[&["eval", "run/policy.bin", "--json"], set].concat()))
    };
    assert_eq!(eval(&[])["mean"], evaluation["mean"]);
    assert_eq!(eval(&["--set", "reset_noise_scale=0.01"])["mean"], evaluation["mean"]);
    let wide = eval(&["--set", "reset_noise_scale=0.2"]);
    assert_ne!(wide["mean"], evaluation["mean"]);
    assert_eq!(wide["environment"]["reset_noise_scale"], 0.2);
    for (set, complaint) in [
        ("reset_noise_scale=11", "`environment.reset_noise_scale` must be between 0 and 10"),
        ("reset_noise_scale=wide", "`environment.reset_noise_scale` must be a number"),
        ("reset_noise=0.1", "did you mean `reset_noise_scale`?"),
        ("name=pendulum", "a policy is for one environment"),
    ] {
        let error = fail(directory, &["eval", "run/policy.bin", "--set", set], 2);
        assert!(error.contains(complaint), "{set}: {error}");
    }
}

/// `--env` goes over a file, and back to the preset's own is as if it had never been left.
#[test]
fn a_chosen_environment_goes_over_a_files() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let file = "preset = \"sac\"\n[environment]\nname = \"inverted-pendulum\"\n";
    fs::write(directory.join("mine.toml"), file).unwrap();
    let arguments = ["train", "--config", "mine.toml", "--steps", "700", "--json", "--out"];
    let run = |out: &str, more: &[&str]| {
        json(&succeed(directory, &[&arguments[..], &[out], more].concat()))
    };
    assert_eq!(run("other", &[])["environment"], "inverted-pendulum");
    let back = run("back", &["--env", "pendulum"]);
    let own = short_run(directory, "own", &[]);
    for key in ["environment", "parameters_fingerprint", "evaluation"] {
        assert_eq!(back[key], own[key], "{key}");
    }
    let config = |out: &str| fs::read(directory.join(out).join("config.toml")).unwrap();
    assert_eq!(config("back"), config("own"));

    // Elsewhere than where it was trained a policy's return is another one, which is said.
    let other = ["--set", "reset_noise_scale=0.2"];
    succeed(directory, &[&arguments[..], &["wide"], &other].concat());
    let eval = ["eval", "wide/policy.bin"];
    let told = |more: &[&str]| {
        String::from_utf8(trainer(directory, &[&eval[..], more].concat()).stderr).unwrap()
    };
    assert!(told(&[]).starts_with("warning: wide/policy.bin was trained with other settings of"));
    assert_eq!(told(&other), "");
}

#[test]
fn presets_are_listed() {
    let directory = Path::new(".");
    let presets = json(&succeed(directory, &["presets", "--json"]));
    for preset in presets.as_array().unwrap() {
        for key in ["name", "algorithm", "environment", "source"] {
            assert!(preset[key].is_string(), "{key} of {preset}");
        }
    }
    let listed: Vec<_> =
        presets.as_array().unwrap().iter().map(|preset| preset["name"].as_str().unwrap()).collect();
    let all: Vec<_> = trainer::presets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, all);
    let text = succeed(directory, &["presets"]);
    let first = |line: &str| line.split(' ').next().unwrap_or_default().to_string();
    assert_eq!(text.lines().skip(1).map(first).collect::<Vec<_>>(), all);
}

/// Of a run whose episodes take long: a buffer of rows would be full only after half a minute.
#[test]
fn a_killed_run_keeps_its_rows() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(["train", "--preset", "tutorial-ddpg", "--out", "run"])
        .current_dir(temporary.path())
        .spawn()
        .unwrap();
    let rows = || {
        let text = fs::read_to_string(temporary.path().join("run/metrics.csv.part"));
        text.unwrap_or_default().lines().count()
    };
    let began = Instant::now();
    while rows() < 3 && began.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(rows() >= 3, "a header and two episodes");
    assert!(!temporary.path().join("run/summary.json").exists());
}

#[test]
fn an_untrained_policy_comes_with_a_warning() {
    let temporary = tempfile::tempdir().unwrap();
    let arguments = ["train", "--preset", "sac", "--steps", "300", "--out", "run"];
    let output = trainer(temporary.path(), &arguments);
    assert!(output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .starts_with("warning: the policy of seed 1 is untrained")
    );
    let metrics = fs::read_to_string(temporary.path().join("run/metrics.csv")).unwrap();
    assert!(metrics.lines().nth(1).unwrap().ends_with(",0,,,,,,"), "{metrics}");
}
