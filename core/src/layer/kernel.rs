//! What each kind of weights does in its own way. Nobody outside can name it, so nobody can add a kind.

use heapless::VecView;

use super::Place;
use crate::{action::Argmax, format::WeightKind};

/// A kind of weights.
pub trait Kernel: Copy {
    /// The blob's name for it.
    const KIND: WeightKind;

    /// What a layer reads.
    type Unit: Copy;
    /// Where a layer's units lie, seen without its size.
    type Units: ?Sized;
    /// Room for so many units.
    type Room<const WIDTH: usize>;

    /// An empty room.
    fn room<const WIDTH: usize>() -> Self::Room<WIDTH>;

    /// The room without its size.
    fn units<const WIDTH: usize>(room: &mut Self::Room<WIDTH>) -> &mut Self::Units;

    /// What is in it.
    fn read(units: &Self::Units) -> &[Self::Unit];

    /// The first layer's input: the observation itself, or in the room where it must be changed.
    fn observe<'r>(
        observation: &'r [f32],
        normalisation: &[f32],
        room: &'r mut Self::Units,
    ) -> &'r [Self::Unit];

    /// Words of a layer in the blob.
    fn words(place: &Place) -> usize;

    /// May a layer have these words?
    fn check(place: &Place, words: &[u32]) -> bool;

    /// Empties the room and fills it with a hidden layer's outputs.
    fn hidden(place: &Place, words: &[u32], x: &[Self::Unit], y: &mut Self::Units);

    /// Gives the first `needed` outputs of the last layer to the head.
    fn last(
        place: &Place,
        words: &[u32],
        x: &[Self::Unit],
        needed: usize,
        scratch: &mut Self::Units,
        outputs: &mut Outputs<'_>,
    );

    /// The tanh of the heads.
    fn tanh(z: f32) -> f32;
}

/// Numbers between two layers, and how many there are. Integers are read two at a time, so they lie at a
/// multiple of 4 bytes.
#[derive(Debug)]
#[repr(C, align(4))]
pub struct Units<Array: ?Sized> {
    len: usize,
    units: Array,
}

impl<T: Copy + Default, const WIDTH: usize> Units<[T; WIDTH]> {
    pub(crate) fn new() -> Self {
        Units { len: 0, units: [T::default(); WIDTH] }
    }
}

impl<T> Units<[T]> {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// One more; nothing where there is no room, and `Policy::from_bytes` has made sure that there is.
    #[inline(always)]
    pub(crate) fn push(&mut self, unit: T) {
        if let Some(place) = self.units.get_mut(self.len) {
            *place = unit;
            self.len += 1;
        }
    }

    /// The next so many; fewer where there is less room.
    pub(crate) fn take(&mut self, count: usize) -> &mut [T] {
        let place =
            self.units.get_mut(self.len..self.len.saturating_add(count)).unwrap_or_default();
        self.len += place.len();
        place
    }

    pub(crate) fn all(&self) -> &[T] {
        self.units.get(..self.len).unwrap_or_default()
    }
}

/// What a head takes of the last layer's outputs z as they come, one after the other: the first ones, as many as there is
/// room for, and for a grid the place of the best, so that no room is needed for all of them.
#[derive(Debug)]
pub struct Outputs<'z> {
    z: &'z mut VecView<f32>,
    pub(crate) best: Argmax,
}

impl<'z> Outputs<'z> {
    pub(crate) fn new(z: &'z mut VecView<f32>) -> Self {
        Outputs { z, best: Argmax::default() }
    }

    /// The next output.
    #[inline(never)]
    pub(crate) fn push(&mut self, z: f32) {
        self.best.push(z);
        let _ = self.z.push(z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_gives_no_more_than_it_has() {
        let mut room = Units::<[i16; 5]>::new();
        let units: &mut Units<[i16]> = &mut room;
        units.take(3).copy_from_slice(&[1, 2, 3]);
        units.push(4);
        assert_eq!(units.all(), [1, 2, 3, 4]);
        // Not more than are left: none, where there are fewer.
        assert!(units.take(2).is_empty());
        assert!(units.take(usize::MAX).is_empty());
        units.push(5);
        units.push(6);
        assert_eq!(units.all(), [1, 2, 3, 4, 5]);
        units.clear();
        assert!(units.all().is_empty());
        // What was there is written over, not kept.
        units.take(2).copy_from_slice(&[6, 7]);
        assert_eq!(units.all(), [6, 7]);
    }

    #[test]
    fn units_lie_where_two_of_them_can_be_read_at_once() {
        let room = Units::<[i16; 3]>::new();
        assert_eq!(room.units.as_ptr().addr() % 4, 0);
    }

    #[test]
    fn outputs_keep_the_first_and_the_place_of_the_best_of_all() {
        let mut z = heapless::Vec::<f32, 2>::new();
        let mut outputs = Outputs::new(z.as_mut_view());
        [1.0, 2.0, 1.0, 9.0, 1.0].into_iter().for_each(|z| outputs.push(z));
        assert_eq!(outputs.best.index(), Some(3));
        assert_eq!(z, [1.0, 2.0]);
    }
}
