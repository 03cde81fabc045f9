//! Outputs that would take the place of something else.

use std::fs;
use std::path::Path;

use crate::{fail, short_run, succeed};

/// What a command reads, keys, and files of runs that it does not own; by other spellings of their paths, too.
#[test]
fn outputs_take_the_place_of_nothing_that_matters() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "a", &[]);
    short_run(directory, "b", &["--seed", "2"]);
    succeed(directory, &["keygen", "--out", "u"]);
    fs::copy(directory.join("a/policy.bin"), directory.join("p.bin")).unwrap();
    fs::copy(directory.join("a/config.toml"), directory.join("mine.toml")).unwrap();
    fs::write(directory.join("starts.json"), "[[3.0, 0.0], [1.0, 0.5]]").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("p.bin", directory.join("link")).unwrap();
    fs::hard_link(directory.join("u.key"), directory.join("hard")).unwrap();
    let before = all(directory);
    let sign = ["sign", "p.bin", "--key", "u.key", "--version", "2", "--out"];
    let quantize = ["quantize", "p.bin", "--bits", "8", "--starts", "starts.json", "--out"];
    let record = ["record", "p.bin", "--steps", "5", "--out"];
    let compare = ["compare", "a", "b", "--starts", "starts.json", "--picture"];
    let table = ["eval", "p.bin", "--starts", "starts.json", "--trajectories"];
    let mut refused = 0;
    for (command, outputs) in [
        (
            &sign[..],
            &["u.key", "p.bin", "./u.key", "b/../u.key", "hard", "u.pub", "a/policy.bin", "link"][..],
        ),
        (
            &quantize,
            &["p.bin", "b/policy.bin", "b/other.bin", "u.key", "starts.json", "a/summary.json"],
        ),
        (
            &record,
            &[
                "p.bin",
                "a/../p.bin",
                "u.pub",
                "link",
                "b/policy.bin",
                "b/report.html",
                "b/agent.bin",
            ],
        ),
        (
            &compare,
            &[
                "a/policy.bin",
                "b/summary.json",
                "starts.json",
                "u.key",
                "a/learning_curve.svg",
                "p.bin",
            ],
        ),
        (
            &table,
            &[
                "p.bin",
                "link",
                "b/../starts.json",
                "u.key",
                "hard",
                "a/policy.bin",
                "a/metrics.csv",
                "b/summary.json",
            ],
        ),
    ] {
        for output in outputs {
            let error = fail(directory, &[command, &[output]].concat(), 2);
            assert!(error.contains("choose another"), "{output}: {error}");
            refused += 1;
        }
    }
    let error =
        fail(directory, &["train", "--config", "a/config.toml", "--steps", "700", "--out", "a"], 2);
    assert!(error.contains("a/config.toml is what this command reads"), "{error}");
    let error = fail(directory, &["keygen", "--out", "u"], 1);
    assert!(error.contains("u.key is already there"), "{error}");
    assert_eq!(all(directory), before, "{refused} were refused");

    // Everything else may be replaced, as with other programs.
    fs::write(directory.join("film.gif"), "of before").unwrap();
    succeed(directory, &[&record[..], &["film.gif"]].concat());
    succeed(directory, &[&record[..], &["film.gif"]].concat());
    succeed(directory, &[&sign[..], &["a/policy.signed"]].concat());
    succeed(directory, &[&sign[..], &["a/policy.signed"]].concat());
    succeed(directory, &[&quantize[..], &["new/policy.bin"]].concat());
    succeed(directory, &[&quantize[..], &["new/policy.bin"]].concat());
    succeed(directory, &[&compare[..], &["picture.svg"]].concat());
    succeed(directory, &[&table[..], &["table.csv"]].concat());
    succeed(directory, &[&table[..], &["table.csv"]].concat());
    // Its own settings, for a run elsewhere.
    succeed(directory, &["train", "--config", "mine.toml", "--out", "c"]);
}

fn all(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in [".", "a", "b"] {
        for entry in fs::read_dir(directory.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.push((path.display().to_string(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// What `keygen` makes in a clone is nothing that `git add .` takes, whatever it is called; a public key is no secret.
#[test]
fn private_keys_are_ignored_by_git() {
    let clone = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if !Path::new(clone).join(".git").exists() {
        eprintln!("left out, as this is no clone: whether git ignores private keys");
        return;
    }
    for (name, is_ignored) in [("update.key", true), ("keys/my.key", true), ("update.pub", false)] {
        let mut git = std::process::Command::new("git");
        let asked = git.args(["-C", clone, "check-ignore", "-q", name]).status().unwrap();
        assert_eq!(asked.success(), is_ignored, "{name}");
    }
    let temporary = tempfile::tempdir().unwrap();
    let said = succeed(temporary.path(), &["keygen"]);
    assert!(said.contains("keep it secret") && said.contains("git must not have it"), "{said}");
}
