//! What was encoded is what is read and run, bit for bit.

use policy_core::{
    ActError, Activation, Aligned, BlobError, Head, LayerShape, LogStdBound, Policy, WeightKind,
    format,
};
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{
    any::AnyPolicy,
    blobs::{self, Network, OUTPUT_OBSERVATION, SPRING_OBSERVATION, Sample},
};

fn bits<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> Vec<u32> {
    numbers.into_iter().map(|x| x.to_bits()).collect()
}

#[test]
fn the_accessors_show_the_description() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        assert_eq!(policy.head(), sample.head.as_slices());
        assert_eq!((policy.observation_size(), policy.action_size()), (3, 1));
        assert_eq!(policy.control_period(), sample.control_period);
        assert_eq!(policy.shapes(), sample.layers);
        assert_eq!(policy.normalisation(), sample.normalisation);
        // Padding is no parameter.
        let [first, last] = sample.shapes()[..] else { panic!("2 layers") };
        let count = (first.0 + 1) * first.1 + (last.0 + 1) * last.1;
        assert_eq!(policy.parameters(), count as u64);
        assert_eq!(WeightKind::of(blob.bytes()), Some(sample.kind()));
    }
}

#[test]
fn weights_are_borrowed_from_the_blob() {
    let blob = blobs::spring().blob();
    let flash = blob.bytes().as_ptr_range();
    // They outlive what they were read by.
    let layers: Vec<_> = {
        let policy: Policy<'_, f32, 16> = Policy::from_bytes(blob.bytes()).unwrap();
        policy.layers().collect()
    };
    for panel in layers.iter().flat_map(policy_core::layer::Layer::panels) {
        assert!(flash.contains(&panel.weights.as_ptr().cast()));
        assert!(flash.contains(&panel.bias.as_ptr().cast()));
    }
}

#[test]
fn sampled_actions_are_pinned() {
    let blob = blobs::spring().blob();
    let policy: Policy<'_, f32, 16> = Policy::from_bytes(blob.bytes()).unwrap();
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
    let head = Head::SquashedGaussian {
        scale: blobs::action(&[2.0, 3.0]),
        bias: blobs::action(&[0.5, 0.0]),
        log_std: LogStdBound::Tanh { min: -1.0, max: 0.0 },
    };
    let z = [0.5, -1.0, 0.0, 0.0];
    let float = [[0x3f92_0abc, 0xc013_537d], [0x4012_c35d, 0xbfee_c938]];
    // Another tanh, and only that.
    let fixed = [[0x3f92_0800, 0xc013_5400], [0x4012_c200, 0xbfee_c500]];
    for (sample, pinned) in
        [(blobs::giving(head.clone(), &z), float), (blobs::giving_fixed(head.clone(), &z), fixed)]
    {
        let blob = sample.blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2026);
        let actions: Vec<Vec<u32>> =
            (0..2).map(|_| bits(&policy.sample(&OUTPUT_OBSERVATION, &mut rng).unwrap())).collect();
        assert_eq!(actions, pinned, "{actions:08x?}");
    }
}

#[test]
fn sampled_actions_of_the_clamped_gaussian_are_pinned() {
    // ζ = −1 gives σ = 0.368, ζ = 3 the largest σ, 0.5.
    let head = Head::ClampedGaussian {
        low: blobs::action(&[-1.0, 0.5]),
        high: blobs::action(&[2.0, 0.75]),
        std_min: 0.01,
        std_max: 0.5,
    };
    let z = [0.25, 0.625, -1.0, 3.0];
    // No tanh: integers whose z are the same give the same.
    for sample in [blobs::giving(head.clone(), &z), blobs::giving_fixed(head.clone(), &z)] {
        let blob = sample.blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2026);
        let actions: Vec<Vec<u32>> =
            (0..3).map(|_| bits(&policy.sample(&OUTPUT_OBSERVATION, &mut rng).unwrap())).collect();
        let pinned =
            [[0x3e17_c48c, 0x3f1d_1731], [0x3f54_3698, 0x3f40_0000], [0x3e80_c980, 0x3f00_0000]];
        assert_eq!(actions, pinned, "{actions:08x?}");
    }
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
        for sample in [blobs::giving(head.clone(), &q), blobs::giving_fixed(head.clone(), &q)] {
            let blob = sample.blob();
            // Whatever the grid has, nothing of it is kept between two layers.
            let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
            assert_eq!(policy.head(), sample.head.as_slices());
            assert_eq!(policy.act(&OUTPUT_OBSERVATION).unwrap()[..], [action]);
        }
    }
}

