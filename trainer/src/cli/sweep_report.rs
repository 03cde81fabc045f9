//! What `trainer sweep` prints, and its sweep.csv.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::Value;

use super::columns::columns;
use super::compare::with_interval;
use crate::compare::gap;
use crate::run::Summary;
use crate::statistics::{Estimate, interquartile_estimate, mean};
use crate::sweep::{Plan, Setting, Trial};

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
struct TrialLine<'a> {
    schema: u32,
    kind: &'static str,
    trial: &'a str,
    preset: &'a str,
    settings: BTreeMap<&'a str, &'a Value>,
    seed: u64,
    status: &'static str,
    reused: bool,
    #[serde(rename = "return")]
    mean: Option<f64>,
    standard_error: Option<f64>,
    worst: Option<f64>,
    gap_percent: Option<f64>,
    train_seconds: Option<f64>,
    parameters_fingerprint: Option<&'a str>,
    error: Option<&'a str>,
}

fn by_key(varied: &[Setting]) -> BTreeMap<&str, &Value> {
    varied.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

impl<'a> TrialLine<'a> {
    fn new(plan: &'a Plan, trial: &'a Trial, outcome: &'a Outcome) -> Self {
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
            standard_error: evaluation.map(|evaluation| evaluation.standard_error),
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
        return serde_json::to_string(&line).expect("a line is plain data");
    }
    let width = plan.trials.iter().map(|trial| trial.name.len()).max().unwrap_or(0);
    let name = &trial.name;
    match outcome {
        Outcome::Failed { reason } => format!("{name:<width$}  failed: {reason}"),
        Outcome::Finished { summary, reused } => {
            let evaluation = &summary.evaluation;
            let gap = evaluation.gap_percent.map_or("–".into(), |gap| format!("{gap:.1} %"));
            let figures = format!(
                "{:>18}  {gap:>8}  {:>8.1} s",
                format!("{:.1} ± {:.1}", evaluation.mean, evaluation.standard_error),
                summary.train_seconds
            );
            let before = if *reused { "  (from before)" } else { "" };
            format!("{name:<width$}  {figures}{before}")
        }
    }
}

/// All trials that have ended, as CSV.
pub(super) fn csv(plan: &Plan, outcomes: &[Option<Outcome>]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<String>| csv.write_record(row).expect("writing to memory");
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let first = words(&["trial", "preset"]);
    let last = words(&[
        "seed",
        "status",
        "return",
        "standard_error",
        "worst",
        "gap_percent",
        "train_seconds",
        "parameters_fingerprint",
        "error",
    ]);
    write([first, plan.keys.clone(), last].concat());
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    for (trial, outcome) in plan.trials.iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        let line = TrialLine::new(plan, trial, outcome);
        let value = |key: &String| match line.settings.get(key.as_str()) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let first = vec![line.trial.to_string(), line.preset.to_string()];
        let last = vec![
            line.seed.to_string(),
            line.status.to_string(),
            number(line.mean),
            number(line.standard_error),
            number(line.worst),
            number(line.gap_percent),
            number(line.train_seconds),
            line.parameters_fingerprint.unwrap_or_default().to_string(),
            line.error.unwrap_or_default().to_string(),
        ];
        write([first, plan.keys.iter().map(value).collect(), last].concat());
    }
    csv.into_inner().expect("writing to memory")
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
        let optimal = evaluations.first().and_then(|evaluation| evaluation.optimal_mean);
        Ranked {
            name: &candidate.name,
            preset: &candidate.preset,
            settings: by_key(&candidate.varied),
            seeds: scores.len(),
            failed: own.len() - scores.len(),
            interquartile_mean,
            mean: (!scores.is_empty()).then(|| mean(&scores)),
            worst_seed: scores.iter().copied().reduce(f64::min),
            gap_percent: interquartile_mean.zip(optimal).map(|(iqm, optimal)| gap(iqm, optimal)),
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
        true => serde_json::to_string(&table).expect("a table is plain data") + "\n",
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
