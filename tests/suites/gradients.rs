//! Losses and steps of agents with settings that no golden file has, in `f64`: gradients against
//! differences, which parameters a step changes, how long a gradient may be, and the losses of
//! deterministic policies against their formulas without a graph.

use std::ops::Range;

use policy_core::gaussian::fill_normal;
use tests::agents::{Arrays, Settings, Subject};
use trainer::algos::Draws;
use trainer::autodiff::{Interpreter, Linear};
use trainer::interface::{Batch, Spec, channel};
use trainer::rng::{Rng, Stream, index, stream};

/// Transitions in a minibatch.
const ROWS: usize = 16;
/// Entries of an observation.
const OBSERVATION: usize = 3;

/// Preset, settings over it, entries of an action.
const CASES: &[(&str, &[&str], usize)] = &[
    ("hw2-sac-m1", &[], 2),
    ("hw2-sac-m3", &["entropy_form=code", "alpha=0.3"], 2),
    ("hw2-sac-m3", &["entropy_form=text", "alpha=0.3"], 1),
    ("ddpg", &["critic=branched", "normalise_actions=true"], 2),
    ("ddpg", &["actor_output=clamp"], 2),
    ("td3", &["normalise_actions=true"], 2),
    ("td3", &["target_noise_unit=action"], 2),
    ("td3", &["critic=branched"], 1),
    ("sac", &["alpha_loss=exp-alpha"], 2),
    ("sac", &["policy=deterministic", "learn_alpha=false", "alpha=0"], 2),
    ("sac", &["critic_loss=huber"], 1),
    ("sac-v", &["regulariser=0.001"], 2),
    ("double-dqn", &["critic_loss=huber", "grid_points=3"], 1),
];

fn spec(actions: usize) -> Spec {
    let action = [channel("", "", -1.0, 3.0), channel("", "", -0.5, 2.0)];
    Spec {
        name: "made-up",
        observation: vec![channel("entry", "", -1.0, 1.0); OBSERVATION],
        state_size: OBSERVATION,
        action: action[..actions].to_vec(),
        horizon: 10,
        period: 0.1,
    }
}

fn normal(rng: &mut Rng, length: usize, sigma: f64) -> Vec<f64> {
    let mut numbers = vec![0.0_f32; length];
    fill_normal(rng, &mut numbers);
    numbers.into_iter().map(|x| sigma * f64::from(x)).collect()
}

/// An agent with a minibatch and noise for it.
struct Case {
    name: String,
    agent: Box<dyn Subject<f64>>,
    arrays: Arrays<f64>,
    draws: Draws<f64>,
}

impl Case {
    /// Where there is no rate, steps are too small to change a parameter.
    fn new(
        (preset, settings, actions): (&str, &[&str], usize),
        more: &[&str],
        rate: Option<f64>,
    ) -> Self {
        let rng = &mut stream(7, Stream::Update);
        let mut resolved = Settings::of_preset_with(preset, &[settings, more].concat());
        resolved.set_learning_rates(rate.unwrap_or(1e-30));
        let spec = spec(actions);
        let mut agent = resolved.agent::<Interpreter>(&spec, ROWS);
        // So that targets are no copies, and no parameter is 0.
        let values = &mut agent.params().value;
        let moved = normal(rng, values.len(), 0.1);
        values.iter_mut().zip(moved).for_each(|(x, by)| *x += by);

        let mut numbers = |columns: usize| normal(rng, ROWS * columns, 1.0);
        let [s, next_s] = [(); 2].map(|()| numbers(OBSERVATION));
        let [mut a, r, not_terminated] = [actions, 1, 1].map(&mut numbers);
        // Beyond what clips it, now and then.
        let mut noise = || -> Vec<f64> { numbers(actions).into_iter().map(|x| 2.0 * x).collect() };
        let [target, actor, temperature] = [(); 3].map(|()| noise());
        if preset.contains("dqn") {
            a = (0..ROWS).map(|row| (row % 3) as f64).collect();
        }
        let not_terminated =
            not_terminated.into_iter().map(|x| f64::from(u8::from(x < 1.0))).collect();
        let arrays = Arrays::new(&spec, ROWS, [s, a, r, next_s, not_terminated]);
        let draws = Draws { target, actor, temperature };
        Case { name: format!("{preset} {settings:?}"), agent, arrays, draws }
    }

