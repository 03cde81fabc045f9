//! Shapes and text to pixels.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform,
};

use super::palette::{PAPER, Rgb};
use super::{Ink, Point, Shape, View};

/// Height of a letter, in pixels.
const LETTER: RasterHeight = RasterHeight::Size16;
/// Height of the strips for text above and below the scene, in pixels.
const STRIP: u32 = 28;
/// Between text and the edge, in pixels.
const MARGIN: u32 = 8;

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

/// Something to draw on.
pub(super) struct Canvas {
    pixels: Pixmap,
    view: View,
    /// Pixels to a metre.
    scale: f64,
}

impl Canvas {
    /// A canvas of a width, in pixels, for a view of the world with strips for text above and below;
    /// `None` if that is no size.
    pub(super) fn new(view: View, width: u32) -> Option<Self> {
        let scale = f64::from(width) / (view.right - view.left);
        let height = ((view.top - view.bottom) * scale).round() as u32 + 2 * STRIP;
        Some(Canvas { pixels: Pixmap::new(width, height)?, view, scale })
    }

    /// Width and height, in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }

    /// Nothing is there any more.
    pub(super) fn clear(&mut self) {
        let [red, green, blue] = PAPER;
        self.pixels.fill(Color::from_rgba8(red, green, blue, 255));
    }

    /// Draws a shape over what is there; one that has numbers which are none is left out.
    pub(super) fn draw(&mut self, shape: &Shape) {
        let (Shape::Line { ink, .. } | Shape::Disc { ink, .. } | Shape::Polygon { ink, .. }) =
            shape;
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        let [red, green, blue] = ink.rgb();
        paint.set_color_rgba8(red, green, blue, 255);
        let (length, still) = (|x: f64| (x * self.scale) as f32, Transform::identity());
        let path = match shape {
            Shape::Line { points, width, .. } => {
                let Some(path) = self.path(points, false) else { return };
                let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
                // Thinner lines than a pixel are pale.
                let width = length(*width).max(1.0);
                let stroke = Stroke { width, line_cap, line_join, ..Stroke::default() };
                self.pixels.stroke_path(&path, &paint, &stroke, still, None);
                return;
            }
            Shape::Disc { centre, radius, .. } => {
                let [x, y] = self.place(*centre);
                PathBuilder::from_circle(x, y, length(*radius))
            }
            Shape::Polygon { points, .. } => self.path(points, true),
        };
        if let Some(path) = path {
            self.pixels.fill_path(&path, &paint, FillRule::Winding, still, None);
        }
    }

    /// Writes a line in a corner, with what does not fit cut off.
    pub(super) fn write(&mut self, text: &str, corner: Corner) {
        let letter = get_raster_width(FontWeight::Regular, LETTER) as u32;
        let (width, height) = self.size();
        let length = letter * text.chars().count() as u32;
        let left = match corner {
            Corner::TopLeft | Corner::BottomLeft => MARGIN,
            Corner::TopRight | Corner::BottomRight => width.saturating_sub(length + MARGIN),
        };
        let inset = (STRIP - LETTER as u32) / 2;
        let top = match corner {
            Corner::TopLeft | Corner::TopRight => inset,
            Corner::BottomLeft | Corner::BottomRight => height - STRIP + inset,
        };
        for (c, x) in text.chars().zip((left..width).step_by(letter as usize)) {
            self.letter(c, x, top);
        }
    }

    fn letter(&mut self, c: char, left: u32, top: u32) {
        // What the font has not is a question mark.
        let raster = [c, '?'].into_iter().find_map(|c| get_raster(c, FontWeight::Regular, LETTER));
        let Some(raster) = raster else { return };
        let (width, ink) = (self.pixels.width(), Ink::Text.rgb());
        for (y, row) in (top..).zip(raster.rows()) {
            for (x, share) in (left..width).zip(row.iter()) {
                let place = 4 * (y * width + x) as usize;
                let pixel = self.pixels.data_mut().get_mut(place..place + 3);
                for (under, over) in pixel.into_iter().flatten().zip(ink) {
                    *under = mixed(*under, over, *share);
                }
            }
        }
    }

