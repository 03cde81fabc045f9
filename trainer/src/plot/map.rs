//! A map: a number at each point of the plane, as one of a few colours, with a bar that says which is which.

use std::ops::Range;

use plotters::prelude::{ChartBuilder, RGBColor};

use super::style::{FAINT, INK, Paper, SIZE, TEXT, chart, hexadecimal, number, picture, range};
use crate::envs::Plane;

/// Numbers at the middles of the cells of a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Cells from left to right.
    pub columns: usize,
    /// Cells from below.
    pub rows: usize,
    /// `[rows, columns]`, row by row, the lowest row first.
    pub values: Vec<f64>,
}

/// What the colours of a map are to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// From blue over white to brown, the same on both sides of zero: torques and forces.
    Diverging,
    /// From dark to bright: values.
    Sequential,
}

/// Colours of a map; as many are told apart, and a boundary between two is a line of equal height.
const LEVELS: usize = 24;
/// Width of the bar with its numbers.
const BAR: u32 = 230;

impl Grid {
    /// Asks for the numbers at the middles of all cells, row by row.
    ///
    /// # Errors
    ///
    /// Whatever the question gives.
    pub fn new<E>(
        plane: &Plane,
        (columns, rows): (usize, usize),
        ask: impl FnOnce(&[[f64; 2]]) -> Result<Vec<f64>, E>,
    ) -> Result<Self, E> {
        let (x, y) = (plane.horizontal, plane.vertical);
        let middle = |low: f64, high: f64, index: usize, count: usize| {
            low + (high - low) * (index as f64 + 0.5) / count as f64
        };
        let points = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let points = points.map(|(row, column)| {
            [middle(x.low, x.high, column, columns), middle(y.low, y.high, row, rows)]
        });
        Ok(Grid { columns, rows, values: ask(&points.collect::<Vec<_>>())? })
    }
}

impl Colours {
    /// What the bar shows of these numbers.
    fn range(self, values: &[f64]) -> Range<f64> {
        match self {
            Colours::Sequential => {
                let finite = values.iter().copied().filter(|x| x.is_finite());
                let low = finite.clone().fold(f64::INFINITY, f64::min);
                let high = finite.fold(f64::NEG_INFINITY, f64::max);
                if low < high { low..high } else { range(values.iter().copied()) }
            }
            Colours::Diverging => {
                let finite = values.iter().map(|x| x.abs()).filter(|x| x.is_finite());
                let most = finite.fold(0.0, f64::max);
                let most = if most > 0.0 { most } else { 1.0 };
                -most..most
            }
        }
    }

