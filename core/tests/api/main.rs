//! The crate as its users see it, held against `FORMAT.md`.

mod answers;
mod any;
mod blobs;
mod contract;
mod corruption;
mod golden;
mod harm;
#[cfg(feature = "link")]
mod link;
mod mutations;
mod order;
mod reader;
mod refusals;
mod replay;
mod round_trip;
mod specification;
#[cfg(feature = "update")]
mod update;