    /// Red, green and blue of each pixel, row by row from the top.
    pub(super) fn colours(&self) -> impl Iterator<Item = Rgb> {
        self.pixels.pixels().iter().map(|p| [p.red(), p.green(), p.blue()])
    }

    /// Where a point of the world is, in pixels from the top left corner.
    fn place(&self, [x, y]: Point) -> [f32; 2] {
        let strip = f64::from(STRIP);
        let across = (x - self.view.left) * self.scale;
        [across as f32, (strip + (self.view.top - y) * self.scale) as f32]
    }

    fn path(&self, points: &[Point], close: bool) -> Option<Path> {
        let mut path = PathBuilder::new();
        let (first, others) = points.split_first()?;
        let [x, y] = self.place(*first);
        path.move_to(x, y);
        for point in others {
            let [x, y] = self.place(*point);
            path.line_to(x, y);
        }
        if close {
            path.close();
        }
        path.finish()
    }
}

/// So many 255ths of one colour over another.
fn mixed(under: u8, over: u8, share: u8) -> u8 {
    let (under, over, share) = (u32::from(under), u32::from(over), u32::from(share));
    ((under * (255 - share) + over * share + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { left: -1.0, right: 1.0, bottom: -1.0, top: 1.0 };

    fn count(canvas: &Canvas, colour: Rgb) -> usize {
        canvas.colours().filter(|found| *found == colour).count()
    }

    #[test]
    fn shapes_cover_their_area() {
        let mut canvas = Canvas::new(VIEW, 200).unwrap();
        assert_eq!(canvas.size(), (200, 256));
        canvas.clear();
        canvas.draw(&Shape::Disc { centre: [0.0, 0.0], radius: 0.5, ink: Ink::Rod });
        // π 50² but the edge, whose pixels are mixed.
        let inside = count(&canvas, Ink::Rod.rgb());
        assert!((7500..7855).contains(&inside), "{inside}");
        let points = vec![[-0.9, -0.9], [0.9, -0.9], [0.9, -0.8], [-0.9, -0.8]];
        canvas.draw(&Shape::Polygon { points, ink: Ink::Action });
        assert_eq!(count(&canvas, Ink::Action.rgb()), 180 * 10);
    }

    #[test]
    fn shapes_far_away_or_nowhere_are_not_seen() {
        let mut canvas = Canvas::new(VIEW, 200).unwrap();
        canvas.clear();
        for x in [1e6, 1e300, f64::INFINITY, f64::NAN] {
            let points = vec![[x, 0.0], [x + 1.0, 0.0], [x, 1.0]];
            canvas.draw(&Shape::Line { points: points.clone(), width: 0.1, ink: Ink::Rod });
            canvas.draw(&Shape::Polygon { points, ink: Ink::Rod });
            canvas.draw(&Shape::Disc { centre: [x, 0.0], radius: 0.1, ink: Ink::Rod });
        }
        assert_eq!(count(&canvas, PAPER), 200 * 256);
    }

    #[test]
    fn text_stands_in_its_corner_and_is_cut_off_at_the_edge() {
        let mut canvas = Canvas::new(VIEW, 200).unwrap();
        for corner in [Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight] {
            canvas.clear();
            canvas.write("θ N·m", corner);
            let marked: Vec<_> =
                canvas.colours().enumerate().filter(|(_, c)| *c != PAPER).map(|(i, _)| i).collect();
            let (top, left) = (marked[0] / 200 < 28, marked[0] % 200 < 100);
            let expected = match corner {
                Corner::TopLeft => (true, true),
                Corner::TopRight => (true, false),
                Corner::BottomLeft => (false, true),
                Corner::BottomRight => (false, false),
            };
            assert_eq!((top, left), expected, "{corner:?}");
        }
        canvas.write(&"long ".repeat(100), Corner::BottomRight);
    }
}
