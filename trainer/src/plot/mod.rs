//! Pictures, as the text of SVG files: one file here for each, and how all of them look in `style`.
//!
//! Each is made of plain numbers; whoever reads them from files or asks policies for them is elsewhere
//! ([`crate::results`], [`crate::report`]).

mod learning_curve;
mod learning_curves;
mod losses;
mod map;
mod phase;
mod returns;
pub(crate) mod style;

pub use learning_curve::learning_curve;
pub use learning_curves::{Group, learning_curves};
pub use losses::{loss, losses};
pub use map::{Colours, Grid, map};
pub use phase::{Trajectory, phase_portrait};
pub use returns::{against_best_known, sorted_returns};
