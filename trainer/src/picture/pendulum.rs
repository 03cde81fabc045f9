//! What the pendulum looks like.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_3, TAU};

use super::{Ink, Point, Scene, Shape, View, arc, arrowhead, polar};

const PIVOT: Point = [0.0, 0.0];
/// l, in m
const LENGTH: f64 = 1.0;
/// Thickness of the rod, in m; it has round ends.
const WIDTH: f64 = 0.15;
/// Radius of what turns the rod, and of its shaft, in m.
const HUB: f64 = 0.13;
const PIN: f64 = 0.035;
/// Radius of the arrow that stands for the torque, in m: it runs around beyond the rod's tip.
const RADIUS: f64 = 1.22;
/// The largest torque, in N·m, and how far its arrow goes, in rad.
const MAX_TORQUE: f64 = 2.0;
const MAX_SWEEP: f64 = FRAC_PI_3;
/// A smaller arrow than this, in rad, is a head without a shaft.
const HEAD: f64 = 0.06;

pub(super) const SCENE: Scene = Scene {
    name: "pendulum",
    view: View { left: -1.34, right: 1.34, bottom: -1.34, top: 1.34 },
    shapes,
};

/// A rod from the pivot in the direction θ, counter-clockwise from upright, and at its tip an arrow in
/// the direction of the torque.
fn shapes(state: &[f64], action: &[f32]) -> Vec<Shape> {
    let direction = FRAC_PI_2 + state.first().copied().unwrap_or_default();
    let line = |points, width, ink| Shape::Line { points, width, ink };
    let mut shapes = vec![
        line(arc(PIVOT, LENGTH, 0.0, TAU), 0.012, Ink::Guide),
        // Where it should be.
        line(vec![[0.0, LENGTH - 0.06], [0.0, LENGTH + 0.06]], 0.03, Ink::Guide),
    ];
    if let Some(torque) = action.first() {
        let share = f64::from(*torque) / MAX_TORQUE;
        let end = direction + MAX_SWEEP * share;
        // The shaft ends at the base of the head.
        let shaft = end - HEAD.copysign(share);
        if (MAX_SWEEP * share).abs() > HEAD {
            shapes.push(line(arc(PIVOT, RADIUS, direction, shaft), 0.04, Ink::Action));
        }
        let base = polar(PIVOT, RADIUS, shaft);
        let size = 0.13 * (4.0 * share.abs()).min(1.0);
        shapes.push(arrowhead(base, shaft + FRAC_PI_2.copysign(share), size));
    }
    let disc = |radius, ink| Shape::Disc { centre: PIVOT, radius, ink };
    shapes.push(disc(HUB, Ink::Frame));
    shapes.push(line(vec![PIVOT, polar(PIVOT, LENGTH, direction)], WIDTH, Ink::Rod));
    shapes.push(disc(PIN, Ink::Guide));
    shapes
}
