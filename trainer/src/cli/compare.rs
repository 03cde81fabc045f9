//! `trainer compare`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::columns::columns;
use super::eval::{described, starts};
use super::output::{self, Outputs};
use super::pool;
use super::progress::Wait;
use super::runs::{Run, Runs, Sorter};
use super::train::processors;
use super::{Failure, json, policy_file, warn};
use crate::compare::{
    Controlled, Difference, Group, Over, Report, ScoredRun, Standing, compare, picture,
};
use crate::envs;
use crate::eval::{EvalError, Evaluation, Starts, evaluate};
use crate::run::place;
use crate::statistics::{Estimate, counted, with_interval};
use crate::text::Shown;

/// Where the picture cannot be written.
const HINT: &str = "choose another file with --picture";

/// Compare runs, or the same settings trained with several seeds, and say how sure that is
///
/// Each RUN is the directory of a run, or one with runs in seed-N as `trainer train --seeds` and `trainer sweep` leave
/// them. Single runs whose settings differ by the seed alone become one group, so that a shell's pattern can name them.
/// Every policy is evaluated again from the same fixed starts.
///
/// Printed is for each group the interquartile mean of the seeds' mean returns (that of the middle half) with its interval
/// of 95 % confidence by a bootstrap over the seeds; then each group against the first: the difference of the mean
/// returns with Welch's interval over the seeds, from how many of the starts it is ahead, and the chance that one of its
/// runs beats one of the first's. With one seed a difference is paired over the starts alone.
///
/// Between the two stands what the policies do at their machine's goal, as `trainer eval` measures it: for each figure the interquartile
/// mean of the seeds' medians over the starts, with its interval, and how many episodes reach the goal and settle there.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: trainer train --preset sac --seeds 10 && trainer train --preset td3 --seeds 10 && \
                  trainer compare runs/sac runs/td3 --picture sac-td3.svg"
)]
pub(super) struct Compare {
    /// Directories of runs; the first group is what the others are compared with
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Pass over runs that did not finish, in the place of an error
    #[arg(long)]
    finished: bool,
    /// Draw the groups, their intervals and their seeds
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// A JSON array of initial states to compare from, as `trainer eval` takes it
    #[arg(long, value_name = "FILE.json")]
    starts: Option<PathBuf>,
}

impl Compare {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let mut sorter = Sorter::new(self.finished);
        self.runs.iter().try_for_each(|argument| sorter.add(argument))?;
        let (groups, notes) = sorter.finish()?;
        let table = environment(&groups)?.clone();
        let starts = starts(self.starts.as_deref(), &table, envs::make(&table)?.spec())?;
        let read: Vec<PathBuf> = groups
            .iter()
            .flat_map(|group| &group.runs)
            .map(|run| run.directory.join(place::POLICY))
            .chain(self.starts.clone())
            .collect();
        let inputs: Vec<&Path> = read.iter().map(PathBuf::as_path).collect();
        let outputs = Outputs { kind: output::Kind::Other, inputs: &inputs, own: &[], hint: HINT };
        self.picture.iter().try_for_each(|path| outputs.check(path))?;
        let wait = Wait::spinner("runs every policy from the starts");
        let groups = evaluated(groups, &table, &starts)?;
        wait.say("resamples the seeds");
        let mut report = compare(table, &starts, groups);
        drop(wait);
        report.warnings.splice(0..0, notes);
        report.warnings.iter().for_each(|warning| warn(warning));
        if let Some(path) = &self.picture {
            draw(path, &report, &outputs)?;
        }
        Ok(if as_json { json(&report) } else { to_text(&report) })
    }
}

/// The one that all runs are of.
fn environment(groups: &[Runs]) -> Result<&toml::Table, Failure> {
    let mut runs = groups.iter().flat_map(|group| &group.runs);
    let first = runs.next().expect("no group is empty");
    let other = runs.find(|run| run.config.environment != first.config.environment);
    let Some(other) = other else { return Ok(&first.config.environment) };
    let text = format!(
        "{} is on {}, but {} is on {}: returns compare on one environment with the same settings only, so leave one out",
        first.directory.shown(),
        described(&first.config.environment),
        other.directory.shown(),
        described(&other.config.environment)
    );
    Err(Failure::Failed(text))
}

/// Runs every policy from the starts.
fn evaluated(
    groups: Vec<Runs>,
    table: &toml::Table,
    starts: &Starts,
) -> Result<Vec<Group>, Failure> {
    let all: Vec<&Run> = groups.iter().flat_map(|group| &group.runs).collect();
    let work = |i: usize| Some(evaluate_run(all[i], table, starts));
    let mut evaluations = pool::each(processors(1), all.len(), work).into_iter();
    let mut scored = Vec::new();
    for Runs { name, runs } in &groups {
        let evaluations = evaluations.by_ref().take(runs.len());
        let runs = runs.iter().zip(evaluations).map(|(run, evaluation)| {
            let (seed, directory) = (run.config.training.seed, run.directory.clone());
            Ok(ScoredRun { seed, directory, evaluation: evaluation? })
        });
        scored.push(Group { name: name.clone(), runs: runs.collect::<Result<_, Failure>>()? });
    }
    Ok(scored)
}

fn evaluate_run(run: &Run, table: &toml::Table, starts: &Starts) -> Result<Evaluation, Failure> {
    let policy = policy_file::policy(&run.directory.join(place::POLICY), &run.blob)?;
    let failed = |error: EvalError| {
        Failure::Failed(format!("the policy in {}: {error}", run.directory.shown()))
    };
    evaluate(&policy, &mut *starts.environments(table)?, starts).map_err(failed)
}

