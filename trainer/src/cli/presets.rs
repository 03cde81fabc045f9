//! `trainer presets`.

use clap::Args;
use serde::Serialize;

use super::json;
use crate::config::RunConfig;
use crate::envs;
use crate::presets;

/// List the presets
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer presets --json")]
pub(super) struct Presets {}

#[derive(Serialize)]
struct Row {
    name: String,
    algorithm: String,
    environment: String,
    steps: usize,
    source: String,
}

impl Presets {
    pub(super) fn run(self, as_json: bool) -> String {
        let rows: Vec<Row> = presets::ALL
            .iter()
            .map(|(name, _)| {
                let config = RunConfig::resolve(Some(name), None, &[]);
                let config = config.expect("presets are checked by a test");
                Row {
                    name: config.preset,
                    algorithm: config.algorithm,
                    environment: envs::name(&config.environment).into(),
                    steps: config.training.steps,
                    source: config.source,
                }
            })
            .collect();
        if as_json {
            return json(&rows);
        }
        let mut text = format!(
            "{:<22} {:<9} {:<18} {:>8}  source\n",
            "name", "algorithm", "environment", "steps"
        );
        for row in rows {
            let Row { name, algorithm, environment, steps, source } = row;
            text += &format!("{name:<22} {algorithm:<9} {environment:<18} {steps:>8}  {source}\n");
        }
        text
    }
}
