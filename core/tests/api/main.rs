//! The crate as its users see it, held against `FORMAT.md`.

mod any;
mod blobs;
mod reader;
mod specification;
