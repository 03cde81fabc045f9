//! The pictures of a policy and its run.

use policy_core::Algorithm;
use toml::Table;

use crate::envs::{self, Plane};
use crate::eval::{EvalError, Evaluation, Moment, Starts, evaluate_watching};
use crate::plot::{
    self, Colours, Grid, Group, Trajectory, against_best_known, phase_portrait, sorted_returns,
};
use crate::policy::{AnyPolicy, Batched};
use crate::report::Value;
use crate::results::Results;
use crate::statistics::counted;

/// Cells of a map, across and up: an action of a large network takes microseconds, and a page should be there at once.
const CELLS: (usize, usize) = (120, 90);

/// A picture and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Its file, without `.svg`.
    pub name: &'static str,
    /// Its text.
    pub svg: String,
    /// What a reader must know to read it.
    pub caption: String,
}

/// A policy, and the environment that it is for.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What titles call it.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a AnyPolicy<'a>,
    /// The `[environment]` table.
    pub environment: &'a Table,
}

/// Do its critics expect SAC's bonus for entropy as well?
fn has_bonus(policy: &AnyPolicy<'_>) -> bool {
    policy.contract().is_ok_and(|contract| contract.algorithm() == Algorithm::Sac)
}

/// The pictures of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// From the environment's starts.
    pub evaluation: Evaluation,
    /// In the order in which they are shown.
    pub all: Vec<Picture>,
}

impl Pictures {
    /// Runs the policy from the environment's starts, and draws.
    ///
    /// # Errors
    ///
    /// If the environment's settings are wrong, or the policy is not one for it.
    pub fn new(subject: &Subject<'_>, value: Option<Value<'_>>) -> Result<Pictures, EvalError> {
        let Subject { name, policy, environment: table } = *subject;
        let wrong = |error: crate::settings::ConfigError| EvalError::Starts {
            origin: "environment".into(),
            message: error.to_string(),
        };
        let plane = envs::find(envs::name(table)).map_err(wrong)?.plane;
        let mut environment = envs::make(table).map_err(wrong)?;
        let starts = Starts::builtin(table).map_err(wrong)?;
        let mut trajectories: Vec<Trajectory> = vec![Vec::new(); starts.states.len()];
        let watch = |moment: &Moment<'_>| {
            trajectories[moment.start].push(plane.point(moment.state));
        };
        let mut many = starts.environments(table).map_err(wrong)?;
        let evaluation = evaluate_watching(policy, &mut *many, &starts, watch)?;
        let mut all = vec![portrait(name, &plane, &trajectories)];

        let spec = environment.spec().clone();
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let mut observe = |points: &[[f64; 2]]| -> Vec<f32> {
            let mut observations = vec![0.0; points.len() * obs];
            for (point, observation) in points.iter().zip(observations.chunks_exact_mut(obs)) {
                environment.restore(&plane.state(spec.state_size, *point), observation);
            }
            observations
        };
        let acted = |points: &[[f64; 2]]| {
            let mut actions = vec![0.0; points.len() * act];
            let answer = Batched::new(policy).act(&observe(points), &mut actions);
            answer.map_err(|(_, error)| EvalError::Act { start: 0, step: 0, error })?;
            Ok::<_, EvalError>(actions.iter().step_by(act).map(|a| f64::from(*a)).collect())
        };
        let grid = Grid::new(&plane, CELLS, acted)?;
        let channel = &spec.action[0];
        let quantity = format!("{} [{}]", channel.name, channel.unit);
        all.push(Picture {
            name: "policy_map",
            svg: plot::map(
                &titled("Policy", name, &plane),
                &quantity,
                &plane,
                &grid,
                Colours::Diverging,
            ),
            caption: format!(
                "The {} that the policy answers with in each state{}.",
                channel.name,
                sliced(&plane)
            ),
        });
        if let Some(value) = value {
            let valued = |points: &[[f64; 2]]| {
                let observations = observe(points);
                let values = observations.chunks_exact(obs).map(|o| f64::from(value(o)));
                Ok::<_, EvalError>(values.collect())
            };
            let grid = Grid::new(&plane, CELLS, valued)?;
            let title = titled("Value", name, &plane);
            all.push(Picture {
                name: "value_map",
                svg: plot::map(&title, "value", &plane, &grid, Colours::Sequential),
                caption: format!(
                    "The discounted return that the critics expect from each state{}, in the environment's rewards{}.",
                    sliced(&plane),
                    // Its critics learn another sum than that of the rewards.
                    if has_bonus(policy) { ", with SAC's bonus for entropy" } else { "" }
                ),
            });
        }
        all.push(returns(name, &plane, &evaluation, &starts));
        Ok(Pictures { evaluation, all })
    }
}

