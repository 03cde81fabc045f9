//! A board of this process: the firmware's service and control loop around a policy, without a microcontroller.

use firmware_example::control::{Clock, Controller, Mailbox, Pilot, Plant, Snapshot};
use firmware_example::service::{Board, Service};
use policy_core::link::{
    Cost, Fault, Identity, Refusal, SensorFault, Source, State, UpdateRefusal, VERSION,
};
use policy_core::{Action, Policy, WeightKind, include_policy};

/// The sample policy of the firmware, `f32`, for the pendulum.
pub static SAMPLE: &[u8] = include_policy!("../../firmware-example/sample/f32/policy.bin");

/// The widest layer of its policies.
const WIDTH: usize = 64;
/// What it says that an action costs, in instructions; and half as much more where the observation begins below 0.
pub const COST: u32 = 20_000;

type Loop = Controller<'static, Hanging, Ticks, (), f32, WIDTH>;

/// A board that runs the sample policy, or another one.
#[derive(Debug)]
pub struct InProcess {
    policy: Policy<'static, f32, WIDTH>,
    plant_fingerprint: u32,
    /// The checksum that it says its policy has.
    pub checksum: u32,
    /// Questions for an action that it has obeyed.
    pub acts: u64,
    /// Bytes of the longest policy that it says it takes.
    pub room: u32,
    /// Policies that it was asked to take, all of which it refuses.
    pub proposals: u64,
    /// It was told to stop so often.
    pub stops: u64,
    /// It does nothing when it is told to stop.
    pub deaf: bool,
    mailbox: Mailbox<'static, f32, WIDTH>,
    controller: Loop,
}

impl InProcess {
    /// A board that acts by the policy in `blob`; its control loop, if it is started, by the sample.
    ///
    /// # Panics
    ///
    /// Where the blob is refused.
    pub fn new(blob: &'static [u8]) -> Self {
        let policy = Policy::from_bytes(blob).expect("a policy in f32 of this width");
        let pilot = Pilot::new(SAMPLE, Source::Firmware).expect("the sample can be flown");
        InProcess {
            checksum: policy.checksum(),
            plant_fingerprint: pilot.plant_fingerprint(),
            policy,
            acts: 0,
            room: 0,
            proposals: 0,
            stops: 0,
            deaf: false,
            mailbox: Mailbox::new(),
            controller: Controller::new(Hanging, Ticks(0), (), pilot),
        }
    }

    /// What its controller does.
    pub fn state(&self) -> State {
        self.controller.state()
    }
}

impl Board for InProcess {
    fn identity(&mut self) -> Identity<'_> {
        Identity {
            protocol: VERSION,
            board: "in-process",
            firmware: "1",
            cost: Cost::Instructions,
            capacity: self.room,
            policy: Source::Firmware,
            checksum: self.checksum,
            plant_fingerprint: self.plant_fingerprint,
            control_period: self.policy.control_period(),
            observation_size: self.policy.observation_size() as u16,
            action_size: self.policy.action_size() as u8,
            weights: WeightKind::F32.code(),
            width: WIDTH as u16,
        }
    }

    fn act(&mut self, observation: &[f32]) -> Result<(Action, u32), Refusal> {
        if self.state() == State::Running {
            return Err(Refusal::Running);
        }
        self.acts += 1;
        let action = self.policy.act(observation);
        let action = action.map_err(|_| Refusal::Fault(Fault::NoAction))?;
        let extra = observation.first().is_some_and(|x| *x < 0.0);
        Ok((action, COST + if extra { COST / 2 } else { 0 }))
    }

    /// A control period passes with each question.
    fn snapshot(&mut self) -> Snapshot {
        self.mailbox.period(&mut self.controller);
        self.mailbox.snapshot()
    }

    fn start(&mut self) {
        self.mailbox.start();
    }

    fn stop(&mut self) {
        self.stops += 1;
        if !self.deaf {
            self.mailbox.stop();
        }
    }

    fn propose(&mut self, _manifest: &[u8], _signature: &[u8]) -> Result<(), UpdateRefusal> {
        self.proposals += 1;
        Err(UpdateRefusal::NoSlots)
    }
}

/// A pendulum that hangs still, whatever torque it gets.
#[derive(Debug)]
struct Hanging;

impl Plant for Hanging {
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault> {
        observation.copy_from_slice(&[-1.0, 0.0, 0.0]);
        Ok(now)
    }

    fn actuate(&mut self, _action: &[f32]) -> Option<()> {
        Some(())
    }

    fn make_safe(&mut self) -> Option<()> {
        Some(())
    }
}

/// A clock that the loop reads three times in a period at most: it runs 10 ms each time.
#[derive(Debug)]
struct Ticks(u64);

impl Clock for Ticks {
    fn now(&mut self) -> u64 {
        self.0 += 10_000;
        self.0
    }
}

/// Answers the bytes that `read` gives, until it gives none: an empty slice is no end, only none for now.
pub fn answer_all(
    board: &mut InProcess,
    mut read: impl FnMut(&mut [u8]) -> Option<usize>,
    mut write: impl FnMut(&[u8]),
) {
    let mut service = Service::new();
    let mut bytes = [0; 64];
    while let Some(count) = read(&mut bytes) {
        for byte in bytes.iter().take(count) {
            if let Some(answer) = service.push(*byte, board) {
                write(answer);
            }
        }
    }
}

/// The sample with the lowest bit of a weight of its last layer flipped, and with a checksum that fits: of the first weight
/// for which that changes an action at all, where the pendulum stands still.
///
/// # Panics
///
/// Where there is none.
pub fn with_one_bit_flipped() -> &'static [u8] {
    let read = |blob| Policy::<'static, f32, WIDTH>::from_bytes(blob).expect("a valid policy");
    let actions = |blob| -> Vec<Option<u32>> {
        let policy = read(blob);
        let angles = (0..200).map(|i| 0.0314 * i as f32);
        let actions = angles.map(|angle| policy.act(&[angle.cos(), angle.sin(), 0.0]).ok());
        actions.map(|action| Some(action?.first()?.to_bits())).collect()
    };
    let contract = usize::from(u16::from_le_bytes([SAMPLE[26], SAMPLE[27]]));
    let examples = read(SAMPLE).self_test().expect("the sample passes its test");
    // The last layer, two panels of a bias and 64 weights, lies before examples of four words each.
    let bias = SAMPLE.len() - contract - 4 * 4 * examples - 4 * 2 * (1 + 64);
    let flipped = (1..=64).map(|weight| {
        let mut bytes = SAMPLE.to_vec();
        bytes[bias + 4 * weight] ^= 1;
        policy_core::format::seal(&mut bytes);
        // A blob is read in place, at a multiple of 4 bytes; it stays until the test ends.
        &*Box::leak(Box::new(trainer::export::Blob::from_bytes(&bytes)))
    });
    let before = actions(SAMPLE);
    let mut flipped = flipped.map(trainer::export::Blob::bytes);
    flipped.find(|blob| actions(blob) != before).expect("a weight that matters")
}
