//! Machines with what happens seldom.

use policy_core::format::{Channel, Description, Network, Terms};
use policy_core::{Activation, Algorithm, Head, LayerShape};

use super::*;
use crate::export::{Blob, write};
use crate::interface::{Step, channel};
use crate::quantise::{Bits, MARGIN, quantise};
use crate::rng::Rng;
use policy_core::gaussian::uniform;

const CHANNEL: Channel<'_> = channel("speed", "m/s", f32::NEG_INFINITY, f32::INFINITY);

/// A speed that begins within ±0.1 and halves with each step; but for a kick in step 7 of each episode, after which it is 0. Beyond
/// `edge` it doubles instead.
struct Kicked {
    spec: Spec,
    kick: Option<f64>,
    edge: f64,
    state: [f64; 2],
}

impl Kicked {
    fn new(kick: Option<f64>, edge: f64) -> Self {
        let action = vec![channel("force", "N", -100.0, 100.0)];
        let observation = vec![CHANNEL];
        let spec =
            Spec { name: "kicked", observation, state_size: 2, action, horizon: 200, period: 0.1 };
        Kicked { spec, kick, edge, state: [0.0; 2] }
    }
}

impl Environment for Kicked {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f32]) {
        self.restore(&[0.1 * (2.0 * f64::from(uniform(rng)) - 1.0), 0.0], observation);
    }

    fn restore(&mut self, state: &[f64], observation: &mut [f32]) {
        self.state = [state[0], state[1]];
        observation[0] = state[0] as f32;
    }

    fn save(&self) -> Vec<f64> {
        self.state.to_vec()
    }

    fn step(&mut self, _action: &[f32], observation: &mut [f32]) -> Step {
        let [speed, step] = self.state;
        let speed = match self.kick {
            Some(kick) if step + 1.0 == 7.0 => kick,
            Some(_) if step + 1.0 == 8.0 => 0.0,
            _ if speed.abs() > self.edge => 2.0 * speed,
            _ => 0.5 * speed,
        };
        self.restore(&[speed.clamp(-1e9, 1e9), step + 1.0], observation);
        Step { reward: 0.0, terminated: false }
    }
}

/// u = 3 relu(v) − 3 relu(−v) for a speed v.
fn policy() -> Blob {
    let layers = [
        LayerShape { outputs: 2, activation: Activation::Relu },
        LayerShape { outputs: 1, activation: Activation::Linear },
    ];
    write(&Description {
        control_period: 0.1,
        observation_size: 1,
        layers: &layers,
        head: Head::Clamp { low: &[-100.0], high: &[100.0] },
        normalisation: None,
        network: Network::F32(&[0.0, 0.0, 1.0, -1.0, 0.0, 3.0, -3.0]),
        examples: &[],
        terms: Terms {
            algorithm: Algorithm::Td3,
            plant: "kicked",
            plant_fingerprint: 0,
            trainer: "test",
            observation: &[CHANNEL],
            action: &[channel("force", "N", -100.0, 100.0)],
        },
    })
    .unwrap()
}

fn read(blob: &Blob) -> AnyPolicy<'_> {
    AnyPolicy::from_bytes(blob.bytes()).unwrap()
}

/// What one step of an episode meets counts, though the sample leaves it out; integers have it, in every layer.
#[test]
fn every_step_counts_for_ranges() {
    let blob = policy();
    for kick in [5.0, -12.0] {
        let calibration = calibrate(&read(&blob), &mut Kicked::new(Some(kick), 1e6)).unwrap();
        assert!(calibration.sample.iter().all(|o| f64::from(o.abs()) < 0.2), "every second step");
        assert_eq!(calibration.sample.len(), OBSERVATIONS);
        assert_eq!(calibration.reach, [kick.abs()]);
        assert_eq!(calibration.peaks, [kick.abs(), 3.0 * kick.abs()]);
        for bits in Bits::ALL {
            let quantised = quantise(&read(&blob), &calibration, bits).unwrap();
            let act = |o: f64| f64::from(read(&quantised).act(&[o as f32]).unwrap()[0]);
            let end = MARGIN * kick.abs();
            for o in [kick, -kick, 0.7 * kick, end, -end] {
                assert!((act(o) - 3.0 * o).abs() < 0.02 * end, "{bits:?}: {o} gives {}", act(o));
            }
            // Beyond it is as at the end: nothing turns over.
            for beyond in [1.01, 2.0, 65_536.0, 1e30] {
                assert_eq!(act(end * beyond), act(end), "{bits:?}");
                assert_eq!(act(-end * beyond), act(-end), "{bits:?}");
            }
        }
    }
}

/// Wider starts count where the machine comes back from them, and only there.
#[test]
fn wider_starts_count_where_the_policy_leads_back() {
    let blob = policy();
    let reach = |edge: f64| {
        let calibration = calibrate(&read(&blob), &mut Kicked::new(None, edge)).unwrap();
        calibration.reach[0]
    };
    assert!((1.3..=1.7).contains(&reach(1e6)), "16 · 0.1: {}", reach(1e6));
    let narrow = reach(0.5);
    assert!((0.3..=0.5).contains(&narrow), "up to the edge, and not what runs away: {narrow}");
    assert!((0.09..=0.1).contains(&reach(0.1)), "training starts alone: {}", reach(0.1));
}

/// A start beyond the contract is none: a board gives the policy no such observation.
#[test]
fn contracts_are_kept() {
    let blob = policy();
    let mut machine = Kicked::new(None, 1e6);
    machine.spec.observation[0].high = 0.3;
    let calibration = calibrate(&read(&blob), &mut machine).unwrap();
    // Towards the other side, which has no bound.
    assert!((1.0..=1.7).contains(&calibration.reach[0]));
    machine.spec.observation[0].low = -0.3;
    let calibration = calibrate(&read(&blob), &mut machine).unwrap();
    assert!((0.15..=0.3).contains(&calibration.reach[0]));
}
