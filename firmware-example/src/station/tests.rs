use std::{boxed::Box, cell::RefCell, rc::Rc, string::ToString, vec, vec::Vec};

use super::*;
use crate::{
    control::{Clock, Controller, Plant},
    samples::blob,
    update::{
        Slots, Updater,
        model::{Model, SLOT, Tear},
        samples::{NEEDS, Update, key, manifest, policy, policy_of_width, signed, update},
    },
};
use policy_core::{
    format::{FixedLayer, Network},
    link::{CHUNK, Fault, SensorFault, State},
    update::Manifest,
};

/// What the sensor sees, and the time.
#[derive(Clone)]
struct World(Rc<RefCell<(f32, u64)>>);

impl Plant for World {
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        observation.fill(self.0.borrow().0);
        Ok(now)
    }

    fn actuate(&mut self, _: &[f32]) -> Option<()> {
        Some(())
    }

    fn make_safe(&mut self) -> Option<()> {
        Some(())
    }
}

impl Clock for World {
    fn now(&mut self) -> u64 {
        self.0.borrow().1
    }
}

type Loop = Controller<'static, World, World, (), f32, 16>;

/// A board with this flash: its loop, its link, and the world around it.
struct Bench<const HOLDS_UP: bool> {
    station: Station<'static, Updater<Model<8, HOLDS_UP>>, f32, 16>,
    mailbox: &'static Mailbox<'static, f32, 16>,
    controller: Loop,
    world: World,
}

impl<const HOLDS_UP: bool> Bench<HOLDS_UP> {
    fn new(flash: &Model<8, HOLDS_UP>) -> Self {
        // The firmware's own policy, at an address for words, and for ever.
        let bytes = policy(0.0, 7, 0.05, 1);
        let words: &'static mut [u32] = Box::leak(vec![0; bytes.len().div_ceil(4)].into());
        bytemuck::cast_slice_mut(words)[..bytes.len()].copy_from_slice(&bytes);
        let own: &'static [u8] = &bytemuck::cast_slice(words)[..bytes.len()];
        let own = Pilot::new(own, Source::Firmware).unwrap();
        let public = Some(key(1).verifying_key().to_bytes());
        let slots = Slots::new(flash.clone(), 0, SLOT).unwrap();
        let (updater, kept) = Updater::begin(slots, public, NEEDS, |version, blob| {
            Pilot::new(blob, Source::Update { version }).ok()
        });
        let pilot = kept.unwrap_or(own);
        let mailbox: &'static Mailbox<'_, f32, 16> = Box::leak(Box::new(Mailbox::new()));
        let world = World(Rc::new(RefCell::new((0.0, 0))));
        let plate = Plate {
            board: "bench",
            cost: Cost::Cycles,
            count: |work| {
                work();
                5
            },
        };
        Bench {
            station: Station::new(plate, updater, mailbox, pilot.clone()),
            controller: Controller::new(world.clone(), world.clone(), (), pilot),
            mailbox,
            world,
        }
    }

    fn periods(&mut self, count: u16) {
        for _ in 0..count {
            self.world.0.borrow_mut().1 += 50_000;
            self.mailbox.period(&mut self.controller);
        }
    }

    fn push(&mut self, version: u32) -> Result<(), UpdateRefusal> {
        self.send(&update(version))
    }

    fn send(&mut self, sent: &Update) -> Result<(), UpdateRefusal> {
        self.station.propose(&sent.manifest, &sent.signature)?;
        for (offset, chunk) in (0..).step_by(CHUNK).zip(sent.policy.chunks(CHUNK)) {
            self.station.chunk(offset, chunk)?;
        }
        self.station.commit()
    }

    /// Policy, periods of its trial, and the fault that ended the last one, as a desktop sees them.
    fn status(&mut self) -> (Source, u16, Option<Fault>) {
        let snapshot = self.station.snapshot();
        let told = snapshot.telemetry(0);
        (told.policy, told.trial, told.fallback)
    }
}

const OWN: Source = Source::Firmware;

fn version(version: u32) -> Source {
    Source::Update { version }
}

#[test]
fn a_policy_that_passes_is_kept_and_answers() {
    let flash = Model::new();
    let mut bench: Bench<false> = Bench::new(&flash);
    bench.station.start();
    bench.periods(3);
    bench.push(4).unwrap();
    // Before the loop has seen it, too.
    assert_eq!(bench.status().1, TRIAL);
    bench.periods(TRIAL - 1);
    assert_eq!(bench.status(), (version(4), 1, None));
    bench.periods(1);
    assert_eq!(bench.status(), (version(4), 0, None));
    assert_eq!(bench.station.identity().policy, version(4));
    assert_eq!(bench.push(4), Err(UpdateRefusal::OldVersion { newest: 4, found: 4 }));
    bench.push(5).unwrap();
    assert_eq!(Bench::new(&flash.restart()).status().0, OWN, "before any period");
    assert_eq!(Bench::new(&flash.restart()).station.identity().policy, version(4));
}

