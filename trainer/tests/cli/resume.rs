//! Runs that are interrupted, killed, or short of room, and what is left of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use trainer::export::Blob;
use trainer::policy::AnyPolicy;
use trainer::rng::{Rng, Stream, index, stream};

use crate::{fail, json, succeed, trainer};

/// Nothing here takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn begin(directory: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the trainer starts")
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let id = Pid::from_child(child);
    // A process that has ended already stays known until it is waited for.
    kill_process(id, signal).expect("the process is ours");
}

/// The files of checkpoints, oldest first.
pub(crate) fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some()).collect();
    paths.sort();
    paths
}

/// Waits until there is a checkpoint newer than this one, or the process has ended.
fn wait_for_checkpoint(child: &mut Child, run: &Path, newer_than: Option<PathBuf>) {
    let begun = Instant::now();
    while checkpoints(run).pop() <= newer_than && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT, "no checkpoint in {}", run.display());
        sleep(Duration::from_millis(1));
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Fingerprint, metrics, policy and networks of a finished run; and its files are all there and whole.
pub(crate) fn results(run: &Path) -> (String, String, Vec<u8>, Vec<u8>) {
    let read = |name: &str| {
        fs::read(run.join(name)).unwrap_or_else(|error| panic!("{}/{name}: {error}", run.display()))
    };
    let summary = json(&text(&read("summary.json")));
    let policy = read("policy.bin");
    let blob = Blob::from_bytes(&policy);
    let checksum = AnyPolicy::from_bytes(blob.bytes()).expect("a whole policy").checksum();
    assert_eq!(summary["policy"]["checksum"], format!("{checksum:08x}"), "{}", run.display());
    assert!(checkpoints(run).is_empty() && !run.join("metrics.csv.part").exists());
    let fingerprint = summary["parameters_fingerprint"].as_str().unwrap().to_string();
    (fingerprint, text(&read("metrics.csv")), policy, read("agent.bin"))
}

/// Ctrl-C at five moments of each algorithm: the status is 130, and the run that goes on has the bits of
/// the unbroken one, those with trials of their policies included.
#[test]
fn interrupted_runs_go_on_to_the_same_bits() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let mut rng: Rng = stream(31, Stream::Recording);
    for (preset, select) in [
        ("dqn", "select_every=100"),
        ("ddpg", "select_every=0"),
        ("td3", "select_every=2"),
        ("sac", "select_every=70"),
    ] {
        let train = ["train", "--preset", preset, "--steps", "2500", "--checkpoint-every", "0"];
        let train = [&train[..], &["--set", select]].concat();
        let whole = format!("{preset}-whole");
        let begun = Instant::now();
        succeed(directory, &[&train[..], &["--out", &whole]].concat());
        let mut latest = begun.elapsed();
        let wanted = results(&directory.join(&whole));
        let (broken, mut interruptions) = (format!("{preset}-broken"), 0);
        let run = directory.join(&broken);
        for attempt in 0.. {
            assert!(attempt < 50, "{preset}: runs end before they are interrupted");
            let mut child =
                begin(directory, &[&train[..], &["--out", &broken, "--restart"]].concat());
            wait_for_checkpoint(&mut child, &run, None);
            sleep(latest * index(&mut rng, 900) as u32 / 1000);
            signal(&child, Signal::INT);
            let Output { status, stderr, .. } = child.wait_with_output().unwrap();
            let message = text(&stderr);
            if status.success() {
                // All steps were made before it came: the machine had other work while the whole one was timed.
                fs::remove_dir_all(&run).unwrap();
                latest = latest * 3 / 4;
                continue;
            }
            assert_eq!(status.code(), Some(130), "{message}");
            let go_on = format!("go on with `trainer train --resume --out {broken}`");
            assert!(message.contains("error: interrupted at step ") && message.contains(&go_on));
            assert!(!checkpoints(&run).is_empty() && !run.join("summary.json").exists());
            // What the message says: the settings are in the checkpoint.
            succeed(directory, &["train", "--resume", "--out", &broken]);
            assert!(results(&run) == wanted, "{preset}: other bits than the unbroken run");
            interruptions += 1;
            if interruptions == 5 {
                break;
            }
            fs::remove_dir_all(&run).unwrap();
        }
        // Once more changes nothing.
        let again = trainer(directory, &["train", "--resume", "--out", &broken]);
        assert_eq!(text(&again.stderr), format!("the run in {broken} is finished\n"));
        assert!(results(&run) == wanted);
    }
}

