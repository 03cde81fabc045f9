//! Networks and what changes their parameters.
//!
//! | module | what is in it |
//! |---|---|
//! | [`mlp`] | a multilayer perceptron as a range of the parameters |
//! | [`init`] | first values of weights and biases |
//! | [`action_range`] | the range of an action, and how a network keeps to it |
//! | [`critic`] | networks for Q(s, a) |
//! | [`deterministic`] | policies a = μ(s) |
//! | [`gaussian`] | the squashed Gaussian: actions with their log-likelihood |
//! | [`clamped_gaussian`] | the unsquashed Gaussian of SAC-M1 to SAC-M3 |
//! | [`adam`] | the optimiser |

pub mod action_range;
pub mod adam;
pub mod clamped_gaussian;
pub mod critic;
pub mod deterministic;
pub mod gaussian;
pub mod init;
pub mod mlp;

pub use action_range::ActionRange;
pub use adam::{Adam, AdamConfig};
pub use clamped_gaussian::ClampedGaussian;
pub use critic::{Critic, CriticForm, Twin};
pub use deterministic::{ActorOutput, Deterministic};
pub use gaussian::{LogStdForm, SquashedGaussian};
pub use init::Initialisation;
pub use mlp::{Activation, Layout, Mlp};
