//! The command line as a user meets it: what it writes, and what it says to mistakes.

mod bench;
mod compare;
mod completions;
mod control;
#[cfg(unix)]
mod directories;
mod disasters;
#[cfg(unix)]
mod foreign_text;
mod mistakes;
mod outputs;
mod plot;
mod quantize;
mod record;
#[cfg(unix)]
mod resized;
mod resume;
mod runs;
mod seeds;
mod sign;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod special_files;
mod sweep;
#[cfg(unix)]
mod terminal;
mod view;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn trainer(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(arguments)
        .current_dir(directory)
        // So that a panic would show what no user should see.
        .env("RUST_BACKTRACE", "1")
        .output()
        .expect("the trainer starts")
}

/// Runs it and expects success; gives standard output.
fn succeed(directory: &Path, arguments: &[&str]) -> String {
    let output = trainer(directory, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs it and expects failure with this status; gives standard error, which must be one sentence.
fn fail(directory: &Path, arguments: &[&str], status: i32) -> String {
    let output = trainer(directory, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    assert!(error.starts_with("error: "), "{arguments:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
    assert!(!error.contains("panicked") && !error.contains("backtrace"), "{error}");
    assert!(output.stdout.is_empty());
    error
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// 400 001 starts, no two of them equal: whatever runs from each of them takes long.
#[cfg(unix)]
fn many_starts() -> String {
    let states = (0..=400_000).map(|number| format!("[3,{number}e-6]"));
    format!("[{}]", states.collect::<Vec<_>>().join(","))
}

/// A short run of 700 steps; gives its directory.
fn short_run(directory: &Path, out: &str, more: &[&str]) -> Value {
    let arguments = ["train", "--preset", "sac", "--steps", "700", "--out", out, "--json"];
    json(&succeed(directory, &[&arguments, more].concat()))
}
