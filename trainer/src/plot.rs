//! The learning curve of a run, as a picture.

use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend,
    SeriesLabelPosition, WHITE,
};

/// Colour of the running mean.
const BLUE: RGBColor = RGBColor(31, 92, 168);
/// Colour of single episodes.
const GREY: RGBColor = RGBColor(165, 175, 190);
/// Colour of the grid.
const GRID: RGBColor = RGBColor(225, 229, 234);
/// Episodes in the running mean.
const WINDOW: usize = 10;

/// Draws the return of each episode, and the mean of the last ten, over environment steps.
///
/// `episodes` are (environment step at its end, return). Gives the text of an SVG file.
pub fn learning_curve(title: &str, episodes: &[(usize, f64)]) -> String {
    let points: Vec<(f64, f64)> = episodes.iter().map(|&(s, r)| (s as f64, r)).collect();
    let means = running_means(&points);
    let steps = points.last().map_or(1.0, |point| point.0);
    let lowest = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let margin = 0.04 * (highest - lowest).max(1.0);

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
            .label("one episode")
            .legend(|(x, y)| Circle::new((x + 9, y), 3, GREY.filled()));
        chart
            .draw_series(LineSeries::new(means, BLUE.stroke_width(2)))?
            .label(format!("mean of the last {WINDOW}"))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLUE.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .margin(16)
            .background_style(WHITE)
            .border_style(GRID)
            .label_font(("sans-serif", 14))
            .draw()?;
        root.present()?;
        Ok(())
    };
    draw().expect("drawing to memory does not fail");
    svg
}

/// At each point the mean of the last [`WINDOW`] values, fewer at the beginning.
fn running_means(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    (0..points.len())
        .map(|last| {
            let window = &points[(last + 1).saturating_sub(WINDOW)..=last];
            let sum: f64 = window.iter().map(|point| point.1).sum();
            (points[last].0, sum / window.len() as f64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_run() {
        let points: Vec<(f64, f64)> = (0..12).map(|i| (f64::from(i), f64::from(i))).collect();
        let means = running_means(&points);
        assert_eq!((means[0].1, means[1].1, means[11].1), (0.0, 0.5, 6.5));
    }
}