/// A run of the preset sac, interrupted when it has two checkpoints at least.
fn interrupted(directory: &Path, out: &str) -> PathBuf {
    let run = directory.join(out);
    let child = begin(directory, &[&SAC[..], &["--out", out]].concat());
    let begun = Instant::now();
    while checkpoints(&run).len() < 2 {
        assert!(begun.elapsed() < LIMIT);
        sleep(Duration::from_millis(1));
    }
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", text(&output.stderr));
    assert_eq!(checkpoints(&run).len(), 2);
    run
}

pub(crate) const SAC: [&str; 7] =
    ["train", "--preset", "sac", "--steps", "12000", "--checkpoint-every", "0"];

#[test]
fn damaged_checkpoints_are_passed_over() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let run = interrupted(directory, "run");
    succeed(directory, &[&SAC[..], &["--out", "whole"]].concat());
    let [older, newest] = &checkpoints(&run)[..] else { panic!("two checkpoints") };
    let damage = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    damage(newest);
    // Both damaged: nothing is done, and it is said what can be.
    let spare = fs::read(older).unwrap();
    damage(older);
    let error = fail(directory, &["train", "--resume", "--out", "run"], 1);
    assert!(error.contains("its checksum is wrong: it was damaged; begin anew by --restart"));
    fs::write(older, spare).unwrap();
    let output = trainer(directory, &["train", "--resume", "--out", "run"]);
    let notice = text(&output.stderr);
    assert!(output.status.success(), "{notice}");
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(notice.contains(&format!("{}: its checksum is wrong", name(newest))), "{notice}");
    assert!(notice.contains(&format!("goes on from run/checkpoints/{}", name(older))), "{notice}");
    assert!(results(&run) == results(&directory.join("whole")));
}

#[test]
fn interrupted_runs_are_not_lost_by_mistake() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    interrupted(directory, "run");
    let sac = ["train", "--preset", "sac", "--steps", "6000", "--out", "run"];
    let with = |more: &[&'static str]| [&sac[..], more].concat();
    for (arguments, part) in [
        (with(&[]), "run holds a run that was interrupted at step "),
        (with(&["--seed", "2"]), "go on with it by --resume, or drop it by --restart"),
        (with(&["--resume", "--seed", "2"]), "`training.seed` is 1 there, 2 here"),
        (with(&["--resume", "--restart"]), "cannot be used with"),
        (with(&["--checkpoint-every", "-1"]), "must be from 0 to 1e9 s"),
        (
            vec!["train", "--resume", "--out", "run", "--set", "gamma=0.9"],
            "only --steps can change",
        ),
        (
            vec!["train", "--resume", "--out", "run", "--steps", "1"],
            "more than the 1 that are asked",
        ),
        (vec!["train", "--resume", "--out", "nowhere"], "there is no run in nowhere to go on with"),
        (vec!["train", "--resume"], "no preset is named"),
    ] {
        let error = fail(directory, &arguments, 2);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
    // With other settings by --restart only; then nothing of the old one is left.
    succeed(directory, &with(&["--restart", "--seed", "2"]));
    assert_eq!(json(&fs::read_to_string(directory.join("run/summary.json")).unwrap())["seed"], 2);
    let error = fail(directory, &with(&["--resume"]), 2);
    assert!(error.contains("`training.seed` is 2 there, 1 here"), "{error}");
    let error = fail(directory, &["train", "--resume", "--out", "run", "--steps", "7000"], 2);
    assert!(error.contains("is finished, after 6000 steps, and cannot be made longer"), "{error}");
}

/// The last step is one of all environments, so that a run may have made more than it was asked for. What
/// cannot be written at its end is not lost.
#[test]
fn finished_training_waits_for_its_results() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let train = ["train", "--preset", "td3", "--steps", "1000", "--set", "environments=3"];
    succeed(directory, &[&train[..], &["--out", "whole"]].concat());
    // A directory in the place of a file, since training began.
    let child = begin(directory, &[&train[..], &["--out", "run"]].concat());
    let begun = Instant::now();
    while !directory.join("run/metrics.csv.part").exists() {
        assert!(begun.elapsed() < LIMIT);
    }
    fs::create_dir_all(directory.join("run/policy.bin")).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.starts_with("error: run/policy.bin is no regular file, "), "{error}");
    assert!(error.ends_with("; step 1002 is saved, --resume goes on from it\n"), "{error}");
    assert!(checkpoints(&directory.join("run"))[0].ends_with("step-000000001002.bin"));
    fs::remove_dir(directory.join("run/policy.bin")).unwrap();
    succeed(directory, &["train", "--resume", "--out", "run"]);
    assert!(results(&directory.join("run")) == results(&directory.join("whole")));
}

