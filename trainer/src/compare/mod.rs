//! Groups of runs side by side: which settings train better policies, and how sure that is.
//!
//! A group is one or several runs that differ by their seed alone. The policy of each run is evaluated
//! from the same fixed starts, so that with xᵣₛ the return of run r from start s,
//!
//! - the score of a run is its mean return x̄ᵣ = 1/S · Σₛ xᵣₛ;
//! - groups X and Y differ from start s by dₛ = 1/N · Σᵣ xᵣₛ − 1/K · Σᵣ yᵣₛ, and on the whole by
//!   D = 1/S · Σₛ dₛ, which is the mean score of X less that of Y.
//!
//! The starts are a fixed set and no sample: how far they are apart from one another does not blur D, since
//! each stands on both sides. What is left to be unsure of is how another N and K seeds would have
//! come out, so D has Welch's interval over the scores ([`difference_estimate`]). Runs of two groups with the
//! same seed are not taken for a pair: they share their start states at most.
//!
//! A single run does not show how seeds vary. Where a group has only one, D has Student's interval over the dₛ
//! instead: it tells how these very policies would differ from other starts of the same kind, and
//! nothing about training again.
//!
//! How a group controls ([`crate::control`]) has another figure of each run, the median over the starts that reach the goal, and of a
//! group the interquartile mean of those with its interval over the seeds.
//!
//! Where the scores of each side, or the dₛ, do not vary (one start, the same policy twice), D has no interval, and where it
//! is not 0, there is no verdict.

mod control;
mod picture;

pub use control::Controlled;
pub use picture::picture;

use std::path::PathBuf;

use serde::Serialize;

use crate::eval::{Evaluation, Starts, gap_percent};
use crate::statistics::{
    Estimate, FEW, difference_estimate, improvement_estimate, interquartile_estimate, mean,
    paired_estimate,
};
use crate::text;

/// Runs that differ by their seed alone.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// At least one.
    pub runs: Vec<ScoredRun>,
}

/// One run, and what its policy does from the starts.
#[derive(Debug, Clone, Serialize)]
pub struct ScoredRun {
    /// Its seed.
    pub seed: u64,
    /// Where it is.
    #[serde(serialize_with = "text::path")]
    pub directory: PathBuf,
    /// Of its policy.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// All groups, and each against the first.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of this form.
    pub schema: u32,
    /// The environment's settings.
    pub environment: toml::Table,
    /// Number of starts.
    pub starts: usize,
    /// Mean of the best known returns from them, where there are any.
    pub best_known_mean: Option<f64>,
    /// In the order in which they were given.
    pub groups: Vec<Standing>,
    /// All but the first.
    pub against_first: Vec<Difference>,
    /// What to keep in mind.
    pub warnings: Vec<String>,
}

/// How good a group is.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Interquartile mean of the scores; its interval is over seeds.
    pub interquartile_mean: Estimate,
    /// Mean of the scores.
    pub mean: f64,
    /// The lowest score.
    pub worst_seed: f64,
    /// How far the interquartile mean lies below the best known mean, in percent of it.
    pub gap_percent: Option<Estimate>,
    /// What its policies do at their machine's goal; `None` where nothing can be said of that.
    pub control: Option<Controlled>,
    /// By seed.
    pub runs: Vec<ScoredRun>,
}

/// A group against the first.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Name of the group.
    pub name: String,
    /// D; positive where it is better than the first.
    pub difference: Estimate,
    /// What the interval is over.
    pub over: Over,
    /// Starts from which its mean return is higher than the first's.
    pub starts_better: usize,
    /// Starts from which it is lower.
    pub starts_worse: usize,
    /// The chance that one of its runs has a better score than one of the first's; `None` where both have one run.
    pub probability_of_improvement: Option<Estimate>,
    /// In words.
    pub verdict: Verdict,
}

/// What varies where an interval tells how much a figure may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// Other seeds.
    Seeds,
    /// Other starts, of the same policies.
    Starts,
}

/// Does the interval leave out zero?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It lies above.
    #[serde(rename = "better")]
    Better,
    /// It lies below.
    #[serde(rename = "worse")]
    Worse,
    /// It does not; that is no proof that there is none.
    #[serde(rename = "no difference seen")]
    NotSeen,
    /// There is none, so that nobody can say whether the difference is more than chance.
    #[serde(rename = "no verdict")]
    Open,
}

impl Verdict {
    fn of(difference: &Estimate) -> Verdict {
        match difference.interval {
            Some([low, _]) if low > 0.0 => Verdict::Better,
            Some([_, high]) if high < 0.0 => Verdict::Worse,
            Some(_) => Verdict::NotSeen,
            None if difference.value == 0.0 => Verdict::NotSeen,
            None => Verdict::Open,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NotSeen => "no difference seen",
            Verdict::Open => "no verdict",
        })
    }
}

