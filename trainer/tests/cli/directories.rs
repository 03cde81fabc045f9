//! Directories that are somebody else's, or another command's.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{fail, json, short_run, succeed, trainer};

const TRAIN: [&str; 5] = ["train", "--preset", "sac", "--steps", "700"];

/// Everything below a directory, by path.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(directory).unwrap().display().to_string();
                    all.push((name, fs::read(path).unwrap()));
                }
            }
        }
    }
    all.sort();
    all
}

fn put(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The checkpoint and the config.toml of another program; a folder of notes; a policy from elsewhere.
#[test]
fn nothing_that_others_wrote_is_touched() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    for (out, files) in [
        ("p", &["checkpoints/e9.ckpt", "config.toml"][..]),
        ("q", &["notes.txt"]),
        ("r", &["policy.bin"]),
    ] {
        files.iter().for_each(|name| put(&directory.join(out), name, "mine"));
        let before = contents(&directory.join(out));
        for more in [&[][..], &["--restart"], &["--seeds", "2"]] {
            let error = fail(directory, &[&TRAIN[..], &["--out", out], more].concat(), 2);
            assert!(error.contains("choose another directory with --out"), "{error}");
            assert_eq!(contents(&directory.join(out)), before, "{out} {more:?}");
        }
        put(directory, "s.toml", "presets = [\"sac\"]\nseeds = [1]\n[settings]\nsteps = 700\n");
        fail(directory, &["sweep", "s.toml", "--out", out], 2);
        assert_eq!(contents(&directory.join(out)), before, "sweep {out}");
    }
    // The main job looks at all four before it trains the first one.
    put(directory, "runs/sac-still/notes.txt", "mine");
    let error = fail(directory, &[], 2);
    assert!(error.contains("runs/sac-still/notes.txt was not written by"), "{error}");
    assert_eq!(contents(&directory.join("runs")).len(), 1);
}

/// What was written over a finished run, and what was put beside one that was interrupted.
#[test]
fn what_a_person_changed_is_kept() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    short_run(directory, "run", &["--seed", "2"]);
    for changed in ["config.toml", "report.html", "metrics.csv", "policy.bin"] {
        let path = directory.join("run").join(changed);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"# of mine\n"].concat()).unwrap();
        let before = contents(&directory.join("run"));
        let error = fail(directory, &[&TRAIN, &["--out", "run"][..]].concat(), 2);
        assert!(
            error.contains(&format!("run/{changed} is not as a finished run wrote it")),
            "{error}"
        );
        assert_eq!(contents(&directory.join("run")), before);
        fs::write(&path, whole).unwrap();
    }
    // What our own commands write there is no hindrance.
    succeed(directory, &["report", "run"]);
    succeed(directory, &["plot", "run"]);
    succeed(directory, &["record", "run/policy.bin", "--steps", "5"]);
    succeed(directory, &["quantize", "run/policy.bin", "--bits", "8"]);
    short_run(directory, "run", &["--seed", "3"]);
    assert!(directory.join("run/episode.gif").exists() && directory.join("run/int8").exists());

    // A file that comes while it trains.
    let mut child = begin(directory, &["train", "--preset", "tutorial-ddpg", "--out", "late"]);
    until(|| directory.join("late/metrics.csv.part").exists());
    put(directory, "late/config.toml", "mine");
    put(directory, "late/notes.txt", "mine");
    interrupt(&mut child);
    let error = fail(directory, &["train", "--resume", "--out", "late"], 2);
    assert!(error.contains("late/config.toml is not as a finished run wrote it"), "{error}");
    fs::remove_file(directory.join("late/config.toml")).unwrap();
    // It has made as many steps as it is asked for, at the least.
    let error = fail(directory, &["train", "--resume", "--out", "late", "--steps", "1"], 2);
    let steps = error.split_once("give --steps ").unwrap().1.split(' ').next().unwrap();
    succeed(directory, &["train", "--resume", "--out", "late", "--steps", steps]);
    assert_eq!(fs::read_to_string(directory.join("late/notes.txt")).unwrap(), "mine");
}

fn begin(directory: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn interrupt(child: &mut Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    child.wait().unwrap();
}

fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it takes too long");
        sleep(Duration::from_millis(10));
    }
}

