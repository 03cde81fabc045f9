//! `i16` and `i8` weights: everything in integers, from the first sum to the last.
//!
//! Rows lie in panels of 16 or 2, a padding row at the end where they are odd, and columns in pairs, a padding
//! column where they are odd. A panel holds, a word each,
//!
//! ```text
//! bias of each row | scale of each row | weights, column pair by column pair
//! ```
//!
//! with the weights of rows r and r + 1, or of row r, and columns c and c + 1 in one word, the lowest bits first:
//!
//! ```text
//! i8     w(r, c)  w(r + 1, c)  w(r, c + 1)  w(r + 1, c + 1)
//! i16    w(r, c)               w(r, c + 1)
//! ```
//!
//! So two products of a row come from one instruction where a processor has one for it (`SMLAD` on the Cortex-M4).

mod products;

use products::{Packed, add_products};

use super::{
    Place,
    kernel::{Kernel, Outputs, Units},
};
use crate::{
    Activation,
    compact::barrier,
    format::{PANEL, WeightKind},
    tanh::{self, truncated},
};

/// The largest unit.
const LIMIT: i32 = 32_767;

/// What a layer reads: two units a word.
fn pairs(units: &Units<[i16]>) -> &[u32] {
    bytemuck::try_cast_slice(units.all()).unwrap_or_default()
}

macro_rules! kernel {
    ($weight:ty, $kind:expr, $pairs_in_word:literal) => {
        impl Kernel for $weight {
            const KIND: WeightKind = $kind;

            type Unit = u32;
            type Units = Units<[i16]>;
            type Room<const WIDTH: usize> = Units<[i16; WIDTH]>;

            fn room<const WIDTH: usize>() -> Self::Room<WIDTH> {
                Units::new()
            }

            fn units<const WIDTH: usize>(room: &mut Self::Room<WIDTH>) -> &mut Units<[i16]> {
                room
            }

            fn read(units: &Units<[i16]>) -> &[u32] {
                pairs(units)
            }

            fn observe<'r>(
                observation: &'r [f32],
                normalisation: &[f32],
                room: &'r mut Units<[i16]>,
            ) -> &'r [u32] {
                observe(observation, normalisation, room)
            }

            fn words(place: &Place) -> usize {
                // Sizes are 16 bits wide, so no product leaves 32.
                let rows = place.outputs.next_multiple_of(2);
                2 * rows + rows * place.inputs.div_ceil(2) / $pairs_in_word
            }

            fn check(place: &Place, words: &[u32]) -> bool {
                check::<Self>(place, words)
            }

            fn hidden(place: &Place, words: &[u32], x: &[u32], y: &mut Units<[i16]>) {
                y.clear();
                forward::<Self>(place, words, x, &mut Target::Room(y));
            }

            fn last(
                place: &Place,
                words: &[u32],
                x: &[u32],
                needed: usize,
                _: &mut Units<[i16]>,
                outputs: &mut Outputs<'_>,
            ) {
                forward::<Self>(place, words, x, &mut Target::Head(outputs, needed));
            }

            fn tanh(z: f32) -> f32 {
                tanh::coarse(z)
            }
        }
    };
}

kernel!(i16, WeightKind::Int16, 1);
kernel!(i8, WeightKind::Int8, 2);

/// t = (o − shift) · scale without its fraction, q = ⌊(min(max(t, −4 · 32 767), 4 · 32 767) + 2) / 4⌋; and a 0 for a
/// padding column.
fn observe<'r>(
    observation: &[f32],
    normalisation: &[f32],
    room: &'r mut Units<[i16]>,
) -> &'r [u32] {
    let scales = normalisation.iter().skip(observation.len());
    room.clear();
    for ((o, shift), scale) in observation.iter().zip(normalisation).zip(scales) {
        barrier();
        let quarters = truncated((o - shift) * scale).clamp(-4 * LIMIT, 4 * LIMIT);
        room.push(((quarters + 2) >> 2) as i16);
    }
    if observation.len() % 2 == 1 {
        room.push(0);
    }
    pairs(room)
}

