//! Trains control policies by reinforcement learning and exports them for `policy-core`.
//!
//! # What it promises
//!
//! - **Right mathematics.** Losses, gradients, optimiser steps and environments agree with golden
//!   data from torch and gymnasium; the same expressions run in `f32` to train and in `f64` to be
//!   checked.
//! - **The same seed, the same bits**, whatever instructions the processor has.
//! - **No allocation in an update**, and `unsafe` only in [`linalg`].
//!
//! # Modules
//!
//! Each row imports only from rows above it; modules of one row may know each other:
//!
//! | module | what is in it |
//! |---|---|
//! | [`scalar`], [`rng`] | the numbers; named streams of random ones |
//! | [`linalg`] | matrix products on slices |
//! | [`autodiff`] | losses as expressions, compiled to programs |
//! | [`nn`] | networks, first values, Adam |
//! | [`interface`] | what environments, algorithms and the loop agree on |
//! | [`config`], [`presets`] | the settings of a run |
//! | [`algos`], [`envs`], [`replay`] | algorithms and environments, which do not know each other |
//! | [`train`] | the one training loop |
//! | [`export`], [`recording`], [`eval`] | from a network to a blob, and how good it is |
//! | [`run`], [`plot`] | a run from settings to files |
//! | [`cli`] | the command line |
//!
//! # Training from code
//!
//! ```
//! use trainer::{algos, config::RunConfig, envs, export, rng, train};
//!
//! let config = RunConfig::resolve(Some("sac"), None, &["steps=600".into()])?;
//! let mut environment = envs::make(&config.environment).unwrap();
//! let spec = environment.spec().clone();
//! let mut initialisation = rng::stream(config.training.seed, rng::Stream::Initialisation);
//! let batch_size = config.training.batch_size;
//! let mut agent =
//!     algos::make(&config.algorithm, &config.agent, &spec, batch_size, &mut initialisation)?;
//! train::train(&mut *environment, &mut *agent, &config.training, &mut train::Unobserved)?;
//! let blob = export::export(&agent.policy(), &spec)?;
//! assert_eq!(blob.bytes()[..4], *b"PLCY");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod algos;
pub mod autodiff;
pub mod cli;
pub mod config;
pub mod envs;
pub mod eval;
pub mod export;
pub mod interface;
pub mod linalg;
pub mod nn;
pub mod plot;
pub mod presets;
pub mod recording;
pub mod replay;
pub mod rng;
pub mod run;
pub mod scalar;
pub mod train;
