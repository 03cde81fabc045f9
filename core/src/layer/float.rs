//! `f32` weights.
//!
//! A layer's rows lie in *panels* of 16 or 1, one after the other, and within a panel column after column,
//! the biases first: as many sums as a panel has rows stay in registers while its numbers are read
//! from the first to the last.

use core::ops::Range;

use nalgebra::{DMatrixView, DVectorView};

use super::{
    Place,
    kernel::{Kernel, Outputs, Units},
};
use crate::{
    Activation,
    compact::{barrier, not_finite},
    format::{PANEL, WeightKind},
    tanh,
};

/// Rows of a panel: as many of the first as fit, then of the next.
const HEIGHTS: [usize; 2] = [PANEL, 1];

/// The rows of each panel of a layer with so many outputs.
pub fn panels(outputs: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let rows = HEIGHTS.into_iter().find(|rows| start + rows <= outputs)?;
        start += rows;
        Some(start - rows..start)
    })
}

/// A layer as nalgebra sees it.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    place: Place,
    /// Panel after panel, `(inputs + 1) · outputs` numbers.
    parameters: &'a [f32],
}

/// Some rows of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// W, `[rows, inputs]`, column-major as nalgebra keeps matrices.
    pub weights: DMatrixView<'a, f32>,
    /// b, `[rows]`.
    pub bias: DVectorView<'a, f32>,
}

impl<'a> Layer<'a> {
    /// The words must be those of that layer.
    pub(crate) fn new(place: Place, words: &'a [u32]) -> Self {
        Layer { place, parameters: bytemuck::must_cast_slice(words) }
    }

    /// Entries of x.
    pub fn inputs(&self) -> usize {
        self.place.inputs
    }

    /// Entries of y.
    pub fn outputs(&self) -> usize {
        self.place.outputs
    }

    /// f.
    pub fn activation(&self) -> Activation {
        self.place.activation
    }

    /// Its panels, from the first rows to the last.
    pub fn panels(&self) -> impl Iterator<Item = Panel<'a>> + use<'a> {
        let Layer { place: Place { inputs, outputs, .. }, parameters } = *self;
        panels(outputs).filter_map(move |rows| {
            let panel = parameters.get(rows.start * (inputs + 1)..rows.end * (inputs + 1))?;
            let (bias, weights) = panel.split_at_checked(rows.len())?;
            Some(Panel {
                weights: DMatrixView::from_slice(weights, rows.len(), inputs),
                bias: DVectorView::from_slice(bias, rows.len()),
            })
        })
    }
}

impl Kernel for f32 {
    const KIND: WeightKind = WeightKind::F32;

    type Unit = f32;
    type Units = Units<[f32]>;
    type Room<const WIDTH: usize> = Units<[f32; WIDTH]>;

    fn room<const WIDTH: usize>() -> Self::Room<WIDTH> {
        Units::new()
    }

    fn units<const WIDTH: usize>(room: &mut Self::Room<WIDTH>) -> &mut Self::Units {
        room
    }

    fn read(units: &Self::Units) -> &[f32] {
        units.all()
    }

    /// x = (o − shift) · scale
    fn observe<'r>(
        observation: &'r [f32],
        normalisation: &[f32],
        room: &'r mut Self::Units,
    ) -> &'r [f32] {
        if normalisation.is_empty() {
            return observation;
        }
        let scales = normalisation.iter().skip(observation.len());
        room.clear();
        for ((o, shift), scale) in observation.iter().zip(normalisation).zip(scales) {
            barrier();
            room.push((o - shift) * scale);
        }
        room.all()
    }

    fn words(place: &Place) -> usize {
        // Sizes are 16 bits wide, so the product does not leave 32.
        (place.inputs + 1) * place.outputs
    }

    fn check(_: &Place, words: &[u32]) -> bool {
        not_finite(bytemuck::must_cast_slice(words)).is_none()
    }

    fn hidden(place: &Place, words: &[u32], x: &[f32], y: &mut Self::Units) {
        y.clear();
        forward(bytemuck::must_cast_slice(words), x, place.activation, y.take(place.outputs));
    }

    fn last(
        place: &Place,
        words: &[u32],
        x: &[f32],
        needed: usize,
        scratch: &mut Self::Units,
        outputs: &mut Outputs<'_>,
    ) {
        let mut parameters: &[f32] = bytemuck::must_cast_slice(words);
        let (mut left, mut needed) = (place.outputs, needed);
        while needed > 0 {
            barrier();
            // A panel is a layer of its own.
            let rows = if left < HEIGHTS[0] { 1 } else { HEIGHTS[0] };
            scratch.clear();
            let z = scratch.take(rows);
            forward(parameters, x, place.activation, z);
            for z in z.iter().take(needed) {
                barrier();
                outputs.push(*z);
            }
            parameters = parameters.get(rows * (x.len() + 1)..).unwrap_or_default();
            left = left.saturating_sub(rows);
            needed = needed.saturating_sub(rows);
        }
    }

    fn tanh(z: f32) -> f32 {
        tanh::float(z)
    }
}