#[test]
fn algorithms_have_their_names_and_numbers() {
    let names = ["sac", "ddpg", "td3", "dqn", "double-dqn", "sac-v", "sac-m"];
    for (number, (algorithm, name)) in (0_u8..).zip(blobs::ALGORITHMS.into_iter().zip(names)) {
        let sample = Sample { algorithm, ..blobs::spring() };
        let blob = sample.blob();
        assert_eq!(blob.bytes()[128], number, "{name}");
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        assert_eq!(policy.contract().unwrap().algorithm(), algorithm);
        assert_eq!(algorithm.to_string(), name);
    }
}

#[test]
fn a_plain_observation_may_be_longer_than_the_width() {
    let mut sample = blobs::spring();
    sample.observation_size = 100;
    let mut weights = vec![0.0; 2 * 101 + 6];
    // Both means are 0 but for the last observation entry: h₀ = x₉₉, μ = 2 h₀.
    (weights[2 + 2 * 99], weights[2 * 101 + 2]) = (1.0, 2.0);
    sample.network = Network::F32(weights);
    sample.examples.clear();
    let blob = sample.with_entries().blob();
    let policy: Policy<'_, f32, 16> = Policy::from_bytes(blob.bytes()).unwrap();
    let mut observation = [0.0; 100];
    assert_eq!(policy.act(&observation).unwrap()[0], 0.5);
    observation[99] = 0.125;
    let expected = 2.0 * libm::tanhf(0.25) + 0.5;
    assert_eq!(policy.act(&observation).unwrap()[0].to_bits(), expected.to_bits());
}

#[test]
fn the_width_is_what_is_kept_between_two_layers() {
    let width = |sample: &Sample| format::width(sample.blob().bytes());
    let [float, wide, narrow] = blobs::of_each_kind();
    assert_eq!((width(&float), width(&wide), width(&narrow)), (16, 4, 4));
    let mut normalised = float.clone();
    normalised.normalisation = Some((vec![0.0; 3], vec![1.0; 3]));
    // A panel of the last layer's outputs is kept, which has more.
    assert_eq!(width(&normalised), 16);
    normalised.observation_size = 18;
    normalised.normalisation = Some((vec![0.0; 18], vec![1.0; 18]));
    *normalised.floats() = vec![0.0; 2 * 19 + 6];
    normalised.examples.clear();
    let mut long = normalised.with_entries();
    assert_eq!(width(&long), 18);
    long.normalisation = None;
    assert_eq!(width(&long), 16);
    assert_eq!(width(&blobs::widened(float, 17)), 17);
    // Of other outputs of the last layer nothing is kept.
    let one = blobs::giving(blobs::heads()[5].clone(), &[0.0; 4]);
    assert_eq!(width(&one), 16);
    assert!(Policy::<'_, f32, 16>::from_bytes(one.blob().bytes()).unwrap().act(&[0.0; 2]).is_ok());
    assert_eq!(width(&blobs::giving_fixed(blobs::heads()[5].clone(), &[0.0; 4])), 2);
    for no_blob in [&[][..], &[0; 31]] {
        assert_eq!((format::width(no_blob), WeightKind::of(no_blob)), (0, None));
    }
}

#[test]
fn bytes_can_be_aligned_in_constants() {
    const PAIR: &Aligned<[u8]> = &Aligned([1, 2, 3]);
    static ONE: Aligned<[u8; 5]> = Aligned([7; 5]);
    assert_eq!((PAIR.0.as_ptr().addr() % 4, ONE.0.as_ptr().addr() % 4), (0, 0));
    const FILE: &[u8] = policy_core::include_policy!("../golden/v1-int8.bin");
    assert_eq!((FILE.as_ptr().addr() % 4, FILE), (0, &include_bytes!("../golden/v1-int8.bin")[..]));
}

/// `spring` with a linear first layer b = 0, all weights `w`, and a last layer that gives
/// (h₀ + h₁ · `second`, 0).
fn overflowing(activation: Activation, w: f32, second: f32) -> Sample {
    let mut sample = blobs::spring();
    sample.layers[0].activation = activation;
    *sample.floats() = vec![0.0, 0.0, w, w, w, w, w, w, 0.0, 0.0, 1.0, 0.0, second, 0.0];
    sample
}

#[test]
fn an_infinity_with_a_sign_gives_the_end_of_the_range() {
    let blob = overflowing(Activation::Linear, 2.0, 1.0).blob();
    let policy: Policy<'_, f32, 16> = Policy::from_bytes(blob.bytes()).unwrap();
    assert_eq!(policy.act(&[f32::MAX, 0.0, 0.0]).unwrap()[0], 2.5);
    assert_eq!(policy.act(&[f32::MIN, 0.0, 0.0]).unwrap()[0], -1.5);
}

#[test]
fn an_overflow_without_a_sign_is_refused() {
    let refused = Err(ActError::ActionNotFinite { index: 0 });
    for activation in [Activation::Linear, Activation::Relu] {
        // Both hidden outputs overflow to ∞, and μ = ∞ − ∞.
        let blob = overflowing(activation, 2.0, -1.0).blob();
        let policy: Policy<'_, f32, 16> = Policy::from_bytes(blob.bytes()).unwrap();
        assert_eq!(policy.act(&[f32::MAX, 0.0, 0.0]), refused);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(policy.sample(&[f32::MAX, 0.0, 0.0], &mut rng), refused);
        // Already the hidden outputs are ∞ − ∞: a relu must not make them 0.
        assert_eq!(policy.act(&[f32::MAX, f32::MIN, 0.0]), refused);
    }
}

#[test]
fn integers_take_the_end_of_their_range_for_what_is_beyond() {
    for sample in [blobs::cart_16(), blobs::cart()] {
        let blob = sample.blob();
        let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        for (far, end) in [(f32::MAX, 1e6), (f32::MIN, -1e6)] {
            assert_eq!(policy.act(&[far; 3]).unwrap(), policy.act(&[end; 3]).unwrap());
        }
    }
}

#[test]
fn a_noise_without_a_sign_is_refused_in_integers_too() {
    // μ = ∞ and σ ε = −∞ in some draws, and their sum has no sign.
    let head = Head::SquashedGaussian {
        scale: blobs::action(&[1.0]),
        bias: blobs::action(&[0.0]),
        log_std: LogStdBound::Clamp { min: 1000.0, max: 1000.0 },
    };
    let blob = blobs::giving_fixed(head, &[f32::INFINITY, 0.0]).blob();
    let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
    assert_eq!(policy.act(&OUTPUT_OBSERVATION).unwrap()[0], 1.0);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let draws: Vec<_> = (0..100).map(|_| policy.sample(&OUTPUT_OBSERVATION, &mut rng)).collect();
    let refused = Err(ActError::ActionNotFinite { index: 0 });
    let count = draws.iter().filter(|draw| **draw == refused).count();
    assert!((30..70).contains(&count), "{count}");
    assert!(draws.iter().flatten().all(|action| action[0] == 1.0));
}

#[test]
fn the_smallest_and_the_largest_width_agree() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        let narrow = AnyPolicy::<16>::read(blob.bytes()).unwrap();
        let wide = AnyPolicy::<1000>::read(blob.bytes()).unwrap();
        assert_eq!(
            narrow.action_words(&SPRING_OBSERVATION),
            wide.action_words(&SPRING_OBSERVATION)
        );
    }
}

