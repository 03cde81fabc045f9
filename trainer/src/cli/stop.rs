//! Stopping the controller on a board, for several commands.

use std::time::{Duration, Instant};

use policy_core::link::{Request, State};

use super::Failure;
use crate::link::{Board, Client, LinkError};

/// A board obeys in its next control period; it has so many of them, and at least [`OBEY`], to show that it did.
const PERIODS: f32 = 3.0;
const OBEY: Duration = Duration::from_secs(1);
/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// Tells the board to stop, and waits until its controller does not run any more.
pub(super) fn stop(client: &mut Client, board: &Board) -> Result<(), Failure> {
    let failed = |error: LinkError| Failure::Failed(error.to_string());
    client.order(Request::Stop).map_err(failed)?;
    let periods = Duration::try_from_secs_f32(PERIODS * board.control_period);
    // A period that is no time is none of a board that works.
    let limit = periods.unwrap_or(OBEY).max(OBEY);
    let begun = Instant::now();
    while client.status().map_err(failed)?.state == State::Running {
        if begun.elapsed() >= limit {
            let text = format!(
                "the board was told to stop, but its controller still runs after {} ms: cut its power",
                limit.as_millis()
            );
            return Err(Failure::Failed(text));
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
