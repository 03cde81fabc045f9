//! Copies of parts of a factor in the order in which tiles read them.
//!
//! The rows of a matrix whose length is a power of two fall on few sets of the cache and drive
//! each other out of it; a copy lies in one piece.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use super::lanes::Lanes;

/// The most k that are summed before going to the next strip: a strip of B of 16 columns takes half
/// of a first level cache of 32 KiB.
pub(super) const K_BLOCK: usize = 256;
/// The most columns of a strip, those of eight registers of AVX-512.
pub(super) const WIDTH: usize = 128;
/// Numbers of B that are packed at a time, at the most.
pub(super) const ROOM_FOR_B: usize = K_BLOCK * WIDTH;
/// The most rows of A packed at a time, for a part of the second level cache.
pub(super) const M_BLOCK: usize = 132;

thread_local! {
    static SCRATCH: RefCell<Box<Scratch>> = RefCell::new(Scratch::new());
}

/// Room for the copies. Each thread has its own for as long as it lives: on the stack, every product
/// would have to look whether its pages are there.
#[repr(align(64))]
pub(super) struct Scratch {
    b: [MaybeUninit<f32>; ROOM_FOR_B],
    a: [MaybeUninit<f32>; K_BLOCK * M_BLOCK],
}

impl Scratch {
    pub(super) fn new() -> Box<Self> {
        let room = Box::<Self>::new_uninit();
        // SAFETY: all of it may be uninitialised.
        unsafe { room.assume_init() }
    }

    /// Works with this thread's.
    pub(super) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
        SCRATCH.with_borrow_mut(|scratch| work(scratch))
    }

    /// Room for [`ROOM_FOR_B`] numbers.
    #[inline(always)]
    pub(super) fn b(&mut self) -> *mut f32 {
        self.b.as_mut_ptr().cast()
    }

    /// Room for `K_BLOCK · M_BLOCK` numbers.
    #[inline(always)]
    pub(super) fn a(&mut self) -> *mut f32 {
        self.a.as_mut_ptr().cast()
    }
}

/// Copies `depth` rows of `VECTORS` vectors, `stride` apart, one after the other.
///
/// # Safety
///
/// The rows can be read, `to` can be written, and the processor has the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn rows<L: Lanes, const VECTORS: usize>(
    from: *const f32,
    stride: usize,
    depth: usize,
    to: *mut f32,
) {
    for p in 0..depth {
        for v in 0..VECTORS {
            // SAFETY: the caller's promise.
            unsafe {
                let vector = L::load(from.add(p * stride + v * L::COUNT));
                vector.store(to.add((p * VECTORS + v) * L::COUNT));
            }
        }
    }
}

/// Copies `depth` columns of `count` numbers, of which those of a *row* are adjacent and rows are
/// `stride` apart, one after the other with `width` from one to the next.
///
/// # Safety
///
/// The rows can be read, `to` can be written, and the processor has the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn transposed<L: Lanes>(
    from: *const f32,
    stride: usize,
    count: usize,
    depth: usize,
    to: *mut f32,
    width: usize,
) {
    let whole = |total: usize| total - total % L::COUNT;
    let single = |j: usize, p: usize| {
        // SAFETY: the caller's promise, for j < count and p < depth.
        unsafe { *to.add(p * width + j) = *from.add(j * stride + p) };
    };
    for j in (0..whole(count)).step_by(L::COUNT) {
        for p in (0..whole(depth)).step_by(L::COUNT) {
            // SAFETY: the caller's promise; the square ends within count and depth.
            unsafe { L::transpose(from.add(j * stride + p), stride, to.add(p * width + j), width) };
        }
        for p in whole(depth)..depth {
            (j..j + L::COUNT).for_each(|j| single(j, p));
        }
    }
    for j in whole(count)..count {
        (0..depth).for_each(|p| single(j, p));
    }
}

/// Copies `depth` columns of `height` adjacent numbers, `stride` apart, one after the other; most
/// often they are `USUAL`.
///
/// # Safety
///
/// The columns can be read, and `to` can be written.
#[inline(always)]
pub(super) unsafe fn columns<const USUAL: usize>(
    from: *const f32,
    stride: usize,
    height: usize,
    depth: usize,
    to: *mut f32,
) {
    for p in 0..depth {
        // SAFETY: the caller's promise. A copy of a known size is a few instructions.
        unsafe {
            let (from, to) = (from.add(p * stride), to.add(p * height));
            if height == USUAL {
                from.copy_to_nonoverlapping(to, USUAL);
            } else {
                (0..height).for_each(|i| *to.add(i) = *from.add(i));
            }
        }
    }
}
