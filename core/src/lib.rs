//! Runs a trained control policy on a microcontroller.
//!
//! A policy is a small multilayer perceptron that maps an observation to an action. The trainer
//! writes it as one *blob* (see `FORMAT.md`); this crate checks the blob and evaluates it in place.
//!
//! ```
//! # use policy_core::{Activation, Algorithm, Head, Header, LayerShape, LogStdBound, format};
//! # let header = Header {
//! #     algorithm: Algorithm::Sac,
//! #     environment: "pendulum".try_into()?,
//! #     control_period: 0.05,
//! #     observation_size: 3,
//! #     layers: [LayerShape { outputs: 2, activation: Activation::Linear }].into_iter().collect(),
//! #     head: Head::SquashedGaussian {
//! #         scale: [2.0].into_iter().collect(),
//! #         bias: [0.0].into_iter().collect(),
//! #         log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
//! #     },
//! # };
//! # let mut words = [0_u32; 64];
//! # let blob: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
//! # let weights = [0.5, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
//! # let length = format::encode(&header, &weights, blob)?;
//! # let blob: &[u8] = &blob[..length];
//! use policy_core::Policy;
//!
//! let policy: Policy = Policy::from_bytes(blob)?;
//! let action = policy.act(&[0.5, -0.8, 0.3])?; // cos θ, sin θ, dθ/dt in rad/s
//! assert_eq!(action[0], 0.0); // the torque in N·m
//! assert!(policy.act(&[0.5, f32::NAN, 0.3]).is_err());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! How the last layer's output becomes the action depends on the algorithm; a [`Head`] of the blob says
//! it. One of DQN, with five torques to choose from:
//!
//! ```
//! use policy_core::Head;
//!
//! let head = Head::Grid { low: -2.0, high: 2.0, points: 5 };
//! assert_eq!(head.inputs(), (5, 5)); // one Q for each of −2, −1, 0, 1 and 2 N·m
//! assert_eq!(head.action_size(), 1);
//! let (low, high) = head.range();
//! assert_eq!((low[0], high[0]), (-2.0, 2.0));
//! ```
//!
//! # What it promises
//!
//! - **No heap, no `unsafe` here, no `std`.** Weights are read where they lie (in flash), and shown as
//!   [`nalgebra`] views; scratch memory is two arrays of `WIDTH` numbers on the stack.
//! - **The same bits everywhere.** Sums run in a fixed order, nothing is fused, and transcendental
//!   functions come from [`libm`] called directly, so a Cortex-M and a desktop agree on every bit.
//! - **Errors, never surprises.** A malformed blob, an observation that is not finite and an
//!   action that would not be finite are each refused with an error that names what is wrong. A NaN
//!   inside the network reaches the action; no activation and no head hides it.
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`policy`] | [`Policy`]: from bytes to actions |
//! | [`layer`], [`activation`] | y = f(Wx + b) |
//! | [`head`] | from the last layer's output to an action in physical units |
//! | [`action`] | the action, and the grid of actions that DQN chooses from |
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
pub mod head;
pub mod layer;
pub mod policy;
pub mod recording;

pub use action::Action;
pub use activation::Activation;
pub use error::{ActError, BlobError, EncodeError, RecordingError};
pub use format::{Algorithm, Header, LayerShape};
pub use head::{Head, LogStdBound};
pub use policy::Policy;
pub use recording::{Recording, Replay};
