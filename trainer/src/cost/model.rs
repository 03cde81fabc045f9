//! Lines through what was measured.

use std::sync::OnceLock;

use policy_core::format::WeightKind;
use serde::Deserialize;

use super::line::{dot, fit};
use super::{CORES, KINDS, Shape, kind_name};

/// A line, and its largest error.
#[derive(Debug)]
pub(super) struct Line {
    /// A factor for each term.
    pub(super) terms: Vec<f64>,
    /// As [`super::Estimate`] has it.
    pub(super) error: f64,
}

/// A row of `measured.csv`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "use")]
    pub(super) use_: String,
    pub(super) core: String,
    pub(super) weights: String,
    pub(super) inputs: usize,
    pub(super) layers: String,
    pub(super) head: String,
    pub(super) instructions: Option<f64>,
    pub(super) stack_load: f64,
    pub(super) stack_act: f64,
    pub(super) code: u32,
}

/// All that is known of one kind of weights on one core.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) core: &'static str,
    pub(super) kind: WeightKind,
    pub(super) instructions: Option<Line>,
    pub(super) stack_to_load: Option<Line>,
    pub(super) stack_to_act: Option<Line>,
    pub(super) code: Option<(u32, u32)>,
    /// Weights of the smallest and of the largest policy that was measured.
    pub(super) weights: (usize, usize),
    /// Layers of the deepest one.
    pub(super) layers: usize,
    /// Widths of the narrowest and of the widest one, as [`Shape::width`] has them.
    pub(super) widths: (usize, usize),
}

/// Fitted once, when first asked for.
pub(super) fn models() -> &'static [Model] {
    static MODELS: OnceLock<Vec<Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let rows = measured();
        let pairs = CORES.iter().flat_map(|(core, _)| KINDS.map(|kind| (*core, kind)));
        pairs.map(|(core, kind)| Model::new(core, kind, &rows)).collect()
    })
}

pub(super) fn measured() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(include_str!("measured.csv").as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("the table is read by a test")
}

impl Row {
    pub(super) fn shape(&self) -> Shape {
        let layer = |text: &str| {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            (digits.parse().expect("a layer begins with its size"), text.ends_with("tanh"))
        };
        let mut layers: Vec<(usize, bool)> = self.layers.split(' ').map(layer).collect();
        if let (true, Some(last)) = (self.head.contains("gaussian"), layers.last_mut()) {
            // Mean and deviation of each action.
            last.0 /= 2;
        }
        Shape { inputs: self.inputs, layers }
    }
}

impl Model {
    fn new(core: &'static str, kind: WeightKind, rows: &[Row]) -> Model {
        let name = kind_name(kind);
        let rows: Vec<(&Row, Shape)> = rows
            .iter()
            .filter(|row| row.core == core && row.weights == name)
            .map(|row| (row, row.shape()))
            .collect();
        let by_shares = |found: f64, value: f64| ((found - value) / value).abs();
        let by_bytes = |found: f64, value: f64| (found - value).abs();
        let weights = || rows.iter().map(|(_, shape)| shape.weights());
        let widths = || rows.iter().map(|(_, shape)| shape.width());
        let code = || rows.iter().map(|(row, _)| row.code);
        Model {
            core,
            kind,
            instructions: fitted(
                &rows,
                |row| row.instructions,
                |s| s.instruction_terms(kind),
                by_shares,
            ),
            stack_to_load: fitted(&rows, |row| Some(row.stack_load), Shape::stack_terms, by_bytes),
            stack_to_act: fitted(&rows, |row| Some(row.stack_act), Shape::stack_terms, by_bytes),
            code: code().min().zip(code().max()),
            weights: (weights().min().unwrap_or(0), weights().max().unwrap_or(0)),
            layers: rows.iter().map(|(_, shape)| shape.layers.len()).max().unwrap_or(0),
            widths: (widths().min().unwrap_or(0), widths().max().unwrap_or(0)),
        }
    }

    /// Does the shape lie within what was measured?
    pub(super) fn covers(&self, shape: &Shape) -> bool {
        let weights = shape.weights();
        (self.weights.0..=self.weights.1).contains(&weights) && shape.layers.len() <= self.layers
    }

    /// Does its width, on which the stack depends?
    pub(super) fn covers_width(&self, shape: &Shape) -> bool {
        (self.widths.0..=self.widths.1).contains(&shape.width())
    }
}

/// A line through the rows to fit, and its largest error on all; `None` where there are too few to fit, or to check.
fn fitted(
    rows: &[(&Row, Shape)],
    value: impl Fn(&Row) -> Option<f64>,
    terms: impl Fn(&Shape) -> Vec<f64>,
    error: impl Fn(f64, f64) -> f64,
) -> Option<Line> {
    let points = |wanted: &str| -> Vec<(Vec<f64>, f64)> {
        let rows = rows.iter().filter(|(row, _)| row.use_ == wanted);
        rows.filter_map(|(row, shape)| Some((terms(shape), value(row)?))).collect()
    };
    let (to_fit, to_check) = (points("fit"), points("check"));
    if to_check.len() < 3 {
        return None;
    }
    let line = fit(&to_fit)?;
    let errors =
        to_fit.iter().chain(&to_check).map(|(terms, value)| error(dot(&line, terms), *value));
    let largest = errors.fold(0.0, f64::max);
    Some(Line { terms: line, error: largest })
}
