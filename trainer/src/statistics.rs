//! How sure one can be of figures that a few runs give.
//!
//! A *score* is one number of one run, here the mean return of its policy over fixed starts. Scores
//! of the same settings differ by their seeds, and a handful of them say less than it seems. What is
//! here follows
//!
//! - Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", 2021,
//!   arXiv:2108.13264: interquartile mean, stratified bootstrap, probability of improvement;
//! - Colas, Sigaud and Oudeyer, "A hitchhiker's guide to statistical comparisons of reinforcement
//!   learning algorithms", 2019, arXiv:1904.06979: Welch's interval for a difference, whose rate of
//!   false alarms is right with few seeds, where that of a bootstrap is too high.
//!
//! Resamples come from a fixed stream of random numbers, so that the same scores have the same
//! interval everywhere, whatever else is computed.

mod words;

pub use words::{counted, percent, with_error, with_interval};

use serde::Serialize;

use crate::rng::{Rng, Stream, index, stream};

/// Resamples behind an interval.
pub const RESAMPLES: usize = 10_000;
/// Below this number of scores an interval means little.
pub const FEW: usize = 5;
/// Confidence of all intervals but those that say otherwise.
const CONFIDENCE: f64 = 0.95;
/// 97.5 % of the normal distribution lie below.
const NORMAL: f64 = 1.959_963_984_540_054;
/// Numbers that differ by less than this share of the largest differ by rounding alone.
const ROUNDING: f64 = 1e-12;
/// Confidence of a [`careful_estimate`].
const CAREFUL: f64 = 0.99;
/// 99.5 % of the normal distribution lie below.
const CAREFUL_NORMAL: f64 = 2.575_829_303_548_901;

/// A figure with the interval that holds its true value with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval; `None` where there are too few scores for one, or they do not vary.
    pub interval: Option<[f64; 2]>,
}

/// The median; of an even number, the mean of the two in the middle. NaN of none.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ => 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]),
    }
}

/// x̄ = 1/n · Σ xᵢ
pub fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// The interquartile mean, that of the middle half (Agarwal et al., section 4.3).
///
/// IQM = Σᵢ wᵢ x₍ᵢ₎ / (n/2) with x₍₁₎ ≤ … ≤ x₍ₙ₎ and wᵢ the length of \[i − 1, i\] ∩ \[n/4, 3n/4\]
///
/// Where n is no multiple of 4, the scores at the two edges count in part, so that always half of
/// the weight is left; cutting off ⌊n/4⌋ whole ones, as some programs do, leaves more of it.
pub fn interquartile_mean(scores: &[f64]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    of_middle_half(&sorted)
}

fn of_middle_half(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    let (from, to) = (n / 4.0, 3.0 * n / 4.0);
    let weight = |i: usize| ((i + 1) as f64).min(to) - (i as f64).max(from);
    let weighted = sorted.iter().enumerate().map(|(i, x)| weight(i).max(0.0) * x);
    weighted.sum::<f64>() / (n / 2.0)
}

/// Is an interval of numbers of this size wider than rounding makes it?
///
/// Where scores do not vary, or all resamples give the same (all tie, or all of one side are better than those of the other),
/// an interval would claim certainty, however few scores there are; it says nothing, and there is none.
fn has_width(interval: &[f64; 2], size: f64) -> bool {
    interval[1] - interval[0] > 2.0 * ROUNDING * size
}

/// max |xᵢ|
fn size(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |size, x| size.max(x.abs()))
}

/// value ± half, unless that has no width.
fn around(value: f64, half: f64, size: f64) -> Estimate {
    let interval = Some([value - half, value + half]).filter(|interval| has_width(interval, size));
    Estimate { value, interval }
}

/// The standard error of a mean: s / √n, with s² = Σ (xᵢ − x̄)² / (n − 1); `None` of fewer than two numbers, or of numbers
/// that are all the same, which do not show how others would vary.
pub fn standard_error(numbers: &[f64]) -> Option<f64> {
    let error = variance_of_mean(numbers).sqrt();
    (numbers.len() >= 2 && error > ROUNDING * size(numbers)).then_some(error)
}

