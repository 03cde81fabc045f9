//! `trainer sweep`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{fail, json, short_run, succeed, trainer};

const GRID: &str = "presets = [\"sac\", \"td3\"]\nseeds = [4, 5]\n[settings]\nsteps = 700\n\
                    [grid]\ngamma = [0.9, 0.99]\n";

/// One JSON object for each line.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// What must not depend on when a trial was trained, by trial, and the table.
fn results(text: &str) -> (Vec<Value>, Value) {
    let mut lines = lines(text);
    let table = lines.pop().expect("a table comes last");
    let mut trials: Vec<Value> = lines
        .into_iter()
        .map(|mut line| {
            for key in ["reused", "train_seconds"] {
                line.as_object_mut().unwrap().remove(key).expect(key);
            }
            line
        })
        .collect();
    trials.sort_by_key(|line| line["trial"].as_str().unwrap().to_string());
    (trials, table)
}

#[test]
fn a_grid_is_tried_and_compared() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    fs::write(directory.join("grid.toml"), GRID).unwrap();
    let sweep = ["sweep", "grid.toml", "--json"];
    let first = succeed(directory, &sweep);
    let (trials, table) = results(&first);
    assert_eq!(trials.len(), 8);
    let trial = &trials[1];
    assert_eq!(trial["trial"], "sac-gamma=0.9/seed-5");
    let alone = short_run(directory, "alone", &["--seed", "5", "--set", "gamma=0.9"]);
    for (key, value) in [
        ("schema", 1.into()),
        ("kind", "trial".into()),
        ("preset", "sac".into()),
        ("seed", 5.into()),
        ("status", "finished".into()),
        ("error", Value::Null),
        ("return", alone["evaluation"]["mean"].clone()),
        ("gap_percent", alone["evaluation"]["gap_percent"].clone()),
        ("parameters_fingerprint", alone["parameters_fingerprint"].clone()),
    ] {
        assert_eq!(trial[key], value, "{key}");
    }
    assert_eq!(trial["settings"]["gamma"], 0.9);
    let settings = fs::read(directory.join("alone/config.toml")).unwrap();
    let place = directory.join("runs/grid/sac-gamma=0.9/seed-5");
    assert_eq!(fs::read(place.join("config.toml")).unwrap(), settings);

    assert_eq!((&table["kind"], &table["trials"]), (&"table".into(), &8.into()));
    let ranking = table["ranking"].as_array().unwrap();
    let of = |ranked: &Value| ranked["interquartile_mean"]["value"].as_f64().unwrap();
    assert_eq!(ranking.len(), 4);
    assert!(ranking.windows(2).all(|pair| of(&pair[0]) >= of(&pair[1])), "{table}");

    // Again, nothing is trained; with one more value, that alone.
    let again = succeed(directory, &sweep);
    assert_eq!(results(&again), results(&first));
    assert!(lines(&again)[..8].iter().all(|line| line["reused"] == true));
    fs::write(directory.join("grid.toml"), GRID.replace("[0.9,", "[0.5, 0.9,")).unwrap();
    let more = lines(&succeed(directory, &sweep));
    let new = more.iter().filter(|line| line["reused"] == false);
    assert_eq!((more.len(), new.count()), (13, 4));

    let csv = fs::read_to_string(directory.join("runs/grid/sweep.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    let head =
        "trial,preset,gamma,seed,status,return,standard_error,worst,gap_percent,train_seconds,";
    assert!(rows.len() == 13 && rows[0].starts_with(head), "{csv}");
    assert!(rows[1].starts_with("sac-gamma=0.5/seed-4,sac,0.5,4,finished,-"), "{csv}");

    // As a shell has it for runs/grid/*, which names sweep.csv, too.
    let mut arguments = vec!["compare".to_string(), "--json".into()];
    let mut named: Vec<PathBuf> = fs::read_dir(directory.join("runs/grid"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    named.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    named.sort();
    arguments.extend(named.iter().map(|path| path.to_str().unwrap().to_string()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let compared = json(&succeed(directory, &arguments));
    assert_eq!(compared["groups"].as_array().unwrap().len(), 6);
    for group in compared["groups"].as_array().unwrap() {
        let name = Path::new(group["name"].as_str().unwrap()).file_name().unwrap().to_str();
        let table = more.last().unwrap()["ranking"].as_array().unwrap();
        let ranked = table.iter().find(|ranked| ranked["name"].as_str() == name).unwrap();
        assert_eq!(group["interquartile_mean"], ranked["interquartile_mean"]);
    }

    // In words.
    let text = succeed(directory, &sweep[..2]);
    assert!(text.lines().next().unwrap().contains("sac-gamma=0.5/seed-4"), "{text}");
    assert!(
        text.contains("(from before)") && text.contains("the best of 6 looks better"),
        "{text}"
    );
}

#[test]
fn a_trial_that_fails_does_not_stop_the_others() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let text = "presets = [\"sac\"]\nseeds = [1]\n[settings]\nsteps = 700\n\
                [grid]\nalpha_learning_rate = [3e-4, 1e3]\n";
    fs::write(directory.join("sweep.toml"), text).unwrap();
    let output = trainer(directory, &["sweep", "sweep.toml", "--out", "out", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    let name = "sac-alpha_learning_rate=1000.0/seed-1";
    assert!(error.ends_with(&format!("error: 1 of 2 trials failed: {name}\n")), "{error}");
    let (trials, table) = results(&String::from_utf8(output.stdout).unwrap());
    let failed = trials.iter().find(|line| line["status"] == "failed").unwrap();
    assert_eq!(failed["trial"], name);
    assert!(failed["error"].as_str().unwrap().contains("diverged"), "{failed}");
    assert!(failed["return"].is_null() && table["failed"] == 1);
    assert_eq!(table["ranking"][0]["seeds"], 1);
    assert_eq!(
        (&table["ranking"][1]["seeds"], &table["ranking"][1]["failed"]),
        (&0.into(), &1.into())
    );
    let csv = fs::read_to_string(directory.join("out/sweep.csv")).unwrap();
    assert!(csv.contains(",failed,,,") && csv.contains("diverged"), "{csv}");
}

/// A child that a test leaves early does not go on alone.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn begin(directory: &Path, out: &str) -> Killed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(["sweep", "sweep.toml", "--out", out, "--jobs", "2", "--json"]);
    let piped = command.current_dir(directory).stdout(Stdio::null()).stderr(Stdio::piped());
    Killed(piped.spawn().expect("the trainer starts"))
}

/// Waits until so many trials have finished.
fn wait_for(directory: &Path, trials: usize) {
    let rows =
        || fs::read_to_string(directory.join("sweep.csv")).unwrap_or_default().lines().count();
    let began = Instant::now();
    while rows() < 1 + trials {
        assert!(began.elapsed() < Duration::from_secs(60), "no {trials} trials in {directory:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Killed, or interrupted by Ctrl-C: the same command goes on to the results of an unbroken sweep.
#[test]
fn a_broken_sweep_goes_on() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let text = "presets = [\"sac\"]\nseeds = { first = 1, count = 4 }\n[settings]\nsteps = 1000\n\
                [random]\ntrials = 2\ngamma = { low = 0.9, high = 0.99 }\n";
    fs::write(directory.join("sweep.toml"), text).unwrap();
    let sweep = |out: &str| {
        succeed(directory, &["sweep", "sweep.toml", "--out", out, "--jobs", "2", "--json"])
    };
    let mut killed = begin(directory, "killed");
    wait_for(&directory.join("killed"), 2);
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    let kept = fs::read_to_string(directory.join("killed/sweep.csv")).unwrap();
    assert!((3..9).contains(&kept.lines().count()), "{kept}");
    let after = sweep("killed");
    for row in kept.lines().skip(1) {
        let trial = row.split(',').next().unwrap();
        let again = lines(&after).into_iter().find(|line| line["trial"] == trial).unwrap();
        assert_eq!(again["reused"], true, "{trial} had finished");
    }
    let unbroken = sweep("unbroken");
    assert_eq!(results(&after), results(&unbroken));

    #[cfg(unix)]
    {
        let mut interrupted = begin(directory, "interrupted");
        wait_for(&directory.join("interrupted"), 1);
        let pid = rustix::process::Pid::from_child(&interrupted.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let status = interrupted.0.wait().unwrap();
        let mut error = String::new();
        use std::io::Read;
        interrupted.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(status.code(), Some(130), "{error}");
        let last = error.lines().last().unwrap();
        assert!(
            last.starts_with("error: interrupted: ") && last.contains(" of 8 trials"),
            "{last}"
        );
        assert!(last.ends_with("those under way are saved; the same command goes on"), "{last}");
        // As if one had been killed when all was written but its checkpoint was still there.
        let under_way = |path: &PathBuf| path.join("checkpoints").exists();
        let trials = fs::read_dir(directory.join("interrupted")).unwrap();
        let seeds =
            trials.flat_map(|trial| fs::read_dir(trial.unwrap().path()).into_iter().flatten());
        // Both may have been past their last step.
        if let Some(saved) = seeds.map(|seed| seed.unwrap().path()).find(under_way) {
            let checkpoints = saved.join("checkpoints");
            fs::rename(&checkpoints, directory.join("aside")).unwrap();
            assert_eq!(results(&sweep("interrupted")), results(&unbroken));
            fs::rename(directory.join("aside"), &checkpoints).unwrap();
            assert_eq!(results(&sweep("interrupted")), results(&unbroken));
            assert!(!checkpoints.exists());
        }
        assert_eq!(results(&sweep("interrupted")), results(&unbroken));
    }

    // A checkpoint that was damaged costs its trial, with a warning; what is none is left alone.
    let trial =
        fs::read_dir(directory.join("unbroken")).unwrap().map(|entry| entry.unwrap().path());
    let trial = trial.filter(|path| path.is_dir()).min().unwrap().join("seed-1");
    fs::remove_file(trial.join("summary.json")).unwrap();
    let checkpoint = trial.join("checkpoints/step-000000000500.bin");
    fs::create_dir_all(&checkpoint).unwrap();
    let command = ["sweep", "sweep.toml", "--out", "unbroken", "--json"];
    let error = fail(directory, &command, 2);
    assert!(error.contains("step-000000000500.bin was not written by this program"), "{error}");
    assert!(checkpoint.exists());
    fs::remove_dir(&checkpoint).unwrap();
    fs::write(&checkpoint, "PLCK, and half a checkpo").unwrap();
    let done = trainer(directory, &command);
    let warning = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && warning.contains("/seed-1 begins anew"), "{warning}");
    assert_eq!(results(std::str::from_utf8(&done.stdout).unwrap()), results(&unbroken));
}

#[test]
fn mistakes_get_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let head = "presets = [\"sac\"]\nseeds = [1]\n";
    for (text, part) in [
        (
            "[gird]\ngamma = [0.9]\n",
            "sweep.toml: there is no key of a sweep `gird` (did you mean `grid`?)",
        ),
        (
            "[grid]\ngama = [0.9]\n",
            "trial sac-gama=0.9: there is no setting `gama` (did you mean `gamma`?)",
        ),
        ("[grid]\ngamma = [0.9, 2.0]\n", "trial sac-gamma=2.0: `agent.gamma` must be in [0, 1]"),
        ("[grid]\n", "`grid` must be a table of settings and their values"),
        (
            "[grid]\ngamma = [0.9]\n[random]\ntrials = 1\ntau = { choice = [1] }\n",
            "`random` must be left out where there is `grid`",
        ),
    ] {
        fs::write(directory.join("sweep.toml"), format!("{head}{text}")).unwrap();
        let error = fail(directory, &["sweep", "sweep.toml"], 2);
        assert!(error.contains(part), "{error}");
        assert!(!directory.join("runs").exists(), "nothing is begun");
    }
    let missing = fail(directory, &["sweep", "missing.toml"], 2);
    assert!(missing.contains("cannot read missing.toml"), "{missing}");
    assert!(fail(directory, &["sweep"], 2).contains("<FILE.toml>"));
    assert!(fail(directory, &["sweep", "sweep.toml", "--jobs", "0"], 2).contains("--jobs"));

    // What was trained with other settings is neither taken for a trial nor written over.
    let settings = format!("{head}[settings]\nsteps = 700\n");
    fs::write(directory.join("sweep.toml"), &settings).unwrap();
    succeed(directory, &["sweep", "sweep.toml"]);
    fs::write(directory.join("sweep.toml"), settings.replace("700", "800")).unwrap();
    let before = fs::read(directory.join("runs/sweep/sac/seed-1/summary.json")).unwrap();
    let error = fail(directory, &["sweep", "sweep.toml"], 2);
    for part in
        ["runs/sweep/sac/seed-1 has a finished run of other settings", "is 700 there, 800 here"]
    {
        assert!(error.contains(part), "{error}");
    }
    let after = fs::read(directory.join("runs/sweep/sac/seed-1/summary.json")).unwrap();
    assert_eq!(before, after);

    fs::write(directory.join("file"), "").unwrap();
    let error = fail(directory, &["sweep", "sweep.toml", "--out", "file/sweep"], 1);
    assert!(error.contains("choose another directory with --out"), "{error}");
    let held = fs::File::create(directory.join("runs/sweep/.lock")).unwrap();
    held.lock().unwrap();
    let error = fail(directory, &["sweep", "sweep.toml"], 1);
    assert!(error.contains("another command is writing to runs/sweep"), "{error}");
}
