//! Groups of runs as a picture: a row for each, a dot for each seed.

use plotters::prelude::{
    ChartBuilder, Circle, Color, DashedLineSeries, EmptyElement, PathElement, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont, TextStyle};

use super::Report;
use crate::plot::style::{self, BLUE, FAINT, GREEN, GRID, INK, PAPER};

/// Width of the picture, in pixels.
const WIDTH: u32 = 760;
/// Its height without rows, and that of a row.
const FRAME: u32 = 130;
const ROW: u32 = 34;
/// Letters of a name that are shown; of a longer one the end, which tells groups apart.
const LETTERS: usize = 36;

/// Draws the interquartile mean of each group with its interval, and the score of each seed. Gives the
/// text of an SVG file.
pub fn picture(title: &str, report: &Report) -> String {
    let rows = report.groups.len();
    let names: Vec<String> = report.groups.iter().map(|group| shortened(&group.name)).collect();
    let letters = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let (low, high, best_known) = range(report);
    let label = |size: u32| TextStyle::from(("sans-serif", size).into_font()).color(&INK);

    let size = (WIDTH, FRAME + ROW * rows as u32);
    style::picture(title, size, |paper| {
        let mut chart = ChartBuilder::on(paper)
            .caption(title, ("sans-serif", 18, &INK))
            .margin(14)
            .margin_right(30)
            .x_label_area_size(42)
            .y_label_area_size(24 + 7 * letters as u32)
            .build_cartesian_2d(low..high, rows as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .bold_line_style(GRID)
            .light_line_style(PAPER)
            .axis_style(FAINT)
            .x_desc("mean return of a run (grey: each seed; blue: interquartile mean, 95 %)")
            .x_label_formatter(&|x| format!("{x:.*}", usize::from(high - low < 8.0)))
            .label_style(("sans-serif", 14, &INK))
            .axis_desc_style(("sans-serif", 14, &INK))
            .draw()?;
        if let Some(best_known) = best_known {
            let line = [(best_known, 0.0), (best_known, rows as f64)];
            let style = ShapeStyle::from(GREEN).stroke_width(1);
            chart.draw_series(DashedLineSeries::new(line, 5, 4, style))?;
            let place = Pos::new(HPos::Right, VPos::Top);
            let words = label(13).pos(place).color(&GREEN);
            let at = EmptyElement::at((best_known, 0.0)) + Text::new("best known", (-7, 2), words);
            chart.draw_series([at])?;
        }
        for (row, (group, name)) in report.groups.iter().zip(&names).enumerate() {
            let middle = row as f64 + 0.5;
            // Below the interval, which would hide them.
            let seeds = group.runs.iter().map(|run| (run.evaluation.mean, middle + 0.24));
            chart.draw_series(seeds.map(|at| Circle::new(at, 3, FAINT.mix(0.7).filled())))?;
            let estimate = group.interquartile_mean;
            if let Some([low, high]) = estimate.interval {
                let line = [(low, middle), (high, middle)];
                chart.draw_series([PathElement::new(line, BLUE.stroke_width(3))])?;
                let ends = [low, high].map(|x| [(x, middle - 0.12), (x, middle + 0.12)]);
                chart.draw_series(ends.map(|end| PathElement::new(end, BLUE.stroke_width(2))))?;
            }
            chart.draw_series([Circle::new((estimate.value, middle), 5, BLUE.filled())])?;
            let place = Pos::new(HPos::Right, VPos::Center);
            let words = label(14).pos(place);
            let at = EmptyElement::at((low, middle)) + Text::new(name.clone(), (-10, 0), words);
            chart.draw_series([at])?;
        }
        Ok(())
    })
}

/// What the axis shows, and the best known mean where that is not so far off that it would squeeze all else.
fn range(report: &Report) -> (f64, f64, Option<f64>) {
    let scores = report.groups.iter().flat_map(|group| &group.runs);
    let scores = scores.map(|run| run.evaluation.mean);
    let low = scores.clone().fold(f64::INFINITY, f64::min);
    let high = scores.fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(1e-3 * high.abs()).max(1e-6);
    let near = |best: &f64| *best < high + 1.5 * span && *best > low - span;
    let best_known = report.best_known_mean.filter(near);
    let high = best_known.map_or(high, |best| high.max(best));
    let margin = 0.06 * (high - low).max(span);
    (low - margin, high + margin, best_known)
}

/// The end of a long name.
fn shortened(name: &str) -> String {
    let letters = name.chars().count();
    match letters <= LETTERS {
        true => name.into(),
        false => std::iter::once('…').chain(name.chars().skip(letters + 1 - LETTERS)).collect(),
    }
}