impl Group {
    /// x̄ᵣ of each run.
    fn scores(&self) -> Vec<f64> {
        self.runs.iter().map(|run| run.evaluation.mean).collect()
    }

    /// From each start, the mean return over the runs.
    fn returns(&self) -> Vec<f64> {
        let starts = 0..self.runs[0].evaluation.returns.len();
        let of = |s: usize| self.runs.iter().map(move |run| run.evaluation.returns[s]);
        starts.map(|s| of(s).sum::<f64>() / self.runs.len() as f64).collect()
    }
}

/// How far a return lies below the best known one, in percent of it, with its interval turned round.
pub fn gap(of: Estimate, best_known: f64) -> Estimate {
    let gap = |value: f64| gap_percent(value, best_known);
    let interval = of.interval.map(|[low, high]| [gap(high), gap(low)]);
    Estimate { value: gap(of.value), interval }
}

/// Compares groups whose runs were evaluated from the same starts.
pub fn compare(environment: toml::Table, starts: &Starts, groups: Vec<Group>) -> Report {
    let best_known_mean = starts.best_known_mean();
    let against_first: Vec<_> =
        groups.iter().skip(1).map(|group| difference(group, &groups[0])).collect();
    let warnings = warnings(&groups, &against_first);
    let standing = |group: Group| {
        let scores = group.scores();
        let interquartile_mean = interquartile_estimate(&scores);
        Standing {
            name: group.name,
            interquartile_mean,
            mean: mean(&scores),
            worst_seed: scores.iter().copied().fold(f64::INFINITY, f64::min),
            gap_percent: best_known_mean.map(|best| gap(interquartile_mean, best)),
            control: Controlled::of(&group.runs),
            runs: group.runs,
        }
    };
    Report {
        schema: 1,
        environment,
        starts: starts.states.len(),
        best_known_mean,
        groups: groups.into_iter().map(standing).collect(),
        against_first,
        warnings,
    }
}

fn difference(group: &Group, first: &Group) -> Difference {
    let (x, y) = (group.scores(), first.scores());
    let (returns, others) = (group.returns(), first.returns());
    let by_start: Vec<f64> = returns.iter().zip(&others).map(|(a, b)| a - b).collect();
    let (difference, over) = match x.len() >= 2 && y.len() >= 2 {
        true => (difference_estimate(&x, &y), Over::Seeds),
        false => (paired_estimate(&returns, &others), Over::Starts),
    };
    Difference {
        name: group.name.clone(),
        difference,
        over,
        starts_better: by_start.iter().filter(|d| **d > 0.0).count(),
        starts_worse: by_start.iter().filter(|d| **d < 0.0).count(),
        probability_of_improvement: (x.len() + y.len() > 2).then(|| improvement_estimate(&x, &y)),
        verdict: Verdict::of(&difference),
    }
}

