//! The colours of a picture: few enough for a small file, and always the same ones.

use super::Ink;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// What is behind everything.
pub(super) const PAPER: Rgb = [255, 255, 255];
/// Inks, and how many steps there are from the paper to each: more where edges are large.
const INKS: [(Ink, u32); 5] =
    [(Ink::Guide, 3), (Ink::Frame, 7), (Ink::Rod, 7), (Ink::Action, 7), (Ink::Text, 5)];
/// Pairs of inks that often touch, and how many colours there are between them.
const MIXED: [(Ink, Ink, u32); 5] = [
    (Ink::Rod, Ink::Frame, 3),
    (Ink::Rod, Ink::Action, 3),
    (Ink::Rod, Ink::Guide, 3),
    (Ink::Frame, Ink::Guide, 3),
    (Ink::Action, Ink::Guide, 2),
];
/// Pixels with this index stay as they are.
pub(super) const TRANSPARENT: u8 = 0;

impl Ink {
    pub(super) fn rgb(self) -> Rgb {
        match self {
            Ink::Guide => [206, 212, 220],
            Ink::Frame => [70, 78, 90],
            Ink::Rod => [31, 92, 168],
            Ink::Action => [224, 104, 32],
            Ink::Text => [40, 44, 52],
        }
    }
}

/// A palette, with what is nearest to each colour that was asked for.
pub(super) struct Palette {
    /// The first one stands for [`TRANSPARENT`].
    colours: Vec<Rgb>,
    /// By the upper [`BITS`] bits of each component; 0 where nobody asked yet.
    nearest: Vec<u8>,
}

/// Bits of a component that count where the nearest colour is looked up.
const BITS: u32 = 6;

impl Palette {
    pub(super) fn new() -> Self {
        let mut colours = vec![PAPER, PAPER];
        for (ink, steps) in INKS {
            colours.extend((1..=steps).map(|step| between(PAPER, ink.rgb(), step, steps)));
        }
        for (a, b, count) in MIXED {
            colours.extend((1..=count).map(|step| between(a.rgb(), b.rgb(), step, count + 1)));
        }
        Palette { colours, nearest: vec![TRANSPARENT; 1 << (3 * BITS)] }
    }

    /// Red, green, blue of each colour, one after the other.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.colours.concat()
    }

    /// Index of the colour that is nearest to one.
    pub(super) fn index(&mut self, colour: Rgb) -> u8 {
        let cell = colour.map(|c| u32::from(c) >> (8 - BITS));
        let place = (cell[0] << (2 * BITS) | cell[1] << BITS | cell[2]) as usize;
        if self.nearest[place] == TRANSPARENT {
            // That of the cell's middle, whoever asks first.
            let middle = cell.map(|c| (c << (8 - BITS)) as i32 + (1 << (7 - BITS)));
            self.nearest[place] = self.search(middle);
        }
        self.nearest[place]
    }

    fn search(&self, colour: [i32; 3]) -> u8 {
        let distance = |of: &Rgb| -> i32 {
            of.iter().zip(colour).map(|(a, b)| (i32::from(*a) - b) * (i32::from(*a) - b)).sum()
        };
        let opaque = self.colours.iter().enumerate().skip(1);
        opaque.min_by_key(|(_, of)| distance(of)).map_or(1, |(index, _)| index as u8)
    }
}

/// The colour at `step` of `steps` from one to another.
fn between(from: Rgb, to: Rgb, step: u32, steps: u32) -> Rgb {
    let mix = |i: usize| {
        let (from, to) = (u32::from(from[i]), u32::from(to[i]));
        ((from * (steps - step) + to * step + steps / 2) / steps) as u8
    };
    [mix(0), mix(1), mix(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_and_paper_are_found_again() {
        let mut palette = Palette::new();
        assert!(palette.colours.len() <= 64, "{}", palette.colours.len());
        assert_eq!(palette.index(PAPER), 1);
        for (ink, _) in INKS {
            let index = palette.index(ink.rgb());
            assert_eq!(palette.colours[usize::from(index)], ink.rgb(), "{ink:?}");
        }
    }
}
