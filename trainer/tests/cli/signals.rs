//! Signals besides Ctrl-C: a terminal that is closed, processor time that is used up.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const TRAIN: &str = "train --preset tutorial-ddpg --out run";

/// A shell's command in a directory, which becomes the trainer.
fn begin(directory: &Path, command: &str) -> Child {
    Command::new("sh")
        .args(["-c", command])
        .env("TRAINER", env!("CARGO_BIN_EXE_trainer"))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn until_it_trains(directory: &Path) {
    let begun = Instant::now();
    let part = directory.join("run/metrics.csv.part");
    while std::fs::read_to_string(&part).unwrap_or_default().lines().count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_terminal_that_is_closed_saves_the_run() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let child = begin(directory, &format!("exec $TRAINER {TRAIN}"));
    until_it_trains(directory);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(129));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("error: interrupted at step ") && error.lines().count() == 1,
        "{error}"
    );
    assert!(trainer::run::interrupted(&directory.join("run")).unwrap().is_some());
}

#[test]
fn nohup_means_what_it_says() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let mut child = begin(directory, &format!("exec nohup $TRAINER {TRAIN} >out 2>&1"));
    until_it_trains(directory);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

/// As a script has it: shells have background processes ignore Ctrl-C, but this one is meant.
#[test]
fn background_runs_are_interrupted_too() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let script = format!("$TRAINER {TRAIN} & echo $! >id; wait $!");
    let child = begin(directory, &script);
    until_it_trains(directory);
    let id: i32 = std::fs::read_to_string(directory.join("id")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(trainer::run::interrupted(&directory.join("run")).unwrap().is_some());
}

#[test]
fn processor_time_that_is_used_up_saves_the_run() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let child = begin(directory, &format!("ulimit -St 2; exec $TRAINER {TRAIN}"));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (Some(152), None));
    assert!(trainer::run::interrupted(&directory.join("run")).unwrap().is_some());
}
