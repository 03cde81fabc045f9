//! `trainer inspect`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use policy_core::format::{Channel, Normalisation, VERSION};
use policy_core::{Activation, BlobError, Contract, Head, LogStdBound, WeightKind};
use serde::Serialize;

use super::{Failure, json, policy_file};
use crate::policy::AnyPolicy;
use crate::text;

/// Show what is in a policy file
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer inspect runs/sac/policy.bin")]
pub(super) struct Inspect {
    /// A policy.bin
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
}

#[derive(Serialize)]
struct Report<'a> {
    format_version: u16,
    bytes: usize,
    checksum: String,
    weights: WeightKind,
    algorithm: String,
    environment: String,
    /// CRC-32 of the environment's settings and physics.
    environment_fingerprint: String,
    trainer: String,
    control_period_s: f32,
    observation_size: usize,
    action_size: usize,
    observation: Vec<Entry>,
    action: Vec<Entry>,
    layers: Vec<LayerReport>,
    parameters: u64,
    head: Head<&'a [f32]>,
    examples: SelfTest,
}

/// A channel; an end of its range that is not there is `null`.
#[derive(Serialize)]
struct Entry {
    name: String,
    unit: String,
    low: Option<f32>,
    high: Option<f32>,
    /// What is subtracted first, where the observation is normalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    shift: Option<f32>,
    /// What is multiplied then.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f32>,
}

#[derive(Serialize)]
struct LayerReport {
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

/// What the policy's own examples say on this machine.
#[derive(Serialize)]
struct SelfTest {
    /// How many there are; `null` where one failed before they were counted.
    count: Option<usize>,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let report = report(&policy, blob.bytes().len())
            .map_err(|error| policy_file::refused(&self.policy, &error))?;
        Ok(if as_json { json(&report) } else { report.to_text() })
    }
}

fn report<'a>(policy: &AnyPolicy<'a>, bytes: usize) -> Result<Report<'a>, BlobError> {
    let contract: Contract<'_> = policy.contract()?;
    let mut inputs = policy.observation_size();
    let layers = policy.shapes().into_iter().map(|layer| {
        let outputs = layer.outputs.into();
        let inputs = std::mem::replace(&mut inputs, outputs);
        LayerReport { inputs, outputs, activation: layer.activation }
    });
    let (count, failure) = match policy.self_test() {
        Ok(count) => (Some(count), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(Report {
        format_version: VERSION,
        bytes,
        checksum: format!("{:08x}", policy.checksum()),
        weights: policy.kind(),
        algorithm: contract.algorithm().to_string(),
        environment: contract.plant().into(),
        environment_fingerprint: format!("{:08x}", contract.plant_fingerprint()),
        trainer: contract.trainer().into(),
        control_period_s: policy.control_period(),
        observation_size: policy.observation_size(),
        action_size: policy.action_size(),
        observation: entries(contract.observation(), policy.normalisation()),
        action: entries(contract.action(), None),
        layers: layers.collect(),
        parameters: policy.parameters(),
        head: policy.head(),
        examples: SelfTest { count, passed: failure.is_none(), failure },
    })
}

fn entries<'a>(
    channels: impl Iterator<Item = Channel<'a>>,
    normalisation: Option<Normalisation<'_>>,
) -> Vec<Entry> {
    let end = |x: f32| x.is_finite().then_some(x);
    let entry = |(index, Channel { name, unit, low, high }): (usize, Channel<'a>)| Entry {
        name: name.into(),
        unit: unit.into(),
        low: end(low),
        high: end(high),
        shift: normalisation.and_then(|n| n.shift.get(index).copied()),
        scale: normalisation.and_then(|n| n.scale.get(index).copied()),
    };
    channels.enumerate().map(entry).collect()
}

impl Entry {
    fn to_text(&self, kind: &str) -> String {
        let Entry { low, high, shift, scale, .. } = self;
        let (name, unit) = (text::line(&self.name), text::line(&self.unit));
        let end = |x: &Option<f32>, otherwise: &str| x.map_or(otherwise.into(), |x| x.to_string());
        let space = if unit.is_empty() { "" } else { " " };
        let mut text =
            format!("{kind} {name}: {} to {}{space}{unit}", end(low, "−∞"), end(high, "∞"));
        if let (Some(shift), Some(scale)) = (shift, scale) {
            text += &format!(", read as (x − {shift:?}) · {scale:?}");
        }
        text + "\n"
    }
}

