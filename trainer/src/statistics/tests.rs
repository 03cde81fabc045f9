//! Figures worked out by hand, and how often intervals hold.

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
    // Scores that all tie leave none, either: two seeds at the highest return make nothing certain.
    let same = [1000.0; 2];
    assert_eq!(improvement_estimate(&same, &same), Estimate { value: 0.5, interval: None });
    assert_eq!(interquartile_estimate(&same), Estimate { value: 1000.0, interval: None });
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
    for (freedom, t) in [(1.0, 63.656_74), (4.0, 4.604_095), (199.0, 2.600_76), (1e6, 2.575_829)] {
        let found = quantile_of_student(freedom, CAREFUL, CAREFUL_NORMAL);
        assert!((found / t - 1.0).abs() < 1e-5, "{freedom}: {found}");
    }
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
    assert_eq!(same, Estimate { value: 1.0, interval: None });
    assert_eq!(difference_estimate(&[2.0], &[1.0, 1.5]).interval, None);
    let single = mean_estimate(&[3.0]);
    assert_eq!((single.value, single.interval), (3.0, None));
    let [low, high] = mean_estimate(&[1.0, 2.0, 3.0]).interval.unwrap();
    let width = 4.302_653 / 3.0_f64.sqrt();
    assert!((low - (2.0 - width)).abs() < 1e-4 && (high - (2.0 + width)).abs() < 1e-4);
    let [low, high] = careful_estimate(&[1.0, 2.0, 3.0], &[0.0; 3]).interval.unwrap();
    let width = 9.924_843 / 3.0_f64.sqrt();
    assert!((low - (2.0 - width)).abs() < 1e-4 && (high - (2.0 + width)).abs() < 1e-4);
}

/// One number, equal numbers, and numbers that only rounding keeps apart.
#[test]
fn nothing_is_made_of_nothing() {
    let noise = 1e-14;
    for numbers in [&[3.0][..], &[3.0, 3.0], &[3.0, 3.0 + noise, 3.0 - noise], &[0.0; 200]] {
        assert_eq!(standard_error(numbers), None, "{numbers:?}");
        assert_eq!(mean_estimate(numbers).interval, None, "{numbers:?}");
        assert_eq!(interquartile_estimate(numbers).interval, None, "{numbers:?}");
        assert_eq!(difference_estimate(numbers, &[2.0, 2.0]).interval, None, "{numbers:?}");
    }
    assert_eq!(standard_error(&[]), None);
    let error = standard_error(&[-1.0, -3.0, -5.0]).unwrap();
    assert!((error - 2.0 / 3.0_f64.sqrt()).abs() < 1e-12);
    // 0.1 apart from each start, but for the last bits of returns of 150.
    let (x, y) = ([-150.3, -90.7, -3.1], [-150.4, -90.8, -3.2]);
    let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    assert!(differences[0] != differences[2], "rounding keeps them apart: {differences:?}");
    let found = paired_estimate(&x, &y);
    assert!((found.value - 0.1).abs() < 1e-12 && found.interval.is_none(), "{found:?}");
    let varied = paired_estimate(&[1.0, 2.0, 4.0], &[0.0, 1.0, 1.0]);
    assert!(varied.value == 5.0 / 3.0 && varied.interval.is_some());
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