    fn all(more: &'static [&str], rate: Option<f64>) -> impl Iterator<Item = Case> {
        CASES.iter().map(move |case| Case::new(*case, more, rate))
    }

    fn batch(&self) -> Batch<'_, f64> {
        self.arrays.batch()
    }

    fn step(&mut self, which: Step) {
        let batch = &self.arrays.batch();
        match which {
            Step::Critics => self.agent.update_critics(batch, &self.draws),
            Step::Actor => self.agent.update_actor(batch, &self.draws),
        }
    }

    /// Sum of what the last steps reported under names of this beginning.
    fn loss(&self, name: &str) -> f64 {
        let reported = self.agent.report().into_iter();
        reported.filter(|m| m.name.starts_with(name)).map(|m| m.value).sum()
    }

    fn layers(&self, network: &str) -> Vec<Linear> {
        let networks = self.agent.networks();
        let found = networks.into_iter().find(|(name, _)| *name == network);
        found.unwrap_or_else(|| panic!("{} has no {network}", self.name)).1
    }

    /// Everything that learns, in parts: a network's layers, or λ alone.
    fn objectives(&mut self) -> Vec<Objective> {
        let networks = self.agent.networks();
        let ranges = |wanted: &[&str]| -> Vec<Range<usize>> {
            let found = networks.iter().filter(|(name, _)| wanted.contains(name));
            found.flat_map(|(_, layers)| layers.iter().map(Linear::range)).collect()
        };
        // λ is in no network: it is behind all of them.
        let end = networks.iter().flat_map(|(_, layers)| layers).map(|l| l.range().end).max();
        let (len, reports) = (self.agent.params().value.len(), self.agent.report());
        let lambda = vec![end.expect("there are networks")..len];
        let learnt = reports.iter().any(|m| m.name == "alpha_loss" && m.value != 0.0);
        let objectives = [
            ("q", Step::Critics, ranges(&["q", "q1", "q2"])),
            ("actor_loss", Step::Actor, ranges(&["actor"])),
            ("v_loss", Step::Actor, ranges(&["v"])),
            ("alpha_loss", Step::Actor, if learnt { lambda } else { Vec::new() }),
        ];
        let there = objectives.into_iter().filter(|(.., parts)| !parts.is_empty());
        there.map(|(loss, step, parts)| Objective { loss, step, parts }).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Critics,
    Actor,
}

/// A loss and what minimises it.
struct Objective {
    /// How the names of its terms begin.
    loss: &'static str,
    /// The step that reports it.
    step: Step,
    /// Its parameters.
    parts: Vec<Range<usize>>,
}

/// A few entries of every layer, and λ, against central differences of the reported loss.
#[test]
fn gradients_are_those_of_the_losses() {
    /// A difference of 2h must not pass a kink, and must not drown in rounding.
    const H: f64 = 1e-6;
    for mut case in Case::all(&[], None) {
        [Step::Critics, Step::Actor].into_iter().for_each(|step| case.step(step));
        for Objective { loss, step, parts } in case.objectives() {
            case.step(step);
            let gradient = case.agent.params().gradient.clone();
            let (rng, mut zeros, mut count) = (&mut stream(1, Stream::Replay), 0, 0);
            for part in parts {
                let most = gradient[part.clone()].iter().fold(0.0_f64, |m, g| m.max(g.abs()));
                for _ in 0..10 {
                    let entry = part.start + index(rng, part.len());
                    let theta = case.agent.params().value[entry];
                    let [above, below] = [H, -H].map(|h| {
                        case.agent.params().value[entry] = theta + h;
                        case.step(step);
                        case.loss(loss)
                    });
                    case.agent.params().value[entry] = theta;
                    let (got, wanted) = (gradient[entry], (above - below) / (2.0 * H));
                    let tolerance = 1e-6 * (wanted.abs() + 0.01 * most) + 1e-9;
                    let what = format!("{}, {loss}, parameter {entry}: {got}, {wanted}", case.name);
                    assert!((got - wanted).abs() <= tolerance, "{what}");
                    (zeros, count) = (zeros + usize::from(got == 0.0), count + 1);
                }
            }
            // Of units that are dead for a whole batch, there are some.
            assert!(2 * zeros < count, "{}, {loss}: {zeros} of {count} are 0", case.name);
        }
    }
}

