//! What a policy does at its goal, wherever it is told, and the table of what was run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{fail, json, short_run, succeed};

/// A policy that swings the rod up and holds it.
fn sample() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/sample/f32/policy.bin").into()
}

/// The rows of a table, by start, and where its columns are.
struct Table {
    header: csv::StringRecord,
    starts: Vec<Vec<csv::StringRecord>>,
}

impl Table {
    fn read(path: PathBuf) -> Table {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = reader.headers().unwrap().clone();
        let mut starts: Vec<Vec<_>> = Vec::new();
        for row in reader.records().map(Result::unwrap) {
            let start: usize = row[0].parse().unwrap();
            assert!(start == starts.len() || start + 1 == starts.len(), "start after start");
            starts.resize_with(start + 1, Vec::new);
            assert_eq!(row[1], starts[start].len().to_string(), "step after step");
            starts[start].push(row);
        }
        Table { header, starts }
    }

    /// A column of the episode from a start, as far as it has numbers.
    fn column(&self, start: usize, name: &str) -> Vec<f64> {
        let at = self.header.iter().position(|found| found == name).unwrap();
        let cells = self.starts[start].iter().map(|row| row.get(at).unwrap());
        cells.filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).collect()
    }
}

fn eval(directory: &Path, more: &[&str]) -> String {
    let policy = sample();
    succeed(directory, &[&["eval", &policy], more].concat())
}

/// The figures follow from the table by their formulas, and so do the returns, to the bit.
#[test]
fn an_evaluation_says_how_a_policy_controls_and_writes_what_it_ran() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    fs::write(directory.join("starts.json"), "[[3.14, 0.0], [-1.0, 0.5], [0.01, 0.0]]").unwrap();
    let starts = ["--starts", "starts.json", "--trajectories", "ran.csv"];
    let text = eval(directory, &starts);
    assert!(text.contains("\nupright from 3 of 3 starts, settled from "), "{text}");
    assert!(text.ends_with("\nran.csv: 603 rows\n"), "{text}");
    for name in ["rest error", "effort at rest", "chatter", "overshoot", "settling time"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
    }
    let found = json(&eval(directory, &[&starts[..], &["--json"]].concat()));
    assert_eq!(found["trajectories"], "ran.csv");
    let control = &found["control"];
    assert_eq!((&control["starts"], &control["reached"]), (&3.into(), &3.into()));

    let table = Table::read(directory.join("ran.csv"));
    let (mut errors, mut chatter) = (Vec::new(), Vec::new());
    for (start, sum) in found["returns"].as_array().unwrap().iter().enumerate() {
        assert_eq!(table.starts[start].len(), 201);
        let rewards = table.column(start, "reward");
        assert_eq!(sum.as_f64(), Some(rewards.iter().fold(0.0, |sum, r| sum + r)));
        let angles = table.column(start, "state θ [rad]");
        // The number that was written, not the decimal one.
        let torques = table.column(start, "action torque [N·m]").into_iter();
        let torques: Vec<f64> = torques.map(|a| f64::from(a as f32)).collect();
        assert_eq!((angles.len(), torques.len()), (201, 200), "nobody acts in the last state");
        let cosine = table.column(start, "observation cos θ");
        assert!(angles.iter().zip(&cosine).all(|(x, c)| (x.cos() - c).abs() < 1e-6));
        assert_eq!(table.column(start, "time [s]")[..4], [0.0, 0.05, 0.1, 0.15]);
        let turn = std::f64::consts::TAU;
        let rest = angles[160..].iter().map(|x| (x - turn * (x / turn).round()).abs());
        errors.push(rest.sum::<f64>() / 41.0);
        let changes: Vec<f64> = torques[160..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = changes.iter().sum::<f64>() / 39.0;
        chatter.push((changes.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 39.0).sqrt());
    }
    for (name, mut known) in [("rest_error", errors), ("chatter", chatter)] {
        known.sort_by(f64::total_cmp);
        let figure = |key: &str| control[name][key].as_f64().unwrap();
        assert!((figure("median") - known[1]).abs() < 1e-9, "{name}: {known:?}");
        assert!((figure("worst") - known[2]).abs() < 1e-9, "{name}: {known:?}");
    }
}

/// An episode that fails ends earlier; where no start reaches the goal, nothing is said of it.
#[test]
fn where_the_goal_is_not_reached_nothing_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let summary = short_run(directory, "run", &["--env", "inverted-pendulum"]);
    let control = &summary["evaluation"]["control"];
    assert_eq!((&control["goal"], &control["starts"]), (&"upright".into(), &100.into()));
    assert_eq!((&control["reached"], &control["rest_error"]["median"]), (&0.into(), &Value::Null));
    let text = succeed(directory, &["eval", "run/policy.bin", "--trajectories", "ran.csv"]);
    assert!(text.contains("\nupright from 0 of 100 starts, settled from 0 of them"), "{text}");
    let table = Table::read(directory.join("ran.csv"));
    assert_eq!(table.starts.len(), 100);
    for start in 0..100 {
        let angles = table.column(start, "state θ [rad]");
        let (last, others) = angles.split_last().unwrap();
        assert!(last.abs() > 0.2 && others.iter().all(|x| x.abs() <= 0.2), "it fell");
        assert_eq!(table.column(start, "action force [100 N]").len(), others.len());
    }
}

/// A summary that was written before there were these figures.
#[test]
fn runs_of_before_are_read_and_have_dashes() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let run = ["train", "--preset", "sac", "--steps", "700", "--out", "run"];
    let text = succeed(directory, &run);
    assert_eq!(text.lines().last(), Some("  upright from 0 of 200 starts"));
    let path = directory.join("run/summary.json");
    let mut summary = json(&fs::read_to_string(&path).unwrap());
    assert_eq!(
        summary["evaluation"].as_object_mut().unwrap().remove("control").unwrap()["reached"],
        0
    );
    fs::write(&path, summary.to_string()).unwrap();
    let page = |directory: &Path| fs::read_to_string(directory.join("run/report.html")).unwrap();
    assert!(page(directory).contains("upright from 0 of 200 starts, settled from 0 of them"));
    succeed(directory, &["report", "run"]);
    let page = page(directory);
    assert!(page.contains("summary.json does not say; trainer eval does"), "{page}");
    assert_eq!(page.matches("<td>–</td><td>–</td></tr>").count(), 5);
    let text = succeed(directory, &["train", "--resume", "--out", "run"]);
    assert_eq!(text.lines().last(), Some("  at the goal: –"));
}

/// A table that memory would not hold is refused before anything runs.
#[cfg(unix)]
#[test]
fn a_table_of_too_many_rows_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    fs::write(directory.join("many.json"), crate::many_starts()).unwrap();
    let (policy, starts) = (sample(), ["--starts", "many.json", "--trajectories", "ran.csv"]);
    let error = fail(directory, &[&["eval", &policy], &starts[..]].concat(), 2);
    assert!(error.contains("takes 9950 starts of 201 rows each at most, not 400001"), "{error}");
    assert!(!directory.join("ran.csv").exists());
}