/// y = f(b + Wx) for a layer with as many outputs as there is room for.
///
/// Each output is `((b + w₀x₀) + w₁x₁) + …` in this order, multiplied and added in two roundings: the order
/// is part of the promise that every machine gives the same bits.
#[inline(never)]
fn forward(parameters: &[f32], x: &[f32], f: Activation, y: &mut [f32]) {
    let (sixteens, ones) = y.as_chunks_mut::<16>();
    let row = x.len() + 1;
    let (panels, rows) = parameters.split_at_checked(16 * row * sixteens.len()).unwrap_or_default();
    compute_16(panels, x, f, sixteens);
    let mut rows = rows;
    for y in &mut *ones {
        *y = compute_1(rows, x);
        rows = rows.get(row..).unwrap_or_default();
    }
    // In assembly it has been done.
    f.apply_all(if cfg!(kernels = "vfp") { ones } else { y });
}

/// b + Wx for a single row, four columns at a time; the first column is b.
#[inline(never)]
fn compute_1(row: &[f32], x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let Some((bias, row)) = row.split_first() else { return 0.0 };
    let mut sum = *bias;
    let mut row = row;
    for x in fours {
        let Some((w, after)) = row.split_first_chunk::<4>() else { return sum };
        let (w, x) = (*w, *x);
        barrier();
        w.iter().zip(x).for_each(|(w, x)| sum += w * x);
        row = after;
    }
    for (w, x) in row.iter().zip(rest) {
        barrier();
        sum += w * x;
    }
    sum
}

/// b + Wx for panels of 16 rows; in assembly f(b + Wx).
#[inline(always)]
fn compute_16(panels: &[f32], x: &[f32], f: Activation, y: &mut [[f32; 16]]) {
    let mut rest = panels;
    for y in &mut *y {
        barrier();
        let Some((panel, after)) = rest.split_at_checked(16 * (x.len() + 1)) else { return };
        #[cfg(kernels = "vfp")]
        super::assembly::vfp::compute_16(panel, x, f == Activation::Relu, y);
        #[cfg(not(kernels = "vfp"))]
        compute_halves(panel.as_chunks().0.as_chunks().0, x, y);
        rest = after;
    }
    if cfg!(kernels = "vfp") && f == Activation::Tanh {
        f.apply_all(y.as_flattened_mut());
    }
}

/// A panel of 16 rows in two halves.
#[cfg(not(kernels = "vfp"))]
#[inline(never)]
fn compute_halves(columns: &[[[f32; 8]; 2]], x: &[f32], y: &mut [f32; 16]) {
    let Some(([first, second], columns)) = columns.split_first() else { return };
    let (mut first, mut second) = (*first, *second);
    for ([v, w], x) in columns.iter().zip(x) {
        let v = *v;
        barrier();
        add(&mut first, &v, *x);
        barrier();
        let w = *w;
        barrier();
        add(&mut second, &w, *x);
    }
    y.iter_mut().zip([first, second].as_flattened()).for_each(|(y, sum)| *y = *sum);
}

