//! The golden file of single losses: networks of one layer, one critic loss and one actor loss
//! for each algorithm.

use serde_json::Value;
use trainer::algos::Draws;
use trainer::autodiff::{Linear, Program};
use trainer::interface::{Spec, channel};
use trainer::scalar::Scalar;

use crate::agents::{Arrays, Settings, Subject, cast, put};
use crate::golden::{number, numbers};
use crate::updates_file::layer_to_ours;

/// A loss that the file has, and what it was computed as here.
#[derive(Debug)]
pub struct Compared {
    /// Which one.
    pub name: String,
    /// Ours.
    pub got: f64,
    /// The file's.
    pub wanted: f64,
}

/// A preset whose critic's loss the file has at a key.
struct Variant {
    preset: &'static str,
    /// Where it is not the preset's own.
    entropy_form: Option<&'static str>,
    key: &'static str,
}

/// Computes all losses of one of the file's tests.
///
/// # Panics
///
/// At a test of an unknown algorithm, or if the file does not have its own shapes.
pub fn losses<P: Program + 'static>(test: &str, json: &Value) -> Vec<Compared> {
    let variant = |preset, key| Variant { preset, entropy_form: None, key };
    let variants = match test {
        "dqn" => vec![variant("hw2-dqn", "loss"), variant("hw2-double-dqn", "double_dqn_loss")],
        "ddpg" => vec![variant("hw2-ddpg", "q_loss")],
        "sac_m1" => vec![variant("hw2-sac-m1", "q_loss")],
        "sac_m2" => vec![variant("hw2-sac-m2", "q_loss")],
        "sac_m3" => {
            let form = |entropy_form, key| Variant {
                entropy_form: Some(entropy_form),
                ..variant("hw2-sac-m3", key)
            };
            vec![
                variant("hw2-sac-m3", "q_loss"),
                form("code", "entropy_from_policy__form_code"),
                form("text", "entropy_from_policy__form_text"),
            ]
        }
        other => panic!("the test `{other}` is of no known algorithm"),
    };
    let mut compared = Vec::new();
    for Variant { preset, entropy_form, key } in variants {
        let mut settings = Settings::of_preset(preset);
        settings.set("hidden", Vec::<i64>::new());
        settings.set("gamma", number(json, "gamma"));
        if json.get("alpha").is_some() {
            settings.set("alpha", number(json, "alpha"));
        }
        if let Some(form) = entropy_form {
            settings.set("entropy_form", form);
        }
        let case = Case::new(json);
        let wanted = match json.get(key) {
            Some(loss) => loss,
            None => &json["q_loss_variants"][key],
        };
        let (critic, actor) = case.losses::<P>(&settings);
        let name = |what: &str| format!("{test} ({preset}) {what}");
        let wanted = wanted.as_f64().unwrap_or_else(|| panic!("{test}: no `{key}`"));
        compared.push(Compared { name: name(key), got: critic, wanted });
        if let Some(wanted) = json.get("policy_loss").and_then(Value::as_f64) {
            let got = actor.expect("an algorithm with a policy has an actor's loss");
            compared.push(Compared { name: name("policy_loss"), got, wanted });
        }
    }
    compared
}

struct Case<'a> {
    json: &'a Value,
    spec: Spec,
    batch: usize,
}

impl<'a> Case<'a> {
    fn new(json: &'a Value) -> Self {
        let inputs = &json["inputs"];
        let rows = |key: &str| inputs[key].as_array().expect("a list of rows").len();
        let columns = |key: &str| numbers(&inputs[key]).len() / rows(key);
        let (state, action) = (columns("s"), columns("a"));
        let spec = Spec {
            name: "golden",
            observation: vec![channel("", "", -1.0, 1.0); state],
            state_size: state,
            action: vec![channel("", "", -3.0, 3.0); action],
            horizon: 1,
            period: 1.0,
        };
        Case { json, spec, batch: rows("s") }
    }

    /// The losses of critics and actor, each with the file's parameters.
    fn losses<P: Program + 'static>(&self, settings: &Settings) -> (f64, Option<f64>) {
        let inputs = &self.json["inputs"];
        // Actions of DQN are the grid's indices.
        let actions = self.json.get("action_index").unwrap_or(&inputs["a"]);
        let [s, a, r, next_s, not_terminated] =
            [&inputs["s"], actions, &inputs["r"], &inputs["s_"], &inputs["not_dones"]].map(cast);
        let arrays = Arrays::new(&self.spec, self.batch, [s, a, r, next_s, not_terminated]);
        let drawn = |index: usize| {
            let noise = self.json.get("noise").map(|noise| &noise[index]["eps"]);
            noise.map_or_else(Vec::new, cast::<P::Scalar>)
        };
        let noise = Draws { target: drawn(0), actor: drawn(1), temperature: vec![] };
        let mut agent = self.agent::<P>(settings);
        agent.update_critics(&arrays.batch(), &noise);
        let critic = reported(&*agent, "q_loss").expect("every algorithm has a critic");
        let mut agent = self.agent::<P>(settings);
        agent.update_actor(&arrays.batch(), &noise);
        (critic, reported(&*agent, "actor_loss"))
    }

    fn agent<P: Program + 'static>(&self, settings: &Settings) -> Box<dyn Subject<P::Scalar>> {
        let mut agent = settings.agent::<P>(&self.spec, self.batch);
        let networks = agent.networks();
        // Single critics are `q1` in SAC-M, too.
        let single = networks.iter().all(|(name, _)| *name != "q2");
        for (name, layers) in &networks {
            let theirs = match *name {
                "q1" if single => "q_net",
                "q1_target" if single => "q_target_net",
                "q" => "q_net",
                "q_target" => "q_target_net",
                "actor" => "policy",
                "actor_target" => "policy_target_net",
                "q1" => "q1_net",
                "q2" => "q2_net",
                "q1_target" => "q1_target_net",
                "q2_target" => "q2_target_net",
                other => panic!("the file has no network {other}"),
            };
            let [layer]: &[Linear; 1] = layers[..].try_into().expect("networks of one layer");
            let network = &self.json["nets"][theirs];
            let (weight, bias) = (numbers(&network["weight"]), numbers(&network["bias"]));
            put(agent.params(), layers, &layer_to_ours(layer, weight, bias), theirs);
        }
        agent
    }
}

fn reported<T: Scalar>(agent: &dyn Subject<T>, name: &str) -> Option<f64> {
    agent.report().into_iter().find(|metric| metric.name == name).map(|metric| metric.value)
}