proptest! {
    #[test]
    fn the_width_that_a_reader_asks_for_is_the_one_that_a_blob_has(sample in blobs::sample()) {
        let blob = sample.blob();
        let found = format::width(blob.bytes());
        let error = AnyPolicy::<0>::read(blob.bytes()).err();
        prop_assert_eq!(error, Some(BlobError::TooWide { found, limit: 0 }));
    }

    #[test]
    fn every_policy_comes_back(sample in blobs::sample()) {
        let blob = sample.blob();
        let policy = AnyPolicy::<64>::read(blob.bytes()).unwrap();
        prop_assert_eq!(policy.head(), sample.head.as_slices());
        prop_assert_eq!(policy.shapes(), sample.layers.clone());
        prop_assert_eq!(policy.normalisation(), sample.normalisation.clone());
        let shapes = sample.shapes();
        if let (AnyPolicy::F32(policy), Network::F32(weights)) = (&policy, &sample.network) {
            let mut read = Vec::new();
            for (layer, (&(inputs, outputs), LayerShape { activation, .. })) in
                policy.layers().zip(shapes.iter().zip(&sample.layers))
            {
                prop_assert_eq!((layer.inputs(), layer.outputs()), (inputs, outputs));
                prop_assert_eq!(layer.activation(), *activation);
                read.extend(blobs::weights(&layer));
            }
            prop_assert_eq!(bits(&read), bits(weights));
        }
        let contract = policy.contract().unwrap();
        prop_assert_eq!(contract.plant(), sample.plant.as_str());
        let entries = sample.observation.iter().chain(&sample.action);
        prop_assert!(contract
            .observation()
            .chain(contract.action())
            .eq(entries.map(blobs::Entry::channel)));
        // The encoder is a function of the description, whatever was in its buffer.
        let mut dirty = vec![0xaa; blob.bytes().len()];
        prop_assert_eq!(sample.encode(&mut dirty), Ok(blob.bytes().len()));
        prop_assert_eq!(&dirty, blob.bytes());
    }
}