/// The interquartile mean of scores with its bootstrap interval.
pub fn interquartile_estimate(scores: &[f64]) -> Estimate {
    let statistic = |resampled: &mut [Vec<f64>]| {
        resampled[0].sort_unstable_by(f64::total_cmp);
        of_middle_half(&resampled[0])
    };
    let interval = bootstrap(&[scores], RESAMPLES, statistic);
    let interval = interval.filter(|interval| has_width(interval, size(scores)));
    Estimate { value: interquartile_mean(scores), interval }
}

/// P(X > Y) = 1/(N·K) · Σᵢ Σⱼ S(xᵢ, yⱼ), with S = 1 where x > y, ½ where x = y, 0 where x < y
///
/// The chance that a run like those of `x` has a better score than one like those of `y`: Mann and
/// Whitney's U over N·K, which Agarwal et al. (2021) call the probability of improvement.
pub fn probability_of_improvement(x: &[f64], y: &[f64]) -> f64 {
    let mut sorted = y.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    of_pairs(x, &sorted)
}

fn of_pairs(x: &[f64], sorted: &[f64]) -> f64 {
    let won = |x: &f64| {
        let below = sorted.partition_point(|y| y < x);
        let equal = sorted[below..].partition_point(|y| y <= x);
        below as f64 + 0.5 * equal as f64
    };
    x.iter().map(won).sum::<f64>() / (x.len() * sorted.len()) as f64
}

/// The probability of improvement with its bootstrap interval: both sides are resampled.
///
/// There is none, for example, where all of one side are better than all of the other one: it would have no width.
pub fn improvement_estimate(x: &[f64], y: &[f64]) -> Estimate {
    let statistic = |resampled: &mut [Vec<f64>]| {
        resampled[1].sort_unstable_by(f64::total_cmp);
        of_pairs(&resampled[0], &resampled[1])
    };
    let interval = bootstrap(&[x, y], RESAMPLES, statistic);
    let interval = interval.filter(|interval| has_width(interval, 1.0));
    Estimate { value: probability_of_improvement(x, y), interval }
}

/// The stratified bootstrap's percentile interval (Agarwal et al., section 4.1; Efron, 1979).
///
/// From each stratum as many scores as it has are drawn with replacement, and the statistic of what
/// was drawn is computed, `resamples` times; its quantiles of 2.5 and 97.5 % are the interval. `None`
/// where a stratum has fewer than two scores, which cannot show how they vary.
pub fn bootstrap(
    strata: &[&[f64]],
    resamples: usize,
    statistic: impl Fn(&mut [Vec<f64>]) -> f64,
) -> Option<[f64; 2]> {
    if strata.is_empty() || strata.iter().any(|scores| scores.len() < 2) || resamples == 0 {
        return None;
    }
    let mut rng = stream(0, Stream::Bootstrap);
    let mut drawn: Vec<Vec<f64>> = strata.iter().map(|scores| scores.to_vec()).collect();
    let draw = |_| {
        for (drawn, scores) in drawn.iter_mut().zip(strata) {
            resample(&mut rng, scores, drawn);
        }
        statistic(&mut drawn)
    };
    let mut statistics: Vec<f64> = (0..resamples).map(draw).collect();
    statistics.sort_unstable_by(f64::total_cmp);
    let outside = 0.5 * (1.0 - CONFIDENCE);
    Some([quantile(&statistics, outside), quantile(&statistics, 1.0 - outside)])
}

fn resample(rng: &mut Rng, scores: &[f64], drawn: &mut [f64]) {
    drawn.iter_mut().for_each(|x| *x = scores[index(rng, scores.len())]);
}

/// The quantile of sorted numbers, between two of them by a straight line.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + part * (sorted[high] - sorted[low])
}

/// The mean of some numbers with Student's interval: x̄ ± t · s / √n, with s² = Σ (xᵢ − x̄)² / (n − 1)
/// and t the quantile with n − 1 degrees of freedom. There is no interval of fewer than two numbers, or of numbers that are
/// all the same.
pub fn mean_estimate(numbers: &[f64]) -> Estimate {
    students(numbers, size(numbers), students_quantile)
}

