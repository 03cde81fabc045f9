//! A machine under its policy, live on a page of the browser: to poke, to drag, to change.
//!
//! The policy runs here, through `policy-core`; the page only draws and asks. Each page has a [`Session`] of its own, a
//! simulation in real time; [`protocol`] is what the two tell each other; [`serve`] is the server around them, and [`Address`]
//! by what a browser finds it.

mod address;
mod delay;
mod guard;
mod pages;
pub mod protocol;
mod server;
mod session;

pub use address::Address;
pub use server::{Exhibit, serve};
pub use session::Session;

/// The expected discounted return from an observation, as the trained agent's critics say.
pub type Value = Box<dyn FnMut(&[f32]) -> f32>;