#[test]
fn a_policy_that_fails_gives_way_and_says_why() {
    let flash = Model::new();
    let mut bench: Bench<false> = Bench::new(&flash);
    bench.station.start();
    bench.push(4).unwrap();
    bench.periods(10);
    bench.world.0.borrow_mut().0 = f32::NAN;
    bench.periods(1);
    bench.world.0.borrow_mut().0 = 0.0;
    let fault = Some(Fault::NotFinite { entry: 0 });
    assert_eq!(bench.status(), (OWN, 0, fault));
    assert_eq!(
        (bench.station.identity().policy, bench.mailbox.snapshot().state()),
        (OWN, State::Running)
    );
    // The same version again, and this time all is well: what was before is forgotten.
    bench.push(4).unwrap();
    assert_eq!(bench.status(), (OWN, TRIAL, None));
    bench.periods(TRIAL);
    assert_eq!(bench.status(), (version(4), 0, None));
}

/// Its manifest says that it can, so that only its bytes tell.
#[test]
fn what_the_firmware_cannot_run_is_refused_with_what_it_runs() {
    let scale = [1e-3_f32.to_bits()];
    let fixed = [FixedLayer { weights: &[-1], bias: &[500], scale: &scale }];
    let int8 = blob(Network::Int8(&fixed), &[]).get().to_vec();
    let wide = policy_of_width(20, 0.0, 7, 0.05, 1);
    for (policy, refusal, sentence) in [
        (
            int8,
            UpdateRefusal::Weights { needed: 0, width: 16, found: 2 },
            "the policy has int8 weights, this board's firmware runs f32 only, up to 16 wide: push a policy with f32 \
             weights, or build the firmware around this one (POLICY=…)",
        ),
        (
            wide,
            UpdateRefusal::TooWide { limit: 16, weights: 0, found: 20 },
            "the policy's widest layer has 20 numbers, this board's firmware runs up to 16, with f32 weights: push a \
             narrower policy, or build the firmware around this one (POLICY=…)",
        ),
    ] {
        let own = manifest(&policy, 4);
        let Needs { plant_fingerprint, control_period, weights, width, .. } = NEEDS;
        let lie = Manifest { plant_fingerprint, control_period, weights, width, ..own };
        let mut bench: Bench<false> = Bench::new(&Model::new());
        assert_eq!(bench.send(&signed(&lie, &policy, &key(1))), Err(refusal));
        assert_eq!(refusal.to_string(), sentence);
        assert_eq!(bench.station.identity().policy, OWN);
    }
    assert_eq!(refusal::<f32, 16>(PilotError::Period), UpdateRefusal::Policy);
}

#[test]
fn the_greeting_says_what_the_firmware_runs() {
    let mut bench: Bench<false> = Bench::new(&Model::new());
    let Identity { weights, width, capacity, .. } = bench.station.identity();
    assert_eq!((weights, width, capacity), (0, 16, SLOT - 512));
}

/// Whatever the flash says: it is not reported as kept.
#[test]
fn a_mark_that_cannot_be_written_is_not_reported_as_kept() {
    let count = {
        let flash = Model::new();
        Bench::<false>::new(&flash).push(4).unwrap();
        flash.operations()
    };
    let flash = Model::new().cut(count, Tear::Nothing);
    let mut bench: Bench<false> = Bench::new(&flash);
    bench.station.start();
    bench.push(4).unwrap();
    bench.periods(TRIAL);
    assert_eq!(bench.status(), (version(4), 1, None));
    assert_eq!(Bench::new(&flash.restart()).station.identity().policy, OWN);
}

/// A start that was ordered, and not obeyed yet, counts.
#[test]
fn flash_that_holds_up_the_loop_is_not_touched_while_it_runs_or_will() {
    let flash: Model<8, true> = Model::new();
    let mut bench = Bench::new(&flash);
    bench.station.start();
    assert_eq!(bench.push(4), Err(UpdateRefusal::Running));
    bench.periods(1);
    assert_eq!(bench.push(4), Err(UpdateRefusal::Running));
    bench.station.stop();
    bench.periods(1);
    let sent = update(4);
    bench.station.propose(&sent.manifest, &sent.signature).unwrap();
    let operations = flash.operations();
    bench.station.start();
    assert_eq!(bench.station.chunk(0, &sent.policy[..CHUNK]), Err(UpdateRefusal::Running));
    assert_eq!(bench.station.commit(), Err(UpdateRefusal::Running));
    assert_eq!(flash.operations(), operations);
}

#[test]
fn the_desktop_s_questions_are_answered_at_rest_only() {
    let mut bench: Bench<false> = Bench::new(&Model::new());
    let (action, cost) = bench.station.act(&[1.0]).unwrap();
    let expected: Vec<f32> = bench.controller.pilot().act(&[1.0]).unwrap().to_vec();
    assert_eq!((action.as_slice(), cost), (expected.as_slice(), 5));
    let refused = bench.station.act(&[3.0]);
    assert!(matches!(refused, Err(Refusal::Fault(Fault::OutOfRange { .. }))));
    bench.station.start();
    assert_eq!(bench.station.act(&[1.0]), Err(Refusal::Running));
}
