//! The learning curves of several runs, those that differ by their seeds together.

use plotters::prelude::{
    Circle, Color, DashedLineSeries, IntoTextStyle, LineSeries, PathElement, Polygon, RGBColor,
    Rectangle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{Drawn, FAINT, INK, Paper, SERIES, SIZE, TEXT, chart, picture, range};
use crate::statistics::{bootstrap, interquartile_mean};

/// Places along the steps at which seeds are compared.
const PLACES: usize = 100;
/// Resamples behind the band, at each place.
const RESAMPLES: usize = 1000;
/// Episodes in the running mean of a run: this many, or one in a hundred where that is more.
const WINDOW: usize = 10;
/// Single episodes that are drawn at most, where there is only one run.
const EPISODES: usize = 400;
/// Height of a line of the legend, where it begins, and letters that have room in it.
const ROW: u32 = 44;
const LEFT: i32 = 150;
const LETTERS: usize = 56;

/// Runs with the same settings, apart from their seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What the legend calls it.
    pub name: String,
    /// (environment step at its end, return) of each episode of each run.
    pub runs: Vec<Vec<(usize, f64)>>,
}

/// What is drawn of a group.
#[derive(Debug, Clone, PartialEq)]
struct Curve {
    /// Over the seeds, at each place: (step, interquartile mean).
    line: Vec<(f64, f64)>,
    /// The interval around it; empty with a single seed, or where seeds never differ.
    band: Vec<(f64, [f64; 2])>,
}

/// Draws the return of training over environment steps.
///
/// Of each run it is the mean of the last episodes; of several seeds the line is the interquartile mean of that,
/// and the band its stratified bootstrap interval of 95 % (Agarwal et al., 2021). A run alone shows its episodes.
pub fn learning_curves(title: &str, groups: &[Group]) -> String {
    let legend = legend(groups);
    let rows: usize = legend.iter().map(|entry| entry.text.len()).sum();
    let size = (SIZE.0, SIZE.1 + ROW * rows as u32 + ROW / 2);
    picture(title, size, |paper| {
        let (chart, below) = paper.split_vertically(SIZE.1);
        draw(&chart, title, groups)?;
        explain(&below, &legend)
    })
}

/// What the legend shows of something, and the lines that say what it is.
struct Entry {
    sample: Sample,
    text: Vec<String>,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stroke {
    colour: RGBColor,
    /// Lengths of a dash and of the gap after it; `None` of a whole line.
    dashes: Option<(u32, u32)>,
}

/// Of each curve, in their order: where colours repeat, dashes tell them apart.
fn strokes() -> impl Iterator<Item = Stroke> {
    let dashes = [None, Some((16, 8)), Some((5, 8))].into_iter().cycle();
    dashes.flat_map(|dashes| SERIES.map(|colour| Stroke { colour, dashes }))
}

enum Sample {
    /// A single episode.
    Dot,
    /// A line, and whether there is a band around it.
    Line(Stroke, bool),
    /// Words alone.
    None,
}

/// What the legend says; below the curves, so that it hides none of them.
fn legend(groups: &[Group]) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(stride) = alone(groups).map(stride) {
        let text = match stride {
            1 => "one episode".into(),
            _ => format!("one episode in {stride}"),
        };
        entries.push(Entry { sample: Sample::Dot, text: wrapped(&text) });
    }
    for (group, stroke) in groups.iter().zip(strokes()) {
        let text = match group.runs.len() {
            1 => format!("{}: mean of {}", group.name, window(&group.runs[0])),
            seeds => format!("{}, {seeds} seeds", group.name),
        };
        let sample = Sample::Line(stroke, group.runs.len() > 1);
        entries.push(Entry { sample, text: wrapped(&text) });
    }
    if groups.iter().any(|group| group.runs.len() > 1) {
        // Says of all of them what line and band are.
        let text = "interquartile mean, with its 95 % bootstrap interval";
        entries.push(Entry { sample: Sample::None, text: wrapped(text) });
    }
    entries
}