impl Report<'_> {
    fn to_text(&self) -> String {
        let mut text = format!(
            "policy of {} for {}, format version {}\n\
             environment {}, trained by {}\n\
             {} bytes, checksum {}, {} parameters in {}\n\
             every {} s: {} observation entries to {} action entries\n",
            text::line(&self.algorithm),
            text::line(&self.environment),
            self.format_version,
            self.environment_fingerprint,
            text::line(&self.trainer),
            self.bytes,
            self.checksum,
            self.parameters,
            self.weights,
            self.control_period_s,
            self.observation_size,
            self.action_size,
        );
        self.observation.iter().for_each(|entry| text += &entry.to_text("observation"));
        self.action.iter().for_each(|entry| text += &entry.to_text("action"));
        for (index, layer) in self.layers.iter().enumerate() {
            let LayerReport { inputs, outputs, activation } = layer;
            text +=
                &format!("layer {index}: {inputs} -> {outputs}, {activation:?}\n").to_lowercase();
        }
        text += &head_text(&self.head);
        text += &match &self.examples {
            SelfTest { failure: Some(failure), .. } => format!("self-test failed: {failure}\n"),
            SelfTest { count, .. } => match count.unwrap_or_default() {
                0 => "no examples for a self-test\n".into(),
                count => format!("self-test passed: {count} examples, all bits equal\n"),
            },
        };
        text
    }
}

fn head_text(head: &Head<&[f32]>) -> String {
    match head {
        Head::SquashedGaussian { scale, bias, log_std } => {
            let (form, (min, max)) = match log_std {
                LogStdBound::Clamp { .. } => ("clamped", log_std.range()),
                LogStdBound::Tanh { .. } => ("by tanh", log_std.range()),
            };
            format!("action = {scale:?} · tanh(u) + {bias:?}, log σ in [{min}, {max}] {form}\n")
        }
        Head::Tanh { scale, bias } => format!("action = {scale:?} · tanh(z) + {bias:?}\n"),
        Head::Clamp { low, high } => format!("action = z within {low:?} to {high:?}\n"),
        Head::ClampedGaussian { low, high, std_min, std_max } => {
            format!("action = u within {low:?} to {high:?}, σ in [{std_min}, {std_max}]\n")
        }
        Head::Grid { low, high, points } => {
            format!("action = the best of {points} from {low} to {high}\n")
        }
        other => format!("head: {other:?}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_is_described() {
        let (low, high): (&[f32], &[f32]) = (&[-1.0], &[2.5]);
        let (bias, scale) = (low, high);
        let log_std = LogStdBound::Clamp { min: -20.0, max: 2.0 };
        for (head, line) in [
            (
                Head::SquashedGaussian { scale, bias, log_std },
                "action = [2.5] · tanh(u) + [-1.0], log σ in [-20, 2] clamped\n",
            ),
            (Head::Tanh { scale, bias }, "action = [2.5] · tanh(z) + [-1.0]\n"),
            (Head::Clamp { low, high }, "action = z within [-1.0] to [2.5]\n"),
            (
                Head::ClampedGaussian { low, high, std_min: 0.25, std_max: 1.5 },
                "action = u within [-1.0] to [2.5], σ in [0.25, 1.5]\n",
            ),
            (
                Head::Grid { low: -1.0, high: 2.5, points: 5 },
                "action = the best of 5 from -1 to 2.5\n",
            ),
        ] {
            assert_eq!(head_text(&head), line);
        }
    }

    #[test]
    fn entries_show_units_and_ends() {
        let channels = [
            Channel { name: "speed", unit: "m/s", low: -2.5, high: f32::INFINITY },
            Channel { name: "cos θ", unit: "", low: -1.0, high: 1.0 },
        ];
        let normalisation = Normalisation { shift: &[0.5, 0.0], scale: &[2.0, 131_068.0] };
        let texts: Vec<String> = entries(channels.into_iter(), Some(normalisation))
            .iter()
            .map(|entry| entry.to_text("observation"))
            .collect();
        assert_eq!(
            texts,
            [
                "observation speed: -2.5 to ∞ m/s, read as (x − 0.5) · 2.0\n",
                "observation cos θ: -1 to 1, read as (x − 0.0) · 131068.0\n"
            ]
        );
    }
}
