//! An episode as an animated GIF.

use std::borrow::Cow;

use gif::{AnyExtension, DisposalMethod, Encoder, Extension, Frame, Repeat};

use super::Scene;
use super::canvas::{Canvas, Corner};
use super::palette::{Palette, TRANSPARENT};
use crate::eval::{EvalError, check_shape};
use crate::interface::{Channel, Environment};
use crate::policy::AnyPolicy;

/// Widths of a picture, in pixels: text has to fit, and memory too.
pub const WIDTHS: std::ops::RangeInclusive<u16> = 280..=2000;
/// The last frame is held for so long, in 1/100 s.
const HELD: u16 = 150;
/// What the encoder says can only come from what it writes to, and that is memory.
const MEMORY: &str = "frames fit their picture, and memory takes what is written to it";

/// What a film says of the policy that is on it, in a comment that viewers do not show: its checksum.
pub fn mark(policy: &AnyPolicy<'_>) -> String {
    format!("policy {:08x}", policy.checksum())
}

/// How an episode is filmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// The first state `[state_size]`.
    pub state: Vec<f64>,
    /// Steps at most.
    pub steps: usize,
    /// Steps from one frame to the next, at least 1.
    pub stride: usize,
    /// Width of the picture, in pixels, one of [`WIDTHS`].
    pub width: u16,
}

/// A film, and what is on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many frames it has.
    pub frames: usize,
    /// Width and height, in pixels.
    pub size: (u16, u16),
    /// Steps of the episode.
    pub steps: usize,
    /// Its return.
    pub episode_return: f64,
    /// Whether it came to an end of its own.
    pub terminated: bool,
}

/// What a frame shows.
struct Moment<'a> {
    /// Since the beginning, in s.
    time: f64,
    state: &'a [f64],
    /// Empty once nobody acts any more.
    action: &'a [f32],
    /// So far.
    episode_return: f64,
}

/// Runs the policy for one episode, and films it: a frame shows a state, the action there, the time, and
/// the return until then; the last one the end. It plays as fast as the machine runs. `watch` is told how
/// many steps have been made.
///
/// # Errors
///
/// If the policy is not one for this environment, or refuses an observation.
///
/// # Panics
///
/// If the width is none of [`WIDTHS`].
pub fn film(
    scene: &Scene,
    policy: &AnyPolicy<'_>,
    environment: &mut dyn Environment,
    take: &Take,
    watch: &mut dyn FnMut(usize),
) -> Result<Film, EvalError> {
    let spec = environment.spec().clone();
    check_shape(policy, &spec)?;
    let mut cutter = Cutter::new(scene, &spec.action, take.width, &mark(policy));
    let mut observation = vec![0.0; spec.observation_size()];
    environment.restore(&take.state, &mut observation);
    let (mut step, mut episode_return, mut terminated) = (0, 0.0, false);
    while step < take.steps && !terminated {
        let action = policy.act(&observation);
        let action = action.map_err(|error| EvalError::Act { start: 0, step, error })?;
        if step.is_multiple_of(take.stride) {
            let time = step as f64 * spec.period;
            let state = &environment.save();
            cutter.add(&Moment { time, state, action: &action, episode_return });
        }
        let outcome = environment.step(&action, &mut observation);
        episode_return += outcome.reward;
        terminated = outcome.terminated;
        step += 1;
        watch(step);
    }
    let (time, state) = (step as f64 * spec.period, &environment.save());
    cutter.add(&Moment { time, state, action: &[], episode_return });
    let (frames, size) = (cutter.frames, cutter.size);
    Ok(Film { bytes: cutter.finish(), frames, size, steps: step, episode_return, terminated })
}

/// Draws frames and puts them one after the other: each as the rectangle in which something has changed,
/// with what has not changed in there left transparent.
struct Cutter<'a> {
    scene: &'a Scene,
    action: &'a [Channel],
    canvas: Canvas,
    palette: Palette,
    encoder: Encoder<Vec<u8>>,
    size: (u16, u16),
    /// What is on the screen, by index of the palette.
    shown: Vec<u8>,
    /// The frame that is to be written when it is known how long it is shown, and when it begins, in 1/100 s.
    last: Option<(Frame<'static>, f64)>,
    frames: usize,
}

impl<'a> Cutter<'a> {
    fn new(scene: &'a Scene, action: &'a [Channel], width: u16, mark: &str) -> Self {
        assert!(WIDTHS.contains(&width), "a width of {width}");
        let canvas = Canvas::new(scene.view, width.into()).expect("these widths have a canvas");
        let (palette, (width, height)) = (Palette::new(), canvas.size());
        let size = (width as u16, height as u16);
        let encoder = Encoder::new(Vec::new(), size.0, size.1, &palette.bytes());
        let mut encoder = encoder.expect(MEMORY);
        encoder.set_repeat(Repeat::Infinite).expect(MEMORY);
        let comment = AnyExtension::from(Extension::Comment);
        encoder.write_raw_extension(comment, &[mark.as_bytes()]).expect(MEMORY);
        // Nothing is on the screen at first, so that all of the first frame is drawn.
        let shown = vec![TRANSPARENT; (width * height) as usize];
        Cutter { scene, action, canvas, palette, encoder, size, shown, last: None, frames: 0 }
    }

    fn add(&mut self, moment: &Moment<'_>) {
        self.draw(moment);
        let frame = self.difference();
        self.write_last(Some(100.0 * moment.time));
        self.last = Some((frame, 100.0 * moment.time));
        self.frames += 1;
    }

