//! The body of the log's task: changes when they happen, and once a second how things are.

use defmt::{info, warn};
use embassy_time::{Duration, Ticker};
use policy_core::link::State;

use crate::MAILBOX;

/// How often it looks for changes; a tenth of that often it says how things are.
const LOOK: Duration = Duration::from_millis(100);

/// Logs what the controller does.
pub async fn report() -> ! {
    let mut ticker = Ticker::every(LOOK);
    let (mut known, mut fallback, mut policy) = (None, None, None);
    for look in (1_u8..=10).cycle() {
        ticker.next().await;
        let snapshot = MAILBOX.snapshot();
        let now = snapshot.telemetry(0);
        if now.periods == 0 {
            // The controller has not begun.
            continue;
        }
        if known.replace(now.state) != Some(now.state) {
            match now.state {
                State::Stopped => info!("stopped"),
                State::Running => info!("running"),
                State::Safe(fault) => warn!("safe state: {}", fault),
            }
        }
        if policy.replace(now.policy) != Some(now.policy) {
            info!("policy: {}", now.policy);
        }
        if fallback != now.fallback {
            fallback = now.fallback;
            if let Some(fault) = fallback {
                warn!("the policy on trial has failed: {}", fault);
            }
        }
        if look == 10 {
            info!(
                "{}: {=u64} periods, {=u32} missed, {=u32} faults, jitter {=u32} µs, execution {=u32} µs at most; {}",
                now.state,
                now.periods,
                now.missed,
                now.faults,
                now.jitter,
                now.worst_execution,
                snapshot.observation(),
            );
        }
    }
    // The looks never end.
    core::future::pending().await
}
