//! Runs a trained control policy on a microcontroller.
//!
//! A policy is a small multilayer perceptron that maps an observation to an action. The trainer
//! writes it as one *blob* (see `FORMAT.md`); this crate checks the blob and evaluates it in place.
//!
//! ```
//! use policy_core::{Policy, include_policy};
//!
//! // In flash, at a multiple of 4 bytes as the reader needs it.
//! const BLOB: &[u8] = include_policy!("../tests/golden/v1-f32.bin");
//!
//! let policy: Policy = Policy::from_bytes(BLOB)?;
//! assert_eq!(policy.self_test()?, 4); // its own examples, bit for bit
//! let action = policy.act(&[0.5, -0.8, 0.3])?; // cos θ, sin θ, dθ/dt in rad/s
//! assert!((-2.0..=2.0).contains(&action[0])); // the torque in N·m
//! assert!(policy.act(&[0.5, f32::NAN, 0.3]).is_err());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Weights are `f32`, or integers of 16 or 8 bits for processors without FPU, and the type says which:
//!
//! ```
//! # use policy_core::{Policy, format, include_policy};
//! const BLOB: &[u8] = include_policy!("../tests/golden/v1-int8.bin");
//! const WIDTH: usize = format::width(BLOB); // read when this is compiled
//!
//! let policy: Policy<'_, i8, WIDTH> = Policy::from_bytes(BLOB)?;
//! let contract = policy.contract()?;
//! assert_eq!((contract.plant(), policy.control_period()), ("pendulum", 0.05));
//! let units: Vec<&str> = contract.observation().map(|entry| entry.unit).collect();
//! assert_eq!(units, ["", "", "rad/s"]);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! How the last layer's output becomes the action depends on the algorithm; a [`Head`] of the blob says
//! it. One of DQN, with five torques to choose from:
//!
//! ```
//! use policy_core::Head;
//!
//! let head: Head = Head::Grid { low: -2.0, high: 2.0, points: 5 };
//! assert_eq!(head.inputs(), (5, 5)); // one Q for each of −2, −1, 0, 1 and 2 N·m
//! assert_eq!(head.action_size(), 1);
//! let (low, high) = head.range();
//! assert_eq!((low[0], high[0]), (-2.0, 2.0));
//! ```
//!
//! # What it promises
//!
//! - **No heap, no `unsafe` here, no `std`.** Weights are read where they lie (in flash), and shown as
//!   [`nalgebra`] views; scratch memory is two arrays of `WIDTH` numbers on the stack. (The feature `assembly` has
//!   `unsafe` in one module: the kernels of some ARM cores, with the same bits.)
//! - **The same bits everywhere.** Sums run in a fixed order, nothing is fused, and transcendental
//!   functions come from [`libm`] called directly, so a Cortex-M and a desktop agree on every bit.
//! - **Errors, never surprises.** A malformed blob, an observation that is not finite and an
//!   action that would not be finite are each refused with an error that names what is wrong. A NaN
//!   inside the network reaches the action; no activation and no head hides it.
//!
//! # Features
//!
//! All are off by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `assembly` | kernels in assembly for Cortex-M0, M4, M4F and M7F; nothing on other targets |
//! | `defmt` | `defmt::Format` for errors and plain types |
//! | `link` | frames and messages between a desktop and a board (module `link`) |
//! | `serde` | `Serialize` for what describes a policy |
//! | `update` | signed manifests of policies that replace others on a board (module `update`) |
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`policy`] | [`Policy`]: from bytes to actions |
//! | [`layer`], [`activation`] | y = f(Wx + b) |
//! | [`head`] | from the last layer's output to an action in physical units |
//! | [`action`] | the action, and the grid of actions that DQN chooses from |
//! | [`format`](mod@format) | the blob: network, weights, examples, contract; read and written here |
//! | [`recording`] | observations with the action bits the desktop computed, to replay elsewhere |
//! | `link` | what a desktop and a board say to each other; feature `link` |
//! | `update` | what signs a policy for a board; feature `update` |
//! | [`gaussian`] | standard normal numbers from any `rand_core` generator |
//! | [`error`] | what can go wrong, one sentence each |

#![no_std]
#![cfg_attr(not(feature = "assembly"), forbid(unsafe_code))]
#![forbid(missing_docs)]

#[cfg(target_endian = "big")]
compile_error!(
    "policy-core reads little-endian weights in place; big-endian targets are not supported"
);

#[cfg(test)]
extern crate std;

pub mod action;
pub mod activation;
mod aligned;
mod compact;
pub mod error;
pub mod format;
pub mod gaussian;
pub mod head;
pub mod layer;
#[cfg(feature = "link")]
pub mod link;
pub mod policy;
pub mod recording;
mod tanh;
#[cfg(feature = "update")]
pub mod update;

pub use action::Action;
pub use activation::Activation;
pub use aligned::Aligned;
pub use error::{ActError, BlobError, EncodeError, RecordingError, SelfTestError};
pub use format::{Algorithm, Contract, LayerShape, WeightKind};
pub use head::{Head, LogStdBound};
pub use layer::Weights;
pub use policy::Policy;
pub use recording::{Recording, Replay};
