//! Pictures of machines, and films of episodes.
//!
//! A [`Scene`] says what a machine looks like: which [`Shape`]s, in metres, for a state and an action. The
//! environments know nothing of that. A new one gets a file here and an entry in [`ALL`].
//!
//! | module | what is in it |
//! |---|---|
//! | `pendulum`, `inverted_pendulum` | the scenes |
//! | `canvas` | shapes and text to pixels |
//! | `palette` | the colours, and which of them comes next to one that was mixed |
//! | [`film`] | an episode to an animated GIF |

mod canvas;
pub mod film;
mod inverted_pendulum;
mod palette;
mod pendulum;

use crate::settings::ConfigError;

/// What a machine looks like.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Name of the environment.
    pub name: &'static str,
    /// What is seen of the world, which the machine may leave.
    pub view: View,
    /// The shapes, from the hindmost to the foremost, for a state `[state_size]` of the environment and an
    /// action `[action_size]`, which is empty where nobody acts.
    pub shapes: fn(state: &[f64], action: &[f32]) -> Vec<Shape>,
}

/// A rectangle of the world, in m; y points upwards.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// From here
    pub left: f64,
    /// to there,
    pub right: f64,
    /// from here
    pub bottom: f64,
    /// to there.
    pub top: f64,
}

/// A point, (x, y), in m; y points upwards.
pub type Point = [f64; 2];

/// Something to draw; lengths are in m.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A line through points, with round ends.
    Line {
        /// At least two.
        points: Vec<Point>,
        /// How thick it is.
        width: f64,
        /// Its colour.
        ink: Ink,
    },
    /// A filled circle.
    Disc {
        /// Its centre.
        centre: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        ink: Ink,
    },
    /// A filled polygon.
    Polygon {
        /// At least three.
        points: Vec<Point>,
        /// Its colour.
        ink: Ink,
    },
}

/// What something is made of; the palette says in which colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What the machine stands on, and where it could be.
    Guide,
    /// What does not move, or is moved along.
    Frame,
    /// What is to be controlled.
    Rod,
    /// What the policy does.
    Action,
    /// Letters.
    Text,
}

/// The scenes of all environments.
pub const ALL: &[Scene] = &[pendulum::SCENE, inverted_pendulum::SCENE];

/// The scene of an environment.
///
/// # Errors
///
/// If there is none.
pub fn find(name: &str) -> Result<Scene, ConfigError> {
    let scene = ALL.iter().find(|scene| scene.name == name).copied();
    scene.ok_or_else(|| {
        ConfigError::unknown("picture of an environment", name, ALL.iter().map(|scene| scene.name))
    })
}

/// Points of an arc around a centre, from one angle to another, in rad, counter-clockwise from +x.
fn arc(centre: Point, radius: f64, from: f64, to: f64) -> Vec<Point> {
    // So many to a full turn that no corner is seen.
    let pieces = (96.0 * (to - from).abs() / std::f64::consts::TAU).ceil().clamp(2.0, 96.0);
    let angle = |i: f64| from + (to - from) * i / pieces;
    (0..=pieces as u32).map(|i| polar(centre, radius, angle(i.into()))).collect()
}

/// The point at a distance from a centre, in the direction of an angle.
fn polar(centre: Point, radius: f64, angle: f64) -> Point {
    let (sine, cosine) = libm::sincos(angle);
    [centre[0] + radius * cosine, centre[1] + radius * sine]
}

/// The head of an arrow, which points from its base, in m, in the direction of an angle.
fn arrowhead(base: Point, angle: f64, size: f64) -> Shape {
    let across = std::f64::consts::FRAC_PI_2;
    let points = vec![
        polar(base, size, angle),
        polar(base, 0.6 * size, angle + across),
        polar(base, 0.6 * size, angle - across),
    ];
    Shape::Polygon { points, ink: Ink::Action }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envs;

    #[test]
    fn every_environment_has_a_scene() {
        for entry in envs::ALL {
            let scene = find(entry.name).unwrap();
            let environment = envs::make(&envs::defaults(entry.name).unwrap()).unwrap();
            let spec = environment.spec();
            let state = vec![0.1; spec.state_size];
            let idle = (scene.shapes)(&state, &[]);
            let acting = (scene.shapes)(&state, &vec![1.0; spec.action_size()]);
            assert!(!idle.is_empty() && acting.len() > idle.len(), "{}", entry.name);
        }
        let error = find("cartpole").unwrap_err().to_string();
        assert!(error.contains("choose from: pendulum, inverted-pendulum"), "{error}");
    }

    #[test]
    fn arcs_begin_and_end_where_they_should() {
        let points = arc([1.0, 0.0], 2.0, 0.0, std::f64::consts::FRAC_PI_2);
        let close = |a: Point, b: Point| (a[0] - b[0]).abs() + (a[1] - b[1]).abs() < 1e-12;
        assert!(close(points[0], [3.0, 0.0]) && close(points[points.len() - 1], [1.0, 2.0]));
        assert!(arc([0.0, 0.0], 1.0, 0.0, f64::NAN).len() < 100);
    }
}