    /// A level's colour; colours between those given lie on straight lines.
    fn of(self, level: usize) -> RGBColor {
        let given: [(u8, u8, u8); 5] = match self {
            Colours::Diverging => {
                [(0, 68, 136), (94, 160, 210), (242, 242, 240), (233, 150, 84), (140, 45, 4)]
            }
            // Every fourth part of matplotlib's viridis.
            Colours::Sequential => {
                [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]
            }
        };
        let place = level as f64 / (LEVELS - 1) as f64 * (given.len() - 1) as f64;
        let (index, share) = ((place as usize).min(given.len() - 2), place.fract());
        let share = if place >= (given.len() - 1) as f64 { 1.0 } else { share };
        let (a, b) = (given[index], given[index + 1]);
        let mix =
            |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
        RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}

/// Draws the map; `quantity` is what the bar shows, with its unit.
pub fn map(title: &str, quantity: &str, plane: &Plane, grid: &Grid, colours: Colours) -> String {
    let range = colours.range(&grid.values);
    let mut cells = String::new();
    let svg = picture(title, SIZE, |paper| {
        cells = draw(paper, title, quantity, plane, grid, colours, range)?;
        Ok(())
    });
    // Above all else: plotters has no shapes with holes.
    svg.replace("</svg>", &format!("{cells}</svg>"))
}

fn draw(
    paper: &Paper<'_>,
    title: &str,
    quantity: &str,
    plane: &Plane,
    grid: &Grid,
    colours: Colours,
    range: Range<f64>,
) -> Result<String, Box<dyn std::error::Error>> {
    let (left, right) = paper.split_horizontally(SIZE.0 - BAR);
    let (x, y) = (plane.horizontal, plane.vertical);
    let (x_label, y_label) = (x.label(), y.label());
    let chart = chart(&left, title, (x.low..x.high, &x_label), (y.low..y.high, &y_label))?;
    let place = chart.plotting_area().get_pixel_range();
    let mut cells = painted(&place, grid.columns, grid.rows, colours, |index| {
        level(grid.values[index], &range)
    });
    let bar = bar(&right, quantity, &range)?;
    cells += &painted(&bar, 1, LEVELS, colours, Some);
    Ok(cells)
}

/// The bar's axis; gives its place.
fn bar(
    paper: &Paper<'_>,
    quantity: &str,
    range: &Range<f64>,
) -> Result<(Range<i32>, Range<i32>), Box<dyn std::error::Error>> {
    let mut chart = ChartBuilder::on(paper)
        .caption(quantity, ("sans-serif", TEXT - 4, &INK))
        .margin(14)
        .margin_right(10)
        .margin_left(40)
        .margin_bottom(14 + 90)
        // The uppermost number needs room below the caption.
        .top_x_label_area_size(18)
        .right_y_label_area_size(112)
        .build_cartesian_2d(0.0..1.0, range.clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .disable_x_axis()
        .y_labels(7)
        .axis_style(FAINT)
        .y_label_formatter(&|y| number(*y))
        .label_style(("sans-serif", TEXT, &INK))
        .draw()?;
    Ok(chart.plotting_area().get_pixel_range())
}

/// The level of a number; `None` where it is none.
fn level(value: f64, range: &Range<f64>) -> Option<usize> {
    let share = (value - range.start) / (range.end - range.start);
    share.is_finite().then(|| ((share * LEVELS as f64) as usize).min(LEVELS - 1))
}

/// Cells as a path for each level: in each row, neighbours of one level are one rectangle.
fn painted(
    (across, down): &(Range<i32>, Range<i32>),
    columns: usize,
    rows: usize,
    colours: Colours,
    level: impl Fn(usize) -> Option<usize>,
) -> String {
    let edge = |range: &Range<i32>, index: usize, count: usize| {
        range.start
            + ((range.end - range.start) as f64 * index as f64 / count as f64).round() as i32
    };
    let mut paths = vec![String::new(); LEVELS];
    for row in 0..rows {
        // Rows are counted from below, pixels from above.
        let (top, bottom) = (edge(down, rows - 1 - row, rows), edge(down, rows - row, rows));
        let levels: Vec<Option<usize>> =
            (0..columns).map(|column| level(row * columns + column)).collect();
        let mut column = 0;
        for run in levels.chunk_by(|a, b| a == b) {
            let (from, to) =
                (edge(across, column, columns), edge(across, column + run.len(), columns));
            column += run.len();
            if let Some(level) = run[0] {
                paths[level] += &format!("M{from} {top}H{to}V{bottom}H{from}z");
            }
        }
    }
    let mut svg = String::from("<g shape-rendering=\"crispEdges\">\n");
    for (level, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        svg += &format!("<path fill=\"{}\" d=\"{path}\"/>\n", hexadecimal(colours.of(level)));
    }
    svg + "</g>\n"
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::envs;

    fn plane() -> Plane {
        envs::find("inverted-pendulum").unwrap().plane
    }

    #[test]
    fn cells_are_asked_at_their_middles() {
        let mut asked = Vec::new();
        let grid = Grid::new(&plane(), (2, 2), |points| {
            asked.extend_from_slice(points);
            Ok::<_, Infallible>(vec![1.0, 2.0, 3.0, 4.0])
        });
        assert_eq!(grid.unwrap().values, [1.0, 2.0, 3.0, 4.0]);
        let middles = [[-0.1, -1.0], [0.1, -1.0], [-0.1, 1.0], [0.1, 1.0]];
        for (asked, middle) in asked.iter().zip(middles) {
            assert!((0..2).all(|i| (asked[i] - middle[i]).abs() < 1e-12), "{asked:?}");
        }
        assert_eq!(Grid::new(&plane(), (2, 2), |_| Err::<Vec<f64>, i32>(5)), Err(5));
    }

    #[test]
    fn levels_divide_the_range() {
        let range = Colours::Diverging.range(&[0.5, -2.0, f64::NAN]);
        assert_eq!(range, -2.0..2.0);
        assert_eq!((level(-2.0, &range), level(2.0, &range)), (Some(0), Some(LEVELS - 1)));
        assert_eq!(
            (level(0.01, &range), level(-0.01, &range)),
            (Some(LEVELS / 2), Some(LEVELS / 2 - 1))
        );
        assert_eq!(level(f64::NAN, &range), None);
        assert_eq!(Colours::Sequential.range(&[1.0, 4.0]), 1.0..4.0);
        assert_eq!(Colours::Diverging.range(&[0.0]), -1.0..1.0);
        assert!(Colours::Sequential.range(&[3.0, 3.0]).contains(&3.0));
    }

    /// Ends and middle are those given, and a diverging map is pale at zero.
    #[test]
    fn colours_run_from_end_to_end() {
        assert_eq!(Colours::Sequential.of(0), RGBColor(68, 1, 84));
        assert_eq!(Colours::Sequential.of(LEVELS - 1), RGBColor(253, 231, 37));
        let RGBColor(r, g, b) = Colours::Diverging.of(LEVELS / 2);
        assert!(r.min(g).min(b) > 225);
    }

    /// Two rows of two columns, of which the lower one is of one level.
    #[test]
    fn neighbours_of_a_level_are_one_rectangle() {
        let levels = [Some(0), Some(0), Some(1), None];
        let svg = painted(&(0..10, 0..20), 2, 2, Colours::Sequential, |index| levels[index]);
        assert!(
            svg.contains("d=\"M0 10H10V20H0z\"") && svg.contains("d=\"M0 0H5V10H0z\""),
            "{svg}"
        );
        assert_eq!(svg.matches('M').count(), 2);
    }

    #[test]
    fn maps_have_title_bar_and_slice() {
        let grid = Grid::new(&plane(), (60, 40), |points| {
            Ok::<_, Infallible>(points.iter().map(|[x, y]| x * 10.0 + y).collect())
        });
        let svg = map("a map", "force [100 N]", &plane(), &grid.unwrap(), Colours::Diverging);
        assert!(svg.contains("a map") && svg.contains("force [100 N]") && svg.len() < 100_000);
    }
}
