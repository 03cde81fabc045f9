//! Runs that belong together.

use toml::Table;

use super::{Results, leaves};
use crate::settings::last_part;

/// Runs of the same settings but for their seeds, in the order in which they were given, and what tells them from the
/// other groups: the preset, and where several have the same one, settings that differ. A run whose seed its group has
/// already is a copy, or the same trained again, and is left out.
pub fn groups(runs: &[Results]) -> Vec<(String, Vec<&Results>)> {
    let mut groups: Vec<(Table, Vec<&Results>)> = Vec::new();
    for run in runs {
        let settings = run.without_seed();
        match groups.iter_mut().find(|(others, _)| *others == settings) {
            Some((_, members)) if members.iter().any(|member| member.seed() == run.seed()) => {}
            Some((_, members)) => members.push(run),
            None => groups.push((settings, vec![run])),
        }
    }
    let leaves: Vec<Vec<(String, String)>> =
        groups.iter().map(|(settings, _)| leaves(settings)).collect();
    let name = |(index, (_, members)): (usize, &(Table, Vec<&Results>))| {
        let preset = members[0].summary.preset.clone();
        let alike = |other: &usize| groups[*other].1[0].summary.preset == preset;
        let others: Vec<usize> = (0..groups.len()).filter(|o| *o != index && alike(o)).collect();
        let differs = |leaf: &&(String, String)| others.iter().any(|o| !leaves[*o].contains(leaf));
        let own = leaves[index].iter().filter(differs);
        let own: Vec<String> =
            own.take(3).map(|(key, value)| format!("{} = {value}", last_part(key))).collect();
        match own.is_empty() {
            true => preset,
            false => format!("{preset} ({})", own.join(", ")),
        }
    };
    let names: Vec<String> = groups.iter().enumerate().map(name).collect();
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
                           "full_episodes": 1, "optimal_mean": null, "gap_percent": null},
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
        let groups = groups(&runs);
        let shown: Vec<(&str, usize)> =
            groups.iter().map(|(name, members)| (name.as_str(), members.len())).collect();
        assert_eq!(shown, [("sac (gamma = 0.99)", 2), ("td3", 1), ("sac (gamma = 0.9)", 1)]);
    }
}
