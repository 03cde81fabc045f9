//! A golden file of trajectories of the inverted pendulum, recorded from MuJoCo.

use std::f64::consts::FRAC_PI_2;

use serde_json::Value;
use trainer::envs::InvertedPendulum;
use trainer::interface::{Environment, Step};

use crate::golden::Golden;

/// (x, θ, ẋ, θ̇), in m, rad, m/s, rad/s.
pub type State = [f64; 4];

/// Largest error of a step without a limit: MuJoCo's equations are ours, the rest is rounding
/// (1.8e-15 according to the file).
pub const STEP_TOLERANCE: f64 = 1e-12;
/// Largest error of a step with one: MuJoCo's solver stops up to 6.3e-7 away from the solution, as
/// the file says.
pub const LIMIT_TOLERANCE: f64 = 1e-6;

/// A recorded trajectory.
#[derive(Debug)]
pub struct Episode {
    /// File, index and kind, for messages.
    pub name: String,
    /// The state that it starts in.
    pub start: State,
    /// What was recorded of each step.
    pub steps: Vec<Recorded>,
}

/// A recorded step.
#[derive(Debug)]
pub struct Recorded {
    /// The action before clipping.
    pub action: f32,
    /// The state after it.
    pub state: State,
    /// Its reward, and whether the state is terminal.
    pub step: Step,
}

impl Episode {
    /// All of a file.
    ///
    /// # Panics
    ///
    /// If one is incomplete: the message names the field.
    pub fn all(file: &Golden) -> Vec<Episode> {
        let episodes = file.json.get("episodes").and_then(Value::as_array);
        let episodes = episodes.unwrap_or_else(|| panic!("{}: no list `episodes`", file.name));
        let read = |(index, json)| Self::read(format!("{}, episode {index}", file.name), json);
        episodes.iter().enumerate().map(read).collect()
    }

    fn read(mut name: String, json: &Value) -> Episode {
        if let Some(kind) = json.get("kind").and_then(Value::as_str) {
            name = format!("{name} ({kind})");
        }
        let fields = Fields { name: &name, json };
        let start = join(fields.pair("qpos0"), fields.pair("qvel0"));
        let actions = fields.list("action");
        let column = |key: &str| {
            let list = fields.list(key);
            let (found, needed) = (list.len(), actions.len());
            assert!(found == needed, "{name}: `{key}` has {found} entries, `action` {needed}");
            list
        };
        let (qpos, qvel) = (column("qpos"), column("qvel"));
        let (rewards, terminated) = (column("reward"), column("terminated"));
        let steps = (0..actions.len()).map(|t| {
            let (reward, terminated) = (fields.number("reward", &rewards[t]), &terminated[t]);
            let terminated = match terminated.as_bool() {
                Some(terminated) => terminated,
                None => fields.number("terminated", terminated) != 0.0,
            };
            Recorded {
                action: fields.number("action", &actions[t]) as f32,
                state: join(fields.two("qpos", &qpos[t]), fields.two("qvel", &qvel[t])),
                step: Step { reward, terminated },
            }
        });
        let steps = steps.collect();
        Episode { name, start, steps }
    }

    /// The states from which the recorded steps were made.
    pub fn before(&self) -> impl Iterator<Item = &State> {
        std::iter::once(&self.start).chain(self.steps.iter().map(|recorded| &recorded.state))
    }
}

/// The fields of an episode; all panic with its name and the field's.
struct Fields<'a> {
    name: &'a str,
    json: &'a Value,
}

impl<'a> Fields<'a> {
    fn get(&self, key: &str) -> &'a Value {
        self.json.get(key).unwrap_or_else(|| panic!("{}: no field `{key}`", self.name))
    }

    fn list(&self, key: &str) -> &'a [Value] {
        let list = self.get(key).as_array();
        list.unwrap_or_else(|| panic!("{}: `{key}` is not a list", self.name))
    }

    fn pair(&self, key: &str) -> [f64; 2] {
        self.two(key, self.get(key))
    }

    fn two(&self, key: &str, json: &Value) -> [f64; 2] {
        match json.as_array().map(Vec::as_slice) {
            Some([first, second]) => [self.number(key, first), self.number(key, second)],
            _ => panic!("{}: `{key}` has {json} instead of two numbers", self.name),
        }
    }

    fn number(&self, key: &str, json: &Value) -> f64 {
        json.as_f64().unwrap_or_else(|| panic!("{}: `{key}` has {json}, no number", self.name))
    }
}

fn join([x, angle]: [f64; 2], [velocity, rate]: [f64; 2]) -> State {
    [x, angle, velocity, rate]
}

/// Restores a state and makes one step.
pub fn step_from(state: &State, action: f32) -> (State, Step) {
    // The scale is for random starts only.
    let (mut environment, mut observation) = (InvertedPendulum::new(0.0), [0.0; 4]);
    environment.restore(state, &mut observation);
    let step = environment.step(&[action], &mut observation);
    (environment.state(), step)
}

/// Can a limit have acted between two states, one step apart? It does at ±1 m and ±π/2, and not only
/// if one of the two is beyond: the joint may have been there and back, or only a stage of the
/// integrator may have been. So whatever could get there within the 0.04 s counts as well.
pub fn limit_in_reach(before: &State, after: &State) -> bool {
    [1.0, FRAC_PI_2].into_iter().enumerate().any(|(i, limit)| {
        let farthest = before[i].abs().max(after[i].abs());
        let speed = before[i + 2].abs().max(after[i + 2].abs());
        farthest + 0.04 * speed > limit
    })
}

/// How far a free-running replay may be off.
///
/// Upright is unstable: an error grows e-fold in 0.22 s, one of 1e-16 to 1e-4 within 150 steps. How
/// much it grows depends on the trajectory, so this takes the derivative J of every step, from
/// differences around the recorded state, and carries the covariance P of the errors along:
///
/// ```text
/// P ← J P Jᵀ + ε² 1          ε = 1e-15, or 1e-6 where a limit is in reach
/// ```
///
/// The bound is 10 standard deviations of the most uncertain entry.
#[derive(Debug, Default)]
pub struct Spread {
    covariance: [State; 4],
}

impl Spread {
    /// Goes on by the step from `before` to `after`.
    pub fn advance(&mut self, before: &State, action: f32, after: &State) {
        let h = 1e-6;
        // Column i of J.
        let columns = [0, 1, 2, 3].map(|i| {
            let moved = |h: f64| {
                let mut state = *before;
                state[i] += h;
                step_from(&state, action).0
            };
            let (up, down) = (moved(h), moved(-h));
            [0, 1, 2, 3].map(|j| (up[j] - down[j]) / (2.0 * h))
        });
        let noise = if limit_in_reach(before, after) { LIMIT_TOLERANCE } else { 1e-15 };
        let old = self.covariance;
        for i in 0..4 {
            for j in 0..4 {
                let sum: f64 = (0..16)
                    .map(|k| (k / 4, k % 4))
                    .map(|(k, l)| columns[k][i] * old[k][l] * columns[l][j])
                    .sum();
                self.covariance[i][j] = sum + if i == j { noise * noise } else { 0.0 };
            }
        }
    }

    /// The bound on every entry of the state.
    pub fn bound(&self) -> f64 {
        let largest = (0..4).map(|i| self.covariance[i][i]).fold(0.0, f64::max);
        10.0 * largest.sqrt()
    }
}
