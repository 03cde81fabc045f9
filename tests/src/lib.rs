//! What the suites in `suites/` share.
//!
//! | module | what is in it |
//! |---|---|
//! | [`emulator`] | builds the firmware around a policy and runs it in QEMU |
//! | [`samples`] | random policies of any shape |

#![forbid(unsafe_code)]

pub mod emulator;
pub mod samples;
