//! Runs that belong together.

use std::collections::HashSet;

use toml::Table;

use super::{Results, leaves};
use crate::settings::last_part;
use crate::text::Shown;

/// So many settings are in a name, unless it takes more of them to tell the groups apart.
const SETTINGS: usize = 3;

/// Runs of the same settings but for their seeds, in the order in which they were given, and what tells them from the
/// other groups: the preset, and where several have the same one, settings that differ. A run whose seed its group has
/// already is a copy, or the same trained again, and is left out: of it `notice` is told.
pub fn groups<'a>(
    runs: &'a [Results],
    notice: &mut dyn FnMut(&str),
) -> Vec<(String, Vec<&'a Results>)> {
    let mut groups: Vec<(Table, Vec<&Results>)> = Vec::new();
    for run in runs {
        let settings = run.without_seed();
        let Some((_, members)) = groups.iter_mut().find(|(others, _)| *others == settings) else {
            groups.push((settings, vec![run]));
            continue;
        };
        match members.iter().find(|member| member.seed() == run.seed()) {
            None => members.push(run),
            Some(same) => notice(&format!(
                "{} has the seed and the settings of {}, and is left out",
                run.directory.shown(),
                same.directory.shown()
            )),
        }
    }
    let leaves: Vec<Vec<(String, String)>> =
        groups.iter().map(|(settings, _)| leaves(settings)).collect();
    let name = |index: usize, most: usize| {
        let members = &groups[index].1;
        let preset = members[0].summary.preset.clone();
        let alike = |other: &usize| groups[*other].1[0].summary.preset == preset;
        let others: Vec<usize> = (0..groups.len()).filter(|o| *o != index && alike(o)).collect();
        let differs = |leaf: &&(String, String)| others.iter().any(|o| !leaves[*o].contains(leaf));
        let own = leaves[index].iter().filter(differs);
        let own: Vec<String> =
            own.take(most).map(|(key, value)| format!("{} = {value}", last_part(key))).collect();
        match own.is_empty() {
            true => preset,
            false => format!("{preset} ({})", own.join(", ")),
        }
    };
    let names = |most| (0..groups.len()).map(|index| name(index, most)).collect::<Vec<_>>();
    let short = names(SETTINGS);
    let unique = short.iter().collect::<HashSet<_>>().len() == short.len();
    let names = if unique { short } else { names(usize::MAX) };
    names.into_iter().zip(groups.into_iter().map(|(_, members)| members)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Metrics;

    fn run(preset: &str, text: &str) -> Results {
        let settings: Table = text.parse().unwrap();
        let summary = serde_json::json!({
            "schema": 1, "preset": preset, "algorithm": "sac", "environment": "pendulum", "seed": settings["training"]["seed"].as_integer(),
            "steps": 1, "updates": 1, "train_seconds": 0.5, "train_cpu_seconds": null,
            "backend": "scalar",
            "training_return": {"episodes": 0, "last_100_mean": null, "last_10_mean": null},
            "evaluation": {"starts": 1, "mean": -1.0, "standard_error": 0.0, "worst": -1.0,
                           "full_episodes": 1, "best_known_mean": null, "gap_percent": null},
            "policy": {"file": "policy.bin", "bytes": 1, "parameters": 1, "checksum": "0"},
            "parity": {"observations": 1, "max_difference": 0.0, "differing": 0},
            "parameters_fingerprint": "0"
        });
        let summary = serde_json::from_value(summary).unwrap();
        Results { directory: "runs".into(), settings, summary, metrics: Metrics::default() }
    }

    #[test]
    fn seeds_belong_together() {
        let runs = [
            run("sac", "[training]\nseed = 1\n[agent]\ngamma = 0.99"),
            run("td3", "[training]\nseed = 1"),
            run("sac", "[training]\nseed = 2\n[agent]\ngamma = 0.99"),
            run("sac", "[training]\nseed = 2\n[agent]\ngamma = 0.9"),
            run("sac", "[training]\nseed = 1\n[agent]\ngamma = 0.99"),
        ];
        let mut notes = Vec::new();
        let groups = groups(&runs, &mut |note| notes.push(note.to_string()));
        let shown: Vec<(&str, usize)> =
            groups.iter().map(|(name, members)| (name.as_str(), members.len())).collect();
        assert_eq!(shown, [("sac (gamma = 0.99)", 2), ("td3", 1), ("sac (gamma = 0.9)", 1)]);
        assert_eq!(notes, ["runs has the seed and the settings of runs, and is left out"]);
    }

    #[test]
    fn names_differ() {
        let of = |d: u32| {
            run("sac", &format!("[training]\nseed = 1\n[agent]\na = {d}\nb = {d}\nc = {d}"))
        };
        let names = |runs: &[Results]| {
            groups(runs, &mut |_| ()).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&[of(1), of(2)]),
            ["sac (a = 1, b = 1, c = 1)", "sac (a = 2, b = 2, c = 2)"]
        );
        let fourth = |d: u32| {
            run("sac", &format!("[training]\nseed = 1\n[agent]\na = 1\nb = 1\nc = 1\nd = {d}"))
        };
        let found = names(&[fourth(1), fourth(2), of(3)]);
        let want =
            ["a = 1, b = 1, c = 1, d = 1", "a = 1, b = 1, c = 1, d = 2", "a = 3, b = 3, c = 3"];
        assert_eq!(found, want.map(|settings| format!("sac ({settings})")));
    }
}
