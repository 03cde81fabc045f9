//! `trainer quantize`.

use std::fs;

use policy_core::{Policy, Recording};
use trainer::export::Blob;

use crate::{fail, json, short_run, succeed, trainer};

#[test]
fn a_policy_becomes_one_of_integers() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let summary = short_run(directory, "run", &[]);
    let report = json(&succeed(directory, &["quantize", "run/policy.bin", "--json"]));
    assert_eq!((&report["schema"], &report["starts"]), (&1.into(), &200.into()));
    assert_eq!(report["mean"], summary["evaluation"]["mean"]);
    assert_eq!(report["bytes"], summary["policy"]["bytes"]);
    let tried = report["tried"].as_array().unwrap();
    let chosen = &tried[tried.len() - 1];
    assert_eq!((&report["chosen_bits"], &chosen["weights"]), (&8.into(), &"int8".into()));
    assert!(chosen["loss_percent"].as_f64().unwrap() < 1.0, "{chosen}");
    let interval = |end: usize| chosen["difference_interval"][end].as_f64().unwrap();
    let difference = chosen["difference"].as_f64().unwrap();
    assert!(interval(0) <= difference && difference <= interval(1), "{chosen}");
    let other = chosen["mean"].as_f64().unwrap() - report["mean"].as_f64().unwrap();
    assert!((other - difference).abs() < 1e-9, "{chosen}");

    // It replays its recording, and the other commands take it.
    let read = |name: &str| Blob::from_bytes(&fs::read(directory.join(name)).unwrap());
    let (blob, recording) = (read("run/int8/policy.bin"), read("run/int8/recording.bin"));
    assert_eq!(chosen["bytes"], blob.bytes().len());
    let policy: Policy<'_, i8> = Policy::from_bytes(blob.bytes()).unwrap();
    let replay = Recording::from_bytes(recording.bytes()).unwrap().replay(&policy).unwrap();
    assert_eq!((replay.compared, replay.mismatches), (10_000, 0));
    let evaluated = json(&succeed(directory, &["eval", "run/int8/policy.bin", "--json"]));
    assert_eq!(evaluated["mean"], chosen["mean"]);
    let inspected = json(&succeed(directory, &["inspect", "run/int8/policy.bin", "--json"]));
    assert_eq!(
        (&inspected["weights"], &inspected["examples"]["passed"]),
        (&"int8".into(), &true.into())
    );
    // 4 · 32 767 / 8
    assert_eq!(inspected["observation"][2]["scale"].as_f64(), Some(16_383.5));

    let arguments = ["quantise", "run/policy.bin", "--bits", "16", "--out", "q/p.bin"];
    let text = succeed(directory, &arguments);
    assert!(text.contains("written to q/p.bin, its recording to q/recording.bin"), "{text}");
    let text = succeed(directory, &["inspect", "q/p.bin"]);
    assert!(
        text.contains("parameters in int16") && text.contains("read as (x − 0.0) · 131068.0"),
        "{text}"
    );
    let old = fs::read(directory.join("run/recording.bin")).unwrap();
    assert_ne!(old, fs::read(directory.join("q/recording.bin")).unwrap());
}

/// Observations that a policy was not quantised for are told once, with name, value, range and how often.
#[test]
fn observations_outside_the_ranges_are_told() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &["--env", "inverted-pendulum"]);
    fs::write(directory.join("near.json"), "[[0, 0.001, 0, 0]]").unwrap();
    fs::write(directory.join("far.json"), "[[0, 0.1, 500, 0], [0, 0, 0, 0]]").unwrap();
    let warnings = |arguments: &[&str]| -> Vec<String> {
        let output = trainer(directory, arguments);
        assert!(output.status.success(), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        error.lines().map(str::to_string).collect()
    };
    let far = ["quantize", "run/policy.bin", "--bits", "8", "--starts", "far.json"];
    for arguments in [&far[..], &["eval", "run/int8/policy.bin", "--starts", "far.json", "--json"]]
    {
        let found = warnings(arguments);
        let [warning] = &found[..] else { panic!("{arguments:?}: {found:?}") };
        assert!(warning.starts_with("warning: run/"), "{warning}");
        for part in ["cart velocity is 500.0 m/s, its range ends at ", " m/s, left by ", "--set"] {
            assert!(warning.contains(part), "{warning}");
        }
    }
    for near in [
        &["quantize", "run/policy.bin", "--bits", "8"][..],
        &["eval", "run/int8/policy.bin"],
        &["eval", "run/int8/policy.bin", "--starts", "near.json"],
        &["eval", "run/policy.bin", "--starts", "far.json"],
    ] {
        assert_eq!(warnings(near), [""; 0], "{near:?}");
    }
}

/// From equal starts all differences are equal: that is no interval.
#[test]
fn intervals_without_width_are_not_printed() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    for (starts, has_interval) in [
        ("[[3, 0], [3, 0], [3, 0], [3, 0], [3, 0], [3, 0]]", false),
        ("[[3, 0]]", false),
        ("", true),
    ] {
        fs::write(directory.join("starts.json"), starts).unwrap();
        let mut arguments = vec!["quantize", "run/policy.bin", "--bits", "8"];
        if !starts.is_empty() {
            arguments.extend(["--starts", "starts.json"]);
        }
        let text = succeed(directory, &arguments);
        let row = text.lines().nth(2).unwrap();
        assert_eq!(row.contains(" to "), has_interval, "{text}");
        assert!(!text.contains("; its interval ends at"), "without a limit: {text}");
        arguments.push("--json");
        let tried = &json(&succeed(directory, &arguments))["tried"][0];
        for name in ["difference_interval", "loss_interval_percent", "largest_loss_percent"] {
            assert_eq!(tried[name].is_null(), !has_interval, "{name}: {tried}");
        }
    }
}

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    let policy = "run/policy.bin";
    for (arguments, part) in [
        (&["--bits", "9"][..], "possible values: 8, 13, 16"),
        (&["--max-loss", "-1"], "--max-loss must be from 0 to 100, not -1"),
        (&["--max-loss", "nan"], "a number must be finite"),
        (
            &["--out", "run/policy8.bin"],
            "whose recording.bin would be replaced: choose another directory",
        ),
        (&["--out", "q/recording.bin"], "must name a file, such as DIR/policy.bin"),
        (&["--set", "name=pendulum"], "a policy is for one environment"),
    ] {
        let error = fail(directory, &[&["quantize", policy], arguments].concat(), 2);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
    let strict = ["quantize", policy, "--max-loss", "0", "--bits", "8"];
    let error = fail(directory, &strict, 1);
    assert!(error.contains("no quantized policy loses less than 0 %"), "{error}");
    assert!(error.contains("the best loses ") && error.contains("%, with 8 bits"), "{error}");
    assert!(!directory.join("run/int8").exists(), "what is refused leaves nothing");
    succeed(directory, &["quantize", policy, "--bits", "8"]);
    let error = fail(directory, &["quantize", "run/int8/policy.bin"], 1);
    assert!(error.contains("has int8 weights already: quantize the f32 policy"), "{error}");
    assert!(fail(directory, &["quantize", "missing.bin"], 1).contains("cannot read missing.bin"));
}
