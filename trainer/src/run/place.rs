//! What lies where in a run's directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Evaluation, sizes, times; comes last, so that a directory with it holds a finished run.
pub const SUMMARY: &str = "summary.json";
/// The exported policy.
pub const POLICY: &str = "policy.bin";
/// All networks.
pub const AGENT: &str = "agent.bin";
/// Observations with the action bits of the policy.
pub const RECORDING: &str = "recording.bin";
/// Every setting.
pub const CONFIG: &str = "config.toml";
/// A row for each episode.
pub const METRICS: &str = "metrics.csv";
/// The same, until the run is over.
pub const METRICS_PART: &str = "metrics.csv.part";
/// Folder of the same for TensorBoard.
pub const EVENTS: &str = "events";
/// The return of each episode, drawn.
pub const CURVE: &str = "learning_curve.svg";
/// All of it on one page.
pub const REPORT: &str = "report.html";
/// An episode, where the user has filmed one.
pub const FILM: &str = "episode.gif";
/// The policy, where the user has signed it.
pub const SIGNED: &str = "policy.signed";
/// States of the run while it trains.
pub const CHECKPOINTS: &str = "checkpoints";
/// The trials of a sweep that have ended; a directory with it is a sweep's.
pub const SWEEP: &str = "sweep.csv";
/// Held by the one command that writes to a directory, and gone when it ends.
pub const LOCK: &str = ".lock";

/// What a run writes, and a later one into the same directory replaces.
pub const ARTIFACTS: [&str; 8] =
    [SUMMARY, POLICY, AGENT, RECORDING, CONFIG, METRICS, CURVE, REPORT];

/// All files whose names are fixed.
pub const FILES: [&str; 12] = [
    SUMMARY,
    POLICY,
    AGENT,
    RECORDING,
    CONFIG,
    METRICS,
    METRICS_PART,
    CURVE,
    REPORT,
    FILM,
    SIGNED,
    SWEEP,
];

/// Folders whose files are a run's own.
pub const FOLDERS: [&str; 2] = [CHECKPOINTS, EVENTS];

/// What other commands put beside a policy where nobody says otherwise; training leaves it alone.
pub const BESIDE: [&str; 10] = [
    FILM,
    SIGNED,
    "int8",
    "int16",
    "policy_map.svg",
    "value_map.svg",
    "phase_portrait.svg",
    "returns.svg",
    "losses.svg",
    "learning_curves.svg",
];

/// The columns of [`METRICS`] that every run has; those after them are of its algorithm.
pub const COLUMNS: [&str; 5] = ["step", "episode", "return", "length", "updates"];

/// The directories `seed-N` in a directory, by N, as `trainer train --seeds` makes them.
///
/// # Errors
///
/// If the directory cannot be read.
pub fn seeds(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        found.extend(seed(&path).filter(|_| path.is_dir()).map(|seed| (seed, path)));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// N of a path that ends in `seed-N`.
pub fn seed(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("seed-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_found_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["seed-10", "seed-9", "seed-x", "other"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("seed-1"), "a file").unwrap();
        let found = seeds(directory.path()).unwrap();
        assert_eq!(found, ["seed-9", "seed-10"].map(|name| directory.path().join(name)));
    }
}
