//! What the suites in `suites/` share.
//!
//! | module | what is in it |
//! |---|---|
//! | [`emulator`] | builds the firmware around a policy and runs it in QEMU |
//! | [`golden`] | the golden files: finding, reading, comparing |
//! | [`inverted_pendulum_file`] | a golden file of trajectories of the inverted pendulum |
//! | [`sac_file`] | a golden file of SAC updates, replayed by the agent |
//! | [`samples`] | random policies of any shape |

#![forbid(unsafe_code)]

pub mod emulator;
pub mod golden;
pub mod inverted_pendulum_file;
pub mod sac_file;
pub mod samples;