/// sumᵢ ← sumᵢ + wᵢ x, in two roundings.
#[cfg(not(kernels = "vfp"))]
#[inline(always)]
fn add<const ROWS: usize>(sums: &mut [f32; ROWS], column: &[f32; ROWS], x: f32) {
    sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += w * x);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn place(inputs: usize, outputs: usize, is_last: bool) -> Place {
        Place { index: 0, inputs, outputs, activation: Activation::Relu, is_last }
    }

    #[test]
    fn panels_are_as_high_as_fits() {
        let heights = |outputs| panels(outputs).map(|rows| rows.len()).collect::<Vec<_>>();
        assert_eq!(heights(18), [16, 1, 1]);
        assert_eq!(heights(3), [1, 1, 1]);
        assert_eq!(heights(0), [0; 0]);
        for outputs in 0..100 {
            assert!(panels(outputs).flatten().eq(0..outputs), "{outputs}");
        }
    }

    /// Words of a layer whose row r has bias r and the weights r + 1, r + 2, … and its sums for x = 1, 10, 100, ….
    fn counting(inputs: usize, outputs: usize) -> (Vec<u32>, Vec<f32>, Vec<f32>) {
        let weight = |row: usize, column: usize| (row + column) as f32;
        let columns = |rows: Range<usize>| {
            (0..=inputs).flat_map(move |c| rows.clone().map(move |r| weight(r, c).to_bits()))
        };
        let x: Vec<f32> = (0..inputs).map(|j| 10_f32.powi(j as i32)).collect();
        let sum = |r| (0..inputs).fold(weight(r, 0), |z, j| z + weight(r, j + 1) * x[j]);
        (panels(outputs).flat_map(columns).collect(), x.clone(), (0..outputs).map(sum).collect())
    }

    #[test]
    fn every_row_is_its_sum() {
        for outputs in 1..=41 {
            let (words, x, sums) = counting(4, outputs);
            assert_eq!(words.len(), f32::words(&place(4, outputs, false)));
            let room: &mut Units<[f32]> = &mut f32::room::<41>();
            f32::hidden(&place(4, outputs, false), &words, &x, room);
            assert_eq!(room.all(), sums, "{outputs}");
            // The last layer takes the place that it needs of a room that was used before.
            for needed in [1, 3, 16, 40].into_iter().filter(|needed| *needed <= outputs) {
                let mut z = heapless::Vec::<f32, 40>::new();
                f32::last(
                    &place(4, outputs, true),
                    &words,
                    &x,
                    needed,
                    room,
                    &mut Outputs::new(z.as_mut_view()),
                );
                assert_eq!(z[..], sums[..needed], "{needed} of {outputs}");
            }
        }
    }

    #[test]
    fn sums_run_from_the_first_input_to_the_last() {
        // (2²⁴ + 1) + 1 stays 2²⁴ from left to right, where 2²⁴ + (1 + 1) does not.
        let words = [16_777_216.0_f32, 1.0, 1.0, -1.0].map(f32::to_bits);
        let room: &mut Units<[f32]> = &mut f32::room::<1>();
        f32::hidden(&place(3, 1, false), &words, &[1.0; 3], room);
        assert_eq!(room.all(), [16_777_215.0]);
    }

    #[test]
    fn the_views_show_the_panels() {
        let (words, ..) = counting(3, 21);
        let layer = Layer::new(place(3, 21, false), &words);
        let mut shown = 0;
        for (rows, panel) in panels(21).zip(layer.panels()) {
            assert_eq!(panel.weights.shape(), (rows.len(), 3));
            for (i, row) in rows.enumerate() {
                assert_eq!(panel.bias[i], row as f32);
                assert_eq!(panel.weights[(i, 2)], (row + 3) as f32);
                shown += 1;
            }
        }
        assert_eq!(shown, 21);
    }

    #[test]
    fn observations_are_shifted_then_scaled() {
        let mut room = f32::room::<2>();
        let x = f32::observe(&[3.0, 5.0], &[1.0, 4.0, 0.5, 2.0], &mut room);
        assert_eq!(x, [1.0, 2.0]);
        let mut room = f32::room::<0>();
        assert_eq!(f32::observe(&[3.0, 5.0], &[], &mut room), [3.0, 5.0]);
    }
}
