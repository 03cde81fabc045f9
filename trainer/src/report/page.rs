//! What stands on the page, as texts for the template.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use policy_core::Head;
use policy_core::format::WeightKind;

use super::Value;
use super::pictures::{Picture, Pictures, Subject, decimal, training};
use crate::control;
use crate::cost::{self, Cost, Shape};
use crate::eval::EvalError;
use crate::plot::loss;
use crate::policy::AnyPolicy;
use crate::results::{Results, leaves};
use crate::run::Summary;
use crate::statistics::{counted, percent, with_error};
use crate::text;

/// What a page is made of.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The run.
    pub results: &'a Results,
    /// Its policy.
    pub policy: &'a AnyPolicy<'a>,
    /// Bytes of the policy's file.
    pub bytes: usize,
    /// A film of an episode, as a GIF.
    pub film: Option<Vec<u8>>,
}

/// A figure of the headline: what it is, its value, and what a reader must know.
struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

/// The costs with one kind of weights.
struct Table {
    kind: String,
    rows: Vec<Row>,
}

/// The cells of a row.
struct Row {
    core: &'static str,
    instructions: String,
    code: String,
    stack_to_load: String,
    stack_to_act: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    summary: &'a Summary,
    figures: Vec<Figure>,
    training: Vec<Picture>,
    losses: Vec<String>,
    behaviour: Vec<Picture>,
    control: [control::Row; 5],
    /// What these figures are over.
    scope: String,
    film: Option<String>,
    policy: Vec<(&'static str, String)>,
    bytes: String,
    own: Table,
    others: Vec<Table>,
    settings: Vec<(String, String)>,
    identity: Vec<(&'static str, String)>,
    /// Why there is no map of the value.
    without_value: Option<String>,
}

/// The page of a run.
///
/// # Errors
///
/// If the policy cannot be run on the environment's starts.
pub fn page(
    contents: &Contents<'_>,
    value: Result<Value<'_>, String>,
) -> Result<String, EvalError> {
    let Contents { results, policy, bytes, film } = contents;
    let summary = &results.summary;
    let title = format!("{} on {}, seed {}", summary.preset, summary.environment, summary.seed);
    let environment = results.environment();
    let (value, without_value) = match value {
        Ok(value) => (Some(value), None),
        Err(reason) => (None, Some(reason)),
    };
    let subject = Subject { name: &summary.preset, policy, environment: &environment };
    let pictures = Pictures::new(&subject, value)?;
    let shape = Shape::of(policy);
    let table = |kind| Table {
        kind: kind_text(kind).into(),
        rows: cost::costs(&shape, kind).iter().map(row).collect(),
    };
    let page = Page {
        title,
        summary,
        figures: figures(summary),
        training: vec![training(results)],
        losses: results.metrics.reported.iter().map(|(name, points)| loss(name, points)).collect(),
        behaviour: pictures.all,
        control: control::rows(summary.evaluation.control.as_ref()),
        scope: scope(summary),
        film: film.as_ref().map(|film| STANDARD.encode(film)),
        policy: described(policy),
        bytes: grouped(*bytes as f64),
        own: table(policy.kind()),
        others: cost::KINDS.into_iter().filter(|kind| *kind != policy.kind()).map(table).collect(),
        settings: leaves(&results.settings),
        identity: identity(summary, policy),
        without_value,
    };
    let page = page.render().expect("writing to memory does not fail");
    Ok(text::lines(&page).into_owned())
}

fn figures(summary: &Summary) -> Vec<Figure> {
    let e = &summary.evaluation;
    let mut figures = vec![Figure {
        name: "Return",
        value: with_error(e.mean, e.standard_error, 1).replace('-', "−"),
        note: format!(
            "mean over {}{}",
            counted(e.starts, "start"),
            e.standard_error.map_or("", |_| ", and its standard error")
        ),
    }];
    if let (Some(gap), Some(best_known)) = (e.gap_percent, e.best_known_mean) {
        let is_better = if gap < 0.0 { ", which this policy exceeds" } else { "" };
        figures.push(Figure {
            name: "Gap to the best known",
            value: percent(gap).replace('-', "−"),
            note: format!("the best known mean is {}{is_better}", signed(best_known)),
        });
    }
    figures.push(Figure {
        name: "Worst return",
        value: signed(e.worst),
        note: format!("{} of {} episodes lasted to their end", e.full_episodes, e.starts),
    });
    figures.push(Figure {
        name: "Training",
        value: format!("{} steps", grouped(summary.steps as f64)),
        note: format!(
            "{} updates, {:.1} s of wall-clock time with {}",
            grouped(summary.updates as f64),
            summary.train_seconds,
            summary.backend
        ),
    });
    figures.push(Figure {
        name: "Policy",
        value: format!("{} bytes", grouped(summary.policy.bytes as f64)),
        note: format!("{} weights and biases", grouped(summary.policy.parameters as f64)),
    });
    figures
}

/// What the figures of control are over.
fn scope(summary: &Summary) -> String {
    match &summary.evaluation.control {
        Some(control) => control.scope(),
        None => "summary.json does not say; trainer eval does".into(),
    }
}

/// What the policy is.
fn described(policy: &AnyPolicy<'_>) -> Vec<(&'static str, String)> {
    let shapes = policy.shapes();
    let layers = shapes.iter().map(|layer| layer.outputs.to_string());
    let sizes: Vec<String> =
        std::iter::once(policy.observation_size().to_string()).chain(layers).collect();
    let activation =
        shapes.first().map_or(String::new(), |layer| format!("{:?}", layer.activation));
    let head = match policy.head() {
        Head::SquashedGaussian { .. } => "tanh of the mean of a Gaussian".to_string(),
        Head::Tanh { .. } => "tanh".into(),
        Head::Clamp { .. } => "clamped".into(),
        Head::ClampedGaussian { .. } => "the clamped mean of a Gaussian".into(),
        Head::Grid { low, high, points } => format!("the best of {points} from {low} to {high}"),
        other => format!("{other:?}"),
    };
    vec![
        ("Network", sizes.join("-")),
        ("Hidden activation", activation.to_lowercase()),
        ("Action", head),
        ("Weights", kind_text(policy.kind()).into()),
        ("Control period", format!("{} s", policy.control_period())),
    ]
}

/// By which the same bits are known again.
fn identity(summary: &Summary, policy: &AnyPolicy<'_>) -> Vec<(&'static str, String)> {
    let parity = &summary.parity;
    let contract = policy.contract().ok();
    let fingerprint = contract.map(|contract| format!("{:08x}", contract.plant_fingerprint()));
    vec![
        ("All trained parameters (CRC-64)", summary.parameters_fingerprint.clone()),
        ("Policy file (CRC-32)", format!("{:08x}", policy.checksum())),
        ("Environment (CRC-32)", fingerprint.unwrap_or_else(|| "–".into())),
        (
            "Trained network and exported policy",
            format!(
                "within {:.1e} over {} observations{}",
                parity.max_difference,
                grouped(parity.observations as f64),
                match parity.differing {
                    0 => String::new(),
                    ties => format!(", but for {ties} ties"),
                }
            ),
        ),
    ]
}

fn kind_text(kind: WeightKind) -> &'static str {
    match kind {
        WeightKind::F32 => "f32",
        WeightKind::Int16 => "16-bit integers",
        WeightKind::Int8 => "8-bit integers",
        _ => "other numbers",
    }
}

fn row(cost: &Cost) -> Row {
    const NONE: &str = "–";
    // A line that goes through all points misses them by this.
    const ROUNDING: f64 = 1e-6;
    let bytes = |estimate: Option<cost::Estimate>| {
        estimate.map_or(NONE.into(), |e| {
            let (value, error) = (grouped(e.value.round()), (e.error - ROUNDING).ceil());
            if error > 0.0 { format!("{value} ± {}", grouped(error)) } else { value }
        })
    };
    Row {
        core: cost.core,
        instructions: cost.instructions.map_or(NONE.into(), |e| {
            // Digits that the error makes meaningless are not shown.
            format!("{} ± {:.1} %", grouped(rounded(e.value)), 100.0 * e.error)
        }),
        code: cost.code.map_or(NONE.into(), |(least, most)| {
            format!("{} to {}", grouped(f64::from(least)), grouped(f64::from(most)))
        }),
        stack_to_load: bytes(cost.stack_to_load),
        stack_to_act: bytes(cost.stack_to_act),
    }
}

/// With three digits that count.
fn rounded(x: f64) -> f64 {
    let unit = libm::pow(10.0, libm::floor(libm::log10(x.abs().max(1.0))) - 2.0);
    (x / unit).round() * unit
}

/// A whole number, its digits in threes.
fn grouped(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut text = String::from(if x < 0.0 && digits != "0" { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number with one decimal.
fn signed(x: f64) -> String {
    decimal(x, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_readers() {
        assert_eq!(
            [0.0, 999.0, -1e6, 17_924.4].map(grouped),
            ["0", "999", "−1\u{202f}000\u{202f}000", "17\u{202f}924"]
        );
        assert_eq!([17_042.0, 12.0, 6_156_821.0].map(rounded), [17_000.0, 12.0, 6_160_000.0]);
        assert_eq!(signed(-3.25), "−3.2");
    }

    #[test]
    fn cells_without_an_estimate_are_empty() {
        let cost = Cost {
            core: "a core",
            instructions: Some(cost::Estimate { value: 17_042.0, error: 0.035 }),
            stack_to_load: None,
            stack_to_act: Some(cost::Estimate { value: 964.2, error: 7.5 }),
            code: Some((5000, 5100)),
        };
        let row = row(&cost);
        assert_eq!(row.instructions, "17\u{202f}000 ± 3.5 %");
        assert_eq!((row.stack_to_load.as_str(), row.stack_to_act.as_str()), ("–", "964 ± 8"));
        assert_eq!(row.code, "5\u{202f}000 to 5\u{202f}100");
    }
}
