//! A golden file of SAC updates, replayed by the trainer's agent.

use ndarray::{Array1, Array2};
use serde_json::Value;
use trainer::algos::sac::{AlphaLoss, Config, Noise, Sac};
use trainer::autodiff::{Params, Program};
use trainer::interface::{Batch, Spec};
use trainer::nn::{Activation, Initialisation, LogStdForm, Mlp};
use trainer::rng::{Stream, stream};
use trainer::scalar::Scalar;

use crate::golden::{Golden, number, numbers};

/// A file with the settings of one of its variants.
#[derive(Debug)]
pub struct Case<'a> {
    json: &'a Value,
    spec: Spec,
    config: Config,
    batch: usize,
}

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
        let (log_std_form, log_std_min, log_std_max) =
            log_std(json["_about"]["formula"].as_str().unwrap_or_default());
        let get = |key: &str| {
            let value = hyper.get(key).unwrap_or_else(|| panic!("{}: no `{key}`", file.name));
            value.as_f64().unwrap_or_else(|| panic!("{}: `{key}` = {value}", file.name))
        };
        let learn_alpha = !hyper.contains_key("alpha");
        let learnt = |key: &str| if learn_alpha { get(key) } else { 1.0 };
        let adam = &hyper["adam"];
        let config = Config {
            hidden: numbers(&network["hidden"]).iter().map(|&width| width as usize).collect(),
            activation: serde_json::from_value::<Activation>(network["activation"].clone())
                .expect("a known activation"),
            initialisation: Initialisation::Pytorch,
            gamma: get("gamma"),
            tau: get("tau"),
            critic_learning_rate: get("lr_q"),
            actor_learning_rate: get("lr_actor"),
            alpha_learning_rate: learnt("lr_alpha"),
            beta1: number(adam, "beta1"),
            beta2: number(adam, "beta2"),
            adam_epsilon: number(adam, "eps"),
            // Where it is learnt, log α starts at 0.
            alpha: if learn_alpha { 1.0 } else { get("alpha") },
            learn_alpha,
            alpha_loss: match hyper.get("alpha_form").and_then(Value::as_str) {
                None | Some("log_alpha") => AlphaLoss::LogAlpha,
                Some("exp_alpha") => AlphaLoss::ExpAlpha,
                Some(form) => panic!("{}: unknown alpha_form `{form}`", file.name),
            },
            target_entropy_per_action: learnt("target_entropy") / number(network, "action"),
            log_std_form,
            log_std_min,
            log_std_max,
        };
        let known =
            "gamma tau lr_q lr_actor lr_alpha alpha target_entropy alpha_form adam action_scale";
        let unknown = hyper.keys().find(|key| !known.split(' ').any(|known| known == *key));
        assert!(unknown.is_none(), "{}: unknown setting {unknown:?}", file.name);
        let decay = adam.get("weight_decay").map_or(0.0, |_| number(adam, "weight_decay"));
        assert_eq!(decay, 0.0, "{}: weight decay is not supported", file.name);

        let mut scale = numbers(&hyper["action_scale"]);
        scale.resize(size("action"), scale[0]);
        let spec = Spec {
            name: "golden",
            observation_size: size("state"),
            state_size: size("state"),
            action_low: scale.iter().map(|scale| -scale).collect(),
            action_high: scale,
            horizon: 1,
            period: 1.0,
        };
        Case { json, spec, config, batch: size("batch") }
    }

    /// The agent with the file's first parameters.
    ///
    /// # Panics
    ///
    /// If they do not have the file's own shapes.
    pub fn agent<P: Program>(&self) -> Sac<P> {
        let mut rng = stream(0, Stream::Initialisation);
        let mut agent = Sac::<P>::new(self.config.clone(), &self.spec, self.batch, &mut rng)
            .expect("the file's sizes make an agent");
        let networks = agent.networks().clone();
        let [q1, q2] = &networks.critic;
        for (name, network) in [("q1", q1), ("q2", q2), ("actor", &networks.actor.network)] {
            let values = to_ours(&self.json["init"][name], network);
            let places = &mut agent.params.value[network.range()];
            assert_eq!(places.len(), values.len(), "init.{name}: how many numbers");
            for (place, value) in places.iter_mut().zip(values) {
                *place = P::Scalar::from_f64(value);
            }
        }
        for (online, target) in networks.critic.iter().zip(&networks.target) {
            agent.params.soft_update(&online.range(), &target.range(), P::Scalar::ONE);
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
    pub fn update<P: Program>(&self, agent: &mut Sac<P>, index: usize) {
        let (batch, noise) = (&self.json["batches"][index], &self.json["noise"][index]);
        let cast = |json: &Value| -> Vec<P::Scalar> {
            numbers(json).into_iter().map(P::Scalar::from_f64).collect()
        };
        let matrix = |json: &Value, columns: usize| {
            Array2::from_shape_vec((self.batch, columns), cast(json)).expect("the batch's shape")
        };
        let s = matrix(&batch["s"], self.spec.observation_size);
        let a = matrix(&batch["a"], self.spec.action_size());
        let r = Array1::from(cast(&batch["r"]));
        let next_s = matrix(&batch["s_"], self.spec.observation_size);
        let not_terminated = Array1::from(cast(&batch["done"])).mapv(|d| P::Scalar::ONE - d);
        let batch = Batch::new(s.view(), a.view(), r.view(), next_s.view(), not_terminated.view());
        let alpha = if noise.get("alpha").is_some() { cast(&noise["alpha"]) } else { vec![] };
        let noise = Noise { target: cast(&noise["target"]), actor: cast(&noise["actor"]), alpha };
        agent.update_with(&batch.expect("the file's batch fits together"), &noise);
    }

    /// The networks whose parameters the file holds, by the file's names.
    pub fn networks<P: Program>(agent: &Sac<P>) -> [(&'static str, &Mlp); 5] {
        let n = agent.networks();
        [
            ("q1", &n.critic[0]),
            ("q2", &n.critic[1]),
            ("actor", &n.actor.network),
            ("q1_target", &n.target[0]),
            ("q2_target", &n.target[1]),
        ]
    }

    /// What an update reports, by the file's names.
    pub fn reported<P: Program>(agent: &Sac<P>) -> Vec<(&'static str, f64)> {
        let after = [("alpha_after", agent.alpha()), ("log_alpha_after", agent.alpha().ln())];
        agent.metrics().iter().map(|m| (m.name, m.value)).chain(after).collect()
    }
}

/// A network of the file, `[out][in]` weights layer by layer (the last in one or more heads), in
/// the order of the trainer's parameters: W `[in, out]`, then b, layer by layer.
///
/// # Panics
///
/// If it does not have the network's shape.
pub fn to_ours(json: &Value, network: &Mlp) -> Vec<f64> {
    let count = network.layers().len();
    let mut values = Vec::new();
    for (index, layer) in network.layers().iter().enumerate() {
        let hidden = format!("fc{}", index + 1);
        let names: &[&str] = match () {
            () if index + 1 < count => &[&hidden],
            () if json.get("mean").is_some() => &["mean", "log_std"],
            () => &["out"],
        };
        let part = |part: &str| -> Vec<f64> {
            names.iter().flat_map(|name| numbers(&json[*name][part])).collect()
        };
        let weights = Array2::from_shape_vec((layer.outputs, layer.inputs), part("weight"))
            .expect("the layer's shape");
        values.extend(weights.t().iter());
        values.extend(part("bias"));
    }
    values
}

/// A network's parameters, in `f64`.
pub fn values<T: Scalar>(params: &Params<T>, network: &Mlp) -> Vec<f64> {
    params.value[network.range()].iter().map(|x| x.to_f64()).collect()
}

/// The gradient of the last update, in the same order.
pub fn gradient<T: Scalar>(params: &Params<T>, network: &Mlp) -> Vec<f64> {
    params.gradient[network.range()].iter().map(|x| x.to_f64()).collect()
}

/// How the file's formula bounds log σ: `log_std = clamp(raw,-20,2)` or
/// `log_std = -5 + 3.5*(tanh(raw)+1)`; the latter where it only says "as sac".
fn log_std(formula: &str) -> (LogStdForm, f64, f64) {
    let text = formula.split("log_std = ").nth(1).and_then(|rest| rest.split(';').next());
    let as_sac = formula.starts_with("as sac").then_some("-5 + 3.5*(tanh(raw)+1)");
    let text = text.or(as_sac).expect("the formula bounds log_std").replace(' ', "");
    let pair = |first: &str, second: &str| -> Option<(f64, f64)> {
        Some((first.parse().ok()?, second.parse().ok()?))
    };
    let clamp = || {
        let (min, max) = text.strip_prefix("clamp(raw,")?.split(')').next()?.split_once(',')?;
        pair(min, max).map(|(min, max)| (LogStdForm::Clamp, min, max))
    };
    let tanh = || {
        let (min, half) = text.strip_suffix("*(tanh(raw)+1)")?.split_once('+')?;
        pair(min, half).map(|(min, half)| (LogStdForm::Tanh, min, min + 2.0 * half))
    };
    clamp().or_else(tanh).unwrap_or_else(|| panic!("unknown bound: log_std = {text}"))
}
