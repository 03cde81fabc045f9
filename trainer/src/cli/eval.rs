//! `trainer eval`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::columns::columns;
use super::output::{self, Outputs};
use super::progress::Wait;
use super::{Failure, json, policy_file, warn};
use crate::config::environment;
use crate::control::{self, Control};
use crate::envs;
use crate::eval::{EvalError, Evaluation, Moment, Starts, Then, evaluate_watching};
use crate::input;
use crate::interface::Spec;
use crate::quantise::Watch;
use crate::statistics::{counted, percent, with_error};
use crate::text::{self, Shown};
use crate::trajectories::{MOST_ROWS, Trajectories};

/// No file of starts is larger, in bytes.
const LARGEST: u64 = 1 << 28;
/// Where the table cannot be written.
const HINT: &str = "choose another file with --trajectories";

/// Run a policy from fixed starts and report its return, and what it does at its machine's goal
///
/// Over the starts from which the machine comes to its goal and is near it for the last two seconds of the episode (rest), printed
/// are median and worst of: the mean distance from the goal at rest; the mean size of the action there; chatter, the standard
/// deviation of the action's change from period to period there; overshoot, how far it goes beyond the goal after coming to it;
/// and the time after which it stays at the goal, within 2° of upright. What cannot be said is –, and null in JSON.
#[derive(Debug, Args)]
#[command(after_help = "Examples: trainer eval runs/sac/policy.bin --json\n          \
                        trainer eval runs/sac/policy.bin --trajectories sac.csv")]
pub(super) struct Eval {
    /// A policy.bin
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// A JSON array of initial states, [[θ, θ̇], …] (rad, rad/s) for the pendulum and
    /// [[x, θ, ẋ, θ̇], …] (m, rad, m/s, rad/s) for the inverted one; more columns are ignored
    /// [default: the environment's own, 200 for the pendulum and 100 for others]
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
    starts: Option<PathBuf>,
    /// Write every state of every episode as a row of a table: start (its number, from 0), step, time in s, the entries of the
    /// machine's state, those of the observation, those of the action, and the reward. The first line names columns and
    /// units. The last row of an episode, the state in which it ends, has no action and no reward
    #[arg(long, value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    trajectories: Option<PathBuf>,
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
    /// The table of what was run.
    #[serde(serialize_with = "text::optional_path")]
    trajectories: &'a Option<PathBuf>,
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
        let spec = envs::make(&table)?.spec().clone();
        let starts = starts(self.starts.as_deref(), &table, &spec)?;
        let mut trajectories = self.trajectories(&table, &spec, &starts)?;
        let failed = |error: EvalError| Failure::Failed(error.to_string());
        let wait = Wait::bar("evaluating", starts.states.len() * spec.horizon, "steps");
        let (mut steps, mut ranges) = (0, Watch::new(&policy));
        let watch = |moment: &Moment<'_>| {
            if let Then::Acts { .. } = moment.then {
                ranges.see(moment.observation);
                steps += 1;
                wait.set(steps);
            }
            trajectories.iter_mut().for_each(|table| table.see(moment));
        };
        let mut environments = starts.environments(&table)?;
        let evaluation = evaluate_watching(&policy, &mut *environments, &starts, watch);
        let evaluation = evaluation.map_err(failed)?;
        drop(wait);
        policy_file::warn_of_ranges(&self.policy, &ranges);
        let written = self.write(trajectories.as_ref())?;
        let best_known_mean = starts.best_known_mean();
        if as_json {
            let gap_percent = best_known_mean.map(|best| evaluation.gap_percent(best));
            return Ok(json(&Report {
                schema: 1,
                environment: &table,
                best_known_mean,
                gap_percent,
                trajectories: &self.trajectories,
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
        if let Some(control) = &evaluation.control {
            text += &controlled(control);
        }
        Ok(text + &written)
    }

    /// The table to fill, if one is asked for, once it is known that it can be written.
    fn trajectories(
        &self,
        table: &toml::Table,
        spec: &Spec,
        starts: &Starts,
    ) -> Result<Option<Trajectories>, Failure> {
        let Some(path) = &self.trajectories else { return Ok(None) };
        self.outputs(|outputs| outputs.check(path))?;
        let (count, each) = (starts.states.len(), spec.horizon + 1);
        let most = MOST_ROWS / each;
        if count > most {
            return Err(Failure::Usage(format!(
                "--trajectories takes {most} starts of {each} rows each at most, not {count}: give fewer with --starts"
            )));
        }
        Ok(Some(Trajectories::new(&envs::find(envs::name(table))?, spec, count)))
    }

    /// Does something with what this command writes.
    fn outputs<T>(&self, then: impl FnOnce(&Outputs<'_>) -> T) -> T {
        let inputs: Vec<&Path> =
            std::iter::once(&self.policy).chain(&self.starts).map(PathBuf::as_path).collect();
        then(&Outputs { kind: output::Kind::Other, inputs: &inputs, own: &[], hint: HINT })
    }

    /// Writes the table, and says so.
    fn write(&self, trajectories: Option<&Trajectories>) -> Result<String, Failure> {
        let Some((path, table)) = self.trajectories.as_ref().zip(trajectories) else {
            return Ok(String::new());
        };
        self.outputs(|outputs| outputs.write(path, &table.csv()))?;
        Ok(format!("{}: {}\n", path.shown(), counted(table.rows(), "row")))
    }
}

/// What a policy does at its goal, as a table.
fn controlled(control: &Control) -> String {
    let headings = ["", "median", "worst"].map(String::from);
    let rows = control::rows(Some(control)).map(|row| [row.name.into(), row.median, row.worst]);
    let rows: Vec<_> = std::iter::once(headings).chain(rows).collect();
    format!("{}\n{}", control.scope(), columns(&rows, &[0]))
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
