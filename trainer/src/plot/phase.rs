//! The phase portrait: where episodes go in the plane of an angle and its speed.

use std::ops::Range;

use plotters::prelude::{Circle, Color, PathElement, SeriesLabelPosition};

use super::style::{
    BLUE, GREEN, GRID, INK, ORANGE, PAPER, Paper, SIZE, TEXT, chart, hexadecimal, picture, range,
};
use crate::envs::{Axis, Plane};

/// Pixels from one point that is drawn to the next, at least: the first of these with which the picture has no more than
/// [`POINTS`] points.
const NEAR: [i32; 4] = [5, 10, 20, 40];
const POINTS: usize = 15_000;

/// The points of an episode in the plane, from its start to its end.
pub type Trajectory = Vec<[f64; 2]>;

/// Draws the episodes, with marks where each starts and ends.
///
/// An angle that leaves the picture on one side enters it on the other: no line crosses it.
pub fn phase_portrait(title: &str, plane: &Plane, trajectories: &[Trajectory]) -> String {
    let along = |axis: &Axis, entry: usize| match axis.wraps {
        true => axis.low..axis.high,
        false => range(trajectories.iter().flatten().map(|point| point[entry])),
    };
    let ranges = [along(&plane.horizontal, 0), along(&plane.vertical, 1)];
    let mut paths = String::new();
    let svg = picture(title, SIZE, |paper| {
        paths = draw(paper, title, plane, trajectories, ranges)?;
        Ok(())
    });
    // Below the marks, the first of which is the first circle.
    svg.replacen("<circle", &format!("{paths}<circle"), 1)
}

