//! Trains control policies by reinforcement learning and exports them for `policy-core`.
//!
//! # What it promises
//!
//! - **Right mathematics.** Losses, gradients, optimiser steps and environments agree with golden
//!   data from torch, gymnasium and MuJoCo; the same expressions run in `f32` to train and in `f64` to be
//!   checked.
//! - **The same seed, the same bits**, whatever instructions the processor has, on any number of
//!   threads.
//! - **No allocation in an update**, and `unsafe` only in [`linalg`].
//!
//! # Modules
//!
//! Each row imports only from rows above it; modules of one row may know each other:
//!
//! | module | what is in it |
//! |---|---|
//! | [`scalar`], [`rng`], [`state`], [`text`], [`link`] | the numbers; named streams of random ones; what a run is made of at a moment; other people's text, safe to show; the way to a board |
//! | [`statistics`] | how sure figures of a few runs are |
//! | [`linalg`], [`elementary`] | matrix products, and functions, on slices |
//! | [`autodiff`] | losses as expressions, compiled to programs |
//! | [`nn`] | networks, first values, Adam |
//! | [`interface`], [`actions`] | what environments, algorithms and the loop agree on |
//! | [`numbers`] | numbers as people write them |
//! | [`settings`] | what is wrong with settings |
//! | [`noise`] | noise to explore with |
//! | [`algos`], [`envs`], [`replay`] | algorithms and environments, which do not know each other |
//! | [`train`] | the one training loop |
//! | [`config`], [`presets`] | the settings of a run |
//! | [`policy`], [`export`], [`recording`], [`control`], [`eval`], [`trajectories`] | from a network to a blob, and how good it is |
//! | [`quantise`] | from a blob with `f32` weights to one with integers |
//! | [`signing`] | keys, and policies that boards take as updates |
//! | [`tensorboard`] | the numbers of a run as TensorBoard reads them |
//! | [`picture`] | a machine as shapes, an episode as a film |
//! | [`plot`], [`results`], [`cost`], [`report`], [`run`] | pictures; what a run's files hold; what an action costs; all of it on a page; a run from settings to files |
//! | [`compare`], [`sweep`] | groups of runs side by side; many runs of settings that vary |
//! | [`pil`] | a policy on a board against the same one here, bit for bit |
//! | [`view`] | a machine under its policy, live on a page of the browser |
//! | [`mod@bench`] | what training costs |
//! | [`cli`] | the command line |
//!
//! # Training from code
//!
//! ```
//! use trainer::{config::RunConfig, envs, export, run, train};
//!
//! let config = RunConfig::resolve(Some("sac"), None, &["steps=600".into()])?;
//! let run::Start { mut environments, mut agent } = run::start(&config)?;
//! train::train(&mut *environments, &mut *agent, &config.training, &mut train::Unobserved)?;
//! let fingerprint = envs::fingerprint(&config.environment)?;
//! let blob = export::export(&agent.policy(), environments.spec(), fingerprint)?;
//! assert_eq!(blob.bytes()[..4], *b"PLCY");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod actions;
pub mod algos;
pub mod autodiff;
pub mod bench;
pub mod cli;
pub mod compare;
pub mod config;
pub mod control;
pub mod cost;
pub mod elementary;
pub mod envs;
pub mod eval;
pub mod export;
mod input;
pub mod interface;
pub mod linalg;
pub mod link;
pub mod nn;
pub mod noise;
pub mod numbers;
pub mod picture;
pub mod pil;
pub mod plot;
pub mod policy;
pub mod presets;
pub mod quantise;
pub mod recording;
pub mod replay;
pub mod report;
pub mod results;
pub mod rng;
pub mod run;
pub mod scalar;
pub mod settings;
pub mod signing;
pub mod state;
pub mod statistics;
pub mod sweep;
pub mod tensorboard;
pub mod text;
pub mod train;
pub mod trajectories;
pub mod view;
