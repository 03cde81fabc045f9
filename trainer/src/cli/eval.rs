//! `trainer eval`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Failure, input, json, policy_file};
use crate::config::environment;
use crate::envs;
use crate::eval::{Evaluation, Starts, evaluate};
use crate::export::HostPolicy;
use crate::settings::ConfigError;

/// No file of starts is larger, in bytes.
const LARGEST: u64 = 1 << 28;

/// Run a policy from fixed starts and report its return
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer eval runs/sac/policy.bin --json")]
pub(super) struct Eval {
    /// A policy.bin
    policy: PathBuf,
    /// A JSON array of initial states, [[θ, θ̇], …] (rad, rad/s) for the pendulum and
    /// [[x, θ, ẋ, θ̇], …] (m, rad, m/s, rad/s) for the inverted one; more columns are ignored
    /// [default: the environment's own, 200 for the pendulum and 100 for others]
    #[arg(long, value_name = "FILE.json")]
    starts: Option<PathBuf>,
    /// A setting of the environment, such as reset_noise_scale=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    /// Version of this form.
    schema: u32,
    /// The environment's settings.
    environment: &'a toml::Table,
    optimal_mean: Option<f64>,
    gap_percent: Option<f64>,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

impl Eval {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let blob = policy_file::read(&self.policy)?;
        let policy = HostPolicy::from_bytes(blob.bytes())
            .map_err(|error| policy_file::refused(&self.policy, &error))?;
        let name = policy.header().environment.as_str();
        let refused = |error: ConfigError| policy_file::refused(&self.policy, &error);
        envs::find(name).map_err(refused)?;
        let table = environment(name, &self.assignments)?;
        let mut environment = envs::make(&table)?;
        let failed = |error: crate::eval::EvalError| Failure::Failed(error.to_string());
        let starts = match &self.starts {
            None => Starts::builtin(&table)?,
            Some(path) => {
                let origin = path.display().to_string();
                let text = input::text(path, LARGEST)
                    .map_err(|error| Failure::Failed(format!("cannot read {origin}: {error}")))?;
                Starts::from_json(&origin, &text, environment.spec()).map_err(failed)?
            }
        };
        let evaluation = evaluate(&policy, &mut *environment, &starts).map_err(failed)?;
        let optimal_mean = starts.optimal_mean();
        if as_json {
            let gap_percent = optimal_mean.map(|optimal| evaluation.gap_percent(optimal));
            return Ok(json(&Report {
                schema: 1,
                environment: &table,
                optimal_mean,
                gap_percent,
                evaluation: &evaluation,
            }));
        }
        let settings = table.iter().filter(|(key, _)| *key != "name");
        let settings: Vec<String> = settings.map(|(key, value)| format!("{key}={value}")).collect();
        let name = [&[name.to_string()], &settings[..]].concat().join(", ");
        let mut text = format!(
            "{name}: return {:.2} ± {:.2} over {} starts, worst {:.2}, {} episodes to the end\n",
            evaluation.mean,
            evaluation.standard_error,
            starts.states.len(),
            evaluation.worst,
            evaluation.full_episodes
        );
        if let Some(optimal) = optimal_mean {
            let gap = evaluation.gap_percent(optimal);
            text += &format!("optimal from the same starts: {optimal:.2}, gap {gap:.1} %\n");
        }
        Ok(text)
    }
}
