//! Networks and what changes their parameters.
//!
//! | module | what is in it |
//! |---|---|
//! | [`mlp`] | a multilayer perceptron as a range of the parameters |
//! | [`init`] | first values of weights and biases |
//! | [`gaussian`] | the squashed Gaussian: actions with their log-likelihood |
//! | [`adam`] | the optimiser |

pub mod adam;
pub mod gaussian;
pub mod init;
pub mod mlp;

pub use adam::{Adam, AdamConfig};
pub use gaussian::{LogStdForm, SquashedGaussian};
pub use init::Initialisation;
pub use mlp::{Activation, Layout, Mlp};