/// With hyperbolic tangents no unit is dead: every parameter that may move does, no other.
#[test]
fn steps_change_their_own_parameters() {
    for mut case in Case::all(&["activation=tanh"], Some(1e-3)) {
        [Step::Critics, Step::Actor].into_iter().for_each(|step| case.step(step));
        for step in [Step::Critics, Step::Actor] {
            let own = case.objectives().into_iter().filter(|objective| objective.step == step);
            let own: Vec<_> = own.flat_map(|objective| objective.parts).collect();
            let before = case.agent.params().value.clone();
            case.step(step);
            for (entry, (x, before)) in case.agent.params().value.iter().zip(before).enumerate() {
                let moves = own.iter().any(|part| part.contains(&entry));
                let what = format!("{}, {step:?}, parameter {entry}", case.name);
                assert_eq!(x.to_bits() != before.to_bits(), moves, "{what}");
            }
        }
    }
}

#[test]
fn long_gradients_are_shortened() {
    const MOST: f64 = 1e-3;
    for mut case in Case::all(&["max_gradient_norm=1e-3"], Some(1e-3)) {
        [Step::Critics, Step::Actor].into_iter().for_each(|step| case.step(step));
        for Objective { loss, step, parts } in case.objectives() {
            case.step(step);
            let gradient = &case.agent.params().gradient;
            let squares = parts.into_iter().flat_map(|part| &gradient[part]).map(|g| g * g);
            let norm = squares.sum::<f64>().sqrt();
            assert!((norm / MOST - 1.0).abs() < 1e-9, "{}, {loss}: {norm}", case.name);
        }
    }
}

/// f of the rows of a network's layers, an activation between them.
fn network(params: &[f64], layers: &[Linear], x: &[f64]) -> Vec<f64> {
    let layer = |x: Vec<f64>, layer: &Linear| -> Vec<f64> {
        let (weights, bias) = params[layer.range()].split_at(layer.inputs * layer.outputs);
        let output = |o: usize| {
            let products = x.iter().enumerate().map(|(i, x)| x * weights[i * layer.outputs + o]);
            products.sum::<f64>() + bias[o]
        };
        (0..layer.outputs).map(output).collect()
    };
    let (last, hidden) = layers.split_last().expect("a layer");
    layer(hidden.iter().fold(x.to_vec(), |x, next| relu(layer(x, next))), last)
}

fn relu(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x.max(0.0)).collect()
}

/// Q(s, a); s passes two layers and a one where they have branches of their own.
fn critic(params: &[f64], layers: &[Linear], s: &[f64], a: &[f64]) -> f64 {
    match layers[0].inputs == s.len() {
        false => network(params, layers, &[s, a].concat())[0],
        true => {
            let s = relu(network(params, &layers[..2], s));
            let a = relu(network(params, &layers[2..3], a));
            network(params, &layers[3..], &[s, a].concat())[0]
        }
    }
}

