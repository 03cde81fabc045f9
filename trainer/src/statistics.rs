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

use serde::Serialize;

use crate::rng::{Rng, Stream, index, stream};

/// Resamples behind an interval.
pub const RESAMPLES: usize = 10_000;
/// Below this number of scores an interval means little.
pub const FEW: usize = 5;
/// Confidence of all intervals.
const CONFIDENCE: f64 = 0.95;
/// 97.5 % of the normal distribution lie below.
const NORMAL: f64 = 1.959_963_984_540_054;

/// A figure with the interval that holds its true value with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval; `None` where there are too few scores for one.
    pub interval: Option<[f64; 2]>,
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

/// The interquartile mean of scores with its bootstrap interval.
pub fn interquartile_estimate(scores: &[f64]) -> Estimate {
    let statistic = |resampled: &mut [Vec<f64>]| {
        resampled[0].sort_unstable_by(f64::total_cmp);
        of_middle_half(&resampled[0])
    };
    let interval = bootstrap(&[scores], RESAMPLES, statistic);
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
/// Where all of one side are better than all of the other one, so are all resamples, however few scores there are: such an
/// interval would have no width and say nothing, so there is none.
pub fn improvement_estimate(x: &[f64], y: &[f64]) -> Estimate {
    let statistic = |resampled: &mut [Vec<f64>]| {
        resampled[1].sort_unstable_by(f64::total_cmp);
        of_pairs(&resampled[0], &resampled[1])
    };
    let value = probability_of_improvement(x, y);
    let apart = value == 0.0 || value == 1.0;
    let interval = if apart { None } else { bootstrap(&[x, y], RESAMPLES, statistic) };
    Estimate { value, interval }
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
/// and t the quantile with n − 1 degrees of freedom.
pub fn mean_estimate(numbers: &[f64]) -> Estimate {
    let value = mean(numbers);
    let interval = (numbers.len() >= 2).then(|| {
        let freedom = numbers.len() as f64 - 1.0;
        let width = students_quantile(freedom) * variance_of_mean(numbers).sqrt();
        [value - width, value + width]
    });
    Estimate { value, interval }
}

/// x̄ − ȳ with Welch's interval: ± t · √(a + b), with a = s²ₓ/N and b = s²ᵧ/K, and t the quantile with
/// ν = (a + b)² / (a²/(N − 1) + b²/(K − 1)) degrees of freedom (Welch, 1947). Variances need not be
/// equal; `None` where a side has fewer than two scores.
pub fn difference_estimate(x: &[f64], y: &[f64]) -> Estimate {
    let value = mean(x) - mean(y);
    if x.len() < 2 || y.len() < 2 {
        return Estimate { value, interval: None };
    }
    let (a, b) = (variance_of_mean(x), variance_of_mean(y));
    let part = |variance: f64, scores: &[f64]| variance * variance / (scores.len() as f64 - 1.0);
    let freedom = (a + b) * (a + b) / (part(a, x) + part(b, y));
    // Scores that are all the same leave nothing to be unsure of.
    let width = if a + b > 0.0 { students_quantile(freedom) * (a + b).sqrt() } else { 0.0 };
    Estimate { value, interval: Some([value - width, value + width]) }
}

/// s² / n
fn variance_of_mean(scores: &[f64]) -> f64 {
    let (n, mean) = (scores.len() as f64, mean(scores));
    scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n
}

/// Below this, 97.5 % of Student's distribution with ν ≥ 1 degrees of freedom lie.
///
/// With T = √ν · tan Θ, the density of Θ is in proportion to cos^(ν−1) θ. So the quantile is √ν · tan θ
/// for the θ at which ∫₀^θ cos^(ν−1) has 95 % of what it has at π/2; the midpoint rule adds it up.
pub fn students_quantile(freedom: f64) -> f64 {
    const CELLS: usize = 20_000;
    // The distributions differ by 1 / (4ν) of the quantile, roughly.
    if freedom.is_nan() || freedom > 1e5 {
        return NORMAL;
    }
    let cell = std::f64::consts::FRAC_PI_2 / CELLS as f64;
    let density = |i: usize| libm::pow(libm::cos((i as f64 + 0.5) * cell), freedom - 1.0);
    let whole: f64 = (0..CELLS).map(density).sum();
    let (mut sum, mut i) = (0.0, 0);
    loop {
        let next = density(i);
        if sum + next >= CONFIDENCE * whole {
            let part = (CONFIDENCE * whole - sum) / next;
            return freedom.sqrt() * libm::tan((i as f64 + part) * cell);
        }
        sum += next;
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::gaussian::uniform;
    use rand_core::Rng as _;

    #[test]
    fn the_middle_half_has_its_mean() {
        for (scores, expected) in [
            (&[7.0][..], 7.0),
            (&[1.0, 3.0], 2.0),
            // (0.25 · 0 + 1 · 3 + 0.25 · 9) / 1.5
            (&[9.0, 0.0, 3.0], 3.5),
            (&[100.0, 2.0, -50.0, 4.0], 3.0),
            // (0.75 · 2 + 1 · 3 + 0.75 · 5) / 2.5
            (&[1e6, 2.0, 3.0, 5.0, -1e6], 3.3),
            // (0.5 · 2 + 3 + 4 + 0.5 · 5) / 3
            (&[1.0, 2.0, 3.0, 4.0, 5.0, 60.0], 3.5),
            (&[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 4.5),
        ] {
            let found = interquartile_mean(scores);
            assert!((found - expected).abs() < 1e-12, "{scores:?}: {found}");
        }
    }

    #[test]
    fn pairs_are_counted() {
        // 2 > 1, 2 = 2, 2 < 3; 5 > all: (1.5 + 3) / 6
        assert_eq!(probability_of_improvement(&[2.0, 5.0], &[3.0, 1.0, 2.0]), 0.75);
        assert_eq!(probability_of_improvement(&[1.0], &[1.0]), 0.5);
        assert_eq!(probability_of_improvement(&[0.0], &[1.0, 2.0]), 0.0);
        let (x, y) = ([1.0, 4.0, 4.0, 9.0], [0.0, 4.0, 5.0]);
        let both = probability_of_improvement(&x, &y) + probability_of_improvement(&y, &x);
        assert!((both - 1.0).abs() < 1e-12);
    }

    #[test]
    fn groups_that_do_not_overlap_have_no_interval() {
        let (low, high) = ([1.0, 2.0, 3.0], [4.0, 5.0]);
        for (x, y, value) in [(&high[..], &low[..], 1.0), (&low, &high, 0.0)] {
            let found = improvement_estimate(x, y);
            assert_eq!((found.value, found.interval), (value, None));
        }
        assert!(improvement_estimate(&low, &[0.0, 2.5]).interval.is_some());
    }

    /// Of any table.
    #[test]
    fn quantiles_are_students() {
        for (freedom, t) in [
            (1.0, 12.706_205),
            (2.0, 4.302_653),
            (4.0, 2.776_445),
            (9.0, 2.262_157),
            (199.0, 1.971_957),
            (1e5, 1.959_988),
        ] {
            let found = students_quantile(freedom);
            assert!((found / t - 1.0).abs() < 1e-5, "{freedom}: {found}");
        }
        // No table has it: between its neighbours.
        assert!((4.31..12.7).contains(&students_quantile(1.5)));
        assert_eq!(students_quantile(1e6), NORMAL);
    }

    /// Means 4 and 1, variances of the means 4/3 and 1/3: ν = (5/3)² / ((16/9 + 1/9) / 2) = 50/17.
    #[test]
    fn differences_are_welchs() {
        let found = difference_estimate(&[2.0, 4.0, 6.0], &[0.0, 1.0, 2.0]);
        assert_eq!(found.value, 3.0);
        let width = students_quantile(50.0 / 17.0) * (5.0_f64 / 3.0).sqrt();
        let [low, high] = found.interval.unwrap();
        assert!((low - (3.0 - width)).abs() < 1e-9 && (high - (3.0 + width)).abs() < 1e-9);
        let same = difference_estimate(&[2.0, 2.0], &[1.0, 1.0]);
        assert_eq!(same.interval, Some([1.0, 1.0]));
        assert_eq!(difference_estimate(&[2.0], &[1.0, 1.5]).interval, None);
        let single = mean_estimate(&[3.0]);
        assert_eq!((single.value, single.interval), (3.0, None));
        let [low, high] = mean_estimate(&[1.0, 2.0, 3.0]).interval.unwrap();
        let width = 4.302_653 / 3.0_f64.sqrt();
        assert!((low - (2.0 - width)).abs() < 1e-4 && (high - (2.0 + width)).abs() < 1e-4);
    }

    /// Every one of the 27 resamples of three scores is as likely, so that the quantiles are known:
    /// the smallest mean, 0, has 1/27 > 2.5 %, and so has the largest.
    #[test]
    fn resamples_have_their_quantiles() {
        let of = |scores: &[f64]| bootstrap(&[scores], RESAMPLES, |drawn| mean(&drawn[0]));
        assert_eq!(of(&[0.0, 3.0, 12.0]), Some([0.0, 12.0]));
        assert_eq!(of(&[5.0; 4]), Some([5.0, 5.0]));
        assert_eq!(of(&[5.0]), None);
        assert_eq!(of(&[0.0, 1.0, 2.0, 5.0]), of(&[0.0, 1.0, 2.0, 5.0]), "always the same draws");
        assert_eq!(quantile(&[0.0, 1.0, 2.0], 0.25), 0.5);
        // Each stratum keeps its size, and its own scores.
        let sizes = bootstrap(&[&[1.0, 1.0], &[2.0, 2.0, 2.0]], 10, |drawn| {
            drawn[0].iter().sum::<f64>() * 100.0 + drawn[1].iter().sum::<f64>()
        });
        assert_eq!(sizes, Some([206.0, 206.0]));
    }

    /// By the sum of twelve uniform numbers, which is close enough to normal.
    fn normal(rng: &mut Rng) -> f64 {
        (0..12).map(|_| f64::from(uniform(rng))).sum::<f64>() - 6.0
    }

    /// −ln u
    fn exponential(rng: &mut Rng) -> f64 {
        -libm::log((f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0)
    }

    /// How many of 400 intervals hold the truth, in percent. The interquartile mean of the exponential
    /// distribution is 2 ∫ −ln v dv from ¼ to ¾ = 2 [v − v ln v].
    #[test]
    fn intervals_hold_what_they_promise() {
        let f = |v: f64| v - v * libm::log(v);
        let of_exponential = 2.0 * (f(0.75) - f(0.25));
        for (name, truth) in [("normal", 0.0), ("exponential", of_exponential)] {
            let draw = if name == "normal" { normal } else { exponential };
            for n in [10, 20] {
                let mut rng = stream(n, Stream::Evaluation);
                let held = (0..400).filter(|_| {
                    let scores: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
                    let [low, high] = bootstrap(&[&scores], 1000, |drawn| {
                        drawn[0].sort_unstable_by(f64::total_cmp);
                        of_middle_half(&drawn[0])
                    })
                    .unwrap();
                    (low..=high).contains(&truth)
                });
                let percent = held.count() as f64 / 4.0;
                println!("interquartile mean, {name}, {n} seeds: {percent} %");
                assert!((88.0..=98.5).contains(&percent), "{name}, {n}: {percent} %");
            }
        }
    }

    /// How often a difference is seen where there is none: 5 % is promised. Beside it what a bootstrap
    /// of the same difference would do, which is why it is not used.
    #[test]
    fn alarms_are_rarely_false() {
        for (n, most) in [(3, 7.0), (5, 7.0), (10, 7.0)] {
            let mut rng = stream(n, Stream::Exploration);
            let (mut welch, mut resampled) = (0, 0);
            for _ in 0..500 {
                let [x, y] = [1.0, 3.0].map(|deviation| {
                    (0..n).map(|_| deviation * normal(&mut rng)).collect::<Vec<f64>>()
                });
                let outside = |interval: Option<[f64; 2]>| {
                    let [low, high] = interval.unwrap();
                    i32::from(low > 0.0 || high < 0.0)
                };
                welch += outside(difference_estimate(&x, &y).interval);
                let difference = |drawn: &mut [Vec<f64>]| mean(&drawn[0]) - mean(&drawn[1]);
                resampled += outside(bootstrap(&[&x, &y], 400, difference));
            }
            let [welch, resampled] = [welch, resampled].map(|count| f64::from(count) / 5.0);
            println!("false alarms, {n} seeds: Welch {welch} %, bootstrap {resampled} %");
            assert!((2.0..=most).contains(&welch), "{n}: {welch} %");
        }
    }

    /// The chance that N(0, 1) + 1 beats N(0, 1) is Φ(1/√2) = 0.760.
    #[test]
    fn improvement_has_its_interval() {
        let mut rng = stream(1, Stream::Replay);
        let held = (0..100).filter(|_| {
            let x: Vec<f64> = (0..15).map(|_| normal(&mut rng) + 1.0).collect();
            let y: Vec<f64> = (0..15).map(|_| normal(&mut rng)).collect();
            let [low, high] = bootstrap(&[&x, &y], 500, |drawn| {
                drawn[1].sort_unstable_by(f64::total_cmp);
                of_pairs(&drawn[0], &drawn[1])
            })
            .unwrap();
            (low..=high).contains(&0.760_25)
        });
        let held = held.count();
        assert!((87..=100).contains(&held), "{held} %");
    }
}
