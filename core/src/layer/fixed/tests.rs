use super::*;
use std::{vec, vec::Vec};

fn place(inputs: usize, outputs: usize, activation: Activation, is_last: bool) -> Place {
    Place { index: 3, inputs, outputs, activation, is_last }
}

/// The outputs of hidden rows with these sums, s and m, alone and with a neighbour on either side.
fn rescaled(f: Activation, rows: &[(i32, u32, u32)]) -> Vec<i16> {
    let one = |&(sum, s, m): &(i32, u32, u32)| {
        let (mut first, mut second) = ([0; 2], [0; 2]);
        rescale(f, &[sum, -1], &[s | m << 16, 1], &mut first);
        rescale(f, &[-1, sum], &[1, s | m << 16], &mut second);
        assert_eq!(first[0], second[1]);
        first[0]
    };
    rows.iter().map(one).collect()
}

/// The first outputs of a last layer.
fn last_outputs<W: Kernel<Unit = u32, Units = Units<[i16]>>>(
    place: &Place,
    words: &[u32],
    x: &[u32],
    needed: usize,
) -> Vec<f32> {
    let mut z = heapless::Vec::<f32, 40>::new();
    let scratch: &mut Units<[i16]> = &mut Units::<[i16; 0]>::new();
    W::last(place, words, x, needed, scratch, &mut Outputs::new(z.as_mut_view()));
    z.to_vec()
}

#[test]
fn observations_become_units() {
    let observe = |o: f32, shift: f32, scale: f32| {
        let room: &mut Units<[i16]> = &mut Units::<[i16; 2]>::new();
        // Something was there before.
        room.take(2).copy_from_slice(&[7, 7]);
        i16::observe(&[o], &[shift, scale], room);
        // An odd observation is padded.
        assert_eq!(room.all()[1], 0);
        room.all()[0]
    };
    // 4 is one unit; a half is rounded up, and what is below a 1 before is cut off.
    for (o, unit) in [(4.0, 1), (1.0, 0), (1.99, 0), (2.0, 1), (-2.0, 0), (-2.99, 0), (-3.0, -1)] {
        assert_eq!(observe(o, 0.0, 1.0), unit, "{o}");
    }
    for (o, unit) in [(131_063.0, 32_766), (131_067.0, 32_767), (131_068.0, 32_767), (1e9, 32_767)]
    {
        assert_eq!((observe(o, 0.0, 1.0), observe(-o, 0.0, 1.0)), (unit, -unit), "{o}");
    }
    // Both overflow in f32: the shift, then the scale.
    assert_eq!(observe(f32::MAX, f32::MIN, 1.0), 32_767);
    assert_eq!(observe(-2.0, 0.0, f32::MAX), -32_767);
    assert_eq!(observe(1.5, 1.0, 8.0), 1);
}

#[test]
fn the_room_is_read_in_pairs() {
    let mut room = Units::<[i16; 4]>::new();
    let pairs = i8::observe(&[4.0, -4.0, 8.0], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], &mut room);
    assert_eq!(pairs, [0xffff_0001, 0x0000_0002]);
}

#[test]
fn sums_saturate_on_both_sides() {
    let ends = [(i32::MAX, 0, 32_767), (i32::MIN, 0, 32_767), (65_536, 0, 16_384)];
    assert_eq!(rescaled(Activation::Linear, &ends), [32_766, -32_767, 16_383]);
    assert_eq!(rescaled(Activation::Relu, &ends), [32_766, 0, 16_383]);
    assert_eq!(rescaled(Activation::Tanh, &ends[..2]), [32_767, -32_767]);
    // 2¹⁶ − 1 is the largest c, −2¹⁶ the least: halved they are apart by a rounding.
    let ends = [(65_535, 0, 16_384), (-65_536, 0, 16_384), (70_000, 0, 8192), (-70_000, 0, 8192)];
    assert_eq!(rescaled(Activation::Linear, &ends), [16_383, -16_384, 8191, -8192]);
}

#[test]
fn sums_are_rounded_down() {
    for f in [Activation::Linear, Activation::Relu] {
        assert_eq!(rescaled(f, &[(14, 1, 16_384), (11, 0, 16_384), (0, 31, 0)]), [1, 2, 0]);
    }
    let negative = [(-7, 1, 16_384), (-1, 31, 32_767), (-1, 0, 1), (-5, 0, 0)];
    assert_eq!(rescaled(Activation::Linear, &negative), [-1, -1, -1, 0]);
    assert_eq!(rescaled(Activation::Relu, &negative), [0; 4]);
    // v = 4096 is 1, and a unit 2⁻¹⁵.
    assert_eq!(rescaled(Activation::Tanh, &[(16_384, 0, 16_384)]), [24_956]);
}

/// Words of one panel of two rows in 16 bits: (bias, scale, weights) of each.
fn rows(rows: [(i32, u32, &[i16]); 2]) -> Vec<u32> {
    let mut words: Vec<u32> = rows.iter().map(|row| row.0 as u32).collect();
    words.extend(rows.iter().map(|row| row.1));
    for column in (0..rows[0].2.len()).step_by(2) {
        let pair = |w: &[i16]| u32::from(w[column] as u16) | u32::from(w[column + 1] as u16) << 16;
        words.extend(rows.iter().map(|row| pair(row.2)));
    }
    words
}

