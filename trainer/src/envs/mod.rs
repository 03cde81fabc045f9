//! Environments: equations of machines, in `f64`, with `f32` observations. They know no network.
//!
//! A new one is one file here, one line in [`make`], and one learning test.

pub mod pendulum;

pub use pendulum::Pendulum;

use crate::interface::Environment;

/// Names of all environments.
pub const NAMES: &[&str] = &["pendulum"];

/// The environment of that name.
pub fn make(name: &str) -> Option<Box<dyn Environment>> {
    match name {
        "pendulum" => Some(Box::new(Pendulum::new())),
        _ => None,
    }
}
