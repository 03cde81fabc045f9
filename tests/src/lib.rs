//! What the suites in `suites/` share.
//!
//! | module | what is in it |
//! |---|---|
//! | [`agents`] | agents of every algorithm as golden files see them |
//! | [`boards`] | a board of this process, at the other end of a link |
//! | [`emulator`] | builds the firmware around a policy and runs it in QEMU |
//! | [`golden`] | the golden files: finding, reading, comparing |
//! | [`inverted_pendulum_file`] | a golden file of trajectories of the inverted pendulum |
//! | [`mod@line`] | a link that loses, alters, repeats and delays what it carries |
//! | [`losses_file`] | a golden file of single losses |
//! | [`samples`] | random policies of any shape |
//! | [`updates_file`] | a golden file of whole updates |

#![forbid(unsafe_code)]

pub mod agents;
pub mod boards;
pub mod emulator;
pub mod golden;
pub mod inverted_pendulum_file;
pub mod line;
pub mod losses_file;
pub mod samples;
pub mod updates_file;