fn titled(what: &str, name: &str, plane: &Plane) -> String {
    match plane.slice {
        "" => format!("{what}: {name}"),
        slice => format!("{what}: {name} at {slice}"),
    }
}

fn sliced(plane: &Plane) -> String {
    match plane.slice {
        "" => String::new(),
        slice => format!(" with {slice}"),
    }
}

fn portrait(name: &str, plane: &Plane, trajectories: &[Trajectory]) -> Picture {
    let title = format!("Phase portrait: {name}");
    Picture {
        name: "phase_portrait",
        svg: phase_portrait(&title, plane, trajectories),
        caption: format!(
            "{} episodes, one from each start of the evaluation, in {} and {}; (0, 0) is upright and at rest.",
            trajectories.len(),
            plane.horizontal.label(),
            plane.vertical.label()
        ),
    }
}

fn returns(name: &str, plane: &Plane, evaluation: &Evaluation, starts: &Starts) -> Picture {
    let (returns, best_known) = (&evaluation.returns, &starts.best_known_returns);
    let at = |start: usize| {
        let point = plane.point(&starts.states[start]);
        let [x, y] = [(plane.horizontal, point[0]), (plane.vertical, point[1])]
            .map(|(axis, x)| format!("{} = {} {}", axis.name, decimal(x, 3), axis.unit));
        format!("start {start} ({x}, {y})")
    };
    if best_known.len() != returns.len() {
        let lowest = argmin(returns.iter().copied());
        return Picture {
            name: "returns",
            svg: sorted_returns(&format!("Returns: {name}"), returns),
            caption: format!(
                "The return from each of {} in order. The worst is {} from {}.",
                counted(returns.len(), "start"),
                decimal(returns.get(lowest).copied().unwrap_or(f64::NAN), 1),
                at(lowest)
            ),
        };
    }
    let worst = argmin(returns.iter().zip(best_known).map(|(found, best)| found - best));
    Picture {
        name: "returns",
        svg: against_best_known(&format!("Returns: {name}"), returns, best_known, worst),
        caption: format!(
            "The return from each of {} over the best known one from there. Farthest below it is {}: {} in the place of {}.",
            counted(returns.len(), "start"),
            at(worst),
            decimal(returns[worst], 1),
            decimal(best_known[worst], 1)
        ),
    }
}

/// A number with so many decimals and a true minus.
pub(super) fn decimal(x: f64, decimals: usize) -> String {
    format!("{x:.decimals$}").replace('-', "−")
}

/// The index of the smallest number.
fn argmin(numbers: impl Iterator<Item = f64>) -> usize {
    numbers.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

/// What training looked like.
pub fn training(run: &Results) -> Picture {
    let name = &run.summary.preset;
    let group = Group { name: name.clone(), runs: vec![run.metrics.episodes.clone()] };
    Picture {
        name: "learning_curves",
        svg: plot::learning_curves(&format!("Training: {name}"), &[group]),
        caption: format!(
            "The return of the episodes of training, with the noise that it explores with{}.",
            if run.cuts_episodes_off() {
                "; each iteration cuts its episodes off, so that they are shorter than others"
            } else {
                ""
            }
        ),
    }
}
