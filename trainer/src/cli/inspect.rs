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
            other => text += &format!("head: {other:?}\n"),
        }
        text
    }
}
