//! `trainer inspect`.

use std::path::PathBuf;

use clap::Args;
use policy_core::{Activation, Head, Header, LogStdBound, format::VERSION};
use serde::Serialize;

use super::{Failure, json, policy_file};
use crate::export::HostPolicy;

/// Show what is in a policy file
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer inspect runs/sac/policy.bin")]
pub(super) struct Inspect {
    /// A policy.bin
    policy: PathBuf,
}

#[derive(Serialize)]
struct Report {
    format_version: u16,
    bytes: usize,
    checksum: String,
    algorithm: String,
    environment: String,
    control_period_s: f32,
    observation_size: u16,
    action_size: usize,
    layers: Vec<LayerReport>,
    parameters: u64,
    head: Head,
}

#[derive(Serialize)]
struct LayerReport {
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let blob = policy_file::read(&self.policy)?;
        let policy = HostPolicy::from_bytes(blob.bytes())
            .map_err(|error| policy_file::refused(&self.policy, &error))?;
        let report = report(policy.header(), blob.bytes().len(), policy.checksum());
        Ok(if as_json { json(&report) } else { report.to_text() })
    }
}

fn report(header: &Header, bytes: usize, checksum: u32) -> Report {
    let layers = header.shapes();
    Report {
        format_version: VERSION,
        bytes,
        checksum: format!("{checksum:08x}"),
        algorithm: header.algorithm.to_string(),
        environment: header.environment.to_string(),
        control_period_s: header.control_period,
        observation_size: header.observation_size,
        action_size: header.head.action_size(),
        layers: layers
            .map(|(inputs, outputs, activation)| LayerReport { inputs, outputs, activation })
            .collect(),
        parameters: header.parameters(),
        head: header.head.clone(),
    }
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = format!(
            "policy of {} for {}, format version {}\n\
             {} bytes, checksum {}, {} parameters\n\
             every {} s: {} observation entries to {} action entries\n",
            self.algorithm,
            self.environment,
            self.format_version,
            self.bytes,
            self.checksum,
            self.parameters,
            self.control_period_s,
            self.observation_size,
            self.action_size,
        );
        for (index, layer) in self.layers.iter().enumerate() {
            let LayerReport { inputs, outputs, activation } = layer;
            text +=
                &format!("layer {index}: {inputs} -> {outputs}, {activation:?}\n").to_lowercase();
        }
        match &self.head {
            Head::SquashedGaussian { scale, bias, log_std } => {
                let (form, (min, max)) = match log_std {
                    LogStdBound::Clamp { .. } => ("clamped", log_std.range()),
                    LogStdBound::Tanh { .. } => ("by tanh", log_std.range()),
                };
                text += &format!(
                    "action = {scale:?} · tanh(u) + {bias:?}, log σ in [{min}, {max}] {form}\n"
                );
            }
            Head::Tanh { scale, bias } => {
                text += &format!("action = {scale:?} · tanh(z) + {bias:?}\n");
            }
            Head::Clamp { low, high } => {
                text += &format!("action = z within {low:?} to {high:?}\n");
            }
            Head::ClampedGaussian { low, high, std_min, std_max } => {
                text += &format!(
                    "action = u within {low:?} to {high:?}, σ in [{std_min}, {std_max}]\n"
                );
            }
            Head::Grid { low, high, points } => {
                text += &format!("action = the best of {points} from {low} to {high}\n");
            }
            other => text += &format!("head: {other:?}\n"),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::{Action, Algorithm, LayerShape};

    #[test]
    fn every_head_is_described() {
        let action = |values: &[f32]| values.iter().copied().collect::<Action>();
        let one = || (action(&[-1.0]), action(&[2.5]));
        let ((low, high), (bias, scale)) = (one(), one());
        let log_std = LogStdBound::Clamp { min: -20.0, max: 2.0 };
        for (head, line) in [
            (
                Head::SquashedGaussian { scale: scale.clone(), bias: bias.clone(), log_std },
                "action = [2.5] · tanh(u) + [-1.0], log σ in [-20, 2] clamped",
            ),
            (Head::Tanh { scale, bias }, "action = [2.5] · tanh(z) + [-1.0]"),
            (
                Head::Clamp { low: low.clone(), high: high.clone() },
                "action = z within [-1.0] to [2.5]",
            ),
            (
                Head::ClampedGaussian { low, high, std_min: 0.25, std_max: 1.5 },
                "action = u within [-1.0] to [2.5], σ in [0.25, 1.5]",
            ),
            (
                Head::Grid { low: -1.0, high: 2.5, points: 5 },
                "action = the best of 5 from -1 to 2.5",
            ),
        ] {
            let last =
                LayerShape { outputs: head.inputs().0 as u16, activation: Activation::Linear };
            let header = Header {
                algorithm: Algorithm::DoubleDqn,
                environment: "spring".try_into().unwrap(),
                control_period: 0.05,
                observation_size: 3,
                layers: [last].into_iter().collect(),
                head,
            };
            let text = report(&header, 0, 0).to_text();
            assert_eq!(text.lines().last(), Some(line));
            assert!(text.starts_with("policy of double-dqn for spring, "), "{text}");
        }
    }
}