/// The directory is a run's own until all is written: another one is refused, or comes after it.
#[test]
fn two_runs_do_not_mix_their_results() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let train = |seed: &'static str, out: &'static str| {
        ["train", "--preset", "td3", "--steps", "1050", "--seed", seed, "--out", out]
    };
    let alone = ["1", "2"].map(|seed| {
        succeed(directory, &train(seed, "alone"));
        results(&directory.join("alone"))
    });
    for _ in 0..10 {
        let mut first = begin(directory, &train("1", "run"));
        let begun = Instant::now();
        while !directory.join("run/metrics.csv").exists() && first.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT);
        }
        let second = trainer(directory, &train("2", "run"));
        assert!(first.wait().unwrap().success());
        let found = results(&directory.join("run"));
        assert!(found == alone[usize::from(second.status.success())], "{}", text(&second.stderr));
        fs::remove_dir_all(directory.join("run")).unwrap();
    }
}

#[test]
fn several_seeds_go_on_together() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let seeds =
        ["train", "--preset", "ddpg", "--steps", "3000", "--checkpoint-every", "0", "--seeds", "3"];
    let with = |more: &[&'static str]| [&seeds[..], more].concat();
    succeed(directory, &with(&["--out", "whole"]));
    let mut child = begin(directory, &with(&["--out", "broken"]));
    wait_for_checkpoint(&mut child, &directory.join("broken/seed-1"), None);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted: 0 of 3 seeds are finished"), "{message}");
    let error = fail(directory, &with(&["--out", "broken"]), 2);
    assert!(error.contains("broken/seed-1 holds a run that was interrupted"), "{error}");
    succeed(directory, &with(&["--out", "broken", "--resume"]));
    for seed in ["seed-1", "seed-2", "seed-3"] {
        let [broken, whole] =
            ["broken", "whole"].map(|run| results(&directory.join(run).join(seed)));
        assert!(broken == whole, "{seed}");
    }
}

/// Each run of the main job that is under way is saved, and the same command goes on with it.
#[test]
fn the_main_job_saves_what_is_under_way() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let mut before = Vec::new();
    for _ in 0..2 {
        let child = begin(directory, &[]);
        let begun = Instant::now();
        while !directory.join("runs").exists() {
            assert!(begun.elapsed() < LIMIT, "no run begins");
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_secs(2));
        signal(&child, Signal::INT);
        let output = child.wait_with_output().unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{message}");
        let started: Vec<_> = fs::read_dir(directory.join("runs")).unwrap().collect();
        let saved = started.into_iter().map(|run| checkpoints(&run.unwrap().path()).pop());
        let mut saved: Vec<_> = saved.map(|newest| newest.expect("a checkpoint")).collect();
        saved.sort();
        assert_eq!(message.matches("the same command goes on").count(), saved.len(), "{message}");
        assert!(!saved.is_empty() && !directory.join("runs/sac-still/summary.json").exists());
        let older = before.iter().zip(&saved).all(|(before, saved)| before < saved);
        assert!(older, "{saved:?} do not go on from {before:?}");
        before = saved;
    }
}

/// The step, the quantity, the last good checkpoint: and its policy can still be had.
#[test]
fn divergence_is_told_with_what_is_left() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let wild =
        ["train", "--preset", "ddpg", "--steps", "4000", "--checkpoint-every", "0", "--out", "run"];
    let settings = ["critic_learning_rate=1e3", "reward_scale=1e9", "hidden=[64, 64, 64, 64, 64]"];
    let settings = settings.map(|setting| ["--set", setting]).concat();
    let error = fail(directory, &[&wild[..], &settings[..]].concat(), 1);
    assert!(error.starts_with("error: training diverged: q_loss is "), "{error}");
    let (_, rest) =
        error.split_once("the last good checkpoint is run/checkpoints/step-").expect(&error);
    let step: usize = rest.split_once(".bin").unwrap().0.parse().unwrap();
    assert!(error.contains(&format!("`--resume --steps {step}` exports its policy")), "{error}");
    succeed(directory, &["train", "--resume", "--out", "run", "--steps", &step.to_string()]);
    succeed(directory, &["eval", "run/policy.bin"]);
}
