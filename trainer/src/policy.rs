//! An exported policy, whatever its weights are.

mod batched;

pub use batched::Batched;

use policy_core::format::{Normalisation, WeightKind};
use policy_core::recording::{self, Words};
use policy_core::{ActError, Action, BlobError, Contract, Head, LayerShape, Policy, SelfTestError};

/// The widest layer that the tools on the desktop run.
pub const HOST_WIDTH: usize = 4096;

/// A policy with `f32` weights as the tools on the desktop run it.
pub type HostPolicy<'a> = Policy<'a, f32, HOST_WIDTH>;

/// A policy of any kind of weights as the tools on the desktop run it; its methods are those of [`Policy`].
#[derive(Debug, Clone)]
pub enum AnyPolicy<'a> {
    /// `f32`
    F32(HostPolicy<'a>),
    /// 16-bit integers
    Int16(Policy<'a, i16, HOST_WIDTH>),
    /// 8-bit integers
    Int8(Policy<'a, i8, HOST_WIDTH>),
}

impl<'a> From<HostPolicy<'a>> for AnyPolicy<'a> {
    fn from(policy: HostPolicy<'a>) -> Self {
        AnyPolicy::F32(policy)
    }
}

/// The same of each kind.
macro_rules! each {
    ($policy:expr, $p:ident => $answer:expr) => {
        match $policy {
            AnyPolicy::F32($p) => $answer,
            AnyPolicy::Int16($p) => $answer,
            AnyPolicy::Int8($p) => $answer,
        }
    };
}

impl<'a> AnyPolicy<'a> {
    /// Checks a blob, which must start at a multiple of 4 bytes.
    ///
    /// # Errors
    ///
    /// As [`Policy::from_bytes`], but any kind of weights is right.
    pub fn from_bytes(blob: &'a [u8]) -> Result<Self, BlobError> {
        match WeightKind::of(blob) {
            Some(WeightKind::Int16) => Policy::from_bytes(blob).map(AnyPolicy::Int16),
            Some(WeightKind::Int8) => Policy::from_bytes(blob).map(AnyPolicy::Int8),
            // What is no blob gets its error here.
            _ => Policy::from_bytes(blob).map(AnyPolicy::F32),
        }
    }

    /// What its weights are.
    pub fn kind(&self) -> WeightKind {
        match self {
            AnyPolicy::F32(_) => WeightKind::F32,
            AnyPolicy::Int16(_) => WeightKind::Int16,
            AnyPolicy::Int8(_) => WeightKind::Int8,
        }
    }

    /// The greedy action, in the environment's unit, for an observation `[observation_size]`.
    ///
    /// # Errors
    ///
    /// As [`Policy::act`].
    pub fn act(&self, observation: &[f32]) -> Result<Action, ActError> {
        each!(self, p => p.act(observation))
    }

    /// The action's words for a recording: its bits, or that it was refused.
    pub fn action_words(&self, observation: &[f32]) -> Words {
        each!(self, p => recording::action_words(p, observation))
    }

    /// Its own examples, compared bit for bit; how many there were.
    ///
    /// # Errors
    ///
    /// As [`Policy::self_test`].
    pub fn self_test(&self) -> Result<usize, SelfTestError> {
        each!(self, p => p.self_test())
    }

    /// Who trained it, on what, and what its numbers are.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded.
    pub fn contract(&self) -> Result<Contract<'a>, BlobError> {
        each!(self, p => p.contract())
    }

    /// What the last layer's output means.
    pub fn head(&self) -> Head<&'a [f32]> {
        each!(self, p => p.head())
    }

    /// Outputs and activation of each layer, first to last.
    pub fn shapes(&self) -> Vec<LayerShape> {
        each!(self, p => p.shapes().collect())
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> u64 {
        each!(self, p => p.parameters())
    }

    /// How the observation is changed before the first layer.
    pub fn normalisation(&self) -> Option<Normalisation<'a>> {
        each!(self, p => p.normalisation())
    }

    /// Entries of an observation.
    pub fn observation_size(&self) -> usize {
        each!(self, p => p.observation_size())
    }

    /// Entries of an action.
    pub fn action_size(&self) -> usize {
        each!(self, p => p.action_size())
    }

    /// Time between two actions, in s.
    pub fn control_period(&self) -> f32 {
        each!(self, p => p.control_period())
    }

    /// The checksum that the blob carries.
    pub fn checksum(&self) -> u32 {
        each!(self, p => p.checksum())
    }
}