/// Draws the legend.
fn explain(paper: &Paper<'_>, legend: &[Entry]) -> Drawn {
    let style = ("sans-serif", TEXT - 4, &INK).into_text_style(paper);
    let style = style.pos(Pos::new(HPos::Left, VPos::Center));
    let (x, mut y) = (LEFT, ROW as i32 / 2);
    for Entry { sample, text } in legend {
        match sample {
            Sample::Dot => paper.draw(&Circle::new((x + 20, y), 4, FAINT.filled()))?,
            Sample::Line(stroke, banded) => {
                let shade = stroke.colour.mix(if *banded { 0.25 } else { 0.0 });
                paper.draw(&Rectangle::new([(x, y - 11), (x + 40, y + 11)], shade.filled()))?;
                let (dash, gap) =
                    stroke.dashes.map_or((40, 0), |(dash, gap)| (dash as i32, gap as i32));
                for from in (x..x + 40).step_by((dash + gap) as usize) {
                    let ends = [(from, y), ((from + dash).min(x + 40), y)];
                    paper.draw(&PathElement::new(ends, stroke.colour.stroke_width(4)))?;
                }
            }
            Sample::None => {}
        }
        for line in text {
            paper.draw(&Text::new(line.as_str(), (x + 54, y), style.clone()))?;
            y += ROW as i32;
        }
    }
    Ok(())
}

/// A text in lines that have room.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= LETTERS {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

/// The episodes of a run that is the only one.
fn alone(groups: &[Group]) -> Option<&[(usize, f64)]> {
    match groups {
        [Group { runs, .. }] if runs.len() == 1 && !runs[0].is_empty() => Some(&runs[0]),
        _ => None,
    }
}

/// One episode in so many is drawn.
fn stride(episodes: &[(usize, f64)]) -> usize {
    episodes.len().div_ceil(EPISODES).max(1)
}

fn draw(paper: &Paper<'_>, title: &str, groups: &[Group]) -> Drawn {
    let curves: Vec<Curve> = groups.iter().map(curve).collect();
    let single = alone(groups).unwrap_or_default();
    let shown = single.iter().step_by(stride(single));
    let single: Vec<(f64, f64)> = shown.map(|&(step, r)| (step as f64, r)).collect();
    let lines = curves.iter().flat_map(|curve| curve.line.iter().map(|point| point.1));
    let bands = curves.iter().flat_map(|curve| curve.band.iter().flat_map(|place| place.1));
    let heights = range(lines.chain(bands).chain(single.iter().map(|point| point.1)));
    let steps = curves.iter().filter_map(|curve| curve.line.last()).map(|point| point.0);
    let steps = steps.fold(1.0, f64::max);
    let mut chart =
        chart(paper, title, (0.0..steps, "environment steps"), (heights, "return of an episode"))?;
    chart.draw_series(single.iter().map(|&point| Circle::new(point, 4, FAINT.filled())))?;
    for (curve, Stroke { colour, dashes }) in curves.into_iter().zip(strokes()) {
        if !curve.band.is_empty() {
            let below = curve.band.iter().map(|&(x, [low, _])| (x, low));
            let above = curve.band.iter().rev().map(|&(x, [_, high])| (x, high));
            let outline: Vec<_> = below.chain(above).collect();
            chart.draw_series([Polygon::new(outline, colour.mix(0.2).filled())])?;
        }
        let style = colour.stroke_width(4);
        match dashes {
            None => chart.draw_series(LineSeries::new(curve.line, style))?,
            Some((dash, gap)) => {
                chart.draw_series(DashedLineSeries::new(curve.line, dash, gap, style))?
            }
        };
    }
    Ok(())
}

/// Episodes in the running mean of a run.
fn window(episodes: &[(usize, f64)]) -> usize {
    WINDOW.max(episodes.len() / 100)
}