fn draw(path: &Path, report: &Report, outputs: &Outputs<'_>) -> Result<(), Failure> {
    let title = format!("{}, {}", described(&report.environment), counted(report.starts, "start"));
    outputs.write(path, picture(&title, report).as_bytes())
}

/// A chance of improvement; where there is no doubt about any pair of runs, it says that in the place of an interval.
fn chance(improvement: &Estimate) -> String {
    let shown = with_interval(improvement, 2);
    match improvement.value {
        0.0 => format!("{shown} (no pair)"),
        1.0 => format!("{shown} (all pairs)"),
        _ => shown,
    }
}

fn to_text(report: &Report) -> String {
    let best_known = report.best_known_mean.map(|best| format!(", best known mean {best:.1}"));
    let mut text = format!(
        "{}: {}{}; intervals of 95 %\n",
        described(&report.environment),
        counted(report.starts, "fixed start"),
        best_known.unwrap_or_default(),
    );
    let headings = ["group", "seeds", "return (IQM)", "mean", "worst seed", "gap"];
    let rows = report.groups.iter().map(standing);
    text += &columns(
        &std::iter::once(headings.map(String::from)).chain(rows).collect::<Vec<_>>(),
        &[0],
    );
    text += &controlled(report);
    if report.against_first.is_empty() {
        return text;
    }
    let first = &report.groups[0].name;
    text += &format!("\nagainst {first}:\n");
    let headings =
        ["group", "difference of means", "over", "ahead from", "chance of a better run", "verdict"];
    let rows = report.against_first.iter().map(|difference| against(difference, report.starts));
    let rows: Vec<_> = std::iter::once(headings.map(String::from)).chain(rows).collect();
    text + &columns(&rows, &[0, 2, 5])
}

fn standing(group: &Standing) -> [String; 6] {
    [
        group.name.clone(),
        group.runs.len().to_string(),
        with_interval(&group.interquartile_mean, 1),
        format!("{:.1}", group.mean),
        format!("{:.1}", group.worst_seed),
        group.gap_percent.map_or("–".into(), |gap| with_interval(&gap, 1) + " %"),
    ]
}

/// An estimate whose interval is left out where it would take more digits to see it: nobody turns a motor by 1e-6 N·m.
fn seen(estimate: Estimate, digits: usize) -> Estimate {
    let is_seen = |[low, high]: &[f64; 2]| format!("{low:.digits$}") != format!("{high:.digits$}");
    Estimate { interval: estimate.interval.filter(is_seen), ..estimate }
}

/// What each group does at the goal; nothing where the machine has none.
fn controlled(report: &Report) -> String {
    let Some(first) = report.groups.iter().find_map(|group| group.control.as_ref()) else {
        return String::new();
    };
    let unit = |name: &str, unit: &str| match unit {
        "" => name.to_string(),
        unit => format!("{name} [{unit}]"),
    };
    let headings = [
        "group".into(),
        first.goal.clone(),
        unit("rest error", &first.unit),
        unit("effort", &first.action_unit),
        unit("chatter", &first.action_unit),
        unit("overshoot", &first.unit),
        "settled".into(),
        unit("after", "s"),
    ];
    let row = |group: &Standing| {
        let of = |of: fn(&Controlled) -> Option<Estimate>, digits: usize| {
            let estimate = group.control.as_ref().and_then(of);
            estimate.map_or("–".into(), |estimate| with_interval(&seen(estimate, digits), digits))
        };
        let from = |of: fn(&Controlled) -> usize| {
            let text = |control| format!("{} of {}", of(control), control.episodes);
            group.control.as_ref().map_or("–".into(), text)
        };
        [
            group.name.clone(),
            from(|control| control.reached),
            of(|control| control.rest_error, 3),
            of(|control| control.effort, 3),
            of(|control| control.chatter, 3),
            of(|control| control.overshoot, 3),
            from(|control| control.settled),
            of(|control| control.settling_time, 2),
        ]
    };
    let rows: Vec<_> = std::iter::once(headings).chain(report.groups.iter().map(row)).collect();
    format!("\nat the goal, medians over the starts:\n{}", columns(&rows, &[0]))
}

fn against(difference: &Difference, starts: usize) -> [String; 6] {
    let over = match difference.over {
        Over::Seeds => "seeds",
        Over::Starts => "starts",
    };
    let improvement = difference.probability_of_improvement;
    [
        difference.name.clone(),
        with_interval(&difference.difference, 2),
        over.into(),
        format!("{} of {starts}", difference.starts_better),
        improvement.map_or("–".into(), |improvement| chance(&improvement)),
        difference.verdict.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_are_not_seen_are_left_out() {
        let text = |interval| with_interval(&seen(Estimate { value: 1e-7, interval }, 3), 3);
        assert_eq!(text(Some([0.0, 1e-6])), "0.000");
        assert_eq!(text(Some([0.0, 0.25])), "0.000 (0.000 to 0.250)");
        assert_eq!(text(None), "0.000");
    }

    #[test]
    fn chances_without_doubt_say_so() {
        for (value, interval, text) in [
            (1.0, None, "1.00 (all pairs)"),
            (0.0, None, "0.00 (no pair)"),
            (0.25, None, "0.25"),
            (0.5, Some([0.25, 0.75]), "0.50 (0.25 to 0.75)"),
        ] {
            assert_eq!(chance(&Estimate { value, interval }), text);
        }
    }
}