#[test]
fn words_of_a_layer_count_its_padding() {
    for (inputs, outputs, wide, narrow) in
        [(1, 1, 6, 5), (2, 2, 6, 5), (3, 3, 16, 12), (16, 25, 260, 156)]
    {
        let place = place(inputs, outputs, Activation::Linear, false);
        assert_eq!((i16::words(&place), i8::words(&place)), (wide, narrow), "{place:?}");
    }
}

#[test]
fn a_sum_may_reach_the_largest_i32_and_not_pass_it() {
    let place = place(4, 2, Activation::Linear, false);
    let check = |bias, weights: [i16; 4]| {
        let good = (0, 0, &[0; 4][..]);
        i16::check(&place, &rows([good, (bias, 0, &weights)]))
    };
    assert!(check(i32::MAX, [0; 4]));
    assert!(!check(i32::MIN, [0; 4]));
    assert!(check(-i32::MAX, [0; 4]));
    let room = i32::MAX - 65_535 * LIMIT;
    for signs in [[1, 1, 1], [1, -1, 1], [-1, -1, -1]] {
        let weights = [32_767 * signs[0], 32_767 * signs[1], signs[2], 0];
        for sign in [1, -1] {
            assert!(check(sign * room, weights));
            assert!(!check(sign * (room + 1), weights));
        }
    }
    assert!(!check(0, [-32_768, 32_767, 1, 0]));
    // More than 16 bits of magnitudes must not wrap round to a few.
    assert!(!check(0, [-32_768; 4]));
}

#[test]
fn the_largest_sum_is_computed_right() {
    let weights = [32_767, -32_767, 1, 0];
    let room = i32::MAX - 65_535 * LIMIT;
    let words = rows([(room, 15 | 32_767 << 16, &weights), (-room, 15 | 32_767 << 16, &weights)]);
    let x = |signs: [i32; 4]| {
        let [a, b, c, d] = signs.map(|sign| (LIMIT * sign) as u16);
        [u32::from(a) | u32::from(b) << 16, u32::from(c) | u32::from(d) << 16]
    };
    let y: &mut Units<[i16]> = &mut Units::<[i16; 2]>::new();
    i16::hidden(&place(4, 2, Activation::Linear, false), &words, &x([1, -1, 1, 1]), y);
    // The second sum is smaller by twice the bias of 98 302, so its c is 65 530.
    assert_eq!(y.all(), [32_766, 32_764]);
    let words = rows([(room, 1.0_f32.to_bits(), &weights), (-room, 1.0_f32.to_bits(), &weights)]);
    let place = place(4, 2, Activation::Linear, true);
    let z = last_outputs::<i16>(&place, &words, &x([-1, 1, -1, 0]), 2);
    assert_eq!(z, [(room - 65_535 * LIMIT) as f32, i32::MIN as f32]);
}

#[test]
fn scales_have_their_range() {
    let check = |scale, is_last| {
        let place = place(2, 2, Activation::Linear, is_last);
        i16::check(&place, &rows([(0, 0, &[0; 2]), (0, scale, &[0; 2])]))
    };
    for (scale, hidden) in
        [(0, true), (31 | 32_767 << 16, true), (32, false), (0x8000, false), (32_768 << 16, false)]
    {
        assert_eq!(check(scale, false), hidden, "{scale:08x}");
    }
    for (scale, last) in [
        (-1.5, true),
        (f32::MAX, true),
        (f32::NAN, false),
        (f32::INFINITY, false),
        (f32::NEG_INFINITY, false),
    ] {
        assert_eq!(check(scale.to_bits(), true), last, "{scale}");
    }
}

#[test]
fn rows_of_all_panels_are_checked() {
    // 21 outputs: panels of 16, 2, 2 and 2, the last row is padding. One pair of columns.
    let place = place(2, 21, Activation::Linear, false);
    let panels = [16, 2, 2, 2];
    for bad in 0..=22 {
        let mut words = Vec::new();
        let mut row = 0;
        for height in panels {
            let biases = (row..row + height).map(|r| if r == bad { i32::MIN as u32 } else { 0 });
            words.extend(biases.chain(vec![0; 2 * height]));
            row += height;
        }
        assert_eq!(i16::check(&place, &words), bad == 22, "{bad}");
    }
}

#[test]
fn the_last_layer_gives_what_is_needed_and_no_padding() {
    // 19 outputs, the 20th row is padding: panels of 16, 2 and 2; z is the bias.
    let words: Vec<u32> = [(0, 16), (16, 2), (18, 2)]
        .into_iter()
        .flat_map(|(first, rows)| {
            let biases = (first..first + rows).map(|row| row + 1);
            biases.chain(vec![1.0_f32.to_bits(); rows as usize]).chain(vec![0; rows as usize])
        })
        .collect();
    for needed in 1..=19 {
        let place = place(1, 19, Activation::Linear, true);
        let expected: Vec<f32> = (1..=needed).map(|z| z as f32).collect();
        assert_eq!(last_outputs::<i16>(&place, &words, &[0], needed), expected, "{needed}");
    }
}
