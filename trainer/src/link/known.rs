//! The boards that firmware is built for here, and what their flash has room for.

use policy_core::link::UpdateRefusal;
use policy_core::update::{SLOT_HEAD, fits};

/// A board, as its firmware calls it. Which kind of weights it runs, and how wide, is that of the policy that its
/// firmware was built around: only a board that runs can say that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Bytes of each of its two slots, as the linker's script in `firmware-example/boards/` has them; `None` where it
    /// takes no updates.
    pub slot: Option<u32>,
}

const fn board(name: &'static str, slot: u32) -> Known {
    Known { name, slot: Some(slot << 10) }
}

const fn without_slots(name: &'static str) -> Known {
    Known { name, slot: None }
}

/// All of them.
pub const BOARDS: [Known; 8] = [
    board("microbit-v2", 128),
    board("pico", 640),
    board("pico2", 1320),
    board("nucleo-f401re", 128),
    without_slots("esp32c3"),
    without_slots("qemu-m0"),
    board("qemu-m4", 1024),
    board("qemu-rv32", 1024),
];

impl Known {
    /// The board of that name.
    pub fn find(name: &str) -> Option<Known> {
        BOARDS.into_iter().find(|board| board.name == name)
    }

    /// Bytes of the longest policy that it takes as an update; 0 where it takes none.
    pub fn capacity(&self) -> u32 {
        self.slot.map_or(0, |slot| slot - SLOT_HEAD)
    }

    /// Is there room for a policy of so many bytes?
    ///
    /// # Errors
    ///
    /// If not, with what the board itself would say.
    pub fn has_room(&self, length: u32) -> Result<(), UpdateRefusal> {
        if self.slot.is_none() {
            return Err(UpdateRefusal::NoSlots);
        }
        fits(length, self.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_that_of_a_slot_without_its_head() {
        let board = Known::find("microbit-v2").unwrap();
        let capacity = 131_072 - 512;
        assert_eq!((board.capacity(), board.has_room(capacity)), (capacity, Ok(())));
        let refusal = UpdateRefusal::TooLarge { capacity, found: capacity + 1 };
        assert_eq!(board.has_room(capacity + 1), Err(refusal));
        let none = Known::find("esp32c3").unwrap();
        assert_eq!((none.capacity(), none.has_room(1)), (0, Err(UpdateRefusal::NoSlots)));
        assert_eq!(Known::find("pico3"), None);
    }
}
