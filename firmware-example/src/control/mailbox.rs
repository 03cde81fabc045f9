//! What the control loop and the rest of the firmware tell each other.
//!
//! The loop runs in an interrupt, or a task of high priority, and owns its controller; the link runs below it. They
//! share this and nothing else: the loop leaves a [`Snapshot`] after each period, and takes orders before the next
//! one. So no frame and no check of a signature, however long it takes, holds up a period.

use core::{cell::RefCell, fmt};

use critical_section::Mutex;
use policy_core::{
    Action, Weights,
    link::{Fault, Floats, Source, State, Telemetry},
};

use super::{Clock, Controller, MAX_INPUTS, Pilot, Plant, Trial, Watchdog};

/// Orders one way, a snapshot the other.
#[derive(Debug)]
pub struct Mailbox<'a, W: Weights, const WIDTH: usize>(Mutex<RefCell<Letters<'a, W, WIDTH>>>);

#[derive(Debug)]
struct Letters<'a, W: Weights, const WIDTH: usize> {
    /// To run, or to stop.
    run: Option<bool>,
    /// A policy to try, for so many periods.
    adopt: Option<(Pilot<'a, W, WIDTH>, u16)>,
    snapshot: Snapshot,
    verdict: Option<Trial>,
}

/// How a controller was at the end of a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    state: State,
    policy: Source,
    trial: u16,
    fallback: Option<Fault>,
    uptime: u64,
    periods: u64,
    missed: u32,
    jitter: u32,
    worst_execution: u32,
    faults: u32,
    observation: heapless::Vec<f32, MAX_INPUTS>,
    action: Action,
}

impl Snapshot {
    /// Of a controller that has not begun.
    const fn new() -> Self {
        Snapshot {
            state: State::Stopped,
            policy: Source::Firmware,
            trial: 0,
            fallback: None,
            uptime: 0,
            periods: 0,
            missed: 0,
            jitter: 0,
            worst_execution: 0,
            faults: 0,
            observation: heapless::Vec::new(),
            action: Action::new(),
        }
    }

    /// What the controller does.
    pub fn state(&self) -> State {
        self.state
    }

    /// Control periods since the board began.
    pub fn periods(&self) -> u64 {
        self.periods
    }

    /// The last observation `[observation_size]`; empty where there is none.
    pub fn observation(&self) -> &[f32] {
        &self.observation
    }

    /// The same of a policy that has passed its trial, but is not kept yet.
    pub(crate) fn not_kept(mut self) -> Self {
        self.trial = self.trial.max(1);
        self
    }

    /// As it goes over the line, with the frames that arrived damaged.
    pub fn telemetry(&self, damaged: u32) -> Telemetry<'_> {
        Telemetry {
            state: self.state,
            policy: self.policy,
            trial: self.trial,
            fallback: self.fallback,
            uptime: self.uptime,
            periods: self.periods,
            missed: self.missed,
            jitter: self.jitter,
            worst_execution: self.worst_execution,
            faults: self.faults,
            damaged,
            observation: Floats::new(&self.observation),
            action: Floats::new(&self.action),
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { periods, missed, jitter, worst_execution, faults, .. } = self;
        match self.state {
            State::Stopped => f.write_str("stopped")?,
            State::Running => f.write_str("running")?,
            State::Safe(fault) => write!(f, "safe state, as {fault}")?,
        }
        write!(
            f,
            "; {periods} periods, {missed} missed, {faults} faults, jitter at most {jitter} µs, \
             from observation to action at most {worst_execution} µs"
        )
    }
}

impl<'a, W: Weights, const WIDTH: usize> Mailbox<'a, W, WIDTH> {
    /// An empty one.
    pub const fn new() -> Self {
        Mailbox(Mutex::new(RefCell::new(Letters {
            run: None,
            adopt: None,
            snapshot: Snapshot::new(),
            verdict: None,
        })))
    }

