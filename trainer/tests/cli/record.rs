//! What `trainer record` writes, and what it says to mistakes.

use std::fs;
use std::path::Path;

use crate::{fail, json, short_run, succeed};

const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/sample/f32/policy.bin");

#[test]
fn the_same_episode_is_the_same_file() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let record = |out: &str, more: &[&str]| {
        let arguments = ["record", POLICY, "--out", out, "--json"];
        json(&succeed(directory, &[&arguments, more].concat()))
    };
    let hanging = ["--state", "3.1415926,0"];
    let report = record("a.gif", &hanging);
    assert_eq!((&report["steps"], &report["frames"]), (&200.into(), &201.into()));
    assert_eq!((&report["width"], &report["terminated"]), (&400.into(), &false.into()));
    let film = fs::read(directory.join("a.gif")).unwrap();
    assert_eq!(report["bytes"], film.len());
    assert!(film.starts_with(b"GIF89a") && film.len() < 1_000_000, "{} bytes", film.len());
    record("b.gif", &hanging);
    assert!(film == fs::read(directory.join("b.gif")).unwrap());

    // The return is what `eval` finds from the same start.
    let returns = json(&succeed(directory, &["eval", POLICY, "--json"]))["returns"].clone();
    assert_eq!(record("c.gif", &["--start", "5"])["return"], returns[5]);
    assert_eq!(record("c.gif", &[])["return"], returns[0]);
    // The default number of a start is 0, a seed draws one.
    let drawn = |seed: &str| record("d.gif", &["--seed", seed, "--steps", "3"])["state"].clone();
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));
    // Fewer frames, the same time.
    let few = record("e.gif", &["--fps", "5", "--state", "-1,0"]);
    assert_eq!((&few["frames"], &few["steps"]), (&51.into(), &200.into()));
    let files = fs::read_dir(directory).unwrap().count();
    assert_eq!(files, 5, "nothing is left half-written");
}

#[test]
fn an_episode_that_fails_ends_its_film() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &["--env", "inverted-pendulum"]);
    let arguments = ["record", "run/policy.bin", "--state", "0,0.19,0,3", "--json"];
    let report = json(&succeed(directory, &arguments));
    assert_eq!((&report["terminated"], &report["steps"]), (&true.into(), &1.into()));
    assert_eq!((&report["frames"], &report["return"]), (&2.into(), &0.0.into()));
    assert!(directory.join("run/episode.gif").is_file());
    let text = succeed(directory, &arguments[..4]);
    assert!(text.contains("1 steps in 0.04 s, until it failed, return 0.00"), "{text}");
}

#[test]
fn mistakes_get_one_sentence() {
    let directory = Path::new(".");
    for (arguments, complaint) in [
        ("--state 1", "--state must be 2 numbers"),
        ("--state 1,2,3", "not `1,2,3`"),
        ("--state 1,nan", "not `1,nan`"),
        ("--state 1e9,0", "up to ±1000000"),
        ("--start 200", "the last one has the number 199"),
        ("--start 1 --seed 2", "cannot be used with"),
        ("--fps 0", "--fps must be from 0.1 to 1000 Hz"),
        ("--size 10", "must be from 280 to 2000"),
        ("--steps 0", "--steps"),
    ] {
        let arguments: Vec<&str> =
            ["record", POLICY].into_iter().chain(arguments.split(' ')).collect();
        let error = fail(directory, &arguments, 2);
        assert!(error.contains(complaint), "{arguments:?}: {error}");
    }
    let nowhere = ["record", POLICY, "--steps", "2", "--out", "/dev/null/film.gif"];
    assert!(fail(directory, &nowhere, 1).contains("cannot write /dev/null/film.gif"));
}
