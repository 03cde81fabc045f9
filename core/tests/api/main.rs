//! The crate as its users see it, held against `FORMAT.md`.

mod any;
mod blobs;
mod golden;
mod reader;
mod specification;