/// A sweep, then a run in its directory; a run, then a sweep; a run where a sweep's trial is.
#[test]
fn a_directory_has_one_kind_of_owner() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let table = "presets = [\"sac\"]\nseeds = [1]\n[settings]\nsteps = 700\n";
    put(directory, "sac.toml", table);
    let sweep = ["sweep", "sac.toml", "--json"];
    let first = succeed(directory, &sweep);
    for (out, words) in [
        ("runs/sac", "runs/sac is the directory of a sweep"),
        ("runs/sac/sac", "runs/sac/sac belongs to the sweep in "),
        ("runs/sac/sac/seed-1", "runs/sac/sac/seed-1 belongs to the sweep in "),
    ] {
        for more in [&[][..], &["--restart"], &["--seeds", "2"], &["--resume"]] {
            let error = fail(directory, &[&TRAIN[..], &["--out", out], more].concat(), 2);
            assert!(error.contains(words), "{more:?}: {error}");
        }
    }
    let again = succeed(directory, &sweep);
    assert!(json(again.lines().next().unwrap())["reused"] == true, "{first} {again}");

    short_run(directory, "run", &[]);
    let error = fail(directory, &["sweep", "sac.toml", "--out", "run"], 2);
    assert!(error.contains("run is the directory of a run, or of seeds"), "{error}");
    succeed(directory, &[&TRAIN, &["--seeds", "2", "--out", "many"][..]].concat());
    let error = fail(directory, &["sweep", "sac.toml", "--out", "many"], 2);
    assert!(error.contains("many is the directory of a run, or of seeds"), "{error}");
}

/// Seeds beside a running train, a sweep beside seeds, a run beside a seed.
#[test]
fn one_lock_keeps_all_commands_apart() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    put(directory, "s.toml", "presets = [\"sac\"]\nseeds = [1]\n[settings]\nsteps = 700\n");
    fs::create_dir(directory.join("run")).unwrap();
    fs::create_dir(directory.join("run/seed-1")).unwrap();
    let lock = |name: &str| {
        let held = fs::File::create(directory.join(name)).unwrap();
        held.lock().unwrap();
        held
    };
    let held = lock("run/.lock");
    for arguments in [
        &[&TRAIN, &["--out", "run"][..]].concat()[..],
        &[&TRAIN, &["--out", "run", "--seeds", "2"][..]].concat(),
        &[&TRAIN, &["--out", "run", "--resume"][..]].concat(),
    ] {
        let error = fail(directory, arguments, 1);
        assert!(error.contains("another command is writing to run: wait"), "{error}");
    }
    drop(held);
    fs::create_dir(directory.join("swept")).unwrap();
    let held = lock("swept/.lock");
    let error = fail(directory, &["sweep", "s.toml", "--out", "swept"], 1);
    assert!(error.contains("another command is writing to swept"), "{error}");
    drop(held);
    let _held = lock("run/seed-1/.lock");
    let output = trainer(directory, &[&TRAIN, &["--out", "run", "--seeds", "2"][..]].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("seed 1: another command is writing to run/seed-1"), "{error}");
    assert!(directory.join("run/seed-2/summary.json").exists(), "the other one is trained");
}

/// The list of seeds shrinks: their rows stay, and it is said.
#[test]
fn a_sweep_forgets_no_trial() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let table =
        "presets = [\"sac\"]\nseeds = [1, 2, 3]\n[settings]\nsteps = 700\n[grid]\ngamma = [0.9]\n";
    put(directory, "s.toml", table);
    succeed(directory, &["sweep", "s.toml"]);
    let rows = || fs::read_to_string(directory.join("runs/s/sweep.csv")).unwrap();
    let all = rows();
    assert_eq!(all.lines().count(), 4);
    for fewer in [table.replace("[1, 2, 3]", "[1]"), table.replace("[0.9]", "[0.8]")] {
        put(directory, "s.toml", &fewer);
        let output = trainer(directory, &["sweep", "s.toml"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("rows of sweep.csv are of trials that s.toml does not name any more"),
            "{told}"
        );
        all.lines().for_each(|row| assert!(rows().contains(row), "{row} is gone"));
    }
}
