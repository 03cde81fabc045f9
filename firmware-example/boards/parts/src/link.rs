//! The body of the serial link's task.

use defmt::{Debug2Format, debug};
use embassy_time::{Duration, Timer, with_timeout};
use embedded_io_async::{Read, Write};
use firmware_example::{
    baked::{WIDTH, Weight},
    service::Service,
    station::{Plate, Station},
    update::Updates,
};

use crate::{MAILBOX, Pilot};

/// How often it looks whether a trial has ended, where no byte comes.
const SETTLE: Duration = Duration::from_millis(100);

/// After an error of the serial port, so that other tasks have their turn even if it stays.
const PAUSE: Duration = Duration::from_millis(5);

/// Answers the desktop's questions. Without a policy it stays silent.
pub async fn serve(
    serial: impl Read + Write,
    plate: Plate,
    updates: impl Updates,
    pilot: Option<Pilot>,
) -> ! {
    match pilot {
        Some(pilot) => answer(serial, Station::new(plate, updates, &MAILBOX, pilot)).await,
        None => core::future::pending().await,
    }
}

async fn answer(
    mut serial: impl Read + Write,
    mut station: Station<'static, impl Updates, Weight, WIDTH>,
) -> ! {
    let (mut service, mut buffer) = (Service::new(), [0; 64]);
    loop {
        station.settle();
        let read = with_timeout(SETTLE, serial.read(&mut buffer)).await;
        let count = match read {
            Ok(Ok(count)) => count,
            Ok(Err(error)) => {
                debug!("serial link, reading: {}", Debug2Format(&error));
                Timer::after(PAUSE).await;
                0
            }
            Err(_) => 0,
        };
        for byte in buffer.iter().take(count) {
            if let Some(answer) = service.push(*byte, &mut station)
                && let Err(error) = serial.write_all(answer).await
            {
                debug!("serial link, writing: {}", Debug2Format(&error));
            }
        }
    }
}