/// Draws all but the lines, and gives these as paths: plotters would write each piece with all its attributes.
fn draw(
    paper: &Paper<'_>,
    title: &str,
    plane: &Plane,
    trajectories: &[Trajectory],
    [across, up]: [Range<f64>; 2],
) -> Result<String, Box<dyn std::error::Error>> {
    let (x_label, y_label) = (plane.horizontal.label(), plane.vertical.label());
    let mut chart = chart(paper, title, (across, &x_label), (up, &y_label))?;
    let area = chart.plotting_area();
    let cut = trajectories.iter().map(|points| pieces(&plane.horizontal, points));
    let pixels: Vec<Vec<Vec<(i32, i32)>>> = cut
        .map(|pieces| {
            let piece = |piece: &Vec<(f64, f64)>| {
                piece.iter().map(|point| area.map_coordinate(point)).collect()
            };
            pieces.iter().map(piece).collect()
        })
        .collect();
    let (paths, stride) = paths(&pixels);
    let label = match stride {
        1 => "one episode".to_string(),
        _ => format!("one episode in {stride}"),
    };
    let sample = BLUE.stroke_width(3);
    chart
        .draw_series(std::iter::empty::<PathElement<(f64, f64)>>())?
        .label(label)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 30, y)], sample));
    for (label, colour, size, mark) in [
        ("start", ORANGE, 5, <[[f64; 2]]>::first as fn(&[[f64; 2]]) -> Option<&[f64; 2]>),
        ("end", GREEN, 7, <[[f64; 2]]>::last),
    ] {
        let marks = trajectories.iter().filter_map(|points| mark(points));
        chart
            .draw_series(marks.map(|&[x, y]| Circle::new((x, y), size, colour.mix(0.8).filled())))?
            .label(label)
            .legend(move |(x, y)| Circle::new((x + 15, y), size + 2, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .margin(20)
        .legend_area_size(44)
        .background_style(PAPER.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", TEXT - 4, &INK))
        .draw()?;
    Ok(paths)
}

/// A path for each trajectory, with as many points as the picture can have; where even few of each are too many, for one
/// trajectory in so many.
fn paths(trajectories: &[Vec<Vec<(i32, i32)>>]) -> (String, usize) {
    let thin = |near: i32| -> Vec<Vec<Vec<(i32, i32)>>> {
        let of = |pieces: &Vec<Vec<_>>| pieces.iter().map(|line| thinned(line, near)).collect();
        trajectories.iter().map(of).collect()
    };
    let points = |all: &[Vec<Vec<_>>]| all.iter().flatten().map(Vec::len).sum::<usize>();
    let few = NEAR.into_iter().map(thin).find(|all| points(all) <= POINTS);
    let few = few.unwrap_or_else(|| thin(NEAR[NEAR.len() - 1]));
    let stride = points(&few).div_ceil(POINTS).max(1);
    let blue = hexadecimal(BLUE);
    let mut svg = String::new();
    for pieces in few.into_iter().step_by(stride) {
        let mut path = String::new();
        for line in pieces {
            for (index, (x, y)) in line.into_iter().enumerate() {
                path += &format!("{}{x} {y}", ["M", "L"][index.min(1)]);
            }
        }
        svg += &format!(
            "<path fill=\"none\" stroke=\"{blue}\" stroke-width=\"2\" opacity=\"0.35\" d=\"{path}\"/>\n"
        );
    }
    (svg, stride)
}

/// A trajectory cut where its angle leaves the picture, each piece drawn up to the edge.
fn pieces(axis: &Axis, points: &[[f64; 2]]) -> Vec<Vec<(f64, f64)>> {
    let turn = axis.high - axis.low;
    let mut pieces = vec![Vec::new()];
    let mut before: Option<[f64; 2]> = None;
    for &[x, y] in points {
        if let Some([x0, y0]) = before.filter(|[x0, _]| axis.wraps && (x - x0).abs() > 0.5 * turn) {
            // Where it went on to: the same angle, beyond the edge that it left by.
            let (edge, other, beyond) = match x < x0 {
                true => (axis.high, axis.low, x + turn),
                false => (axis.low, axis.high, x - turn),
            };
            let share = if beyond == x0 { 0.0 } else { (edge - x0) / (beyond - x0) };
            let crossing = y0 + share * (y - y0);
            pieces.last_mut().expect("never empty").push((edge, crossing));
            pieces.push(vec![(other, crossing)]);
        }
        pieces.last_mut().expect("never empty").push((x, y));
        before = Some([x, y]);
    }
    pieces
}

/// Without points that lie too near the last one that is drawn, but with both ends.
fn thinned(line: &[(i32, i32)], near: i32) -> Vec<(i32, i32)> {
    let mut kept: Vec<(i32, i32)> = Vec::new();
    for (index, &(x, y)) in line.iter().enumerate() {
        let far = |&(x0, y0): &(i32, i32)| (x - x0).abs().max((y - y0).abs()) >= near;
        if index + 1 == line.len() || kept.last().is_none_or(far) {
            kept.push((x, y));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::envs;

    fn angle() -> Axis {
        envs::find("pendulum").unwrap().plane.horizontal
    }

    #[test]
    fn no_line_crosses_the_picture() {
        // From 3 over π to −3, and back.
        let pieces = pieces(&angle(), &[[3.0, 1.0], [-3.0, 2.0], [3.0, 0.0]]);
        assert_eq!(pieces.len(), 3);
        assert_eq!(
            (pieces[0][0], pieces[1][1], pieces[2][1]),
            ((3.0, 1.0), (-3.0, 2.0), (3.0, 0.0))
        );
        let (out, back) = (pieces[0][1], pieces[1][0]);
        assert_eq!((out.0, back.0), (PI, -PI));
        assert!((out.1 - 1.5).abs() < 1e-12 && out.1 == back.1, "half of the way lies at the edge");
        assert_eq!((pieces[1][2].0, pieces[2][0].0), (-PI, PI));
        for piece in &pieces {
            assert!(piece.windows(2).all(|pair| (pair[1].0 - pair[0].0).abs() < PI));
        }
    }

    #[test]
    fn what_does_not_wrap_is_one_piece() {
        let axis = envs::find("inverted-pendulum").unwrap().plane.horizontal;
        assert_eq!(pieces(&axis, &[[-5.0, 0.0], [5.0, 0.0]]).len(), 1);
        assert_eq!(pieces(&angle(), &[[-1.0, 0.0], [1.0, 0.0]]).len(), 1);
        assert_eq!(pieces(&angle(), &[]), [vec![]]);
    }

    #[test]
    fn ends_are_drawn() {
        let line: Vec<(i32, i32)> = (0..1000).map(|x| (x, 0)).collect();
        let thin = thinned(&line, 5);
        assert!(thin.len() < 210 && thin[0] == line[0] && thin.last() == line.last());
        let svg = phase_portrait(
            "a",
            &envs::find("pendulum").unwrap().plane,
            &[vec![[1.0, 0.0], [2.0, 1.0]], vec![[3.1, 0.0], [-3.1, 1.0]], vec![]],
        );
        // Two starts, two ends, and a sample of each.
        assert_eq!(svg.matches("<circle").count(), 6);
    }

    /// Two hundred episodes that turn and turn are as small a file as others.
    #[test]
    fn pictures_stay_small() {
        let plane = envs::find("pendulum").unwrap().plane;
        let angle = |step: usize| plane.horizontal.place(step as f64 * 0.39);
        let turning: Trajectory = (0..200).map(|i| [angle(i), (i % 17) as f64 - 8.0]).collect();
        let svg = phase_portrait("a", &plane, &vec![turning; 200]);
        assert!(svg.len() < 300_000, "{} bytes", svg.len());
        assert!(svg.contains("one episode in "));
    }
}