/// The group over as many steps as each of its runs has.
fn curve(group: &Group) -> Curve {
    let ends = group.runs.iter().map(|run| run.last().map_or(0, |episode| episode.0));
    let (begin, end) = (
        group.runs.iter().filter_map(|run| run.first()).map(|episode| episode.0).max(),
        ends.min().unwrap_or(0),
    );
    let begin = begin.unwrap_or(0).min(end);
    if group.runs.iter().any(Vec::is_empty) || group.runs.is_empty() {
        return Curve { line: Vec::new(), band: Vec::new() };
    }
    let mut curve = Curve { line: Vec::new(), band: Vec::new() };
    for place in 0..=PLACES {
        let step = begin + (end - begin) * place / PLACES;
        let scores: Vec<f64> = group.runs.iter().map(|run| mean_until(run, step)).collect();
        curve.line.push((step as f64, interquartile_mean(&scores)));
        let interval = bootstrap(&[&scores], RESAMPLES, |drawn| interquartile_mean(&drawn[0]));
        curve.band.extend(interval.map(|interval| (step as f64, interval)));
    }
    // A band without any width would claim certainty.
    if curve.band.iter().all(|(_, [low, high])| low == high) {
        curve.band.clear();
    }
    curve
}

/// Mean return of the last episodes that ended by a step, one at least.
fn mean_until(episodes: &[(usize, f64)], step: usize) -> f64 {
    let ended = episodes.partition_point(|episode| episode.0 <= step).max(1);
    let last = &episodes[ended.saturating_sub(window(episodes))..ended];
    last.iter().map(|episode| episode.1).sum::<f64>() / last.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An episode of 10 steps after the other, each with the same return.
    fn flat(episodes: usize, value: f64) -> Vec<(usize, f64)> {
        (1..=episodes).map(|i| (10 * i, value)).collect()
    }

    #[test]
    fn means_are_of_the_last_episodes() {
        let episodes: Vec<(usize, f64)> = (1..=20).map(|i| (10 * i, i as f64)).collect();
        assert_eq!(mean_until(&episodes, 0), 1.0, "before the first has ended, it stands for it");
        assert_eq!(mean_until(&episodes, 29), 1.5);
        assert_eq!(mean_until(&episodes, 200), 15.5);
    }

    #[test]
    fn bands_hold_their_lines() {
        let runs: Vec<_> = (0..8).map(|seed| flat(30, f64::from(seed))).collect();
        let curve = curve(&Group { name: "a".into(), runs });
        assert_eq!((curve.line.len(), curve.band.len()), (PLACES + 1, PLACES + 1));
        for ((x, line), (at, [low, high])) in curve.line.iter().zip(&curve.band) {
            assert!(x == at && low < line && line < high && *line == 3.5, "{low} {line} {high}");
        }
        assert_eq!((curve.line[0].0, curve.line[PLACES].0), (10.0, 300.0));
    }

    /// Beyond the end of the shortest run nothing can be said of all of them.
    #[test]
    fn curves_end_with_the_shortest_run() {
        let group = |runs| curve(&Group { name: "a".into(), runs });
        assert_eq!(group(vec![flat(30, 1.0), flat(9, 2.0)]).line[PLACES].0, 90.0);
        assert!(group(vec![flat(3, 1.0)]).band.is_empty(), "one seed does not vary");
        assert!(group(vec![flat(3, 1.0); 4]).band.is_empty(), "nor do seeds that all tie");
        assert!(group(vec![flat(3, 1.0), Vec::new()]).line.is_empty());
        assert!(group(Vec::new()).line.is_empty());
    }

    #[test]
    fn curves_look_different() {
        let first: Vec<Stroke> = strokes().take(18).collect();
        for (i, stroke) in first.iter().enumerate() {
            assert!(!first[..i].contains(stroke), "{i}");
        }
    }

    #[test]
    fn pictures_say_what_the_band_is() {
        let group = |name: &str, seeds: usize| Group {
            name: name.into(),
            runs: (0..seeds).map(|seed| flat(50, seed as f64)).collect(),
        };
        let svg = learning_curves("both", &[group("one", 1), group("many", 5)]);
        for text in ["many, 5 seeds", "one: mean of 10", "interquartile mean", "95 % bootstrap"] {
            assert!(svg.contains(text), "{text}");
        }
        let long = "td3 (critic_learning_rate = 0.001, gamma = 0.98, hidden = [128, 128])";
        let svg = learning_curves("long", &[group(long, 5)]);
        assert!(svg.contains("128])") && svg.contains("5 seeds"), "nothing is cut off");
        let svg = learning_curves("alone", &[group("one", 1)]);
        assert!(svg.contains("one episode") && !svg.contains("bootstrap"));
        assert!(learning_curves("none", &[group("none", 0)]).contains("</svg>"));
    }
}