    /// The loop's side: obeys the orders, runs one control period, and leaves a snapshot. What the controller does now.
    pub fn period<P: Plant, C: Clock, D: Watchdog>(
        &self,
        controller: &mut Controller<'a, P, C, D, W, WIDTH>,
    ) -> State {
        let orders = self.with(|letters| (letters.run.take(), letters.adopt.take()));
        let (run, adopt) = orders.unwrap_or_default();
        if let Some((pilot, periods)) = adopt {
            controller.adopt(pilot, periods);
        }
        match run {
            Some(true) => controller.start(),
            Some(false) => controller.stop(),
            None => {}
        }
        let state = controller.period();
        let uptime = controller.now();
        let verdict = controller.take_verdict();
        let _ = self.with(|letters| letters.keep(controller, uptime, verdict));
        state
    }

    /// Lets the policy run the machine from the next period on.
    pub fn start(&self) {
        let _ = self.with(|letters| letters.run = Some(true));
    }

    /// Puts the actuator into its safe state at the next period. It outdoes an order to start that was not obeyed yet.
    pub fn stop(&self) {
        let _ = self.with(|letters| letters.run = Some(false));
    }

    /// Does the policy run the machine, or will it from the next period on?
    pub fn may_run(&self) -> bool {
        let runs = |letters: &mut Letters<'_, W, WIDTH>| {
            letters.run == Some(true) || letters.snapshot.state == State::Running
        };
        self.with(runs).unwrap_or(true)
    }

    /// Changes the policy at the next period, on trial for so many that act.
    pub fn adopt(&self, pilot: Pilot<'a, W, WIDTH>, periods: u16) {
        let _ = self.with(|letters| {
            // It is on trial from now on, for whoever asks before the loop has seen it.
            letters.snapshot.trial = periods.max(1);
            letters.adopt = Some((pilot, periods));
            (letters.verdict, letters.snapshot.fallback) = (None, None);
        });
    }

    /// How the controller was at the end of the last period.
    pub fn snapshot(&self) -> Snapshot {
        self.with(|letters| letters.snapshot.clone()).unwrap_or(Snapshot::new())
    }

    /// How the last trial ended, once.
    pub fn take_verdict(&self) -> Option<Trial> {
        self.with(|letters| letters.verdict.take()).flatten()
    }

    /// Nobody borrows the letters twice, as no function that is given here takes them again.
    fn with<R>(&self, work: impl FnOnce(&mut Letters<'a, W, WIDTH>) -> R) -> Option<R> {
        critical_section::with(|cs| {
            self.0.borrow(cs).try_borrow_mut().ok().map(|mut letters| work(&mut letters))
        })
    }
}

impl<W: Weights, const WIDTH: usize> Default for Mailbox<'_, W, WIDTH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, W: Weights, const WIDTH: usize> Letters<'a, W, WIDTH> {
    fn keep<P: Plant, C: Clock, D: Watchdog>(
        &mut self,
        controller: &Controller<'a, P, C, D, W, WIDTH>,
        uptime: u64,
        verdict: Option<Trial>,
    ) {
        let timing = controller.timing();
        let snapshot = &mut self.snapshot;
        snapshot.state = controller.state();
        snapshot.policy = controller.pilot().source();
        // One that was ordered meanwhile is on trial already.
        if self.adopt.is_none() {
            snapshot.trial = controller.trial_left();
        }
        snapshot.uptime = uptime;
        snapshot.periods = timing.periods;
        snapshot.missed = timing.missed;
        snapshot.jitter = u32::try_from(timing.jitter).unwrap_or(u32::MAX);
        snapshot.worst_execution = u32::try_from(timing.worst_execution).unwrap_or(u32::MAX);
        snapshot.faults = controller.faults();
        snapshot.observation.clear();
        let _ = snapshot.observation.extend_from_slice(controller.observation());
        snapshot.action.clear();
        let _ = snapshot.action.extend_from_slice(controller.action());
        if let Some(verdict) = verdict {
            snapshot.fallback = match verdict {
                Trial::Passed(_) => None,
                Trial::Failed(_, fault) => Some(fault),
            };
            if self.adopt.is_none() {
                self.verdict = Some(verdict);
            }
        }
    }
}
