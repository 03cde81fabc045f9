//! The learning curve of one run, as `learning_curve.svg` has it.

use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend,
    SeriesLabelPosition, WHITE,
};

use crate::text;

/// Colour of the running mean.
const BLUE: RGBColor = RGBColor(31, 92, 168);
/// Colour of single episodes.
const GREY: RGBColor = RGBColor(165, 175, 190);
/// Colour of the grid.
const GRID: RGBColor = RGBColor(225, 229, 234);
/// Episodes in the running mean: this many, or one in a hundred where that is more.
const WINDOW: usize = 10;
/// Points of a series that are drawn at most.
const POINTS: usize = 600;

/// Draws the return of each episode, and a running mean, over environment steps.
///
/// `episodes` are (environment step at its end, return). Gives the text of an SVG file.
pub fn learning_curve(title: &str, episodes: &[(usize, f64)]) -> String {
    let points: Vec<(f64, f64)> = episodes.iter().map(|&(s, r)| (s as f64, r)).collect();
    let window = WINDOW.max(points.len() / 100);
    let means = thinned(running_means(&points, window));
    let steps = points.last().map_or(1.0, |point| point.0);
    let lowest = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let margin = 0.04 * (highest - lowest).max(1.0);
    // Where a rising curve is not: below its end, or where episodes can only grow, above its start.
    let corner = match lowest < 0.0 {
        true => SeriesLabelPosition::LowerRight,
        false => SeriesLabelPosition::UpperLeft,
    };
    let (shown, points) = (points.len(), thinned(points));
    let single = match points.len() {
        drawn if drawn == shown => "one episode".to_string(),
        drawn => format!("one episode ({drawn} of {shown} drawn)"),
    };

    let mut svg = String::new();
    let draw = || -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(&mut svg, (720, 400)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(14)
            .margin_right(30)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..steps, lowest - margin..highest + margin)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(WHITE)
            .x_desc("environment steps")
            .y_desc("return of an episode")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 15))
            .draw()?;
        chart
            .draw_series(points.iter().map(|&p| Circle::new(p, 3, GREY.filled())))?
            .label(single)
            .legend(|(x, y)| Circle::new((x + 9, y), 3, GREY.filled()));
        chart
            .draw_series(LineSeries::new(means, BLUE.stroke_width(2)))?
            .label(format!("mean of the last {window}"))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLUE.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(corner)
            .margin(16)
            .background_style(WHITE)
            .border_style(GRID)
            .label_font(("sans-serif", 14))
            .draw()?;
        root.present()?;
        Ok(())
    };
    draw().expect("drawing to memory does not fail");
    text::lines(&svg).into_owned()
}

/// Of more than [`POINTS`] points the last of each of as many stretches of steps, so that what is
/// drawn is spread over the picture however long the episodes are.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points;
    }
    let end = points.last().map_or(1.0, |point| point.0);
    let stretch = |point: &(f64, f64)| (point.0 / end * POINTS as f64).ceil();
    let next = points.iter().skip(1).map(stretch).chain([f64::INFINITY]);
    let kept = points.iter().zip(next).filter(|(point, next)| stretch(point) != *next);
    kept.map(|(point, _)| *point).collect()
}

/// At each point the mean of the last `window` values, fewer at the beginning.
fn running_means(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let mut sum = 0.0;
    let mean = |last: usize| {
        sum += points[last].1;
        if last >= window {
            sum -= points[last - window].1;
        }
        (points[last].0, sum / window.min(last + 1) as f64)
    };
    (0..points.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_run() {
        let points: Vec<(f64, f64)> = (0..12).map(|i| (f64::from(i), f64::from(i))).collect();
        let means = running_means(&points, 10);
        assert_eq!((means[0].1, means[1].1, means[11].1), (0.0, 0.5, 6.5));
    }

    #[test]
    fn few_enough_points_are_drawn() {
        for count in [0, 1, POINTS, POINTS + 1, 100_000] {
            let points: Vec<(f64, f64)> = (1..=count).map(|i| (i as f64, 0.0)).collect();
            let (last, drawn) = (points.last().copied(), thinned(points));
            assert!(drawn.len() <= POINTS && drawn.last().copied() == last, "{count}");
            assert!(count <= POINTS && drawn.len() == count || drawn.len() == POINTS, "{count}");
        }
    }

    /// Ten thousand episodes of one step, then a hundred of a thousand: all of those are drawn.
    #[test]
    fn points_are_spread_over_the_steps() {
        let short = (1..=10_000).map(|i| (f64::from(i), 0.0));
        let long = (1..=100).map(|i| (10_000.0 + 1000.0 * f64::from(i), 1.0));
        let drawn = thinned(short.chain(long).collect());
        assert_eq!(drawn.iter().filter(|point| point.1 == 1.0).count(), 100);
        assert!((50..60).contains(&drawn.iter().filter(|point| point.1 == 0.0).count()));
    }
}
