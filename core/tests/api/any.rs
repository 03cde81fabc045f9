//! A policy of whatever weights a blob has.

use policy_core::{
    ActError, Action, BlobError, Contract, Head, Policy, Recording, RecordingError, Replay,
    SelfTestError, WeightKind, recording,
};
use rand_chacha::rand_core::Rng;

#[derive(Debug)]
pub(crate) enum AnyPolicy<'a, const WIDTH: usize = 64> {
    F32(Policy<'a, f32, WIDTH>),
    Int16(Policy<'a, i16, WIDTH>),
    Int8(Policy<'a, i8, WIDTH>),
}

macro_rules! each {
    ($any:expr, $policy:ident => $value:expr) => {
        match $any {
            AnyPolicy::F32($policy) => $value,
            AnyPolicy::Int16($policy) => $value,
            AnyPolicy::Int8($policy) => $value,
        }
    };
}

impl<'a, const WIDTH: usize> AnyPolicy<'a, WIDTH> {
    /// As the blob's own byte says; f32 where it says nothing.
    pub(crate) fn read(blob: &'a [u8]) -> Result<Self, BlobError> {
        Ok(match WeightKind::of(blob) {
            Some(WeightKind::Int16) => AnyPolicy::Int16(Policy::from_bytes(blob)?),
            Some(WeightKind::Int8) => AnyPolicy::Int8(Policy::from_bytes(blob)?),
            _ => AnyPolicy::F32(Policy::from_bytes(blob)?),
        })
    }

    pub(crate) fn act(&self, observation: &[f32]) -> Result<Action, ActError> {
        each!(self, policy => policy.act(observation))
    }

    pub(crate) fn sample(
        &self,
        observation: &[f32],
        rng: &mut impl Rng,
    ) -> Result<Action, ActError> {
        each!(self, policy => policy.sample(observation, rng))
    }

    pub(crate) fn action_words(&self, observation: &[f32]) -> Vec<u32> {
        each!(self, policy => recording::action_words(policy, observation).to_vec())
    }

    pub(crate) fn replay(&self, recording: &Recording<'_>) -> Result<Replay, RecordingError> {
        each!(self, policy => recording.replay(policy))
    }

    pub(crate) fn self_test(&self) -> Result<usize, SelfTestError> {
        each!(self, policy => policy.self_test())
    }

    pub(crate) fn contract(&self) -> Result<Contract<'a>, BlobError> {
        each!(self, policy => policy.contract())
    }

    pub(crate) fn head(&self) -> Head<&'a [f32]> {
        each!(self, policy => policy.head())
    }

    pub(crate) fn checksum(&self) -> u32 {
        each!(self, policy => policy.checksum())
    }

    pub(crate) fn observation_size(&self) -> usize {
        each!(self, policy => policy.observation_size())
    }

    pub(crate) fn action_size(&self) -> usize {
        each!(self, policy => policy.action_size())
    }

    pub(crate) fn control_period(&self) -> f32 {
        each!(self, policy => policy.control_period())
    }

    pub(crate) fn shapes(&self) -> Vec<policy_core::LayerShape> {
        each!(self, policy => policy.shapes().collect())
    }

    pub(crate) fn parameters(&self) -> u64 {
        each!(self, policy => policy.parameters())
    }

    /// Shifts and scales.
    pub(crate) fn normalisation(&self) -> Option<(Vec<f32>, Vec<f32>)> {
        let normalisation = each!(self, policy => policy.normalisation());
        normalisation.map(|n| (n.shift.to_vec(), n.scale.to_vec()))
    }
}
