//! The crate as its users see it, held against `FORMAT.md`.

mod blobs;
mod corruption;
mod reader;
mod refusals;
mod replay;
mod round_trip;
mod specification;
