//! What kill -9, and disks without room, leave of runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use trainer::rng::{Rng, Stream, index, stream};

use crate::resume::{LIMIT, SAC, begin, results, signal, text};
use crate::succeed;

/// Fifty times kill -9 at random moments, over runs into a directory that holds a finished one: after each
/// there is that one, whole, or the new one, whole, or a checkpoint from which the new one goes on.
#[test]
fn killed_runs_lose_nothing_that_was_finished() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let mut rng: Rng = stream(32, Stream::Recording);
    let train = |seed: usize, out: &str| {
        let seed = seed.to_string();
        let settings = ["--seed", &seed, "--steps", "1500", "--checkpoint-every", "0.02"];
        let train = [&["train", "--preset", "td3"][..], &settings, &["--out", out]].concat();
        train.into_iter().map(String::from).collect::<Vec<_>>()
    };
    let run = directory.join("run");
    let (mut kills, mut seed, mut whole, mut half) = (0, 1, 0, 0);
    let begun = Instant::now();
    let unbroken = |seed: usize| {
        let out = format!("unbroken-{seed}");
        succeed(directory, &borrowed(&train(seed, &out)));
        results(&directory.join(out))
    };
    succeed(directory, &borrowed(&train(seed, "run")));
    let usual = begun.elapsed();
    let mut finished = unbroken(seed);
    while kills < 50 {
        assert!(begun.elapsed() < 3 * LIMIT, "{kills} kills");
        seed += 1;
        let wanted = unbroken(seed);
        let mut step = None;
        // Until this one is finished.
        loop {
            let mut arguments = train(seed, "run");
            if step.is_some() {
                arguments.push("--resume".into());
            }
            let mut child = begin(directory, &borrowed(&arguments));
            match kills % 3 {
                // While results are written: all is trained, and saved.
                0 => {
                    let last = run.join("checkpoints/step-000000001500.bin");
                    while !last.exists() && child.try_wait().unwrap().is_none() {}
                    sleep(Duration::from_millis(index(&mut rng, 60) as u64));
                }
                // At any moment, or not at all.
                _ => sleep(usual * index(&mut rng, 1500) as u32 / 1000),
            }
            signal(&child, Signal::KILL);
            let killed = !child.wait().unwrap().success();
            kills += usize::from(killed);
            let now =
                trainer::run::interrupted(&run).expect("a checkpoint can be read").map(|c| c.1);
            assert!(now.is_none() || now >= step, "{now:?} after {step:?}");
            if let (true, Some(_)) = (killed, now) {
                half += 1;
                step = now;
                continue;
            }
            // No checkpoint: the run of before, untouched, or this one, finished.
            let found = results_beside_a_part(&run);
            whole += 1;
            if found == wanted {
                break;
            }
            assert!(
                step.is_none() && found == finished,
                "seed {seed}: neither the run of before nor this one"
            );
        }
        finished = wanted;
    }
    println!("{kills} kills: {half} left a checkpoint, {whole} a finished run");
    assert!(half > 10);
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// As [`results`], where a run that has not come to a checkpoint may have begun its metrics.
fn results_beside_a_part(run: &Path) -> (String, String, Vec<u8>, Vec<u8>) {
    let _ = fs::remove_file(run.join("metrics.csv.part"));
    let _ = fs::remove_dir(run.join("checkpoints"));
    results(run)
}

/// Runs shell commands with a file system of this size at `disk`, seen by them alone.
fn with_disk(directory: &Path, size: &str, commands: &str) -> Output {
    fs::create_dir_all(directory.join("disk")).unwrap();
    let script = format!("set -e; mount -t tmpfs -o size={size} none disk; {commands}");
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .env("TRAINER", env!("CARGO_BIN_EXE_trainer"))
        .current_dir(directory)
        .output()
        .expect("util-linux is installed")
}

#[test]
#[ignore = "needs a Linux that lets processes mount"]
fn full_and_read_only_disks_lose_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    succeed(directory, &[&SAC[..], &["--out", "whole"]].concat());
    let whole = results(&directory.join("whole"));
    let train = SAC.join(" ");
    // Two checkpoints have room, and then no third one.
    let script = format!(
        "if $TRAINER {train} --out disk/run; then exit 9; fi
         ls disk/run/checkpoints | wc -l; mount -o remount,size=30m disk
         $TRAINER train --resume --out disk/run; cp -r disk/run full"
    );
    let output = with_disk(directory, "600k", &script);
    let message = text(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.starts_with("error: cannot write disk/run/"), "{message}");
    let end = " is saved, --resume goes on from it\n";
    assert!(message.contains("; make room, then give the same command again; step "), "{message}");
    assert!(message.ends_with(end), "{message}");
    assert!(text(&output.stdout).starts_with("2\n"), "{}", text(&output.stdout));
    assert!(results(&directory.join("full")) == whole);

    let script = format!(
        "cp -r whole disk/run; mount -o remount,ro disk
         $TRAINER train --resume --out disk/run 2>resumed
         if $TRAINER {train} --out disk/run; then exit 9; fi; cp -r disk/run kept"
    );
    let output = with_disk(directory, "30m", &script);
    let message = text(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(message.starts_with("error: cannot write disk/run/"), "{message}");
    assert!(message.ends_with("choose another directory with --out\n"), "{message}");
    assert!(results(&directory.join("kept")) == whole);
    // What is finished is said to be finished.
    let told = fs::read_to_string(directory.join("resumed")).unwrap();
    assert_eq!(told, "the run in disk/run is finished\n");
}
