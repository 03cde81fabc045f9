//! The crate as its users see it, held against `FORMAT.md`.

mod answers;
mod any;
mod blobs;
mod contract;
mod corruption;
mod golden;
mod harm;
mod mutations;
mod order;
mod reader;
mod refusals;
mod replay;
mod round_trip;
mod specification;
