//! What updates report, over the steps of a run: one small chart above the other.

use plotters::prelude::{Color, LineSeries};

use super::style::{BLUE, Drawn, Paper, SIZE, chart_with, number, picture, range, significant};

/// Height of a chart.
const HEIGHT: u32 = 330;
/// Points of a series that are drawn at most.
const POINTS: usize = 300;
/// Where the largest value is this many times the smallest, the axis is one of orders of magnitude.
const WIDE: f64 = 50.0;

/// Draws each series over environment steps: its name and (step, value) points.
///
/// Losses that stay positive and range widely get a logarithmic axis.
pub fn losses(title: &str, series: &[(String, Vec<(f64, f64)>)]) -> String {
    let height = HEIGHT * series.len().max(1) as u32;
    picture(title, (SIZE.0, height), |paper| draw(paper, series))
}

fn draw(paper: &Paper<'_>, series: &[(String, Vec<(f64, f64)>)]) -> Drawn {
    for (part, (name, points)) in paper.split_evenly((series.len().max(1), 1)).iter().zip(series) {
        let points = thinned(points);
        let end = points.last().map_or(1.0, |point| point.0);
        let logarithmic = is_wide(points.iter().map(|point| point.1));
        let height = |y: f64| if logarithmic { libm::log10(y) } else { y };
        let label = |y: f64| if logarithmic { significant(libm::pow(10.0, y)) } else { number(y) };
        let heights = range(points.iter().map(|point| height(point.1)));
        let mut chart =
            chart_with(part, name, (0.0..end, "environment steps"), (heights, ""), &label)?;
        let line = points.iter().map(|&(x, y)| (x, height(y)));
        chart.draw_series(LineSeries::new(line, BLUE.stroke_width(3)))?;
    }
    Ok(())
}

/// All positive, and of several orders of magnitude.
fn is_wide(values: impl Iterator<Item = f64>) -> bool {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    values.for_each(|x| (low, high) = (low.min(x), high.max(x)));
    low > 0.0 && high.is_finite() && high > WIDE * low
}

/// At most so many points, each the mean of as many that follow one another; what is not finite is left out.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    let mean = |part: &[(f64, f64)]| {
        let sum: f64 = part.iter().map(|point| point.1).sum();
        (part[part.len() - 1].0, sum / part.len() as f64)
    };
    finite.chunks(finite.len().div_ceil(POINTS).max(1)).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_means() {
        let points: Vec<(f64, f64)> = (1..=600).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thin = thinned(&points);
        assert_eq!((thin.len(), thin[0], thin[299]), (300, (2.0, 0.5), (600.0, 0.5)));
        assert_eq!(thinned(&[(1.0, f64::NAN), (2.0, 3.0)]), [(2.0, 3.0)]);
        assert!(thinned(&[]).is_empty());
    }

    #[test]
    fn only_positive_losses_have_orders_of_magnitude() {
        assert!(is_wide([0.1, 20.0].into_iter()));
        assert!(!is_wide([-0.1, 20.0].into_iter()) && !is_wide([1.0, 20.0].into_iter()));
        assert!(!is_wide([0.0, 20.0].into_iter()) && !is_wide(std::iter::empty()));
    }

    #[test]
    fn every_series_is_drawn() {
        let points = |scale: f64| (1..50).map(|i| (f64::from(i), scale / f64::from(i))).collect();
        let svg = losses(
            "losses",
            &[("q1_loss".into(), points(9.0)), ("actor_loss".into(), points(-1.0))],
        );
        assert!(svg.contains("q1_loss") && svg.contains("actor_loss"));
        assert_eq!(
            svg.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"#0072B2\"").count(),
            2
        );
        assert!(losses("none", &[]).contains("</svg>"));
    }
}
