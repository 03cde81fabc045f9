//! What updates report, over the steps of a run: one small chart above the other.

use plotters::prelude::{Color, LineSeries};

use super::style::{BLUE, Drawn, Paper, chart_with, number, picture, range, significant};

/// Width and height of a chart: it is to be read beside others.
const SIZE: (u32, u32) = (720, 400);
/// Charts beside each other.
const COLUMNS: usize = 2;
/// Points of a series that are drawn at most.
const POINTS: usize = 300;
/// Where the largest value is this many times the smallest, the axis is one of orders of magnitude.
const WIDE: f64 = 50.0;

/// Draws one series over environment steps, (step, value).
///
/// Losses that stay positive and range widely get a logarithmic axis.
pub fn loss(name: &str, points: &[(f64, f64)]) -> String {
    picture(name, SIZE, |paper| draw(paper, name, points))
}

/// Draws each series, as [`loss`], into one picture: two beside each other.
pub fn losses(title: &str, series: &[(String, Vec<(f64, f64)>)]) -> String {
    let (rows, columns) = (series.len().div_ceil(COLUMNS).max(1), COLUMNS.min(series.len()).max(1));
    let size = (SIZE.0 * columns as u32, SIZE.1 * rows as u32);
    picture(title, size, |paper| {
        let parts = paper.split_evenly((rows, columns));
        parts.iter().zip(series).try_for_each(|(part, (name, points))| draw(part, name, points))
    })
}

fn draw(paper: &Paper<'_>, name: &str, points: &[(f64, f64)]) -> Drawn {
    let points = thinned(points);
    let end = points.iter().map(|point| point.0).fold(1.0, f64::max);
    let logarithmic = is_wide(points.iter().map(|point| point.1));
    let height = |y: f64| if logarithmic { libm::log10(y) } else { y };
    let label = |y: f64| if logarithmic { significant(libm::pow(10.0, y)) } else { number(y) };
    let heights = range(points.iter().map(|point| height(point.1)));
    let steps = (0.0..end, "environment steps");
    let mut chart = chart_with(paper, name, steps, (heights, ""), &label)?;
    let line = points.iter().map(|&(x, y)| (x, height(y)));
    chart.draw_series(LineSeries::new(line, BLUE.stroke_width(3)))?;
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
        assert!(loss("q1_loss", &[(0.0, 1.0)]).contains("</svg>"), "an axis from 0 to 0");
    }
}