    fn draw(&mut self, moment: &Moment<'_>) {
        self.canvas.clear();
        for shape in (self.scene.shapes)(moment.state, moment.action) {
            self.canvas.draw(&shape);
        }
        let action = match (self.action.first(), moment.action.first()) {
            (Some(channel), Some(value)) => reading(channel, *value),
            _ => String::new(),
        };
        for (text, corner) in [
            (self.scene.name, Corner::TopLeft),
            (&format!("{:.2} s", moment.time), Corner::TopRight),
            (&action, Corner::BottomLeft),
            (&format!("return {:.1}", moment.episode_return), Corner::BottomRight),
        ] {
            self.canvas.write(text, corner);
        }
    }

    /// The frame that makes what is on the screen what is on the canvas.
    fn difference(&mut self) -> Frame<'static> {
        let (width, palette) = (usize::from(self.size.0), &mut self.palette);
        let drawn: Vec<u8> = self.canvas.colours().map(|colour| palette.index(colour)).collect();
        let changed = |row: &usize| {
            let row = row * width..(row + 1) * width;
            drawn[row.clone()] != self.shown[row]
        };
        let rows = 0..drawn.len() / width;
        let top = rows.clone().find(changed).unwrap_or(0);
        let bottom = rows.clone().rfind(changed).unwrap_or(0);
        let differs =
            |x: &usize| rows.clone().any(|y| drawn[y * width + x] != self.shown[y * width + x]);
        let (left, right) =
            ((0..width).find(differs).unwrap_or(0), (0..width).rfind(differs).unwrap_or(0));
        let mut buffer = Vec::with_capacity((right - left + 1) * (bottom - top + 1));
        for row in (top..=bottom).map(|y| y * width + left..=y * width + right) {
            let pixels = drawn[row.clone()].iter().zip(&self.shown[row]);
            buffer.extend(pixels.map(|(new, old)| if new == old { TRANSPARENT } else { *new }));
        }
        self.shown = drawn;
        Frame {
            dispose: DisposalMethod::Keep,
            transparent: Some(TRANSPARENT),
            left: left as u16,
            top: top as u16,
            width: (right - left + 1) as u16,
            height: (bottom - top + 1) as u16,
            buffer: Cow::Owned(buffer),
            ..Frame::default()
        }
    }

    /// Writes the frame that was added last, shown until a time in 1/100 s, or held.
    fn write_last(&mut self, until: Option<f64>) {
        let Some((mut frame, begin)) = self.last.take() else { return };
        // Both ends are rounded, so that rounding does not add up.
        frame.delay = until.map_or(HELD, |end| (end.round() - begin.round()) as u16);
        self.encoder.write_frame(&frame).expect(MEMORY);
    }

    fn finish(mut self) -> Vec<u8> {
        self.write_last(None);
        self.encoder.into_inner().expect(MEMORY)
    }
}

/// A number with its name and unit; where the unit has a number, as 100 N, in the unit without it.
fn reading(channel: &Channel, value: f32) -> String {
    let Channel { name, unit, .. } = channel;
    match unit.split_once(' ').and_then(|(n, unit)| Some((n.parse::<f32>().ok()?, unit))) {
        Some((factor, unit)) => format!("{name} {:+.1} {unit}", factor * value),
        None => format!("{name} {value:+.2} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envs::Pendulum;
    use crate::export::Blob;
    use crate::picture::find;

    fn filmed(take: &Take) -> Film {
        let sample = include_bytes!("../../../firmware-example/sample/f32/policy.bin");
        let blob = Blob::from_bytes(sample);
        let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
        let (scene, mut steps) = (find("pendulum").unwrap(), 0);
        let watch = &mut |step| steps = step;
        let film = film(&scene, &policy, &mut Pendulum::new(), take, watch).unwrap();
        assert_eq!(film.steps, steps);
        film
    }

    fn take() -> Take {
        Take { state: vec![3.0, 0.0], steps: 20, stride: 1, width: 280 }
    }

    #[test]
    fn the_same_take_gives_the_same_bytes() {
        assert_eq!(filmed(&take()), filmed(&take()));
        let other = Take { state: vec![3.1, 0.0], ..take() };
        assert_ne!(filmed(&take()).bytes, filmed(&other).bytes);
    }

    #[test]
    fn frames_are_shown_for_the_time_that_they_stand_for() {
        for (stride, frames, delay) in [(1, 21, 5), (2, 11, 10), (3, 8, 15)] {
            let film = filmed(&Take { stride, ..take() });
            assert_eq!((film.frames, film.size), (frames, (280, 336)));
            let mut decoder = gif::DecodeOptions::new().read_info(&film.bytes[..]).unwrap();
            assert_eq!(decoder.repeat(), Repeat::Infinite);
            let mut delays = Vec::new();
            while let Some(frame) = decoder.next_frame_info().unwrap() {
                delays.push(frame.delay);
            }
            assert_eq!(delays.len(), frames);
            assert_eq!((delays[0], delays[frames - 1]), (delay, HELD));
            // 20 steps of 50 ms.
            assert_eq!(delays[..frames - 1].iter().sum::<u16>(), 100);
        }
    }

    #[test]
    fn readings_have_plain_units() {
        let channel =
            |name, unit| Channel { unit, ..crate::interface::channel(name, "", -1.0, 1.0) };
        assert_eq!(reading(&channel("torque", "N·m"), -1.234), "torque -1.23 N·m");
        assert_eq!(reading(&channel("force", "100 N"), 0.5), "force +50.0 N");
        assert_eq!(reading(&channel("valve", ""), 0.5), "valve +0.50 ");
    }
}
