//! What was encoded is what is read and run, bit for bit.

use policy_core::{ActError, Activation, Algorithm, Head, LayerShape, LogStdBound, Policy};
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::blobs::{self, Aligned, OUTPUT_OBSERVATION, SPRING_OBSERVATION, Sample};

fn bits<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> Vec<u32> {
    numbers.into_iter().map(|x| x.to_bits()).collect()
}

#[test]
fn the_accessors_show_the_header() {
    let sample = blobs::spring();
    let blob = sample.blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    assert_eq!(*policy.header(), sample.header);
    assert_eq!((policy.observation_size(), policy.action_size()), (3, 1));
    assert_eq!(policy.control_period(), 0.05);
    assert_eq!(policy.header().parameters(), 14);
    assert_eq!(policy.header().algorithm.to_string(), "sac");
    let shapes: Vec<_> = policy.header().shapes().collect();
    assert_eq!(shapes, [(3, 2, Activation::Relu), (2, 2, Activation::Linear)]);
}

#[test]
fn a_policy_of_an_earlier_writer_keeps_its_bytes() {
    // The committed one.
    let blob = Aligned::new(include_bytes!("../../../firmware-example/sample/policy.bin"));
    let policy = Policy::<64>::from_bytes(blob.bytes()).unwrap();
    assert_eq!(policy.header().algorithm, Algorithm::Sac);
    assert!(matches!(policy.header().head, Head::SquashedGaussian { .. }));
    let weights = policy.layers().iter().flat_map(blobs::weights).collect();
    let again = Sample { header: policy.header().clone(), weights }.blob();
    assert!(again == blob);
}

#[test]
fn weights_are_borrowed_from_the_blob() {
    let blob = blobs::spring().blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let flash = blob.bytes().as_ptr_range();
    for panel in policy.layers().iter().flat_map(policy_core::layer::Layer::panels) {
        assert!(flash.contains(&panel.weights.as_ptr().cast()));
        assert!(flash.contains(&panel.bias.as_ptr().cast()));
    }
}

#[test]
fn sampled_actions_are_pinned() {
    let blob = blobs::spring().blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let actions: Vec<u32> = (0..6)
        .map(|_| policy.sample(&SPRING_OBSERVATION, &mut rng).unwrap()[0].to_bits())
        .collect();
    let pinned = [0xbfbb_b8df, 0xbee2_949c, 0x4020_0000, 0x401f_53ef, 0xbdd9_4898, 0xbfbb_ac7f];
    assert_eq!(actions, pinned, "{actions:08x?}");
}

