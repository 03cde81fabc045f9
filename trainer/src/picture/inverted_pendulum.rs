//! What the cart with its pole looks like.

use std::f64::consts::{FRAC_PI_2, PI};

use super::{Ink, Point, Scene, Shape, View, arrowhead, polar};

/// Where the cart's centre can be, in m: the rail ends there, softly.
const RAIL: f64 = 1.0;
/// Height of the cart, and its length without its round ends, in m.
const CART_HEIGHT: f64 = 0.2;
const CART_LENGTH: f64 = 0.2;
/// Length and thickness of the pole, in m.
const POLE_LENGTH: f64 = 0.6;
const POLE_WIDTH: f64 = 0.098;
/// Radius of the hinge, in m.
const PIN: f64 = 0.025;
/// The largest action, and the length of its arrow, in m.
const MAX_ACTION: f64 = 3.0;
const MAX_ARROW: f64 = 0.6;

pub(super) const SCENE: Scene = Scene {
    name: "inverted-pendulum",
    view: View { left: -1.4, right: 1.4, bottom: -0.45, top: 0.85 },
    shapes,
};

/// A cart on a rail, its pole in the direction θ, clockwise from upright, and beside the cart an arrow
/// in the direction of the force.
fn shapes(state: &[f64], action: &[f32]) -> Vec<Shape> {
    let at = |index: usize| state.get(index).copied().unwrap_or_default();
    let cart: Point = [at(0), 0.0];
    let line = |points, width, ink| Shape::Line { points, width, ink };
    let stop = |x: f64| line(vec![[x, -0.06], [x, 0.06]], 0.03, Ink::Guide);
    let end = RAIL + 0.5 * (CART_LENGTH + CART_HEIGHT);
    let half = [0.5 * CART_LENGTH, 0.0];
    let mut shapes = vec![
        line(vec![[-end, 0.0], [end, 0.0]], 0.03, Ink::Guide),
        stop(-end),
        stop(end),
        // Where the pole should be.
        line(vec![[cart[0], 0.0], [cart[0], POLE_LENGTH + 0.12]], 0.012, Ink::Guide),
        line(vec![[cart[0] - half[0], 0.0], [cart[0] + half[0], 0.0]], CART_HEIGHT, Ink::Frame),
        line(vec![cart, polar(cart, POLE_LENGTH, FRAC_PI_2 - at(1))], POLE_WIDTH, Ink::Rod),
        Shape::Disc { centre: cart, radius: PIN, ink: Ink::Guide },
    ];
    if let Some(force) = action.first() {
        let share = f64::from(*force) / MAX_ACTION;
        let length = MAX_ARROW * share;
        let start = [cart[0], -0.5 * CART_HEIGHT - 0.12];
        let size = 0.12 * (8.0 * share.abs()).min(1.0);
        // The shaft ends at the base of the head.
        let shaft = length - size.copysign(share);
        let base = [start[0] + shaft, start[1]];
        if shaft * share > 0.0 {
            shapes.push(line(vec![start, base], 0.04, Ink::Action));
        }
        shapes.push(arrowhead(base, if share < 0.0 { PI } else { 0.0 }, size));
    }
    shapes
}
