//! What `trainer sweep` prints.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::Value;

use super::columns::columns;
use crate::compare::gap;
use crate::run::Summary;
use crate::statistics::{
    Estimate, interquartile_estimate, mean, percent, with_error, with_interval,
};
use crate::sweep::{Plan, Setting, Trial};
use crate::text;

/// How a trial ended.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Finished {
        summary: Box<Summary>,
        /// In an earlier sweep?
        reused: bool,
    },
    Failed {
        reason: String,
    },
}

impl Outcome {
    /// Of a trial that has finished.
    pub(super) fn summary(&self) -> Option<&Summary> {
        match self {
            Outcome::Finished { summary, .. } => Some(summary),
            Outcome::Failed { .. } => None,
        }
    }
}

/// A trial as `--json` prints it.
#[derive(Serialize)]
pub(super) struct TrialLine<'a> {
    schema: u32,
    kind: &'static str,
    pub(super) trial: &'a str,
    pub(super) preset: &'a str,
    pub(super) settings: BTreeMap<&'a str, &'a Value>,
    pub(super) seed: u64,
    pub(super) status: &'static str,
    reused: bool,
    #[serde(rename = "return")]
    pub(super) mean: Option<f64>,
    pub(super) standard_error: Option<f64>,
    pub(super) worst: Option<f64>,
    pub(super) gap_percent: Option<f64>,
    pub(super) train_seconds: Option<f64>,
    pub(super) parameters_fingerprint: Option<&'a str>,
    pub(super) error: Option<&'a str>,
}

fn by_key(varied: &[Setting]) -> BTreeMap<&str, &Value> {
    varied.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

impl<'a> TrialLine<'a> {
    pub(super) fn new(plan: &'a Plan, trial: &'a Trial, outcome: &'a Outcome) -> Self {
        let candidate = &plan.candidates[trial.candidate];
        let summary = outcome.summary();
        let evaluation = summary.map(|summary| &summary.evaluation);
        let (status, reused, error) = match outcome {
            Outcome::Finished { reused, .. } => ("finished", *reused, None),
            Outcome::Failed { reason } => ("failed", false, Some(reason.as_str())),
        };
        TrialLine {
            schema: 1,
            kind: "trial",
            trial: &trial.name,
            preset: &candidate.preset,
            settings: by_key(&candidate.varied),
            seed: trial.config.training.seed,
            status,
            reused,
            mean: evaluation.map(|evaluation| evaluation.mean),
            standard_error: evaluation.and_then(|evaluation| evaluation.standard_error),
            worst: evaluation.map(|evaluation| evaluation.worst),
            gap_percent: evaluation.and_then(|evaluation| evaluation.gap_percent),
            train_seconds: summary.map(|summary| summary.train_seconds),
            parameters_fingerprint: summary.map(|summary| summary.parameters_fingerprint.as_str()),
            error,
        }
    }
}

/// One line about a trial, without its end.
pub(super) fn line(plan: &Plan, trial: &Trial, outcome: &Outcome, as_json: bool) -> String {
    if as_json {
        let line = TrialLine::new(plan, trial, outcome);
        return text::json(&line, false);
    }
    let width = plan.trials.iter().map(|trial| trial.name.len()).max().unwrap_or(0);
    let name = &trial.name;
    match outcome {
        Outcome::Failed { reason } => format!("{name:<width$}  failed: {reason}"),
        Outcome::Finished { summary, reused } => {
            let evaluation = &summary.evaluation;
            let gap = evaluation.gap_percent.map_or("–".into(), percent);
            let figures = format!(
                "{:>18}  {gap:>8}  {:>8.1} s",
                with_error(evaluation.mean, evaluation.standard_error, 1),
                summary.train_seconds
            );
            let before = if *reused { "  (from before)" } else { "" };
            format!("{name:<width$}  {figures}{before}")
        }
    }
}

/// The whole, as `--json` prints it in its last line.
#[derive(Serialize)]
struct Table<'a> {
    schema: u32,
    kind: &'static str,
    environment: &'a toml::Table,
    trials: usize,
    failed: usize,
    ranking: Vec<Ranked<'a>>,
}