#[test]
fn sampled_actions_of_several_entries_are_pinned() {
    // σ = exp(−1 + ½ · 1 · (tanh 0 + 1)) = 0.61 for both entries; the means are 0.5 and −1.
    let mut sample = blobs::spring();
    sample.header.head = Head::SquashedGaussian {
        scale: [2.0, 3.0].into_iter().collect(),
        bias: [0.5, 0.0].into_iter().collect(),
        log_std: LogStdBound::Tanh { min: -1.0, max: 0.0 },
    };
    sample.header.observation_size = 1;
    sample.header.layers =
        [LayerShape { outputs: 4, activation: Activation::Linear }].into_iter().collect();
    sample.weights = vec![0.5, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let blob = sample.blob();
    let policy = Policy::<4>::from_bytes(blob.bytes()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let actions: Vec<Vec<u32>> =
        (0..2).map(|_| bits(&policy.sample(&[0.0], &mut rng).unwrap())).collect();
    let pinned = [[0x3f92_0abc, 0xc013_537d], [0x4012_c35d, 0xbfee_c938]];
    assert_eq!(actions, pinned, "{actions:08x?}");
}

#[test]
fn sampled_actions_of_the_clamped_gaussian_are_pinned() {
    // ζ = −1 gives σ = 0.368, ζ = 3 the largest σ, 0.5.
    let head = Head::ClampedGaussian {
        low: [-1.0, 0.5].into_iter().collect(),
        high: [2.0, 0.75].into_iter().collect(),
        std_min: 0.01,
        std_max: 0.5,
    };
    let blob = blobs::giving(head, &[0.25, 0.625, -1.0, 3.0]).blob();
    let policy = Policy::<4>::from_bytes(blob.bytes()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let actions: Vec<Vec<u32>> =
        (0..3).map(|_| bits(&policy.sample(&OUTPUT_OBSERVATION, &mut rng).unwrap())).collect();
    let pinned =
        [[0x3e17_c48c, 0x3f1d_1731], [0x3f54_3698, 0x3f40_0000], [0x3e80_c980, 0x3f00_0000]];
    assert_eq!(actions, pinned, "{actions:08x?}");
}

#[test]
fn a_fine_grid_comes_back() {
    // 300 points: their number takes two bytes.
    let head = Head::Grid { low: -2.0, high: 2.0, points: 300 };
    for (at, action) in
        [(0, -2.0), (127, -2.0 + 508.0 / 299.0), (128, -2.0 + 512.0 / 299.0), (299, 2.0)]
    {
        let mut q = [1.0; 300];
        q[at] = 1.5;
        let sample = blobs::giving(head.clone(), &q);
        let blob = sample.blob();
        let policy = Policy::<300>::from_bytes(blob.bytes()).unwrap();
        assert_eq!(*policy.header(), sample.header);
        assert_eq!(policy.act(&OUTPUT_OBSERVATION).unwrap()[..], [action]);
    }
}

#[test]
fn algorithms_have_their_names_and_numbers() {
    let names = ["sac", "ddpg", "td3", "dqn", "double-dqn", "sac-v", "sac-m"];
    for (number, (algorithm, name)) in (0_u8..).zip(blobs::ALGORITHMS.into_iter().zip(names)) {
        let mut sample = blobs::spring();
        sample.header.algorithm = algorithm;
        let blob = sample.blob();
        assert_eq!(blob.bytes()[16], number, "{name}");
        let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
        assert_eq!(policy.header().algorithm, algorithm);
        assert_eq!(algorithm.to_string(), name);
    }
}

#[test]
fn an_observation_may_be_longer_than_the_widest_layer() {
    let mut sample = blobs::spring();
    sample.header.observation_size = 100;
    sample.weights = vec![0.0; 2 * 101 + 6];
    // Both means are 0 but for the last observation entry: h₀ = x₉₉, μ = 2 h₀.
    (sample.weights[2 + 2 * 99], sample.weights[2 * 101 + 2]) = (1.0, 2.0);
    let blob = sample.blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let mut observation = [0.0; 100];
    assert_eq!(policy.act(&observation).unwrap()[0], 0.5);
    observation[99] = 0.125;
    let expected = 2.0 * libm::tanhf(0.25) + 0.5;
    assert_eq!(policy.act(&observation).unwrap()[0].to_bits(), expected.to_bits());
}

/// `spring` with a linear first layer b = 0, all weights `w`, and a last layer that gives
/// (h₀ + h₁ · `second`, 0).
fn overflowing(activation: Activation, w: f32, second: f32) -> Sample {
    let mut sample = blobs::spring();
    sample.header.layers[0].activation = activation;
    sample.weights = vec![0.0, 0.0, w, w, w, w, w, w, 0.0, 0.0, 1.0, 0.0, second, 0.0];
    sample
}

#[test]
fn an_infinity_with_a_sign_gives_the_end_of_the_range() {
    let blob = overflowing(Activation::Linear, 2.0, 1.0).blob();
    let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    assert_eq!(policy.act(&[f32::MAX, 0.0, 0.0]).unwrap()[0], 2.5);
    assert_eq!(policy.act(&[f32::MIN, 0.0, 0.0]).unwrap()[0], -1.5);
}

#[test]
fn an_overflow_without_a_sign_is_refused() {
    let refused = Err(ActError::ActionNotFinite { index: 0 });
    for activation in [Activation::Linear, Activation::Relu] {
        // Both hidden outputs overflow to ∞, and μ = ∞ − ∞.
        let blob = overflowing(activation, 2.0, -1.0).blob();
        let policy = Policy::<2>::from_bytes(blob.bytes()).unwrap();
        assert_eq!(policy.act(&[f32::MAX, 0.0, 0.0]), refused);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(policy.sample(&[f32::MAX, 0.0, 0.0], &mut rng), refused);
        // Already the hidden outputs are ∞ − ∞: a relu must not make them 0.
        assert_eq!(policy.act(&[f32::MAX, f32::MIN, 0.0]), refused);
    }
}

#[test]
fn the_smallest_and_the_largest_width_agree() {
    let blob = blobs::spring().blob();
    let narrow = Policy::<2>::from_bytes(blob.bytes()).unwrap();
    let wide = Policy::<1000>::from_bytes(blob.bytes()).unwrap();
    let act = |x: &[f32]| (narrow.act(x).unwrap(), wide.act(x).unwrap());
    let (narrow, wide) = act(&SPRING_OBSERVATION);
    assert_eq!(bits(&narrow), bits(&wide));
}

/// The greedy action for the last layer's output `z`.
fn greedy(head: &Head, z: &[f32]) -> Vec<f32> {
    match head {
        Head::SquashedGaussian { scale, bias, .. } | Head::Tanh { scale, bias } => {
            (0..scale.len()).map(|i| scale[i] * libm::tanhf(z[i]) + bias[i]).collect()
        }
        Head::Clamp { low, high } | Head::ClampedGaussian { low, high, .. } => {
            (0..low.len()).map(|i| z[i].clamp(low[i], high[i])).collect()
        }
        Head::Grid { .. } if z.iter().any(|q| !q.is_finite()) => vec![f32::NAN],
        Head::Grid { low, high, points } => {
            // The last of the greatest from the far end is the first.
            let (i, _) =
                z.iter().enumerate().rev().max_by(|a, b| a.1.partial_cmp(b.1).unwrap()).unwrap();
            let last = usize::from(*points) - 1;
            vec![if i == last { *high } else { low + (high - low) * i as f32 / last as f32 }]
        }
        other => panic!("{other:?} is new"),
    }
}

proptest! {
    #[test]
    fn every_policy_comes_back(sample in blobs::sample()) {
        let blob = sample.blob();
        let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
        prop_assert_eq!(policy.header(), &sample.header);
        let mut read = Vec::new();
        for (layer, (inputs, outputs, activation)) in
            policy.layers().iter().zip(sample.header.shapes())
        {
            prop_assert_eq!((layer.outputs(), layer.inputs()), (outputs, inputs));
            prop_assert_eq!(layer.activation(), activation);
            read.extend(blobs::weights(layer));
        }
        prop_assert_eq!(bits(&read), bits(&sample.weights));
        // The encoder is a function of header and weights, whatever was in its buffer.
        let mut dirty = vec![0xaa; blob.bytes().len()];
        let length = policy_core::format::encode(policy.header(), &sample.weights, &mut dirty);
        prop_assert_eq!(length, Ok(blob.bytes().len()));
        prop_assert_eq!(&dirty, blob.bytes());
    }

    #[test]
    fn actions_equal_a_direct_computation((sample, x) in blobs::sample_and_observation()) {
        let blob = sample.blob();
        let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
        let (mut x, observation) = (x.clone(), x);
        let mut weights = &sample.weights[..];
        for (inputs, outputs, activation) in sample.header.shapes() {
            let w = |i, j| weights[outputs + j * outputs + i];
            let z = |i: usize| (0..inputs).fold(weights[i], |z, j| z + w(i, j) * x[j]);
            x = (0..outputs).map(|i| activation.apply(z(i))).collect();
            weights = &weights[(inputs + 1) * outputs..];
        }
        let expected = greedy(&sample.header.head, &x);
        match policy.act(&observation) {
            Ok(action) => prop_assert_eq!(bits(&action), bits(&expected)),
            Err(error) => prop_assert_eq!(
                Some(error),
                expected
                    .iter()
                    .position(|a| !a.is_finite())
                    .map(|index| ActError::ActionNotFinite { index })
            ),
        }
    }
}
