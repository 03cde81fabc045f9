//! `i16` and `i8` weights: everything in integers, from the first sum to the last.
//!
//! Rows lie in panels of 16, 4 or 2, a padding row at the end where they are odd, and columns in pairs, a padding
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
    Activation, BlobError,
    format::WeightKind,
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

            fn check(place: &Place, words: &[u32]) -> Result<(), BlobError> {
                check::<Self>(place, words)
            }

            fn hidden(place: &Place, words: &[u32], x: &[u32], y: &mut Units<[i16]>) {
                y.clear();
                forward::<Self>(
                    place,
                    words,
                    x,
                    place.outputs,
                    &mut Target::Room(place.activation, y),
                );
            }

            fn last(place: &Place, words: &[u32], x: &[u32], needed: usize, outputs: &mut Outputs) {
                forward::<Self>(place, words, x, needed, &mut Target::Head(outputs));
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
        let quarters = truncated((o - shift) * scale).clamp(-4 * LIMIT, 4 * LIMIT);
        if let Some([unit]) = room.next() {
            *unit = ((quarters + 2) >> 2) as i16;
        }
    }
    if observation.len() % 2 == 1
        && let Some([padding]) = room.next()
    {
        *padding = 0;
    }
    pairs(room)
}

/// Where sums go.
enum Target<'r> {
    Room(Activation, &'r mut Units<[i16]>),
    Head(&'r mut Outputs),
}

impl Target<'_> {
    /// Takes the sums of a panel, of the last layer only the first `needed`: z = scale · sum.
    #[inline(always)]
    fn take<const ROWS: usize>(&mut self, sums: &[i32; ROWS], scales: &[u32; ROWS], needed: usize) {
        match self {
            Target::Room(f, units) => {
                if let Some(units) = units.next::<ROWS>() {
                    rescale(*f, sums, scales, units);
                }
            }
            Target::Head(outputs) => {
                let mut z = [0.0; ROWS];
                for ((z, sum), scale) in z.iter_mut().zip(sums).zip(scales) {
                    *z = *sum as f32 * f32::from_bits(*scale);
                }
                outputs.extend(z.get(..needed).unwrap_or(&z));
            }
        }
    }
}

/// Takes the sums of some rows of a hidden layer with their scales, m and s of
///
/// ```text
/// c = min(max(⌊sum / 2ˢ⌋, −2¹⁶), 2¹⁶ − 1)    v = ⌊c · m / 2¹⁵⌋    y = min(max(f(v), −32 767), 32 767)
/// ```
///
/// in the word s + 2¹⁶ m.
#[inline(always)]
fn rescale<const ROWS: usize>(
    f: Activation,
    sums: &[i32; ROWS],
    scales: &[u32; ROWS],
    units: &mut [i16; ROWS],
) {
    let rows = sums.iter().zip(scales).zip(units);
    // Asked once, not for each row.
    if f == Activation::Relu {
        for ((sum, word), unit) in rows {
            // As no other unit is wanted, 0 may take the place of −2¹⁶.
            *unit = scaled(*sum, *word, 0).min(LIMIT) as i16;
        }
    } else {
        for ((sum, word), unit) in rows {
            let v = scaled(*sum, *word, -(1 << 16));
            let y = if f == Activation::Tanh { tanh::unit(v) } else { v };
            *unit = y.clamp(-LIMIT, LIMIT) as i16;
        }
    }
}

/// v of [`rescale`], with another least c.
#[inline(always)]
fn scaled(sum: i32, word: u32, least: i32) -> i32 {
    let c = sum.wrapping_shr(word & 31).clamp(least, (1 << 16) - 1);
    (c * (word >> 16) as i32) >> 15
}

/// Gives the first `needed` sums b + Wx, and the padding row's in a hidden layer, to the target. No sum leaves
/// 32 bits: [`check`] has seen to that, so their order does not matter.
#[inline(never)]
fn forward<W: Packed>(
    place: &Place,
    words: &[u32],
    x: &[u32],
    needed: usize,
    target: &mut Target<'_>,
) {
    let needed = if place.is_last { needed } else { needed.next_multiple_of(2) };
    let rows = place.outputs.next_multiple_of(2);
    let mut panels = Panels { words, rows, needed, pairs: x.len() };
    while panels.forward::<W, 16>(x, target) {}
    while panels.forward::<W, 4>(x, target) {}
    while panels.forward::<W, 2>(x, target) {}
}