/// A candidate over its seeds.
#[derive(Serialize)]
struct Ranked<'a> {
    name: &'a str,
    preset: &'a str,
    settings: BTreeMap<&'a str, &'a Value>,
    /// Seeds that finished, and that did not.
    seeds: usize,
    failed: usize,
    interquartile_mean: Option<Estimate>,
    mean: Option<f64>,
    worst_seed: Option<f64>,
    gap_percent: Option<Estimate>,
}

/// The ranking: by interquartile mean, but candidates with failed seeds after all others, since those seeds
/// are missing from their figures.
pub(super) fn table(plan: &Plan, outcomes: &[Option<Outcome>], as_json: bool) -> String {
    let candidates = plan.candidates.iter().enumerate().map(|(index, candidate)| {
        let own = plan.trials.iter().zip(outcomes).filter(|(trial, _)| trial.candidate == index);
        let own: Vec<Option<&Summary>> =
            own.map(|(_, outcome)| outcome.as_ref().and_then(Outcome::summary)).collect();
        let evaluations: Vec<_> = own.iter().flatten().map(|summary| &summary.evaluation).collect();
        let scores: Vec<f64> = evaluations.iter().map(|evaluation| evaluation.mean).collect();
        let interquartile_mean = (!scores.is_empty()).then(|| interquartile_estimate(&scores));
        let best_known = evaluations.first().and_then(|evaluation| evaluation.best_known_mean);
        Ranked {
            name: &candidate.name,
            preset: &candidate.preset,
            settings: by_key(&candidate.varied),
            seeds: scores.len(),
            failed: own.len() - scores.len(),
            interquartile_mean,
            mean: (!scores.is_empty()).then(|| mean(&scores)),
            worst_seed: scores.iter().copied().reduce(f64::min),
            gap_percent: interquartile_mean.zip(best_known).map(|(iqm, best)| gap(iqm, best)),
        }
    });
    let mut ranking: Vec<Ranked<'_>> = candidates.collect();
    let score = |ranked: &Ranked<'_>| {
        ranked.interquartile_mean.map_or(f64::NEG_INFINITY, |estimate| estimate.value)
    };
    ranking.sort_by(|a, b| (a.failed > 0).cmp(&(b.failed > 0)).then(score(b).total_cmp(&score(a))));
    let table = Table {
        schema: 1,
        kind: "table",
        environment: &plan.trials[0].config.environment,
        trials: outcomes.len(),
        failed: ranking.iter().map(|ranked| ranked.failed).sum(),
        ranking,
    };
    match as_json {
        true => text::json(&table, false) + "\n",
        false => to_text(&table),
    }
}

fn to_text(table: &Table<'_>) -> String {
    let headings = ["settings", "seeds", "return (IQM, 95 %)", "mean", "worst seed", "gap"];
    let mut rows = vec![headings.map(String::from)];
    for ranked in &table.ranking {
        let number = |number: Option<f64>| number.map_or("–".into(), |x| format!("{x:.1}"));
        rows.push([
            ranked.name.into(),
            match ranked.failed {
                0 => ranked.seeds.to_string(),
                failed => format!("{} of {}", ranked.seeds, ranked.seeds + failed),
            },
            ranked.interquartile_mean.map_or("–".into(), |iqm| with_interval(&iqm, 1)),
            number(ranked.mean),
            number(ranked.worst_seed),
            ranked.gap_percent.map_or("–".into(), |gap| with_interval(&gap, 1) + " %"),
        ]);
    }
    let mut text = format!("\n{}", columns(&rows, &[0]));
    if table.ranking.len() > 1 {
        text += &format!(
            "the best of {} looks better than it is, since luck helped to choose it: train it with other seeds before \
             relying on its figures\n",
            table.ranking.len()
        );
    }
    text
}
