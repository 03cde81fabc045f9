//! Asking for numbers before they are needed.

use super::{Block, Product};
use crate::linalg::lanes::Lanes;

/// Numbers in a cache line.
const LINE: usize = 16;

impl Product<'_> {
    /// Asks for what comes next: the tile of C below this one, and this tile's share of the strip of B
    /// beside this one. Rows of a large matrix are too far apart for a processor to foresee them.
    #[inline(always)]
    pub(super) fn fetch_ahead<L: Lanes>(
        &self,
        block: &Block,
        (i, height): (usize, usize),
        column: usize,
        width: usize,
        tiles: usize,
    ) {
        let ends = |at: *const f32| {
            L::fetch(at);
            L::fetch(at.wrapping_add(width - 1));
        };
        let c = self.c.as_ptr().wrapping_add(column);
        let below = block.row + i + height;
        for row in below..(below + height).min(self.m) {
            ends(c.wrapping_add(row * self.n));
        }
        let (b, next) = (self.b.data.as_ptr(), column + width);
        let share = |total: usize| {
            let size = total.div_ceil(tiles);
            let start = i / height * size;
            start..(start + size).min(total)
        };
        if next >= self.n {
            return;
        }
        if self.b.transposed {
            for row in share(width) {
                let from = b.wrapping_add((next + row) * self.k + block.p);
                (0..block.depth).step_by(LINE).for_each(|p| L::fetch(from.wrapping_add(p)));
            }
        } else {
            for p in share(block.depth) {
                ends(b.wrapping_add((block.p + p) * self.n + next));
            }
        }
    }
}
