//! A golden file of whole updates, replayed by the trainer's agents.

use ndarray::Array2;
use serde_json::{Map, Value};
use trainer::algos::Draws;
use trainer::autodiff::{Linear, Program};
use trainer::interface::{Spec, channel};
use trainer::scalar::Scalar;

use crate::agents::{Arrays, Settings, Subject, cast, put};
use crate::golden::{Golden, number, numbers};

/// A file with the settings of one of its variants.
#[derive(Debug)]
pub struct Case<'a> {
    json: &'a Value,
    spec: Spec,
    settings: Settings,
    batch: usize,
}

/// Names of settings in the files, and ours.
const NAMES: &[(&str, &str)] = &[
    ("gamma", "gamma"),
    ("tau", "tau"),
    ("lr", "critic_learning_rate"),
    ("lr_q", "critic_learning_rate"),
    ("lr_actor", "actor_learning_rate"),
    ("lr_alpha", "alpha_learning_rate"),
    ("lr_v", "value_learning_rate"),
    ("alpha", "alpha"),
    ("reg", "regulariser"),
    ("target_noise", "target_noise_std"),
    ("noise_clip", "target_noise_clip"),
];

impl<'a> Case<'a> {
    /// Reads shapes and settings; those of the variant go over those of the file.
    ///
    /// # Panics
    ///
    /// At a setting that is unknown or missing.
    pub fn new(file: &'a Golden, variant: &Value) -> Self {
        let (json, network) = (&file.json, &file.json["network"]);
        let size = |key: &str| number(network, key) as usize;
        let mut hyper = json["hyper"].as_object().expect("`hyper` is a table").clone();
        hyper.extend(variant.as_object().expect("a variant is a table").clone());

        let what = json["_about"]["what"].as_str().unwrap_or_default();
        let algorithm = what.split(':').next().unwrap_or_default();
        let mut settings = match algorithm {
            "sac" | "sac_auto" => Settings::of_preset("sac"),
            other => Settings::of_preset(&other.replace('_', "-")),
        };
        let widths = numbers(&network["hidden"]).into_iter().map(|width| width as i64);
        settings.set("hidden", widths.collect::<Vec<_>>());
        settings.set("activation", network["activation"].as_str().expect("an activation"));
        if algorithm.starts_with("sac") {
            set_log_std(&mut settings, json["_about"]["formula"].as_str().unwrap_or_default());
        }
        match algorithm {
            "sac" => settings.set("learn_alpha", false),
            // Where it is learnt, log α starts at 0.
            "sac_auto" => settings.set("alpha", 1.0),
            _ => {}
        }
        if let Some(points) = network.get("n_actions").and_then(Value::as_i64) {
            settings.set("grid_points", points);
        }
        for (key, value) in &hyper {
            set(&mut settings, &file.name, key, value, number(network, "action"));
        }
        let spec = spec(size("state"), size("action"), &hyper);
        Case { json, spec, settings, batch: size("batch") }
    }

    /// The agent with the file's first parameters; targets that it does not name start as copies.
    ///
    /// # Panics
    ///
    /// If they do not have the file's own shapes.
    pub fn agent<P: Program + 'static>(&self) -> Box<dyn Subject<P::Scalar>> {
        let mut agent = self.settings.agent::<P>(&self.spec, self.batch);
        let networks = agent.networks();
        for (name, layers) in &networks {
            let init = &self.json["init"];
            let source = match init.get(name) {
                Some(own) => own,
                None => &init[name.trim_end_matches("_target")],
            };
            put(agent.params(), layers, &to_ours(source, layers), &format!("init.{name}"));
        }
        agent
    }

    /// Updates recorded in the file.
    ///
    /// # Panics
    ///
    /// If it has no list of batches.
    pub fn updates(&self) -> usize {
        self.json["batches"].as_array().expect("`batches` is a list").len()
    }

    /// Makes the update with the file's batch and noise of that index.
    ///
    /// # Panics
    ///
    /// If they do not have the file's own shapes.
    pub fn update<T: Scalar>(&self, agent: &mut dyn Subject<T>, index: usize) {
        let (batch, noise) = (&self.json["batches"][index], &self.json["noise"][index]);
        let not_terminated = cast::<T>(&batch["done"]).into_iter().map(|d| T::ONE - d).collect();
        let [s, a, r, next_s] = ["s", "a", "r", "s_"].map(|key| cast(&batch[key]));
        let arrays = Arrays::new(&self.spec, self.batch, [s, a, r, next_s, not_terminated]);
        let [target, actor, temperature] = ["target", "actor", "alpha"]
            .map(|key| noise.get(key).map_or_else(Vec::new, |noise| cast(noise)));
        agent.update(&arrays.batch(), &Draws { target, actor, temperature });
    }
}