/// The mean of xᵢ − yᵢ with Student's interval, as [`mean_estimate`] of the differences: these are the same where only the
/// rounding of xᵢ and yᵢ keeps them apart.
pub fn paired_estimate(x: &[f64], y: &[f64]) -> Estimate {
    paired(x, y, students_quantile)
}

/// The same with 99 % confidence, for differences of which a few are far from the rest: an interval of 95 % would hold their true
/// mean much less often than that.
pub fn careful_estimate(x: &[f64], y: &[f64]) -> Estimate {
    paired(x, y, |freedom| quantile_of_student(freedom, CAREFUL, CAREFUL_NORMAL))
}

fn paired(x: &[f64], y: &[f64], quantile: impl Fn(f64) -> f64) -> Estimate {
    let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    students(&differences, size(x).max(size(y)), quantile)
}

fn students(numbers: &[f64], size: f64, quantile: impl Fn(f64) -> f64) -> Estimate {
    let value = mean(numbers);
    if numbers.len() < 2 {
        return Estimate { value, interval: None };
    }
    let freedom = numbers.len() as f64 - 1.0;
    around(value, quantile(freedom) * variance_of_mean(numbers).sqrt(), size)
}

/// x̄ − ȳ with Welch's interval: ± t · √(a + b), with a = s²ₓ/N and b = s²ᵧ/K, and t the quantile with
/// ν = (a + b)² / (a²/(N − 1) + b²/(K − 1)) degrees of freedom (Welch, 1947). Variances need not be
/// equal; `None` where a side has fewer than two scores, or no score differs from another of its side.
pub fn difference_estimate(x: &[f64], y: &[f64]) -> Estimate {
    let value = mean(x) - mean(y);
    if x.len() < 2 || y.len() < 2 {
        return Estimate { value, interval: None };
    }
    let (a, b) = (variance_of_mean(x), variance_of_mean(y));
    let part = |variance: f64, scores: &[f64]| variance * variance / (scores.len() as f64 - 1.0);
    let freedom = (a + b) * (a + b) / (part(a, x) + part(b, y));
    // Scores that are all the same show nothing of how others would vary.
    let half = if a + b > 0.0 { students_quantile(freedom) * (a + b).sqrt() } else { 0.0 };
    around(value, half, size(x).max(size(y)))
}

/// s² / n
fn variance_of_mean(scores: &[f64]) -> f64 {
    let (n, mean) = (scores.len() as f64, mean(scores));
    scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n
}

/// Below this, 97.5 % of Student's distribution with ν ≥ 1 degrees of freedom lie.
pub fn students_quantile(freedom: f64) -> f64 {
    quantile_of_student(freedom, CONFIDENCE, NORMAL)
}

/// Within ± this a share of Student's distribution lies; `normal` is the same of the normal distribution.
///
/// With T = √ν · tan Θ, the density of Θ is in proportion to cos^(ν−1) θ. So the quantile is √ν · tan θ
/// for the θ at which ∫₀^θ cos^(ν−1) has that share of what it has at π/2; the midpoint rule adds it up.
fn quantile_of_student(freedom: f64, share: f64, normal: f64) -> f64 {
    const CELLS: usize = 20_000;
    // The distributions differ by 1 / (4ν) of the quantile, roughly.
    if freedom.is_nan() || freedom > 1e5 {
        return normal;
    }
    let cell = std::f64::consts::FRAC_PI_2 / CELLS as f64;
    let density = |i: usize| libm::pow(libm::cos((i as f64 + 0.5) * cell), freedom - 1.0);
    let whole: f64 = (0..CELLS).map(density).sum();
    let (mut sum, mut i) = (0.0, 0);
    loop {
        let next = density(i);
        if sum + next >= share * whole {
            let part = (share * whole - sum) / next;
            return freedom.sqrt() * libm::tan((i as f64 + part) * cell);
        }
        sum += next;
        i += 1;
    }
}

#[cfg(test)]
mod tests;
