//! The program that controls.
//!
//! Without a link it lets the policy swing up a pendulum that is simulated on the board, reports, and ends. With
//! one (the argument `serve`) it stays and answers.

use core::{
    cell::RefCell,
    fmt::Write,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use critical_section::Mutex;
use policy_core::link::{Cost, SensorFault, State};

use super::{
    Console, Serial, Uart, arguments,
    flash::{self, Emulated},
    timer::{Counter, Timer},
};
use crate::{
    baked::{self, WIDTH, Weight},
    control::{Controller, Mailbox, Pilot, Plant},
    plants::Simulated,
    service::Service,
    station::{Plate, Station, needs},
    update::{Slots, Updater, Updates},
};

/// Periods of a run without a link.
const PERIODS: u64 = 200;

type Loop = Controller<'static, Machine, Timer, (), Weight, WIDTH>;

static MAILBOX: Mailbox<'static, Weight, WIDTH> = Mailbox::new();
/// Instructions of the control periods, which interrupt whatever is counted meanwhile; over and over in 32 bits.
static PERIODS_TOOK: AtomicU32 = AtomicU32::new(0);
/// The timer's interrupt has it.
static LOOP: Mutex<RefCell<Option<Loop>>> = Mutex::new(RefCell::new(None));

/// A pendulum, if the policy is for one; other machines have no sensor here.
#[derive(Debug)]
struct Machine(Option<Simulated>);

impl Machine {
    fn new(pilot: &Pilot<'_, Weight, WIDTH>) -> Self {
        let policy = pilot.policy();
        let is_pendulum = policy.contract().is_ok_and(|contract| contract.plant() == "pendulum");
        Machine(is_pendulum.then(|| Simulated::new(policy.control_period())))
    }
}

impl Plant for Machine {
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        self.0.as_mut().ok_or(SensorFault::Silent)?.observe(now, observation)
    }

    fn actuate(&mut self, action: &[f32]) -> Option<()> {
        self.0.as_mut()?.actuate(action)
    }

    /// Nothing is safe, too.
    fn make_safe(&mut self) -> Option<()> {
        self.0.as_mut().map_or(Some(()), Plant::make_safe)
    }
}

/// What the program's interrupt of the timer does: a control period, where one is due.
pub fn tick() {
    // Before the time is told: it may be this interrupt that says what it is.
    Timer::tick();
    let took = Timer::instructions(period);
    // Nobody else writes it.
    PERIODS_TOOK.store(PERIODS_TOOK.load(Relaxed).wrapping_add(took), Relaxed);
}

fn period() {
    critical_section::with(|cs| {
        // The program below never keeps it.
        let Ok(mut controller) = LOOP.borrow(cs).try_borrow_mut() else { return };
        let Some(controller) = controller.as_mut() else { return };
        let now = controller.now();
        // Two clocks never agree to the last tick: less than half a period too early is on time.
        let early = controller.timing().due(now).saturating_sub(now);
        if 2 * early <= controller.timing().period() {
            MAILBOX.period(controller);
        }
    });
}

/// Starts the loop, and then serves the link or runs without one.
pub fn main<U: Uart + Counter, const HAS_SLOTS: bool>(board: &'static str) -> ! {
    let code = match baked::pilot() {
        Ok(pilot) => {
            let examples = pilot.examples();
            let checksum = pilot.policy().checksum();
            let _ = writeln!(
                Console,
                "{board}: policy {checksum:#010x} passed its own test ({examples} examples, all bits equal)"
            );
            run::<U, HAS_SLOTS>(board, pilot)
        }
        Err(error) => {
            let _ = writeln!(Console, "error: policy: {error}");
            2
        }
    };
    semihosting::process::exit(code)
}

fn run<U: Uart + Counter, const HAS_SLOTS: bool>(
    board: &'static str,
    pilot: Pilot<'static, Weight, WIDTH>,
) -> i32 {
    let is_served = arguments::has_serve();
    let timer = Timer::begin::<U>(pilot.period(), !is_served);
    let machine = Machine::new(&pilot);
    let controller = Controller::new(machine, timer, (), pilot.clone());
    critical_section::with(|cs| {
        if let Ok(mut place) = LOOP.borrow(cs).try_borrow_mut() {
            *place = Some(controller);
        }
    });
    if !is_served {
        return alone();
    }
    let plate = Plate { board, cost: Cost::Instructions, count };
    // The emulated flash is empty when the board starts, so that the firmware's own policy runs first.
    if HAS_SLOTS && let Some(slots) = Slots::new(Emulated::new(), 0, flash::slot_size()) {
        let (updater, _) = Updater::begin(slots, baked::KEY, needs(&pilot), |_, _| None::<()>);
        serve::<U>(Station::new(plate, updater, &MAILBOX, pilot))
    }
    serve::<U>(Station::new(plate, (), &MAILBOX, pilot))
}

fn serve<U: Uart>(mut station: Station<'static, impl Updates, Weight, WIDTH>) -> ! {
    let (mut serial, mut service) = (Serial::<U>::open(), Service::new());
    loop {
        if let Some(answer) = service.push(serial.receive(), &mut station) {
            serial.send(answer);
        }
    }
}

/// The instructions of some work. Control periods go on meanwhile, or the clock would stand still; theirs do not count.
fn count(work: &mut dyn FnMut()) -> u32 {
    let before = PERIODS_TOOK.load(Relaxed);
    let all = Timer::instructions(work);
    all.saturating_sub(PERIODS_TOOK.load(Relaxed).wrapping_sub(before))
}

/// Swings the pendulum up, and says how that goes, once a second. The exit code.
fn alone() -> i32 {
    MAILBOX.start();
    let mut told = 0;
    let end = loop {
        Timer::sleep();
        let snapshot = MAILBOX.snapshot();
        let periods = snapshot.periods();
        if periods >= told + PERIODS / 10 {
            told = periods;
            if let [cosine, sine, speed] = snapshot.observation() {
                // Whole numbers: code that writes others is larger than all the rest, and can panic.
                let degrees = libm::roundf(libm::atan2f(*sine, *cosine).to_degrees()) as i32;
                let speed = libm::roundf(100.0 * speed) as i32;
                let _ = writeln!(
                    Console,
                    "period {periods}: {degrees}° from upright, {speed}/100 rad/s"
                );
            }
        }
        if periods >= PERIODS || matches!(snapshot.state(), State::Safe(_)) {
            break snapshot;
        }
    };
    let _ = writeln!(Console, "{end}");
    i32::from(end.state() != State::Running)
}
