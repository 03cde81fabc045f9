//! `trainer train --seeds`.

use std::fs;

use crate::{fail, json, short_run, succeed, trainer};

const THREE: [&str; 9] =
    ["train", "--preset", "sac", "--steps", "700", "--seed", "4", "--seeds", "3"];

#[test]
fn several_seeds_have_the_bits_that_they_have_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let text = succeed(directory, &[&THREE[..], &["--out", "all", "--json"]].concat());
    let all = json(&text);
    for (index, seed) in [4, 5, 6].into_iter().enumerate() {
        assert_eq!(all[index]["seed"], seed);
        let written = fs::read(directory.join(format!("all/seed-{seed}/summary.json"))).unwrap();
        assert_eq!(all[index], serde_json::from_slice::<serde_json::Value>(&written).unwrap());
    }
    let alone = short_run(directory, "alone", &["--seed", "5"]);
    assert_eq!(all[1]["parameters_fingerprint"], alone["parameters_fingerprint"]);
    assert_ne!(all[0]["parameters_fingerprint"], alone["parameters_fingerprint"]);
}

/// What the others have finished is kept, and reported.
#[test]
fn one_seed_may_fail() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    fs::create_dir_all(directory.join("all/seed-5")).unwrap();
    let held = fs::File::create(directory.join("all/seed-5/.lock")).unwrap();
    held.lock().unwrap();
    let output = trainer(directory, &[&THREE[..], &["--out", "all"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let [text, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(
        error.starts_with("error: seed 5: another command is writing to all/seed-5"),
        "{error}"
    );
    assert!(text.contains("2 seeds trained: return ") && text.contains("all/seed-6"), "{text}");
    assert!(directory.join("all/seed-4/summary.json").exists());
}

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    for (more, part) in [
        (&["--seeds", "0"][..], "--seeds"),
        (&["--seeds", "2", "--threads", "2"], "cannot be used with"),
        (&["--seeds", "2", "--set", "gamma=2"], "`agent.gamma` must be in [0, 1]"),
        (&["--seeds", "2", "--seed", "9223372036854775807"], "goes beyond"),
    ] {
        let arguments = [&["train", "--preset", "sac"][..], more].concat();
        let error = fail(temporary.path(), &arguments, 2);
        assert!(error.contains(part), "{error}");
    }

    // Two at a time would take seeds from each other.
    let seeds = ["train", "--preset", "sac", "--steps", "300", "--seeds", "2", "--out", "many"];
    succeed(temporary.path(), &seeds);
    let held = std::fs::File::create(temporary.path().join("many/.lock")).unwrap();
    held.lock().unwrap();
    let error = fail(temporary.path(), &seeds, 1);
    assert!(error.contains("another command is writing to many:"), "{error}");
    let error = fail(temporary.path(), &["train", "--resume", "--out", "many"], 2);
    assert!(error.contains("many has the runs of 2 seeds: "), "{error}");
}
