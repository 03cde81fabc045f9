//! The golden files: numbers that other programs computed. Each says under `_about` what it is.
//!
//! They lie in `tests/golden/`, or in the directory named by the variable `GOLDEN_DIR`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a file is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Trajectories of the pendulum.
    Pendulum,
    /// Best known returns of the pendulum.
    PendulumBestKnown,
    /// Trajectories of the inverted pendulum.
    InvertedPendulum,
    /// Whole updates of an algorithm.
    Updates,
    /// Single losses of several algorithms.
    Losses,
    /// Known, but nothing here can be compared with it yet.
    NotYet(&'static str),
}

/// A golden file.
#[derive(Debug)]
pub struct Golden {
    /// Its name, for messages.
    pub name: String,
    /// What it is compared with.
    pub kind: Kind,
    /// Its contents.
    pub json: Value,
}

/// The directory of golden files.
pub fn directory() -> PathBuf {
    match std::env::var_os("GOLDEN_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"),
    }
}

/// All golden files, by name.
///
/// # Panics
///
/// If there is none, or one that cannot be read, or one of an unknown kind.
pub fn all() -> Vec<Golden> {
    let directory = directory();
    let entries = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("cannot read GOLDEN_DIR {}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no golden file (*.json) in {}", directory.display());
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Golden {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let kind = kind(&json).unwrap_or_else(|| panic!("{name}: of no known kind, see its `_about`"));
    Golden { name, kind, json }
}

/// By what the file says of itself.
fn kind(json: &Value) -> Option<Kind> {
    let what = json["_about"]["what"].as_str()?;
    if what.contains(':') && json.get("runs").is_some() && json.get("network").is_some() {
        return Some(Kind::Updates);
    }
    let has = |key: &str| json.get(key).is_some();
    let episode = &json["episodes"][0];
    match () {
        () if episode.get("state").is_some() => Some(Kind::Pendulum),
        () if has("states") => Some(Kind::PendulumBestKnown),
        () if what.starts_with("InvertedPendulum") => Some(Kind::InvertedPendulum),
        () if has("tests") => Some(Kind::Losses),
        () if has("torch_update_speed") => Some(Kind::NotYet("timings of another library")),
        () => None,
    }
}

/// A number at a key.
///
/// # Panics
///
/// If it is not there.
pub fn number(json: &Value, key: &str) -> f64 {
    json[key].as_f64().unwrap_or_else(|| panic!("`{key}` is not a number but {}", json[key]))
}

/// All numbers of nested arrays, in order.
///
/// # Panics
///
/// At anything that is neither.
pub fn numbers(json: &Value) -> Vec<f64> {
    match json {
        Value::Array(entries) => entries.iter().flat_map(numbers).collect(),
        _ => vec![json.as_f64().unwrap_or_else(|| panic!("not a number: {json}"))],
    }
}

/// The rows of a list of lists.
///
/// # Panics
///
/// If it is none.
pub fn rows(json: &Value) -> Vec<Vec<f64>> {
    let Value::Array(rows) = json else { panic!("not a list: {json}") };
    rows.iter().map(numbers).collect()
}

/// Prints a line even where the test harness keeps what passing tests print.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "golden: {line}");
}

/// Counts comparisons and keeps the largest error.
#[derive(Debug)]
pub struct Comparison {
    what: String,
    tolerance: f64,
    compared: usize,
    worst: f64,
}

impl Comparison {
    /// Comparisons within an absolute tolerance.
    pub fn new(what: impl Into<String>, tolerance: f64) -> Self {
        Comparison { what: what.into(), tolerance, compared: 0, worst: 0.0 }
    }

    /// Compares numbers.
    ///
    /// # Panics
    ///
    /// If they differ by more than the tolerance, or in how many they are.
    pub fn compare(&mut self, part: &str, got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len(), "{}, {part}: how many numbers", self.what);
        for (index, (got, wanted)) in got.iter().zip(wanted).enumerate() {
            let error = (got - wanted).abs();
            assert!(
                error <= self.tolerance,
                "{}, {part}[{index}]: {got} instead of {wanted}, more than {} apart",
                self.what,
                self.tolerance
            );
            self.worst = self.worst.max(error);
            self.compared += 1;
        }
    }

    /// The same, with the tolerance relative to 1 + |wanted|: for losses.
    ///
    /// # Panics
    ///
    /// As [`Comparison::compare`].
    pub fn compare_relative(&mut self, part: &str, got: &[f64], wanted: &[f64]) {
        let scaled = |x: &[f64]| -> Vec<f64> {
            x.iter().zip(wanted).map(|(x, wanted)| x / (1.0 + wanted.abs())).collect()
        };
        self.compare(part, &scaled(got), &scaled(wanted));
    }

    /// Was nothing compared?
    pub fn is_empty(&self) -> bool {
        self.compared == 0
    }

    /// Prints the count and the largest error.
    ///
    /// # Panics
    ///
    /// If nothing was compared.
    pub fn finish(self) {
        let Comparison { what, tolerance, compared, worst } = self;
        assert!(compared > 0, "{what}: nothing was compared");
        say(&format!(
            "{what}: {compared} numbers, largest error {worst:.1e} (at most {tolerance:.1e})"
        ));
    }
}
