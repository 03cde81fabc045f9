//! Flash whose power can fail at any write, for tests.

use std::{boxed::Box, cell::RefCell, rc::Rc, vec, vec::Vec};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::Flash;

/// Bytes of a slot.
pub(crate) const SLOT: u32 = 4096;
/// How much of the write during which power fails is done.
pub(crate) const TEARS: [Tear; 5] =
    [Tear::Nothing, Tear::Front, Tear::AllButOne, Tear::Scattered, Tear::Everything];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tear {
    Nothing,
    /// The first half of the bytes.
    Front,
    /// All bytes but the last.
    AllButOne,
    /// Half of the bits, here and there.
    Scattered,
    /// All of it, but nobody is told.
    Everything,
}

impl Tear {
    /// The byte at `at` of `length`, of one that was `old` and should become `new`.
    fn byte(self, at: usize, length: usize, old: u8, new: u8) -> u8 {
        let mix = match self {
            Tear::Nothing => 0,
            Tear::Front => 0xFF * u8::from(2 * at < length),
            Tear::AllButOne => 0xFF * u8::from(at + 1 < length),
            Tear::Scattered => (at as u8).wrapping_mul(0x9D) ^ 0x35,
            Tear::Everything => 0xFF,
        };
        old & !mix | new & mix
    }
}

/// Erases in pieces of 1 KiB and writes at least 8 bytes, or what the parameter says; a piece that is erased and a write are an
/// operation each.
#[derive(Debug, Clone)]
pub(crate) struct Model<const WRITE: usize = 8, const HOLDS_UP: bool = false> {
    bytes: Rc<RefCell<Vec<u8>>>,
    state: Rc<RefCell<State>>,
}

#[derive(Debug, Default)]
struct State {
    operations: usize,
    cut: Option<(usize, Tear)>,
    is_off: bool,
    /// A byte that no longer changes.
    worn: Option<usize>,
}

impl<const WRITE: usize, const HOLDS_UP: bool> Model<WRITE, HOLDS_UP> {
    /// Erased.
    pub(crate) fn new() -> Self {
        let bytes = vec![0xFF; 2 * SLOT as usize];
        Model { bytes: Rc::new(RefCell::new(bytes)), state: Rc::default() }
    }

    /// A copy whose power fails during that operation, counted from now.
    pub(crate) fn cut(&self, operation: usize, tear: Tear) -> Self {
        let copy = self.restart();
        copy.state.borrow_mut().cut = Some((operation, tear));
        copy
    }

    /// A copy of what it holds, with power.
    pub(crate) fn restart(&self) -> Self {
        let bytes = self.bytes.borrow().clone();
        Model { bytes: Rc::new(RefCell::new(bytes)), state: Rc::default() }
    }

    /// A byte at this offset does not change any more, and the flash does not say so.
    pub(crate) fn wear_out(&self, offset: usize) {
        self.state.borrow_mut().worn = Some(offset);
    }

    /// Changes a byte behind the flash's back.
    pub(crate) fn flip(&self, offset: usize, bit: u8) {
        self.bytes.borrow_mut()[offset] ^= 1 << bit;
    }

    pub(crate) fn operations(&self) -> usize {
        self.state.borrow().operations
    }

    pub(crate) fn holds(&self) -> Vec<u8> {
        self.bytes.borrow().clone()
    }

    /// Changes the bytes from `offset` on to what `new` makes of them, unless power fails.
    fn operate(
        &self,
        offset: u32,
        length: usize,
        new: impl Fn(usize, u8) -> u8,
    ) -> Result<(), NorFlashErrorKind> {
        let mut state = self.state.borrow_mut();
        if state.is_off {
            return Err(NorFlashErrorKind::Other);
        }
        let tear = state.cut.filter(|(at, _)| *at == state.operations).map(|(_, tear)| tear);
        state.operations += 1;
        state.is_off = tear.is_some();
        let mut bytes = self.bytes.borrow_mut();
        let worn = state.worn.map(|worn| worn.wrapping_sub(offset as usize));
        for (at, byte) in bytes.iter_mut().skip(offset as usize).take(length).enumerate() {
            if worn == Some(at) {
                continue;
            }
            *byte = tear.unwrap_or(Tear::Everything).byte(at, length, *byte, new(at, *byte));
        }
        if state.is_off { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }
}

impl<const WRITE: usize, const HOLDS_UP: bool> ErrorType for Model<WRITE, HOLDS_UP> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize, const HOLDS_UP: bool> ReadNorFlash for Model<WRITE, HOLDS_UP> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let start = offset as usize;
        bytes.copy_from_slice(&self.bytes.borrow()[start..start + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.borrow().len()
    }
}

impl<const WRITE: usize, const HOLDS_UP: bool> NorFlash for Model<WRITE, HOLDS_UP> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for piece in (from..to).step_by(Self::ERASE_SIZE) {
            self.operate(piece, Self::ERASE_SIZE, |_, _| 0xFF)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        // Some chips allow no second write before the next erasing.
        let start = offset as usize;
        let is_erased = self.bytes.borrow()[start..start + bytes.len()].iter().all(|b| *b == 0xFF);
        assert!(is_erased, "written twice at {offset}");
        self.operate(offset, bytes.len(), |at, old| old & bytes[at])
    }
}

impl<const WRITE: usize, const HOLDS_UP: bool> Flash for Model<WRITE, HOLDS_UP> {
    const STALLS: bool = HOLDS_UP;

    /// A copy for ever: there are few tests.
    fn mapped(&self, offset: u32, length: u32) -> &'static [u8] {
        let bytes = self.bytes.borrow();
        let found: Vec<u8> =
            bytes.iter().copied().skip(offset as usize).take(length as usize).collect();
        let mut words = vec![0_u32; found.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..found.len()].copy_from_slice(&found);
        let words: &'static [u32] = Box::leak(words.into_boxed_slice());
        &bytemuck::cast_slice(words)[..found.len()]
    }
}
