use std::{cell::RefCell, rc::Rc, vec::Vec};

use super::*;
use crate::samples::{Bytes, blob, float};
use policy_core::{format::Network, link::SensorFault};

const PERIOD: u64 = 50_000;
const FIRMWARE: Source = Source::Firmware;
const UPDATE: Source = Source::Update { version: 1 };
const SILENT: Fault = Fault::Sensor(SensorFault::Silent);

/// A board and its machine, as the tests set them.
#[derive(Default)]
struct World {
    now: u64,
    /// What the sensor sees; none where it is broken.
    sees: Option<f32>,
    /// How old what it sees is, in µs.
    age: u64,
    /// Time that an observation takes, in µs.
    sensing: u64,
    actuator_broken: bool,
    /// What the actuator was told: actions, or to be safe.
    told: Vec<Option<f32>>,
    fed: u32,
}

#[derive(Clone)]
struct Shared(Rc<RefCell<World>>);

impl Plant for Shared {
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        let mut world = self.0.borrow_mut();
        world.now += world.sensing;
        observation.fill(world.sees.ok_or(SensorFault::Silent)?);
        Ok(now.saturating_sub(world.age))
    }

    fn actuate(&mut self, action: &[f32]) -> Option<()> {
        let mut world = self.0.borrow_mut();
        world.told.push(Some(action[0]));
        (!world.actuator_broken).then_some(())
    }

    fn make_safe(&mut self) -> Option<()> {
        let mut world = self.0.borrow_mut();
        world.told.push(None);
        (!world.actuator_broken).then_some(())
    }
}

impl Clock for Shared {
    fn now(&mut self) -> u64 {
        self.0.borrow().now
    }
}

impl Watchdog for Shared {
    fn feed(&mut self) {
        self.0.borrow_mut().fed += 1;
    }
}

type Loop<'a> = Controller<'a, Shared, Shared, Shared, f32, 16>;

/// A stopped controller with the policy a = ½ − x, of a sensor that sees ½.
fn controller(blob: &Bytes) -> (Loop<'_>, Rc<RefCell<World>>) {
    let world =
        Rc::new(RefCell::new(World { now: 1_000_000, sees: Some(0.5), ..World::default() }));
    let shared = Shared(world.clone());
    let pilot = Pilot::new(blob.get(), FIRMWARE).unwrap();
    let controller = Controller::new(shared.clone(), shared.clone(), shared, pilot);
    assert_eq!(world.borrow().told, [None]);
    world.borrow_mut().told.clear();
    (controller, world)
}

/// A period that begins when it is due; what the actuator was told in it, and how often the watchdog was fed.
fn step(controller: &mut Loop<'_>, world: &RefCell<World>) -> (State, Vec<Option<f32>>, u32) {
    let due = controller.timing().due(world.borrow().now);
    world.borrow_mut().now = due;
    let fed = world.borrow().fed;
    let state = controller.period();
    let mut world = world.borrow_mut();
    (state, core::mem::take(&mut world.told), world.fed - fed)
}

#[test]
fn it_holds_the_machine_safe_until_it_is_started() {
    let blob = float();
    let (mut controller, world) = controller(&blob);
    for _ in 0..3 {
        assert_eq!(step(&mut controller, &world), (State::Stopped, [None].into(), 1));
    }
    controller.start();
    world.borrow_mut().sees = Some(1.5);
    assert_eq!(step(&mut controller, &world), (State::Running, [Some(-1.0)].into(), 1));
    assert_eq!((controller.observation(), controller.action()), (&[1.5][..], &[-1.0][..]));
    controller.stop();
    assert_eq!((world.borrow().told.as_slice(), controller.action()), (&[None][..], &[][..]));
    world.borrow_mut().told.clear();
    assert_eq!(step(&mut controller, &world), (State::Stopped, [None].into(), 1));
    assert_eq!((controller.timing().periods, controller.faults()), (5, 0));
}

