//! The loop.

use policy_core::{
    Action, Weights,
    link::{Fault, Source, State},
};

use super::{Clock, MAX_INPUTS, Pilot, Plant, Timing, Watchdog};

/// Runs a machine by a policy, one call of [`period`](Controller::period) in each control period.
///
/// ```text
///              start                     a fault
/// ┌─────────┐ ───────► ┌─────────┐ ───────────────► ┌──────────────┐
/// │ Stopped │          │ Running │                  │ Safe(reason) │
/// └─────────┘ ◄─────── └─────────┘ ◄─────────────── └──────────────┘
///              stop                      start
/// ```
///
/// Everywhere but in Running the actuator is in its safe state, and that is asked for again in each period. A
/// fault stays until someone starts the controller again. There is one exception: a policy on trial
/// that meets a fault is the suspect. The policy before it takes over, in the next period.
///
/// The watchdog is fed in each period that acts, or that has the actuator's word for its safe state.
#[derive(Debug)]
pub struct Controller<'a, P, C, D, W: Weights, const WIDTH: usize> {
    plant: P,
    clock: C,
    watchdog: D,
    pilot: Pilot<'a, W, WIDTH>,
    /// While the pilot is on trial: the one before it, and the periods left.
    trial: Option<(Pilot<'a, W, WIDTH>, u16)>,
    verdict: Option<Trial>,
    state: State,
    timing: Timing,
    faults: u32,
    observation: heapless::Vec<f32, MAX_INPUTS>,
    action: Action,
}

/// How the trial of a policy ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trial {
    /// It has run the machine for all periods of its trial.
    Passed(Source),
    /// It met this fault, and the policy before it runs again.
    Failed(Source, Fault),
}

impl<'a, P: Plant, C: Clock, D: Watchdog, W: Weights, const WIDTH: usize>
    Controller<'a, P, C, D, W, WIDTH>
{
    /// A controller that is stopped, the actuator in its safe state.
    pub fn new(mut plant: P, clock: C, watchdog: D, pilot: Pilot<'a, W, WIDTH>) -> Self {
        let state = match plant.make_safe() {
            Some(()) => State::Stopped,
            None => State::Safe(Fault::Actuator),
        };
        Controller {
            plant,
            clock,
            watchdog,
            timing: Timing::new(pilot.period()),
            pilot,
            trial: None,
            verdict: None,
            state,
            faults: 0,
            observation: heapless::Vec::new(),
            action: Action::new(),
        }
    }

    /// One control period, to be called when it is due. What the controller does after it.
    pub fn period(&mut self) -> State {
        let begun = self.clock.now();
        let missed = self.timing.begin(begun);
        if self.state == State::Running {
            match self.act(begun, missed) {
                Ok(()) => self.passed(),
                Err(fault) => self.failed(fault),
            }
        } else {
            // For whoever watches; nothing depends on it here.
            let _ = self.observe(begun);
        }
        if self.state != State::Running {
            self.hold();
        }
        self.state
    }

    /// s, a = π(s): everything that can go wrong comes before the actuator.
    fn act(&mut self, begun: u64, missed: u32) -> Result<(), Fault> {
        self.observe(begun)?;
        if missed > 0 {
            return Err(Fault::Late { missed });
        }
        let action = self.pilot.act(&self.observation)?;
        let took = self.timing.end(begun, self.clock.now());
        let limit = self.timing.period();
        if took > limit {
            return Err(Fault::Overrun { took: short(took), limit: short(limit) });
        }
        self.plant.actuate(&action).ok_or(Fault::Actuator)?;
        self.action = action;
        self.watchdog.feed();
        Ok(())
    }

    fn observe(&mut self, begun: u64) -> Result<(), Fault> {
        self.observation.clear();
        let mut entries = [0.0; MAX_INPUTS];
        let size = self.pilot.policy().observation_size();
        // A pilot takes no more than there are.
        let entries = entries.get_mut(..size).unwrap_or_default();
        let taken = self.plant.observe(begun, entries).map_err(Fault::Sensor)?;
        let _ = self.observation.extend_from_slice(entries);
        let (age, limit) = (begun.saturating_sub(taken), self.timing.period());
        if age > limit {
            return Err(Fault::Stale { age: short(age), limit: short(limit) });
        }
        Ok(())
    }

    /// A period has ended with an action.
    fn passed(&mut self) {
        if let Some((_, left)) = &mut self.trial {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.trial = None;
                self.verdict = Some(Trial::Passed(self.pilot.source()));
            }
        }
    }

    /// A period has ended without one.
    fn failed(&mut self, fault: Fault) {
        self.faults = self.faults.saturating_add(1);
        self.action.clear();
        match self.trial.take() {
            Some((before, _)) => {
                self.verdict = Some(Trial::Failed(self.pilot.source(), fault));
                self.pilot = before;
                // Until the next period, as nobody acts in this one.
                if self.plant.make_safe().is_none() {
                    self.state = State::Safe(Fault::Actuator);
                }
            }
            None => self.state = State::Safe(fault),
        }
    }

    fn hold(&mut self) {
        match self.plant.make_safe() {
            Some(()) => self.watchdog.feed(),
            None => self.state = State::Safe(Fault::Actuator),
        }
    }

    /// Lets the policy run the machine from the next period on.
    pub fn start(&mut self) {
        self.state = State::Running;
    }

    /// Puts the actuator into its safe state now, until it is started again.
    pub fn stop(&mut self) {
        self.state = State::Stopped;
        self.action.clear();
        self.hold();
    }

    /// Changes the policy, from the next period on. It is on trial for so many periods in which it acts, at least one: then it
    /// stays. Whoever calls has made sure that it is for the same machine.
    pub fn adopt(&mut self, pilot: Pilot<'a, W, WIDTH>, periods: u16) {
        let now = core::mem::replace(&mut self.pilot, pilot);
        // The one to fall back to is the last that was not on trial itself.
        let before = self.trial.take().map_or(now, |(before, _)| before);
        self.trial = Some((before, periods.max(1)));
        self.verdict = None;
    }

    /// How the last trial ended, once.
    pub fn take_verdict(&mut self) -> Option<Trial> {
        self.verdict.take()
    }

    /// What the controller does.
    pub fn state(&self) -> State {
        self.state
    }

    /// Who flies.
    pub fn pilot(&self) -> &Pilot<'a, W, WIDTH> {
        &self.pilot
    }

    /// Periods that the policy on trial has still to pass; 0 where none is.
    pub fn trial_left(&self) -> u16 {
        self.trial.as_ref().map_or(0, |(_, left)| *left)
    }

    /// How well the periods have kept to their schedule.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Times that a period ended in a fault.
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// The observation of the last period `[observation_size]`; empty where the sensor gave none.
    pub fn observation(&self) -> &[f32] {
        &self.observation
    }

    /// The action of the last period `[action_size]`; empty where the actuator is in its safe state.
    pub fn action(&self) -> &[f32] {
        &self.action
    }

    /// The time now, in µs since the board began.
    pub fn now(&mut self) -> u64 {
        self.clock.now()
    }
}

/// Times of a period fit 32 bits; longer ones say so.
fn short(microseconds: u64) -> u32 {
    u32::try_from(microseconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
