//! What the boards run.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use defmt::{Debug2Format, info, warn};
use embassy_time::{Duration, Ticker};
use embedded_hal::{i2c::I2c, pwm::SetDutyCycle};
use embedded_io_async::{Read, Write};

use crate::{As5600, Bridge, Watchdog};

/// From one turn of the control loop to the next.
const PERIOD: Duration = Duration::from_millis(1);

/// What the control loop tells the other tasks. It alone writes.
static STATE: State =
    State { turns: AtomicU32::new(0), angle: AtomicU32::new(0), faults: AtomicU32::new(0) };

struct State {
    turns: AtomicU32,
    angle: AtomicU32,
    faults: AtomicU32,
}

/// What the control loop works with.
pub struct Control<I, A, B, W> {
    /// The angle of the motor's shaft.
    pub encoder: As5600<I>,
    /// The motor.
    pub bridge: Bridge<A, B>,
    /// Fed by the control loop, and by nothing else.
    pub watchdog: W,
}

impl<I: I2c, A: SetDutyCycle, B: SetDutyCycle, W: Watchdog> Control<I, A, B, W> {
    /// The control loop, for a context that no other task can hold up. So far it reads the angle and leaves the motor
    /// alone.
    pub async fn run(mut self) -> ! {
        let mut ticker = Ticker::every(PERIOD);
        let count =
            |counter: &AtomicU32| counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
        loop {
            match self.encoder.angle() {
                Ok(angle) => STATE.angle.store(angle.into(), Relaxed),
                Err(_) => count(&STATE.faults),
            }
            if self.bridge.coast().is_err() {
                count(&STATE.faults);
            }
            self.watchdog.feed();
            count(&STATE.turns);
            ticker.next().await;
        }
    }
}

/// Logs once a second what the control loop does.
pub async fn report() -> ! {
    let mut ticker = Ticker::every(Duration::from_secs(1));
    loop {
        ticker.next().await;
        info!(
            "turn {=u32}, angle {=u32}, {=u32} faults",
            STATE.turns.load(Relaxed),
            STATE.angle.load(Relaxed),
            STATE.faults.load(Relaxed),
        );
    }
}

/// Sends back what comes over the serial link.
pub async fn echo(mut serial: impl Read + Write) -> ! {
    let mut buffer = [0; 64];
    loop {
        let echoed = match serial.read(&mut buffer).await {
            Ok(count) => serial.write_all(&buffer[..count]).await,
            Err(error) => Err(error),
        };
        if let Err(error) = echoed {
            warn!("serial link: {}", Debug2Format(&error));
        }
    }
}