/// What happens to the machine, and the fault that it must end in.
type Harm = (fn(&mut World), Fault);

const HARMS: [Harm; 8] = [
    (|w| w.sees = None, SILENT),
    (|w| w.sees = Some(f32::NAN), Fault::NotFinite { entry: 0 }),
    (|w| w.sees = Some(f32::NEG_INFINITY), Fault::NotFinite { entry: 0 }),
    (|w| w.sees = Some(2.5), Fault::OutOfRange { entry: 0, value: 2.5, low: -2.0, high: 2.0 }),
    (|w| w.sees = Some(-2.5), Fault::OutOfRange { entry: 0, value: -2.5, low: -2.0, high: 2.0 }),
    (|w| w.age = 50_001, Fault::Stale { age: 50_001, limit: 50_000 }),
    (|w| w.sensing = 50_001, Fault::Overrun { took: 50_001, limit: 50_000 }),
    (|w| w.now += 2 * PERIOD + 7, Fault::Late { missed: 2 }),
];

#[test]
fn each_fault_makes_the_machine_safe_and_says_why() {
    for (harm, fault) in HARMS {
        let blob = float();
        let (mut controller, world) = controller(&blob);
        controller.start();
        assert_eq!(step(&mut controller, &world).0, State::Running);
        let due = controller.timing().due(0);
        world.borrow_mut().now = due;
        harm(&mut world.borrow_mut());
        world.borrow_mut().told.clear();
        let state = controller.period();
        assert_eq!((state, controller.faults()), (State::Safe(fault), 1), "{fault}");
        assert_eq!(world.borrow().told, [None], "{fault}: no action, but the safe state");
        // It stays until somebody starts it again, however well the machine is.
        let healed = World { now: world.borrow().now, sees: Some(0.5), ..World::default() };
        *world.borrow_mut() = healed;
        assert_eq!(step(&mut controller, &world), (State::Safe(fault), [None].into(), 1));
        controller.start();
        assert_eq!(step(&mut controller, &world).0, State::Running, "{fault}");
        assert_eq!(controller.faults(), 1);
    }
}

#[test]
fn limits_themselves_are_no_faults() {
    let blob = float();
    let (mut controller, world) = controller(&blob);
    controller.start();
    for harm in [
        |w: &mut World| w.sees = Some(2.0),
        |w: &mut World| w.sees = Some(-2.0),
        |w: &mut World| w.age = PERIOD,
        |w: &mut World| w.sensing = PERIOD,
    ] {
        harm(&mut world.borrow_mut());
        assert_eq!(step(&mut controller, &world).0, State::Running);
    }
}

/// A broken actuator may not hear that it should be safe: then only the watchdog is left.
#[test]
fn the_watchdog_starves_where_the_safe_state_is_not_sure() {
    let blob = float();
    let (mut controller, world) = controller(&blob);
    controller.start();
    world.borrow_mut().actuator_broken = true;
    let broken = State::Safe(Fault::Actuator);
    assert_eq!(step(&mut controller, &world), (broken, [Some(0.0), None].into(), 0));
    assert_eq!(step(&mut controller, &world), (broken, [None].into(), 0));
    controller.stop();
    assert_eq!((controller.state(), world.borrow().fed), (broken, 0));
}

#[test]
fn a_policy_that_passes_its_trial_stays() {
    let (blob, other) = (float(), blob(Network::F32(&[1.0, -1.0]), &[]));
    let (mut controller, world) = controller(&blob);
    controller.adopt(Pilot::new(other.get(), UPDATE).unwrap(), 2);
    // Only periods that act count.
    step(&mut controller, &world);
    assert_eq!((controller.trial_left(), controller.take_verdict()), (2, None));
    controller.start();
    for left in [1, 0] {
        assert_eq!(step(&mut controller, &world).1, [Some(0.5)]);
        assert_eq!(controller.trial_left(), left);
    }
    assert_eq!(controller.take_verdict(), Some(Trial::Passed(UPDATE)));
    assert_eq!((controller.take_verdict(), controller.pilot().source()), (None, UPDATE));
    // From now on a fault is the machine's.
    world.borrow_mut().sees = None;
    assert_eq!(step(&mut controller, &world).0, State::Safe(SILENT));
}