fn warnings(groups: &[Group], differences: &[Difference]) -> Vec<String> {
    let mut warnings = Vec::new();
    let few: Vec<&Group> = groups.iter().filter(|group| group.runs.len() < FEW).collect();
    if few.iter().any(|group| group.runs.len() > 1) || few.len() < groups.len() && !few.is_empty() {
        let counts = few.iter().map(|group| format!("{} has {}", group.name, group.runs.len()));
        warnings.push(format!(
            "intervals over fewer than {FEW} seeds mean little: {}",
            counts.collect::<Vec<_>>().join(", ")
        ));
    }
    if groups.len() > 1 && groups.iter().any(|group| group.runs.len() == 1) {
        let whose = match groups.iter().all(|group| group.runs.len() == 1) {
            true => "one seed each",
            false => "a group with one seed",
        };
        warnings.push(format!(
            "{whose}: such differences are paired over the starts only, and say how these policies differ, not \
             what training again would give"
        ));
    }
    let open = differences.iter().filter(|difference| difference.verdict == Verdict::Open);
    let open: Vec<&str> = open.map(|difference| difference.name.as_str()).collect();
    if !open.is_empty() {
        warnings.push(format!(
            "no verdict on {}: there is one start, or the same difference everywhere, which does not show how it varies",
            open.join(", ")
        ));
    }
    let comparisons = groups.len() - 1;
    if comparisons > 5 {
        warnings.push(format!(
            "{comparisons} comparisons with 95 % confidence each: where nothing differs, about one in twenty is still \
             called better or worse"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores with returns from two starts, two apart.
    fn group(name: &str, scores: &[f64]) -> Group {
        let run = |(seed, score): (usize, &f64)| ScoredRun {
            seed: seed as u64,
            directory: name.into(),
            evaluation: Evaluation::new(vec![score - 1.0, score + 1.0], 2),
        };
        Group { name: name.into(), runs: scores.iter().enumerate().map(run).collect() }
    }

    fn report(groups: Vec<Group>) -> Report {
        let starts = Starts { states: vec![vec![0.0]; 2], best_known_returns: vec![-101.0, -99.0] };
        compare(toml::Table::new(), &starts, groups)
    }

    #[test]
    fn groups_are_compared_over_seeds() {
        let first = group("a", &[-110.0, -112.0, -111.0, -109.0, -108.0]);
        let good = group("b", &[-103.0, -104.0, -105.0, -102.0, -101.0]);
        let alike = group("c", &[-107.0, -113.0, -110.0, -109.0, -112.0]);
        let found = report(vec![first, good, alike]);
        assert_eq!(found.warnings, Vec::<String>::new());
        let standing = &found.groups[0];
        assert_eq!((standing.interquartile_mean.value, standing.mean), (-110.0, -110.0));
        assert_eq!(standing.worst_seed, -112.0);
        let gap = standing.gap_percent.unwrap();
        let [low, high] = standing.interquartile_mean.interval.unwrap();
        assert!((gap.value - 10.0).abs() < 1e-12);
        let [better, worse] = gap.interval.unwrap();
        assert!((better - (-100.0 - high)).abs() < 1e-12 && (worse - (-100.0 - low)).abs() < 1e-12);
        let [good, alike] = &found.against_first[..] else { panic!("two") };
        assert_eq!((good.name.as_str(), good.difference.value, good.over), ("b", 7.0, Over::Seeds));
        assert_eq!((good.starts_better, good.starts_worse), (2, 0));
        let improvement = good.probability_of_improvement.unwrap();
        assert_eq!((improvement.value, improvement.interval), (1.0, None));
        assert_eq!((good.verdict, alike.verdict), (Verdict::Better, Verdict::NotSeen));
    }

    /// Over starts: d = 2 and 4.
    #[test]
    fn single_runs_are_compared_over_starts() {
        let mut better = group("b", &[-100.0]);
        better.runs[0].evaluation = Evaluation::new(vec![-109.0, -105.0], 2);
        let found = report(vec![group("a", &[-110.0]), better]);
        let difference = &found.against_first[0];
        assert_eq!((difference.difference.value, difference.over), (3.0, Over::Starts));
        assert_eq!(difference.probability_of_improvement, None);
        assert_eq!(difference.verdict, Verdict::NotSeen);
        assert_eq!(found.groups[0].interquartile_mean.interval, None);
        assert_eq!(found.warnings.len(), 1);
        assert!(found.warnings[0].starts_with("one seed each: "));
    }

    /// One start, differences that are all the same, the same policies, and seeds that all tie.
    #[test]
    fn nothing_without_width_gives_a_verdict() {
        let run = |returns: &[f64]| ScoredRun {
            seed: 1,
            directory: "a".into(),
            evaluation: Evaluation::new(returns.to_vec(), 0),
        };
        let compared = |x: &[&[f64]], y: &[&[f64]]| {
            let group = |name: &str, runs: &[&[f64]]| Group {
                name: name.into(),
                runs: runs.iter().map(|returns| run(returns)).collect(),
            };
            let mut found = report(vec![group("y", y), group("x", x)]);
            (found.against_first.remove(0), found.warnings)
        };
        for (x, y, verdict) in [
            (&[&[-110.0][..]][..], &[&[-116.67][..]][..], Verdict::Open),
            (&[&[-150.3, -90.7, -3.1]], &[&[-150.4, -90.8, -3.2]], Verdict::Open),
            (&[&[-7.0, -3.0]], &[&[-7.0, -3.0]], Verdict::NotSeen),
            (&[&[-7.0, -3.0], &[-7.0, -3.0]], &[&[-7.0, -3.0]], Verdict::NotSeen),
            (&[&[1000.0], &[1000.0]], &[&[900.0], &[900.0]], Verdict::Open),
        ] {
            let (found, warnings) = compared(x, y);
            assert_eq!((found.difference.interval, found.verdict), (None, verdict), "{x:?}, {y:?}");
            let is_told = warnings.iter().any(|text| text.starts_with("no verdict on x: "));
            assert_eq!(is_told, verdict == Verdict::Open, "{warnings:?}");
        }
    }

    #[test]
    fn few_seeds_and_many_groups_come_with_a_warning() {
        let warnings = |sizes: &[usize]| {
            let groups = sizes.iter().map(|n| group(&format!("{n}"), &vec![1.0; *n])).collect();
            report(groups).warnings
        };
        assert_eq!(
            warnings(&[3, 5, 2]),
            ["intervals over fewer than 5 seeds mean little: 3 has 3, 2 has 2"]
        );
        assert_eq!(warnings(&[1]), Vec::<String>::new());
        let [few, single] = &warnings(&[6, 1])[..] else { panic!("two") };
        assert!(few.ends_with("1 has 1") && single.starts_with("a group with one seed: "));
        assert!(warnings(&[5; 7])[0].starts_with("6 comparisons"));
    }
}
