//! The return from each start: beside the best known one, or where there is none, in order.

use plotters::prelude::{Circle, Color, LineSeries, PathElement, SeriesLabelPosition};

use super::style::{
    BLUE, Chart, Drawn, FAINT, GRID, INK, ORANGE, PAPER, SIZE, TEXT, chart, picture, range,
};

/// Draws the return from each start over the best known return from there, with the line where both are equal;
/// `worst` is the index of the start that is pointed out.
pub fn against_best_known(
    title: &str,
    returns: &[f64],
    best_known: &[f64],
    worst: usize,
) -> String {
    let points: Vec<(f64, f64)> = best_known.iter().copied().zip(returns.iter().copied()).collect();
    let across = range(points.iter().map(|point| point.0));
    let up = range(points.iter().flat_map(|point| [point.0, point.1]));
    picture(title, SIZE, |paper| {
        let mut chart = chart(
            paper,
            title,
            (across.clone(), "best known return"),
            (up, "return of the policy"),
        )?;
        let equal = [(across.start, across.start), (across.end, across.end)];
        chart
            .draw_series(LineSeries::new(equal, FAINT.stroke_width(3)))?
            .label("best known")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 30, y)], FAINT.stroke_width(3)));
        finish(
            &mut chart,
            &points,
            worst,
            "one start",
            "farthest below it",
            SeriesLabelPosition::UpperLeft,
        )
    })
}

/// Draws the returns from the lowest to the highest; the lowest is pointed out.
pub fn sorted_returns(title: &str, returns: &[f64]) -> String {
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    let points: Vec<(f64, f64)> =
        sorted.iter().enumerate().map(|(rank, r)| ((rank + 1) as f64, *r)).collect();
    let ranks = 0.0..points.len() as f64 + 1.0;
    let heights = range(sorted);
    picture(title, SIZE, |paper| {
        let mut chart =
            chart(paper, title, (ranks, "starts, the worst first"), (heights, "return"))?;
        finish(&mut chart, &points, 0, "one start", "worst", SeriesLabelPosition::LowerRight)
    })
}

fn finish<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    points: &[(f64, f64)],
    worst: usize,
    each: &str,
    pointed_out: &str,
    corner: SeriesLabelPosition,
) -> Drawn {
    let others = points.iter().enumerate().filter(|(index, _)| *index != worst);
    chart
        .draw_series(others.map(|(_, &point)| Circle::new(point, 6, BLUE.mix(0.6).filled())))?
        .label(each)
        .legend(|(x, y)| Circle::new((x + 15, y), 6, BLUE.filled()));
    chart
        .draw_series(points.get(worst).map(|&point| Circle::new(point, 11, ORANGE.filled())))?
        .label(pointed_out)
        .legend(|(x, y)| Circle::new((x + 15, y), 11, ORANGE.filled()));
    chart
        .configure_series_labels()
        .position(corner)
        .margin(20)
        .legend_area_size(44)
        .background_style(PAPER.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", TEXT - 4, &INK))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_is_a_point() {
        let svg = against_best_known("a", &[-3.0, -9.0, -2.0], &[-2.5, -4.0, -2.0], 1);
        // Three starts and two samples in the legend, of which one is the worst's.
        assert_eq!(svg.matches("<circle").count(), 5);
        assert_eq!(svg.matches("r=\"11\"").count(), 2);
        assert_eq!(sorted_returns("a", &[1000.0; 4]).matches("<circle").count(), 6);
        assert!(sorted_returns("a", &[]).contains("</svg>"));
    }
}
