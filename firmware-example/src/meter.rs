//! What a machine can measure about work that it is given.

/// A machine's instruments. Whether or not it has one, it does the work.
pub trait Meter {
    /// Does the work so many times, at least once: the instructions of one time, on average. More rounds tell more exactly.
    fn instructions(&mut self, rounds: u32, work: &mut dyn FnMut()) -> Option<u32>;

    /// Does the work once: the bytes of stack that it takes.
    fn stack(&mut self, work: &mut dyn FnMut()) -> Option<u32>;
}

/// A machine without instruments.
impl Meter for () {
    fn instructions(&mut self, _rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
        work();
        None
    }

    fn stack(&mut self, work: &mut dyn FnMut()) -> Option<u32> {
        work();
        None
    }
}
