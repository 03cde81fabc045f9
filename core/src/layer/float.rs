//! `f32` weights.
//!
//! A layer's rows lie in *panels* of 16, 4 or 1, one after the other, and within a panel column after column,
//! the biases first: as many sums as a panel has rows stay in registers while its numbers are read
//! from the first to the last.

use core::{
    ops::Range,
    sync::atomic::{Ordering, compiler_fence},
};

use nalgebra::{DMatrixView, DVectorView};

use super::{
    Place,
    kernel::{Kernel, Outputs, Units},
};
use crate::{Activation, BlobError, format::WeightKind, tanh};

/// Rows of a panel: as many of the first as fit, then of the next.
const HEIGHTS: [usize; 3] = [16, 4, 1];

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
            if let Some([x]) = room.next() {
                *x = (o - shift) * scale;
            }
        }
        room.all()
    }

    fn words(place: &Place) -> usize {
        // Sizes are 16 bits wide, so the product does not leave 32.
        (place.inputs + 1) * place.outputs
    }

    fn check(place: &Place, words: &[u32]) -> Result<(), BlobError> {
        match words.iter().position(|word| !f32::from_bits(*word).is_finite()) {
            Some(index) => Err(BlobError::WeightNotFinite { layer: place.index, index }),
            None => Ok(()),
        }
    }

    fn hidden(place: &Place, words: &[u32], x: &[f32], y: &mut Self::Units) {
        y.clear();
        forward(bytemuck::must_cast_slice(words), x, place.activation, y.take(place.outputs));
    }

    fn last(place: &Place, words: &[u32], x: &[f32], needed: usize, outputs: &mut Outputs) {
        let parameters = bytemuck::must_cast_slice(words);
        for rows in panels(place.outputs).take_while(|rows| rows.start < needed) {
            let columns = place.inputs + 1;
            let panel = parameters.get(rows.start * columns..rows.end * columns);
            let mut z = [0.0; HEIGHTS[0]];
            // A panel is a layer of its own.
            let z = z.get_mut(..rows.len()).unwrap_or_default();
            forward(panel.unwrap_or_default(), x, place.activation, z);
            outputs.extend(z.get(..needed - rows.start).unwrap_or(z));
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
    let mut panels = Panels { parameters, columns: x.len() + 1 };
    let (sixteens, rest) = y.as_chunks_mut::<16>();
    compute_16(&mut panels, x, f, sixteens);
    let (fours, ones) = rest.as_chunks_mut::<4>();
    compute(&mut panels, x, fours);
    compute_1(&mut panels, x, ones);
    f.apply_all(rest);
}

/// What is left of a layer.
struct Panels<'a> {
    parameters: &'a [f32],
    columns: usize,
}

impl<'a> Panels<'a> {
    /// The next panel of so many rows.
    #[inline(always)]
    fn next<const ROWS: usize>(&mut self) -> Option<&'a [f32]> {
        let (panel, rest) = self.parameters.split_at_checked(self.columns * ROWS)?;
        self.parameters = rest;
        Some(panel)
    }
}

/// b + Wx, panel by panel; the first column of a panel is b.
#[inline(never)]
fn compute<const ROWS: usize>(panels: &mut Panels<'_>, x: &[f32], y: &mut [[f32; ROWS]]) {
    for (y, panel) in y.iter_mut().zip(core::iter::from_fn(|| panels.next::<ROWS>())) {
        let Some((bias, columns)) = panel.as_chunks::<ROWS>().0.split_first() else { return };
        let mut sums = *bias;
        for (column, x) in columns.iter().zip(x) {
            add(&mut sums, column, *x);
        }
        *y = sums;
    }
}

/// The same for single rows, four columns at a time.
#[inline(never)]
fn compute_1(panels: &mut Panels<'_>, x: &[f32], y: &mut [f32]) {
    let (fours, rest) = x.as_chunks::<4>();
    for (y, panel) in y.iter_mut().zip(core::iter::from_fn(|| panels.next::<1>())) {
        let Some((bias, row)) = panel.split_first() else { return };
        let (columns, last) = row.as_chunks::<4>();
        let mut sum = *bias;
        for (w, x) in columns.iter().zip(fours) {
            let (w, x) = (*w, *x);
            load_in_a_run();
            w.iter().zip(x).for_each(|(w, x)| sum += w * x);
        }
        last.iter().zip(rest).for_each(|(w, x)| sum += w * x);
        *y = sum;
    }
}

/// f(b + Wx) for panels of 16 rows.
#[inline(never)]
fn compute_16(panels: &mut Panels<'_>, x: &[f32], f: Activation, y: &mut [[f32; 16]]) {
    for (y, panel) in y.iter_mut().zip(core::iter::from_fn(|| panels.next::<16>())) {
        #[cfg(kernels = "vfp")]
        super::assembly::vfp::compute_16(panel, x, f == Activation::Relu, y);
        #[cfg(not(kernels = "vfp"))]
        compute_halves(panel.as_chunks().0.as_chunks().0, x, y);
    }
    if cfg!(not(kernels = "vfp")) || f == Activation::Tanh {
        f.apply_all(y.as_flattened_mut());
    }
}

/// A panel of 16 rows in two halves.
#[cfg(not(kernels = "vfp"))]
#[inline(always)]
fn compute_halves(columns: &[[[f32; 8]; 2]], x: &[f32], y: &mut [f32; 16]) {
    let Some(([first, second], columns)) = columns.split_first() else { return };
    let (mut first, mut second) = (*first, *second);
    for ([v, w], x) in columns.iter().zip(x) {
        let v = *v;
        load_in_a_run();
        add(&mut first, &v, *x);
        load_in_a_run();
        let w = *w;
        load_in_a_run();
        add(&mut second, &w, *x);
    }
    y.iter_mut().zip([first, second].as_flattened()).for_each(|(y, sum)| *y = *sum);
}

/// sumᵢ ← sumᵢ + wᵢ x, in two roundings.
#[inline(always)]
fn add<const ROWS: usize>(sums: &mut [f32; ROWS], column: &[f32; ROWS], x: f32) {
    sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += w * x);
}

/// Keeps the compiler from moving the loads before it between the computations after it. On a Cortex-M4 a load
/// takes one cycle after another load, and two on its own. It does nothing else.
#[inline(always)]
fn load_in_a_run() {
    if cfg!(target_arch = "arm") {
        compiler_fence(Ordering::SeqCst);
    }
}
