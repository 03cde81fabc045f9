//! Time since the board began, and what an action costs.

use embassy_time::Instant;
use firmware_example::{control::Clock, station::Plate};
use policy_core::link::Cost;

/// The clock of `embassy_time`: 64 bits of µs.
#[derive(Debug)]
pub struct Uptime;

impl Clock for Uptime {
    fn now(&mut self) -> u64 {
        Instant::now().as_micros()
    }
}

/// What a board of this name is called, and how it counts. It starts the counter.
#[cfg(feature = "cycle-counter")]
pub fn plate(board: &'static str) -> Plate {
    if let Some(mut core) = cortex_m::Peripherals::take() {
        core.DCB.enable_trace();
        core.DWT.enable_cycle_counter();
    }
    Plate {
        board,
        cost: Cost::Cycles,
        count: |work| between(cortex_m::peripheral::DWT::cycle_count, work),
    }
}

/// What a board of this name is called, and how it counts.
#[cfg(not(feature = "cycle-counter"))]
pub fn plate(board: &'static str) -> Plate {
    fn now() -> u32 {
        (Instant::now().as_micros() as u32).wrapping_mul(1_000)
    }
    Plate { board, cost: Cost::Nanoseconds, count: |work| between(now, work) }
}

/// What a counter counts during some work, undisturbed by interrupts.
fn between(counter: impl Fn() -> u32, work: &mut dyn FnMut()) -> u32 {
    critical_section::with(|_| {
        let before = counter();
        work();
        counter().wrapping_sub(before)
    })
}
