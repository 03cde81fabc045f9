//! How much stack some work takes. All free stack is painted first; the work leaves its mark on what it uses.

// It reads and writes memory that belongs to nobody.
#![allow(unsafe_code)]

use core::{arch::asm, ptr};

/// A word that the work is unlikely to leave behind as the deepest one.
const PAINT: u32 = 0xA5C3_5A3C;

unsafe extern "C" {
    /// Where the linker's script has the end of all static data. The stack grows towards it.
    static __sheap: u32;
}

/// Does the work and gives the bytes of stack that it took.
///
/// Not inlined, and the work must be a call of a function that is not: the stack of what is inlined here would
/// be taken before the painting.
#[inline(never)]
pub(crate) fn used(work: &mut dyn FnMut()) -> u32 {
    let bottom = (&raw const __sheap).expose_provenance();
    let top = paint(bottom);
    work();
    // SAFETY: all of it is RAM at multiples of 4, and `paint` has written it.
    let is_painted =
        |at| unsafe { ptr::with_exposed_provenance::<u32>(at).read_volatile() } == PAINT;
    let deepest = (bottom..top).step_by(4).find(|at| !is_painted(*at));
    deepest.map_or(0, |at| (top - at) as u32)
}

/// Paints from there to the stack pointer, which it gives.
#[inline(always)]
fn paint(bottom: usize) -> usize {
    let top;
    // SAFETY: between the static data and the stack pointer is RAM that nothing has a reference to: there is no
    // heap, and no interrupt uses the stack meanwhile. The loop itself uses registers only.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!(
            "mov {top}, sp",
            "2:",
            "cmp {at}, {top}",
            "bhs 3f",
            "str {paint}, [{at}]",
            "adds {at}, #4",
            "b 2b",
            "3:",
            top = out(reg) top,
            at = inout(reg) bottom => _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!(
            "mv {top}, sp",
            "2:",
            "bgeu {at}, {top}, 3f",
            "sw {paint}, 0({at})",
            "addi {at}, {at}, 4",
            "j 2b",
            "3:",
            top = out(reg) top,
            at = inout(reg) bottom => _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
    top
}