#[test]
fn a_policy_that_fails_its_trial_gives_way_to_the_one_before() {
    for (harm, fault) in HARMS {
        let (blob, other) = (float(), blob(Network::F32(&[1.0, -1.0]), &[]));
        let (mut controller, world) = controller(&blob);
        controller.start();
        step(&mut controller, &world);
        controller.adopt(Pilot::new(other.get(), UPDATE).unwrap(), 3);
        assert_eq!(step(&mut controller, &world).1, [Some(0.5)]);
        world.borrow_mut().now = controller.timing().due(0);
        harm(&mut world.borrow_mut());
        // The machine is safe for this period, and nobody acts on what was found.
        assert_eq!((controller.period(), controller.action()), (State::Running, &[][..]));
        assert_eq!(core::mem::take(&mut world.borrow_mut().told), [None], "{fault}");
        assert_eq!(controller.take_verdict(), Some(Trial::Failed(UPDATE, fault)));
        assert_eq!((controller.pilot().source(), controller.trial_left()), (FIRMWARE, 0));
        let healed = World { now: world.borrow().now, sees: Some(0.5), ..World::default() };
        *world.borrow_mut() = healed;
        assert_eq!(step(&mut controller, &world), (State::Running, [Some(0.0)].into(), 1));
    }
}

/// The policy before is not to blame for what goes on, but neither is it allowed to fly through it.
#[test]
fn a_fault_that_outlives_the_trial_ends_in_the_safe_state() {
    let (blob, other) = (float(), blob(Network::F32(&[1.0, -1.0]), &[]));
    let (mut controller, world) = controller(&blob);
    controller.start();
    controller.adopt(Pilot::new(other.get(), UPDATE).unwrap(), 3);
    world.borrow_mut().sees = Some(9.0);
    assert_eq!(step(&mut controller, &world).0, State::Running);
    assert!(matches!(step(&mut controller, &world).0, State::Safe(Fault::OutOfRange { .. })));
}

/// One that is replaced during its trial was never kept, so nobody falls back to it.
#[test]
fn a_trial_within_a_trial_falls_back_to_the_last_policy_that_was_kept() {
    let (blob, second) = (float(), blob(Network::F32(&[1.0, -1.0]), &[]));
    let third = float();
    let (mut controller, world) = controller(&blob);
    controller.start();
    controller.adopt(Pilot::new(second.get(), UPDATE).unwrap(), 3);
    step(&mut controller, &world);
    let newest = Source::Update { version: 2 };
    controller.adopt(Pilot::new(third.get(), newest).unwrap(), 3);
    world.borrow_mut().sees = None;
    step(&mut controller, &world);
    assert_eq!(controller.take_verdict(), Some(Trial::Failed(newest, SILENT)));
    assert_eq!(controller.pilot().source(), FIRMWARE);
}

#[test]
fn pilots_refuse_what_they_cannot_fly() {
    type Narrow<'a> = Pilot<'a, f32, 16>;
    let good = float();
    assert_eq!(Narrow::new(good.get(), FIRMWARE).unwrap().period(), PERIOD);
    let wrong = blob(Network::F32(&[0.5, -1.0]), &[1.0_f32.to_bits(), 0]);
    for (blob, sentence) in [
        (&good.get()[4..], "the blob starts with "),
        (wrong.get(), "example 0 of the policy gives another action"),
    ] {
        let error = std::format!("{}", Narrow::new(blob, FIRMWARE).unwrap_err());
        assert!(error.starts_with(sentence), "{error}");
    }
    let pilot = Narrow::new(good.get(), FIRMWARE).unwrap();
    assert_eq!(pilot.act(&[]), Err(Fault::Size { needed: 1, found: 0 }));
}
