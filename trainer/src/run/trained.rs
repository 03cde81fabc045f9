//! The agent of a finished run, with its critics: what a policy file does not have.

use std::path::Path;

use super::sealed::Kind;
use super::{CheckpointError, RunError, fingerprint, place, start};
use crate::config::RunConfig;
use crate::envs;
use crate::export::{ExportError, export};
use crate::interface::Algorithm;
use crate::policy::AnyPolicy;
use crate::state::{StateError, Walk};

/// All networks of a run.
#[allow(missing_debug_implementations, reason = "agents are trait objects")]
pub struct Trained {
    /// Its settings.
    pub config: RunConfig,
    agent: Box<dyn Algorithm>,
}

impl Trained {
    /// Reads `agent.bin` in a run's directory.
    ///
    /// # Errors
    ///
    /// If there is none, or it was damaged, or another version of the trainer wrote it.
    pub fn load(directory: &Path) -> Result<Trained, RunError> {
        let path = directory.join(place::AGENT);
        let bytes =
            std::fs::read(&path).map_err(|error| RunError::Read { path: path.clone(), error })?;
        let read = || -> Result<Trained, CheckpointError> {
            let mut walk = Walk::reading(Kind::Agent.open(&bytes)?);
            let mut text = String::new();
            walk.value(&mut text)?;
            let config: RunConfig = toml::from_str(&text)?;
            let started = start(&config).map_err(|_| StateError::Unfit("settings"))?;
            let mut agent = started.agent;
            agent.walk_networks(&mut walk)?;
            walk.end()?;
            Ok(Trained { config, agent })
        };
        read().map_err(|error| RunError::Agent { path, error })
    }

    /// That of all parameters, as `summary.json` has it of the same run.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.agent.parameters().value)
    }

    /// The checksum of the policy that it exports; that of a policy file says whether the two belong together.
    ///
    /// # Errors
    ///
    /// If its environment is none of this trainer, or its policy cannot be exported.
    pub fn policy_checksum(&self) -> Result<u32, RunError> {
        let environment = &self.config.environment;
        let (machine, plant) = (envs::make(environment)?, envs::fingerprint(environment)?);
        let blob = export(&self.agent.policy(), machine.spec(), plant)?;
        Ok(AnyPolicy::from_bytes(blob.bytes()).map_err(ExportError::from)?.checksum())
    }

    /// What the critics make of an observation `[observation_size]` from which the policy acts: the
    /// discounted sum of the environment's rewards that they expect, for SAC with its bonus for entropy.
    pub fn value(&mut self, observation: &[f32]) -> f32 {
        let scaled = f64::from(self.agent.value(observation));
        (scaled / self.config.training.reward_scale) as f32
    }
}

/// The bytes of `agent.bin`.
pub(super) fn bytes(config: &RunConfig, agent: &mut dyn Algorithm) -> Vec<u8> {
    let mut text = toml::to_string(config).expect("settings came from TOML");
    let written = Kind::Agent.seal(|bytes| {
        let mut walk = Walk::writing(bytes);
        walk.value(&mut text)?;
        agent.walk_networks(&mut walk)
    });
    written.unwrap_or_else(|error: StateError| {
        unreachable!("a walk that writes checks nothing: {error}")
    })
}
