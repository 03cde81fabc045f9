//! The control loop: once in each period it observes, checks, acts, and says how that went.
//!
//! | module | what is in it |
//! |---|---|
//! | [`plant`] | [`Plant`]: what the loop needs of a machine; [`Clock`] and [`Watchdog`]: of a board |
//! | [`pilot`] | [`Pilot`]: a policy with the ranges that its contract declares |
//! | [`controller`] | [`Controller`]: the loop |
//! | [`mailbox`] | [`Mailbox`]: what the loop and the rest of the firmware tell each other |
//! | [`timing`] | the schedule: missed periods, jitter, execution times |

pub mod controller;
pub mod mailbox;
pub mod pilot;
pub mod plant;
pub mod timing;

pub use controller::{Controller, Trial};
pub use mailbox::{Mailbox, Snapshot};
pub use pilot::{MAX_INPUTS, Pilot, PilotError};
pub use plant::{Clock, Plant, Watchdog};
pub use timing::Timing;
