//! Machines: what a [`Plant`](crate::control::Plant) is made of.
//!
//! | module | what is in it |
//! |---|---|
//! | [`encoder`] | an AS5600 magnetic encoder, over I²C |
//! | [`bridge`] | a motor on an H-bridge, with two PWM outputs |
//! | [`pendulum`] | a pendulum with both of them |
//! | [`simulated`] | a pendulum that is simulated, for boards without one |

pub mod bridge;
pub mod encoder;
pub mod pendulum;
pub mod simulated;

pub use bridge::{Bridge, Motor};
pub use encoder::Encoder;
pub use pendulum::Pendulum;
pub use simulated::Simulated;
