//! Agents of every algorithm as golden files see them: in any number, networks by name.

use ndarray::{Array1, Array2};
use serde_json::Value;
use toml::Table;
use trainer::algos::{Agent, Draws, Learning, Setup, ddpg, dqn, sac, sac_m, sac_v, td3};
use trainer::autodiff::{Linear, Params, Program};
use trainer::config::RunConfig;
use trainer::interface::{Batch, Metric, Spec};
use trainer::rng::{Stream, stream};
use trainer::scalar::Scalar;

use crate::golden::numbers;

/// An agent whose updates are checked.
pub trait Subject<T> {
    /// One whole update.
    fn update(&mut self, batch: &Batch<'_, T>, draws: &Draws<T>);
    /// A step of the critics alone.
    fn update_critics(&mut self, batch: &Batch<'_, T>, draws: &Draws<T>);
    /// A step of the actor alone.
    fn update_actor(&mut self, batch: &Batch<'_, T>, draws: &Draws<T>);
    /// All parameters.
    fn params(&mut self) -> &mut Params<T>;
    /// Networks by name.
    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)>;
    /// What the last update reports.
    fn report(&self) -> Vec<Metric>;
}

impl<P: Program, L: Learning<P>> Subject<P::Scalar> for Agent<P, L> {
    fn update(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.update_with(batch, draws);
    }
    fn update_critics(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.update_critics_with(batch, draws);
    }
    fn update_actor(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.update_actor_with(batch, draws);
    }
    fn params(&mut self) -> &mut Params<P::Scalar> {
        &mut self.params
    }
    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        self.learning().networks()
    }
    fn report(&self) -> Vec<Metric> {
        Agent::report(self)
    }
}

/// Settings of an agent: those of a preset, with others in their places.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the algorithm, as presets have it.
    algorithm: String,
    /// An `[agent]` table.
    agent: Table,
}

impl Settings {
    /// The settings of a preset.
    ///
    /// # Panics
    ///
    /// If there is no such preset.
    pub fn of_preset(preset: &str) -> Self {
        Settings::of_preset_with(preset, &[])
    }

    /// The settings of a preset with `key=value` assignments over them.
    ///
    /// # Panics
    ///
    /// If there is no such preset, or an assignment is none.
    pub fn of_preset_with(preset: &str, assignments: &[&str]) -> Self {
        let assignments: Vec<String> = assignments.iter().map(ToString::to_string).collect();
        let config = RunConfig::resolve(Some(preset), None, &assignments);
        let RunConfig { algorithm, agent, .. } = config.expect("a preset and its settings");
        Settings { algorithm, agent }
    }

    /// One step size for everything that learns.
    pub fn set_learning_rates(&mut self, rate: f64) {
        let rates = self.agent.iter_mut().filter(|(key, _)| key.ends_with("_learning_rate"));
        rates.for_each(|(_, value)| *value = rate.into());
    }

    /// Puts a value in its place.
    ///
    /// # Panics
    ///
    /// If the algorithm has no such setting.
    pub fn set(&mut self, key: &str, value: impl Into<toml::Value>) {
        let place = self.agent.get_mut(key);
        *place.unwrap_or_else(|| panic!("{} has no setting `{key}`", self.algorithm)) =
            value.into();
    }

    /// The agent.
    ///
    /// # Panics
    ///
    /// If the settings make none.
    pub fn agent<P: Program + 'static>(
        &self,
        spec: &Spec,
        batch_size: usize,
    ) -> Box<dyn Subject<P::Scalar>> {
        let (environments, n_step, actor_updates) = (1, 1, None);
        let setup = &Setup { spec, batch_size, environments, n_step, actor_updates };
        let rng = &mut stream(0, Stream::Initialisation);
        macro_rules! agent {
            ($module:ident, $learning:ident) => {{
                let config = $module::Config::from_table(&self.agent).expect("settings");
                Box::new($module::$learning::<P>::agent(config, setup, rng).expect("an agent"))
            }};
        }
        match self.algorithm.as_str() {
            "dqn" => agent!(dqn, Dqn),
            "ddpg" => agent!(ddpg, Ddpg),
            "td3" => agent!(td3, Td3),
            "sac" => agent!(sac, Sac),
            "sac-v" => agent!(sac_v, SacV),
            "sac-m" => agent!(sac_m, SacM),
            other => panic!("no golden data for {other}"),
        }
    }
}

/// Numbers of a file as those of a program.
pub fn cast<T: Scalar>(json: &Value) -> Vec<T> {
    numbers(json).into_iter().map(T::from_f64).collect()
}

/// The arrays of a minibatch.
#[derive(Debug)]
pub struct Arrays<T> {
    s: Array2<T>,
    a: Array2<T>,
    r: Array1<T>,
    next_s: Array2<T>,
    not_terminated: Array1<T>,
}

impl<T: Scalar> Arrays<T> {
    /// Of numbers in row order.
    ///
    /// # Panics
    ///
    /// If they are not as many as `rows` of the environment's sizes.
    pub fn new(spec: &Spec, rows: usize, [s, a, r, next_s, not_terminated]: [Vec<T>; 5]) -> Self {
        let matrix = |numbers: Vec<T>, columns: usize| {
            Array2::from_shape_vec((rows, columns), numbers).expect("the batch's shape")
        };
        let obs = spec.observation_size();
        let (s, next_s) = (matrix(s, obs), matrix(next_s, obs));
        let (a, r) = (matrix(a, spec.action_size()), Array1::from(r));
        Arrays { s, a, r, next_s, not_terminated: Array1::from(not_terminated) }
    }

    /// The minibatch.
    ///
    /// # Panics
    ///
    /// If the arrays do not belong together.
    pub fn batch(&self) -> Batch<'_, T> {
        let (r, not_terminated) = (self.r.view(), self.not_terminated.view());
        Batch::new(self.s.view(), self.a.view(), r, self.next_s.view(), not_terminated)
            .expect("arrays of one minibatch")
    }
}

/// Puts numbers, in the order of the parameters, into a network.
///
/// # Panics
///
/// If they are not as many as its parameters.
pub fn put<T: Scalar>(params: &mut Params<T>, layers: &[Linear], values: &[f64], name: &str) {
    let places = &mut params.value[range(layers)];
    assert_eq!(places.len(), values.len(), "{name}: how many numbers");
    for (place, value) in places.iter_mut().zip(values) {
        *place = T::from_f64(*value);
    }
}

/// A network's parameters, in `f64`.
pub fn values<T: Scalar>(params: &Params<T>, layers: &[Linear]) -> Vec<f64> {
    params.value[range(layers)].iter().map(|x| x.to_f64()).collect()
}

/// The gradient of the last update, in the same order.
pub fn gradient<T: Scalar>(params: &Params<T>, layers: &[Linear]) -> Vec<f64> {
    params.gradient[range(layers)].iter().map(|x| x.to_f64()).collect()
}

fn range(layers: &[Linear]) -> std::ops::Range<usize> {
    layers[0].start..layers[layers.len() - 1].range().end
}
