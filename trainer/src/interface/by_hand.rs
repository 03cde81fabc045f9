//! What a person can do to a machine while it runs, besides its action: `trainer view` lets them.

/// A quantity of a machine's physics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name, such as `mass`.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is now.
    pub value: f64,
    /// The least that it can be.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// A machine that somebody changes, pushes and carries. Nothing here is a setting: a run never calls it, and so a policy's
/// fingerprint of the machine knows nothing of it.
pub trait ByHand {
    /// Its quantities that can be changed.
    fn parameters(&self) -> Vec<Parameter>;

    /// Changes one of them; positions and speeds stay. What is outside its range becomes the range's end. `false` where none
    /// has that name, or the value is no number.
    fn set_parameter(&mut self, name: &str, value: f64) -> bool;

    /// Strikes the free end of rod or pole across it, towards larger angles: an impulse, in N·s, so short that only speeds
    /// change.
    fn strike(&mut self, impulse: f64);

    /// Where a hand can hold it.
    fn grips(&self) -> &'static [Grip];

    /// One period in which a hand carries a grip, by its index, evenly to a target in the grip's unit, while the motor rests.
    /// Afterwards the grip has the hand's speed, and so it goes on where it is let go.
    fn carry(&mut self, grip: usize, target: f64, observation: &mut [f32]);

    /// The state `[state_size]` in which it is at rest where gravity brings it.
    fn rest(&self) -> Vec<f64>;
}

/// A place to hold a machine at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grip {
    /// Its name, such as `rod`.
    pub name: &'static str,
    /// Unit of its positions.
    pub unit: &'static str,
    /// Entry of the state that is its position.
    pub entry: usize,
    /// Does it come round again after 2π?
    pub turns: bool,
}

/// The value of a slider, which has ends.
pub(crate) fn within(value: f64, low: f64, high: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(low, high))
}