/// Losses of DDPG and TD3 as their formulas say, with γ = 0.99, σ = 0.2 and c = 0.5:
///
/// ```text
/// L_θ = mean f(Q_θ(s, a) − y)      y = r + γ (1 − d) minⱼ Q_θ′ⱼ(s′, clip(μ_φ′(s′) + noise))
/// L_φ = −mean Q_θ₁(s, μ_φ(s))          noise = clip(σε, ±c) · unit
/// ```
///
/// and f(e) = e², or Huber's: ½e² within ±1, |e| − ½ beyond.
#[test]
fn deterministic_losses_are_their_formulas() {
    // Preset, settings; least and largest action of the networks, unit of the noise on the target.
    type Entries = [f64; 2];
    let (low, high, scale) = ([-1.0, -0.5], [3.0, 2.0], [2.0, 1.25]);
    let ones = [1.0, 1.0];
    let cases: &[(&str, &[&str], Entries, Entries, Entries)] = &[
        ("ddpg", &[], low, high, ones),
        ("ddpg", &["critic=branched"], low, high, ones),
        ("ddpg", &["critic=branched", "normalise_actions=true"], [-1.0; 2], ones, ones),
        ("ddpg", &["actor_output=clamp"], low, high, ones),
        ("td3", &[], low, high, scale),
        ("td3", &["critic_loss=huber"], low, high, scale),
        ("td3", &["target_noise_unit=action"], low, high, ones),
        ("td3", &["normalise_actions=true"], [-1.0; 2], ones, ones),
        ("td3", &["critic=branched", "actor_output=clamp"], low, high, scale),
    ];
    for (preset, settings, low, high, unit) in cases {
        let mut case = Case::new((preset, settings, 2), &[], None);
        let twin = *preset == "td3";
        let p = case.agent.params().value.clone();
        let [clamp, huber] =
            ["actor_output=clamp", "critic_loss=huber"].map(|set| settings.contains(&set));
        let actor = |name: &str, s: &[f64]| -> Vec<f64> {
            let z = network(&p, &case.layers(name), s).into_iter().enumerate();
            z.map(|(j, z)| match clamp {
                true => z.clamp(low[j], high[j]),
                false => 0.5 * ((high[j] - low[j]) * z.tanh() + high[j] + low[j]),
            })
            .collect()
        };
        let q = |name: &str, s: &[f64], a: &[f64]| critic(&p, &case.layers(name), s, a);
        let names: &[&str] = if twin { &["q1", "q2"] } else { &["q"] };
        let (batch, mut losses, mut actor_loss) = (case.batch(), vec![0.0; names.len()], 0.0);
        for row in 0..ROWS {
            let s = &batch.observation()[row * OBSERVATION..][..OBSERVATION];
            let next_s = &batch.next_observation()[row * OBSERVATION..][..OBSERVATION];
            let mut next_a = actor("actor_target", next_s);
            if twin {
                for j in 0..2 {
                    let noise = unit[j] * (0.2 * case.draws.target[2 * row + j]).clamp(-0.5, 0.5);
                    next_a[j] = (next_a[j] + noise).clamp(low[j], high[j]);
                }
            }
            let next_q = names.iter().map(|name| q(&format!("{name}_target"), next_s, &next_a));
            let next_q = next_q.fold(f64::INFINITY, f64::min);
            let y = batch.reward()[row] + 0.99 * batch.not_terminated()[row] * next_q;
            for (loss, name) in losses.iter_mut().zip(names) {
                let error = q(name, s, &batch.action()[2 * row..][..2]) - y;
                *loss += match huber {
                    false => error * error,
                    true if error.abs() > 1.0 => error.abs() - 0.5,
                    true => 0.5 * error * error,
                } / ROWS as f64;
            }
            actor_loss -= q(names[0], s, &actor("actor", s)) / ROWS as f64;
        }
        [Step::Critics, Step::Actor].into_iter().for_each(|step| case.step(step));
        let critics = names.iter().map(|name| format!("{name}_loss")).zip(losses);
        for (name, wanted) in critics.chain([("actor_loss".into(), actor_loss)]) {
            let got = case.loss(&name);
            let close = (got - wanted).abs() <= 1e-12 * wanted.abs();
            assert!(close, "{}, {name}: {got}, {wanted}", case.name);
        }
    }
}
