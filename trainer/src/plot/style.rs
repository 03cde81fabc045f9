//! How all pictures look: sizes, colours for light and dark, numbers on axes.
//!
//! Colours stand in the SVG as numbers, those for light paper, so that every viewer can draw it. A
//! style sheet within replaces each by one for dark paper where the reader's system is dark and the picture is
//! on a screen.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, IntoDrawingArea, RGBColor, SVGBackend,
};

use crate::text::lines;

/// What drawing gives. Drawing to memory fails nowhere but in plotters' types.
pub(crate) type Drawn = Result<(), Box<dyn std::error::Error>>;
/// The paper.
pub(crate) type Paper<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A chart with numbers on both axes.
pub(super) type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Width and height of most pictures. Coordinates are whole numbers, so that the unit is a fine one: at 340
/// points across, on a phone, letters are still 10 points high.
pub(super) const SIZE: (u32, u32) = (960, 660);
/// Height of letters, in plotters' measure (a font is 1/1.24 of it).
pub(super) const TEXT: u32 = 34;
/// The same of titles.
pub(super) const TITLE: u32 = 38;

pub(crate) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(crate) const INK: RGBColor = RGBColor(31, 35, 40);
pub(crate) const GRID: RGBColor = RGBColor(222, 226, 231);
pub(crate) const FAINT: RGBColor = RGBColor(139, 148, 158);
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(213, 94, 0);
pub(crate) const GREEN: RGBColor = RGBColor(0, 158, 115);
const PINK: RGBColor = RGBColor(204, 121, 167);
const YELLOW: RGBColor = RGBColor(230, 159, 0);
const SKY: RGBColor = RGBColor(86, 180, 233);
/// Of series, in their order: those of Okabe and Ito ("Color universal design", 2008), which people who see
/// fewer colours tell apart.
pub(super) const SERIES: [RGBColor; 6] = [BLUE, ORANGE, GREEN, PINK, YELLOW, SKY];

/// What stands for a colour on dark paper.
const DARK: [(RGBColor, RGBColor); 7] = [
    (PAPER, RGBColor(22, 27, 34)),
    (INK, RGBColor(230, 237, 243)),
    (GRID, RGBColor(48, 54, 61)),
    (FAINT, RGBColor(125, 133, 144)),
    (BLUE, RGBColor(88, 166, 255)),
    (ORANGE, RGBColor(255, 138, 61)),
    (GREEN, RGBColor(46, 196, 150)),
];

