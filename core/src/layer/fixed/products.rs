//! Sums of products of integers.

use super::{Kernel, Units};
use crate::compact::barrier;
#[cfg(any(kernels = "dsp", kernels = "thumb"))]
use crate::layer::assembly;

/// Weights of so many bits.
pub(crate) trait Packed: Kernel<Unit = u32, Units = Units<[i16]>> {
    /// Rows that share a word.
    const ROWS_IN_WORD: usize;

    /// Σ |w| of one of the rows that share the word.
    fn magnitude(word: u32, row: usize) -> u32;

    /// Adds the products of a pair of columns to the sums of their rows.
    fn add<const ROWS: usize>(sums: &mut [i32; ROWS], words: &[u32], x: u32);

    /// The words of four rows in those of more.
    fn four(words: &[u32], index: usize) -> Option<&[u32]>;

    /// Adds the products of a panel with so many words a pair of columns: some rows at a time, as registers allow.
    #[inline(never)]
    fn add_some<const ROWS: usize, const WORDS: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        for (index, sums) in sums.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let mut four = *sums;
            for (column, x) in weights.as_chunks::<WORDS>().0.iter().zip(x) {
                Self::add(&mut four, Self::four(column, index).unwrap_or_default(), *x);
            }
            *sums = four;
        }
    }
}

impl Packed for i8 {
    const ROWS_IN_WORD: usize = 2;

    fn magnitude(word: u32, row: usize) -> u32 {
        let [a, b, c, d] = word.to_le_bytes().map(|w| u32::from((w as i8).unsigned_abs()));
        if row == 0 { a + c } else { b + d }
    }

    #[inline(always)]
    fn add<const ROWS: usize>(sums: &mut [i32; ROWS], words: &[u32], x: u32) {
        let [x0, x1] = halves(x);
        for ([first, second], word) in sums.as_chunks_mut().0.iter_mut().zip(words) {
            let [a, b, c, d] = word.to_le_bytes().map(|w| i32::from(w as i8));
            *first = first.wrapping_add(a * x0).wrapping_add(c * x1);
            *second = second.wrapping_add(b * x0).wrapping_add(d * x1);
        }
    }

    #[inline(always)]
    fn four(words: &[u32], index: usize) -> Option<&[u32]> {
        words.as_chunks::<2>().0.get(index).map(<[u32; 2]>::as_slice)
    }

    #[cfg(any(kernels = "dsp", kernels = "thumb"))]
    #[inline(always)]
    fn add_some<const ROWS: usize, const WORDS: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        assembly::integers::add_bytes::<ROWS, WORDS>(sums, weights, x);
    }
}

impl Packed for i16 {
    const ROWS_IN_WORD: usize = 1;

    fn magnitude(word: u32, _: usize) -> u32 {
        let [low, high] = halves(word).map(i32::unsigned_abs);
        low + high
    }

    #[inline(always)]
    fn add<const ROWS: usize>(sums: &mut [i32; ROWS], words: &[u32], x: u32) {
        let [x0, x1] = halves(x);
        for (sum, word) in sums.iter_mut().zip(words) {
            let [w0, w1] = halves(*word);
            *sum = sum.wrapping_add(w0 * x0).wrapping_add(w1 * x1);
        }
    }

    #[inline(always)]
    fn four(words: &[u32], index: usize) -> Option<&[u32]> {
        words.as_chunks::<4>().0.get(index).map(<[u32; 4]>::as_slice)
    }

    #[cfg(any(kernels = "dsp", kernels = "thumb"))]
    #[inline(always)]
    fn add_some<const ROWS: usize, const WORDS: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        assembly::integers::add_halves::<ROWS, WORDS>(sums, weights, x);
    }
}

/// The two halves of a word, the low one first.
#[inline(always)]
fn halves(word: u32) -> [i32; 2] {
    [(word as i16).into(), (word as i32) >> 16]
}

/// Adds the products of a panel's rows to their sums.
#[inline(always)]
pub(super) fn add_products<W: Packed, const ROWS: usize>(
    sums: &mut [i32; ROWS],
    weights: &[u32],
    x: &[u32],
) {
    match ROWS / W::ROWS_IN_WORD {
        1 => add_columns::<W, ROWS, 1>(sums, weights, x),
        2 => add_columns::<W, ROWS, 2>(sums, weights, x),
        4 => add_columns::<W, ROWS, 4>(sums, weights, x),
        8 => add_columns::<W, ROWS, 8>(sums, weights, x),
        _ => add_columns::<W, ROWS, 16>(sums, weights, x),
    }
}

/// `WORDS` are those of a pair of columns.
#[inline(always)]
fn add_columns<W: Packed, const ROWS: usize, const WORDS: usize>(
    sums: &mut [i32; ROWS],
    weights: &[u32],
    x: &[u32],
) {
    if ROWS.is_multiple_of(SOME) {
        W::add_some::<ROWS, WORDS>(sums, weights, x);
    } else {
        let mut all = *sums;
        for (column, x) in weights.as_chunks::<WORDS>().0.iter().zip(x) {
            barrier();
            W::add(&mut all, column, *x);
        }
        *sums = all;
    }
}

/// Rows at a time.
#[cfg(any(kernels = "dsp", kernels = "thumb"))]
const SOME: usize = assembly::integers::ROWS;
/// Rows at a time. The compiler uses so few registers of a Cortex-M0 that all sums are in memory, however few they are.
/// (That and its sisters are the ARM processors without atomic exchange.)
#[cfg(not(any(kernels = "dsp", kernels = "thumb")))]
const SOME: usize =
    if cfg!(all(target_arch = "arm", not(target_has_atomic = "32"))) { usize::MAX } else { 4 };
