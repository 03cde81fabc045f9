//! What the loop needs of a machine and of a board.

use policy_core::link::SensorFault;

/// A machine: a sensor and an actuator. Built from the traits of `embedded-hal`, it runs on any board that has them.
pub trait Plant {
    /// Writes the newest observation `[observation_size]`, in the units of the policy's contract, and gives the time on the
    /// board's [`Clock`] at which it was measured, in µs; `now` is the time of the call.
    ///
    /// # Errors
    ///
    /// If the sensor does not answer, or says itself that its answer may be wrong.
    fn observe(&mut self, now: u64, observation: &mut [f32]) -> Result<u64, SensorFault>;

    /// Applies an action `[action_size]`, in the units of the policy's contract. `None` where the actuator does not
    /// answer.
    fn actuate(&mut self, action: &[f32]) -> Option<()>;

    /// Puts the actuator into the state in which the machine can do no harm, such as no torque. It must be possible at
    /// any time and any number of times. `None` where the actuator does not answer.
    fn make_safe(&mut self) -> Option<()>;
}

/// Time since the board began.
pub trait Clock {
    /// In µs; it never runs backwards or over.
    fn now(&mut self) -> u64;
}

/// What restarts a board whose loop has stopped.
pub trait Watchdog {
    /// The loop is healthy.
    fn feed(&mut self);
}

/// A board without one.
impl Watchdog for () {
    fn feed(&mut self) {}
}