/// Where sums go.
enum Target<'r, 'z> {
    Room(&'r mut Units<[i16]>),
    /// And how many of them.
    Head(&'r mut Outputs<'z>, usize),
}

/// Gives the sums b + Wx of a layer to the target. No sum leaves 32 bits: [`check`] has seen to that, so their order
/// does not matter.
#[inline(never)]
fn forward<W: Packed>(place: &Place, words: &[u32], x: &[u32], target: &mut Target<'_, '_>) {
    let mut panels = Panels::of::<W>(place, words);
    while let Some(Panel { biases, scales, weights }) = panels.next() {
        // As many as there are rows, of 16.
        let mut sums;
        match (biases.first_chunk::<16>(), biases) {
            (Some(biases), _) => {
                sums = biases.map(|bias| bias as i32);
                add_products::<W, 16>(&mut sums, weights, x);
            }
            (None, &[first, second]) => {
                let mut two = [first as i32, second as i32];
                add_products::<W, 2>(&mut two, weights, x);
                sums = [0; 16];
                (sums[0], sums[1]) = (two[0], two[1]);
            }
            _ => return,
        }
        match target {
            Target::Room(units) => {
                rescale(place.activation, &sums, scales, units.take(biases.len()));
            }
            Target::Head(outputs, needed) => {
                // z = scale · sum
                for (sum, scale) in sums.iter().zip(scales).take(*needed) {
                    barrier();
                    outputs.push(*sum as f32 * f32::from_bits(*scale));
                }
                *needed = needed.saturating_sub(biases.len());
                if *needed == 0 {
                    return;
                }
            }
        }
    }
}

/// Takes the sums of some rows of a hidden layer with their scales, s and m of
///
/// ```text
/// c = min(max(⌊sum / 2ˢ⌋, −2¹⁶), 2¹⁶ − 1)    y = f(⌊c · m / 2¹⁶⌋)
/// ```
///
/// in the word s + 2¹⁶ m. As m is below 2¹⁵, no y is beyond ±32 767.
#[inline(never)]
fn rescale(f: Activation, sums: &[i32], scales: &[u32], units: &mut [i16]) {
    // Asked once, not for each row.
    if f == Activation::Relu {
        // Two at a time: there are never odd ones.
        let (sums, scales) = (sums.as_chunks::<2>().0, scales.as_chunks::<2>().0);
        let rows = sums.iter().zip(scales).zip(units.as_chunks_mut::<2>().0);
        for (([a, b], [v, w]), units) in rows {
            barrier();
            // As no other unit is wanted, 0 may take the place of −2¹⁶.
            *units = [scaled(*a, *v, 0) as i16, scaled(*b, *w, 0) as i16];
        }
    } else {
        for ((sum, word), unit) in sums.iter().zip(scales).zip(units) {
            barrier();
            let v = scaled(*sum, *word, -(1 << 16));
            *unit = if f == Activation::Tanh { tanh::unit(v) } else { v } as i16;
        }
    }
}

/// ⌊c · m / 2¹⁶⌋ of [`rescale`], with another least c.
#[inline(always)]
fn scaled(sum: i32, word: u32, least: i32) -> i32 {
    let c = sum.wrapping_shr(word & 31).clamp(least, (1 << 16) - 1);
    (c * (word >> 16) as i32) >> 16
}

/// Rows of the next panel where so many are left, an even number: 16, or two where there are fewer.
#[inline(always)]
pub(crate) const fn height(left: usize) -> usize {
    if left < PANEL { 2 } else { PANEL }
}

/// What is left of a layer.
struct Panels<'a> {
    words: &'a [u32],
    rows: usize,
    /// Words of the weights of two rows.
    words_of_two: usize,
}

/// Some rows of a layer.
struct Panel<'a> {
    biases: &'a [u32],
    scales: &'a [u32],
    weights: &'a [u32],
}

impl<'a> Panels<'a> {
    fn of<W: Packed>(place: &Place, words: &'a [u32]) -> Self {
        let words_of_two = place.inputs.div_ceil(2) * (2 / W::ROWS_IN_WORD);
        Panels { words, rows: place.outputs.next_multiple_of(2), words_of_two }
    }

    /// The next panel.
    #[inline(always)]
    fn next(&mut self) -> Option<Panel<'a>> {
        let rows = height(self.rows);
        self.rows = self.rows.checked_sub(rows)?;
        let (biases, rest) = self.words.split_at_checked(rows)?;
        let (scales, rest) = rest.split_at_checked(rows)?;
        let (weights, rest) = rest.split_at_checked(rows / 2 * self.words_of_two)?;
        self.words = rest;
        Some(Panel { biases, scales, weights })
    }
}

/// No unit is beyond ±32 767, so |sum| ≤ |b| + 32 767 Σ |w|: that must fit in an `i32`. And scales must be ones that
/// [`forward`] can use.
#[inline(never)]
fn check<W: Packed>(place: &Place, words: &[u32]) -> bool {
    let mut panels = Panels::of::<W>(place, words);
    while let Some(Panel { biases, scales, weights }) = panels.next() {
        let words_of_pair = biases.len() / W::ROWS_IN_WORD;
        for (row, (bias, scale)) in biases.iter().zip(scales).enumerate() {
            let mut magnitude = 0_u32;
            for word in weights.iter().skip(row / W::ROWS_IN_WORD).step_by(words_of_pair) {
                barrier();
                magnitude = magnitude.saturating_add(W::magnitude(*word, row % W::ROWS_IN_WORD));
            }
            let bias = (*bias as i32).unsigned_abs();
            // 65 535 · 32 767 is just below 2³¹.
            let fits = magnitude <= 65_535 && magnitude * LIMIT as u32 + bias <= i32::MAX as u32;
            let is_scale = match place.is_last {
                true => f32::from_bits(*scale).is_finite(),
                false => scale & 0xFFFF < 32 && scale >> 31 == 0,
            };
            if !(fits && is_scale) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests;
