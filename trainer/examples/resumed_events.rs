//! Writes what an interrupted run and the one that was resumed from its checkpoint leave for TensorBoard:
//! two event files in one folder, which are read as one curve.
//!
//! ```text
//! cargo run -p trainer --example resumed_events -- DIRECTORY
//! ```
//!
//! `tests/tensorboard/run` reads them.

use std::path::PathBuf;
use trainer::tensorboard::{EventWriter, tag};

fn main() -> std::io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| std::io::Error::other("give a directory"))?;
    std::fs::create_dir_all(&directory)?;
    let name = tag("return");

    // An earlier run, which the next one takes the place of.
    let mut earlier = EventWriter::create(&directory, None)?;
    (1..=9).try_for_each(|n| earlier.scalar(&name, 100 * n, -9.0))?;
    drop(earlier);

    // It has a checkpoint at step 300, and is interrupted after step 500.
    let mut interrupted = EventWriter::create(&directory, None)?;
    (1..=5).try_for_each(|n| interrupted.scalar(&name, 100 * n, -1.0))?;
    drop(interrupted);

    // Its episodes end at other steps now.
    let mut resumed = EventWriter::create(&directory, Some(300))?;
    (3..=7).try_for_each(|n| resumed.scalar(&name, 100 * n + 50, -2.0))?;
    resumed.finish()
}
