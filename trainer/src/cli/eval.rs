//! `trainer eval`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::progress::Wait;
use super::{Failure, json, policy_file, warn};
use crate::config::environment;
use crate::envs;
use crate::eval::{EvalError, Evaluation, Starts, evaluate_watching};
use crate::input;
use crate::interface::{Environment, Spec};
use crate::quantise::Watch;
use crate::statistics::{counted, percent, with_error};
use crate::text::Shown;

/// No file of starts is larger, in bytes.
const LARGEST: u64 = 1 << 28;

/// Run a policy from fixed starts and report its return
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer eval runs/sac/policy.bin --json")]
pub(super) struct Eval {
    /// A policy.bin
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// A JSON array of initial states, [[θ, θ̇], …] (rad, rad/s) for the pendulum and
    /// [[x, θ, ẋ, θ̇], …] (m, rad, m/s, rad/s) for the inverted one; more columns are ignored
    /// [default: the environment's own, 200 for the pendulum and 100 for others]
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
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
    /// Mean of the best known returns from the same starts.
    best_known_mean: Option<f64>,
    gap_percent: Option<f64>,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

impl Eval {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let name = policy_file::plant(&self.policy, &policy)?;
        let table = environment(name, &self.assignments)?;
        policy_file::warn_of_settings(&self.policy, &policy, &table)?;
        let mut environment = envs::make(&table)?;
        let starts = starts(self.starts.as_deref(), &table, environment.spec())?;
        let failed = |error: EvalError| Failure::Failed(error.to_string());
        let wait = Wait::bar("evaluating", starts.states.len(), "episodes");
        let watch = |start, _: &dyn Environment| wait.set(start);
        let mut ranges = Watch::new(&policy);
        let mut watched = ranges.over(&mut *environment);
        let evaluation = evaluate_watching(&policy, &mut watched, &starts, watch);
        let evaluation = evaluation.map_err(failed)?;
        drop(wait);
        policy_file::warn_of_ranges(&self.policy, &ranges);
        let best_known_mean = starts.best_known_mean();
        if as_json {
            let gap_percent = best_known_mean.map(|best| evaluation.gap_percent(best));
            return Ok(json(&Report {
                schema: 1,
                environment: &table,
                best_known_mean,
                gap_percent,
                evaluation: &evaluation,
            }));
        }
        let name = described(&table);
        let mut text = format!(
            "{name}: return {} over {}, worst {:.2}, {} to the end\n",
            with_error(evaluation.mean, evaluation.standard_error, 2),
            counted(starts.states.len(), "start"),
            evaluation.worst,
            counted(evaluation.full_episodes, "episode")
        );
        if let Some(best) = best_known_mean {
            let gap = evaluation.gap_percent(best);
            let exceeded = if gap < 0.0 { ": this policy exceeds it" } else { "" };
            let gap = percent(gap);
            text += &format!("best known from the same starts: {best:.2}, gap {gap}{exceeded}\n");
        }
        Ok(text)
    }
}

/// The starts in a file, or without one those of the environment.
pub(super) fn starts(
    file: Option<&Path>,
    table: &toml::Table,
    spec: &Spec,
) -> Result<Starts, Failure> {
    let Some(path) = file else { return Ok(Starts::builtin(table)?) };
    let origin = path.shown().to_string();
    let text = input::text(path, LARGEST)
        .map_err(|error| Failure::Failed(format!("cannot read {origin}: {error}")))?;
    let read = Starts::from_json(&origin, &text, spec);
    let (starts, left_out) = read.map_err(|error| Failure::Failed(error.to_string()))?;
    if left_out > 0 {
        let all = starts.states.len() + left_out;
        warn(&format!(
            "{origin}: {left_out} of {all} starts are left out, since they are there already: equal starts count once"
        ));
    }
    Ok(starts)
}

/// The name of an environment, and its settings.
pub(super) fn described(table: &toml::Table) -> String {
    let settings = table.iter().filter(|(key, _)| *key != "name");
    let settings = settings.map(|(key, value)| format!(", {key}={value}"));
    std::iter::once(envs::name(table).to_string()).chain(settings).collect()
}
