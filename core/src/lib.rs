//! Runs a trained control policy on a microcontroller.
//!
//! A policy is a small multilayer perceptron that maps an observation to an action. The trainer
//! writes it as one *blob* (see `FORMAT.md`); this crate checks the blob and evaluates it in place.
//!
//! ```
//! # fn run(blob: &[u8]) -> Result<(), Box<dyn core::error::Error>> {
//! let policy: policy_core::Policy = policy_core::Policy::from_bytes(blob)?;
//! let action = policy.act(&[1.0, 0.0, 0.3])?; // cos θ, sin θ, dθ/dt, in rad/s
//! let torque = action[0]; //, in N·m
//! # let _ = torque; Ok(()) }
//! ```
//!
//! # What it promises
//!
//! - **No heap, no `unsafe` here, no `std`.** Weights are read where they lie (in flash), through
//!   [`nalgebra`] views; scratch memory is two arrays of `WIDTH` numbers on the stack.
//! - **The same bits everywhere.** Sums run in a fixed order, nothing is fused, and transcendental
//!   functions come from [`libm`] called directly, so a Cortex-M and a desktop agree on every bit.
//! - **Errors, never surprises.** A malformed blob, an observation that is not finite and an
//!   action that would not be finite are each refused with an error that names what is wrong.
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`policy`] | [`Policy`]: from bytes to actions |
//! | [`layer`], [`activation`] | y = f(Wx + b) |
//! | [`action`] | from the last layer's output to an action in physical units |
//! | [`format`](mod@format) | the blob: header, weights, checksum; read and written here |
//! | [`recording`] | observations with the action bits the desktop computed, to replay elsewhere |
//! | [`gaussian`] | standard normal numbers from any `rand_core` generator |
//! | [`error`] | what can go wrong, one sentence each |

#![no_std]
#![forbid(unsafe_code)]
#![forbid(missing_docs)]

#[cfg(target_endian = "big")]
compile_error!(
    "policy-core reads little-endian weights in place; big-endian targets are not supported"
);

#[cfg(test)]
extern crate std;

pub mod action;
pub mod activation;
pub mod error;
pub mod format;
pub mod gaussian;
pub mod layer;
pub mod policy;
pub mod recording;

pub use action::{Action, Head, LogStdBound};
pub use activation::Activation;
pub use error::{ActError, BlobError, EncodeError, RecordingError};
pub use format::{Algorithm, Header, LayerShape};
pub use policy::Policy;
pub use recording::{Recording, Replay};
