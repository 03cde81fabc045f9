//! The body of the control loop's task, for a context that no other task can hold up.

use defmt::{info, warn};
use embassy_time::{Duration, Instant, Timer};
use embedded_hal::{i2c::I2c, pwm::SetDutyCycle};
use firmware_example::{
    control::{Controller, Plant, Watchdog},
    plants::Pendulum,
};

use crate::{MAILBOX, Pilot, clock::Uptime, schedule};

/// How often a machine without a policy is put into its safe state: each watchdog takes longer to run out.
const REST: Duration = Duration::from_millis(100);

/// The loop: stopped at first, the actuator in its safe state, and there for ever where no policy was proven.
pub async fn run<I: I2c, A: SetDutyCycle, B: SetDutyCycle>(
    mut pendulum: Pendulum<I, A, B>,
    watchdog: impl Watchdog,
    pilot: Option<Pilot>,
) -> ! {
    let _ = pendulum.make_safe();
    match pendulum.encoder().steps() {
        Ok(steps) => info!("the encoder reads {=u16} of 4096", steps),
        Err(fault) => warn!("no angle: {}", fault),
    }
    let Some(pilot) = pilot else { rest(pendulum, watchdog).await };
    let mut controller = Controller::new(pendulum, Uptime, watchdog, pilot);
    loop {
        MAILBOX.period(&mut controller);
        let now = controller.now();
        let timing = controller.timing();
        let next = schedule::next(timing.due(now), now, timing.period());
        Timer::at(Instant::from_micros(next)).await;
    }
}

async fn rest(mut plant: impl Plant, mut watchdog: impl Watchdog) -> ! {
    loop {
        if plant.make_safe().is_some() {
            watchdog.feed();
        }
        Timer::after(REST).await;
    }
}