/// What is left of a layer.
struct Panels<'a> {
    words: &'a [u32],
    rows: usize,
    needed: usize,
    /// Pairs of columns.
    pairs: usize,
}

impl<'a> Panels<'a> {
    /// Biases, scales and weights of the next panel of so many rows, and how many of these are still needed.
    #[inline(always)]
    #[allow(clippy::type_complexity, reason = "taken apart where it is called")]
    fn next<W: Packed, const ROWS: usize>(
        &mut self,
    ) -> Option<(&'a [u32; ROWS], &'a [u32; ROWS], &'a [u32], usize)> {
        if self.rows < ROWS || self.needed == 0 {
            return None;
        }
        let (biases, rest) = self.words.split_first_chunk::<ROWS>()?;
        let (scales, rest) = rest.split_first_chunk::<ROWS>()?;
        let (weights, rest) = rest.split_at_checked(self.pairs * (ROWS / W::ROWS_IN_WORD))?;
        let needed = self.needed;
        self.words = rest;
        self.rows -= ROWS;
        self.needed = needed.saturating_sub(ROWS);
        Some((biases, scales, weights, needed))
    }

    /// Gives the next panel's sums to the target; false where there is none.
    #[inline(always)]
    fn forward<W: Packed, const ROWS: usize>(
        &mut self,
        x: &[u32],
        target: &mut Target<'_>,
    ) -> bool {
        let Some((biases, scales, weights, needed)) = self.next::<W, ROWS>() else { return false };
        let mut sums = biases.map(|bias| bias as i32);
        add_products::<W, ROWS>(&mut sums, weights, x);
        target.take(&sums, scales, needed);
        true
    }
}

/// No unit is beyond ±32 767, so |sum| ≤ |b| + 32 767 Σ |w|: that must fit in an `i32`. And scales must be ones that
/// [`Target::take`] can use.
fn check<W: Packed>(place: &Place, words: &[u32]) -> Result<(), BlobError> {
    let rows = place.outputs.next_multiple_of(2);
    let mut panels = Panels { words, rows, needed: rows, pairs: place.inputs.div_ceil(2) };
    let mut first = 0;
    while let Some((biases, scales, weights, _)) = panels.next::<W, 16>() {
        check_rows::<W>(place, first, biases, scales, weights)?;
        first += 16;
    }
    while let Some((biases, scales, weights, _)) = panels.next::<W, 4>() {
        check_rows::<W>(place, first, biases, scales, weights)?;
        first += 4;
    }
    while let Some((biases, scales, weights, _)) = panels.next::<W, 2>() {
        check_rows::<W>(place, first, biases, scales, weights)?;
    }
    Ok(())
}

#[inline(never)]
fn check_rows<W: Packed>(
    place: &Place,
    first: usize,
    biases: &[u32],
    scales: &[u32],
    weights: &[u32],
) -> Result<(), BlobError> {
    let words_of_pair = biases.len() / W::ROWS_IN_WORD;
    for (row, (bias, scale)) in biases.iter().zip(scales).enumerate() {
        let mine = weights.iter().skip(row / W::ROWS_IN_WORD).step_by(words_of_pair);
        let magnitudes = mine.map(|word| W::magnitudes(*word)[row % W::ROWS_IN_WORD]);
        let magnitude = magnitudes.fold(0_u32, u32::saturating_add);
        let bias = (*bias as i32).unsigned_abs();
        // 65 535 · 32 767 is just below 2³¹.
        let fits = magnitude <= 65_535 && magnitude * LIMIT as u32 + bias <= i32::MAX as u32;
        let (layer, row) = (place.index, first + row);
        if !fits {
            return Err(BlobError::RowOverflow { layer, row });
        }
        let usable = match place.is_last {
            true => f32::from_bits(*scale).is_finite(),
            false => scale & 0xFFFF < 32 && scale >> 31 == 0,
        };
        if !usable {
            return Err(BlobError::RowScale { layer, row });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