fn spec(state: usize, action: usize, hyper: &Map<String, Value>) -> Spec {
    let mut scale = hyper.get("action_scale").map_or_else(|| vec![1.0], numbers);
    scale.resize(action, scale[0]);
    Spec {
        name: "golden",
        observation: vec![channel("", "", -1.0, 1.0); state],
        state_size: state,
        action: scale.iter().map(|scale| channel("", "", -*scale as f32, *scale as f32)).collect(),
        horizon: 1,
        period: 1.0,
    }
}

/// One setting of the file.
fn set(settings: &mut Settings, file: &str, key: &str, value: &Value, actions: f64) {
    let number = || value.as_f64().unwrap_or_else(|| panic!("{file}: `{key}` = {value}"));
    match key {
        "adam" => {
            let get = |key: &str| crate::golden::number(value, key);
            settings.set("beta1", get("beta1"));
            settings.set("beta2", get("beta2"));
            settings.set("adam_epsilon", get("eps"));
            let decay = value.get("weight_decay").map_or(0.0, |_| get("weight_decay"));
            assert_eq!(decay, 0.0, "{file}: weight decay is not supported");
        }
        "action_scale" => {}
        "policy_delay" => settings.set("policy_delay", number() as i64),
        "hard_update_every" => {
            settings.set("tau", 1.0);
            settings.set("target_update_interval", number() as i64);
        }
        "target_entropy" => settings.set("target_entropy_per_action", number() / actions),
        "alpha_form" => match value.as_str() {
            Some("log_alpha") => settings.set("alpha_loss", "log-alpha"),
            Some("exp_alpha") => settings.set("alpha_loss", "exp-alpha"),
            _ => panic!("{file}: unknown alpha_form {value}"),
        },
        _ => {
            let ours = NAMES.iter().find(|(name, _)| *name == key);
            let (_, ours) = ours.unwrap_or_else(|| panic!("{file}: unknown setting `{key}`"));
            settings.set(ours, number());
        }
    }
}

/// What an update reports, by the file's names.
pub fn reported<T>(agent: &dyn Subject<T>) -> Vec<(String, f64)> {
    let mut reported = Vec::new();
    for metric in agent.report() {
        if metric.name == "alpha" {
            reported.push(("alpha_after".into(), metric.value));
            reported.push(("log_alpha_after".into(), metric.value.ln()));
        }
        reported.push((metric.name.into(), metric.value));
    }
    reported
}

/// A network of the file, `[out][in]` weights layer by layer (the last in one or more heads), in
/// the order of the trainer's parameters: W `[in, out]`, then b, layer by layer.
///
/// # Panics
///
/// If it does not have the network's shape.
pub fn to_ours(json: &Value, layers: &[Linear]) -> Vec<f64> {
    let mut values = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let hidden = format!("fc{}", index + 1);
        let names: &[&str] = match () {
            () if index + 1 < layers.len() => &[&hidden],
            () if json.get("mean").is_some() => &["mean", "log_std"],
            () => &["out"],
        };
        let part = |part: &str| -> Vec<f64> {
            names.iter().flat_map(|name| numbers(&json[*name][part])).collect()
        };
        values.extend(layer_to_ours(layer, part("weight"), part("bias")));
    }
    values
}

/// One layer of `[out][in]` weights in the order of the trainer's parameters.
///
/// # Panics
///
/// If it does not have the layer's shape.
pub fn layer_to_ours(layer: &Linear, weights: Vec<f64>, bias: Vec<f64>) -> Vec<f64> {
    let weights = Array2::from_shape_vec((layer.outputs, layer.inputs), weights);
    let mut values: Vec<f64> = weights.expect("the layer's shape").t().iter().copied().collect();
    values.extend(bias);
    values
}

/// How the file's formula bounds log σ: `log_std = clamp(raw,-20,2)` or
/// `log_std = -5 + 3.5*(tanh(raw)+1)`; the latter where it only says "as sac".
fn set_log_std(settings: &mut Settings, formula: &str) {
    let text = formula.split("log_std = ").nth(1);
    let text = text.and_then(|rest| rest.split([';']).next());
    let as_sac = formula.starts_with("as sac").then_some("-5 + 3.5*(tanh(raw)+1)");
    let text = text.or(as_sac).expect("the formula bounds log_std").replace(' ', "");
    let pair = |first: &str, second: &str| -> Option<(f64, f64)> {
        Some((first.parse().ok()?, second.parse().ok()?))
    };
    let clamp = || {
        let (min, max) = text.strip_prefix("clamp(raw,")?.split(')').next()?.split_once(',')?;
        pair(min, max).map(|(min, max)| ("clamp", min, max))
    };
    let tanh = || {
        let (min, half) = text.strip_suffix("*(tanh(raw)+1)")?.split_once('+')?;
        pair(min, half).map(|(min, half)| ("tanh", min, min + 2.0 * half))
    };
    let bound = clamp().or_else(tanh);
    let (form, min, max) = bound.unwrap_or_else(|| panic!("unknown bound: log_std = {text}"));
    settings.set("log_std_form", form);
    settings.set("log_std_min", min);
    settings.set("log_std_max", max);
}
