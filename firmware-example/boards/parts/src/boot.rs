//! The policy to run, proven before anything can move.

use defmt::{error, info, warn};
use embedded_storage::nor_flash::NorFlash;
use firmware_example::{
    baked,
    control::{self, PilotError},
    station::needs,
    update::{Slots, Updater},
};
use policy_core::link::Source;

use crate::{
    Pilot,
    flash::{self, Mapped},
    machine::{self, Misfit},
};

/// The firmware's own policy, which has passed its own test on this chip. `None` where it is refused, and the log says why.
pub fn firmware() -> Option<Pilot> {
    let pilot = match baked::pilot() {
        Ok(pilot) => pilot,
        Err(why) => {
            error!("the firmware's policy is refused, and nothing will move:");
            explain(why);
            return None;
        }
    };
    if let Some(why) = machine::misfit(&pilot) {
        error!("the firmware's policy is not for this machine, and nothing will move:");
        explain_misfit(why);
        return None;
    }
    if let Some(torque) = machine::too_strong(&pilot) {
        let most = machine::largest_torque();
        warn!("the policy asks for {=f32} N·m, motor and bridge give {=f32} at most", torque, most);
    }
    info!(
        "policy {=u32:#010x}: {=usize} examples, all bits equal; period {=u64} µs",
        pilot.policy().checksum(),
        pilot.examples(),
        pilot.period()
    );
    Some(pilot)
}

/// What takes updates, where the flash has room for slots, and the policy to run: the newest one that was kept and has passed
/// its own test, or the firmware's.
pub fn begin<F: NorFlash>(flash: F) -> (Option<Updater<Mapped<F>>>, Option<Pilot>) {
    let Some(firmware) = firmware() else { return (None, None) };
    let (start, size) = flash::place();
    let Some(slots) = Slots::new(Mapped::new(flash), start, size) else {
        warn!("no updates: slots of {=u32} bytes do not fit the flash at {=u32:#x}", size, start);
        return (None, Some(firmware));
    };
    if baked::KEY.is_none() {
        info!("no updates: the firmware was built without KEY");
    }
    let test = |version, blob| match control::Pilot::new(blob, Source::Update { version }) {
        Ok(pilot) => {
            info!("policy of version {=u32}, kept before, has passed its own test", version);
            Some(pilot)
        }
        Err(why) => {
            warn!("policy of version {=u32} is left out:", version);
            explain(why);
            None
        }
    };
    let (updater, kept) = Updater::begin(slots, baked::KEY, needs(&firmware), test);
    (Some(updater), Some(kept.unwrap_or(firmware)))
}

fn explain(why: PilotError) {
    match why {
        PilotError::Blob(why) => error!("{}", why),
        PilotError::SelfTest(why) => error!("{}", why),
        PilotError::TooManyInputs(found) => error!("observations of {=usize} numbers", found),
        PilotError::Period => error!("it has no control period that a clock can keep"),
    }
}

fn explain_misfit(why: Misfit<'_>) {
    match why {
        Misfit::Plant(found) => {
            error!("it is for {=str}, but the machine is {=str}", found, machine::PLANT);
        }
        Misfit::Shape(observation, action) => error!(
            "it takes {=usize} numbers and gives {=usize}, but the machine has 3 and takes 1",
            observation, action
        ),
        Misfit::Period(found) => error!(
            "its control period is {=u64} µs, but the board keeps {=u64} to {=u64} µs",
            found,
            *machine::PERIODS.start(),
            *machine::PERIODS.end()
        ),
    }
}