/// Draws a picture and gives the text of an SVG file; `title` is what screen readers say.
pub(crate) fn picture(
    title: &str,
    size: (u32, u32),
    draw: impl FnOnce(&Paper<'_>) -> Drawn,
) -> String {
    let mut svg = String::new();
    let all = || -> Drawn {
        let paper = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paper.fill(&PAPER)?;
        draw(&paper)?;
        paper.present()?;
        Ok(())
    };
    all().expect("drawing to memory does not fail");
    finished(&svg, title)
}

/// Gives the picture its title and its style sheet. Several may stand in one page: the sheets are alike.
fn finished(svg: &str, title: &str) -> String {
    let mut sheet = String::from("@media screen and (prefers-color-scheme:dark){");
    for (light, dark) in DARK {
        let (light, dark) = (hexadecimal(light), hexadecimal(dark));
        for property in ["fill", "stroke"] {
            sheet += &format!("svg.plot [{property}=\"{light}\"]{{{property}:{dark}}}");
        }
    }
    sheet.push('}');
    let opened = format!("<svg class=\"plot\" role=\"img\" aria-label=\"{}\" ", escaped(title));
    let svg = svg.replacen("<svg ", &opened, 1);
    // Names in it may be other people's; neither XML nor a reader has a use for control characters.
    lines(&svg.replacen(">\n", &format!(">\n<style>{sheet}</style>\n"), 1)).into_owned()
}

/// A colour as plotters writes it.
pub(super) fn hexadecimal(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '&' => "&amp;".into(),
        '"' => "&quot;".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// A chart with title, axes and grid. An axis is its range and what stands beside it.
pub(super) fn chart<'a, 'b>(
    paper: &'a Paper<'b>,
    title: &str,
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    chart_with(paper, title, x, y, &number)
}

/// The same with another way to write the numbers of the vertical axis.
pub(super) fn chart_with<'a, 'b>(
    paper: &'a Paper<'b>,
    title: &str,
    (x, x_label): (Range<f64>, &str),
    (y, y_label): (Range<f64>, &str),
    y_number: &dyn Fn(f64) -> String,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    let mut chart = ChartBuilder::on(paper)
        .caption(title, ("sans-serif", TITLE, &INK))
        .margin(14)
        .margin_right(64)
        .x_label_area_size(90)
        .y_label_area_size(140)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(7)
        .bold_line_style(GRID)
        .light_line_style(PAPER)
        .axis_style(FAINT)
        .x_desc(x_label)
        .y_desc(y_label)
        .x_label_formatter(&|x| number(*x))
        .y_label_formatter(&|y| y_number(*y))
        .label_style(("sans-serif", TEXT, &INK))
        .axis_desc_style(("sans-serif", TEXT, &INK))
        .draw()?;
    Ok(chart)
}

/// A number on an axis: as few decimals as it needs, a true minus, and digits in threes.
pub(super) fn number(x: f64) -> String {
    let text = format!("{:.6}", x.abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        // Four digits are read at a glance.
        if whole.len() > 4 && index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let minus = if x < 0.0 && text != "0" { "−" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{minus}{grouped}{point}{part}")
}

/// A number with two digits that count.
pub(super) fn significant(x: f64) -> String {
    let magnitude = libm::floor(libm::log10(x.abs().max(1e-300)));
    let unit = libm::pow(10.0, magnitude - 1.0);
    number((x / unit).round() * unit)
}

/// The smallest range with all finite numbers in it, and a margin; around zero where there are none.
pub(super) fn range(numbers: impl IntoIterator<Item = f64>) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for x in numbers.into_iter().filter(|x| x.is_finite()) {
        (low, high) = (low.min(x), high.max(x));
    }
    if low > high {
        return -1.0..1.0;
    }
    // Numbers that are all the same need a range, too, and one that `f64` resolves.
    let margin = (0.05 * (high - low)).max(1e-3 * low.abs().max(high.abs())).max(1e-9);
    low - margin..high + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-1e-9, "0"),
            (0.1 + 0.2, "0.3"),
            (-2.5, "−2.5"),
            (1200.0, "1200"),
            (10_000.0, "10\u{202f}000"),
            (-1_234_567.5, "−1\u{202f}234\u{202f}567.5"),
        ] {
            assert_eq!(number(x), text);
        }
        assert_eq!([0.0123, 31.6, 0.0].map(significant), ["0.012", "32", "0"]);
    }

    #[test]
    fn ranges_hold_their_numbers() {
        assert_eq!(range([]), -1.0..1.0);
        assert_eq!(range([f64::NAN]), -1.0..1.0);
        for numbers in [vec![3.0], vec![0.0], vec![-1e6, 1e6, f64::INFINITY], vec![-5.0, -5.0]] {
            let range = range(numbers.iter().copied());
            assert!(
                numbers.iter().filter(|x| x.is_finite()).all(|x| range.contains(x)),
                "{range:?}"
            );
        }
    }

    /// Every colour of the sheet is one that plotters wrote, and a title cannot end the attribute.
    #[test]
    fn pictures_have_titles_and_both_colours() {
        let svg = picture("<a> & \"b\"", (100, 100), |paper| Ok(paper.fill(&INK)?));
        assert!(svg.starts_with(
            "<svg class=\"plot\" role=\"img\" aria-label=\"&lt;a&gt; &amp; &quot;b&quot;\" "
        ));
        assert!(
            svg.contains("svg.plot [fill=\"#1F2328\"]{fill:#E6EDF3}")
                && svg.contains("fill=\"#1F2328\"")
        );
    }
}
