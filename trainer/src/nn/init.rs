//! First values of weights and biases.

use policy_core::gaussian::uniform;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::Mlp;
use crate::autodiff::Params;
use crate::scalar::Scalar;

/// How a network starts. In each case numbers are drawn layer by layer, weights `[inputs, outputs]`
/// row by row before biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialisation {
    /// Weights and biases U(−1/√inputs, 1/√inputs), as `torch.nn.Linear` draws them.
    Pytorch,
    /// Weights U(−√(6/(inputs + outputs)), +…), biases 0 (Glorot and Bengio, 2010, eq. 16).
    XavierUniform,
}

impl Initialisation {
    /// Draws the parameters of a network whose last layer is made of `heads` equal parts that
    /// count as layers of their own.
    pub fn draw<T: Scalar, R: Rng>(
        self,
        params: &mut Params<T>,
        network: &Mlp,
        heads: usize,
        rng: &mut R,
    ) {
        let count = network.layers().len();
        for (index, layer) in network.layers().iter().enumerate() {
            let outputs = if index + 1 == count { layer.outputs / heads } else { layer.outputs };
            let (weight_bound, bias_bound) = match self {
                Initialisation::Pytorch => {
                    let bound = 1.0 / (layer.inputs as f64).sqrt();
                    (bound, bound)
                }
                Initialisation::XavierUniform => {
                    ((6.0 / (layer.inputs + outputs) as f64).sqrt(), 0.0)
                }
            };
            for (range, bound) in [(layer.weights(), weight_bound), (layer.bias(), bias_bound)] {
                for parameter in &mut params.value[range] {
                    *parameter = T::from_f64(bound * (2.0 * f64::from(uniform(rng)) - 1.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Layout};
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn bounds_are_reached_and_kept() {
        let network = Mlp::new(&mut Layout::default(), &[100, 50, 2], Activation::Relu);
        for (init, weight_bound, bias_bound) in
            [(Initialisation::Pytorch, 0.1, 0.1), (Initialisation::XavierUniform, 0.2, 0.0)]
        {
            let mut params: Params<f64> = Params::new(network.range().end);
            init.draw(&mut params, &network, 2, &mut ChaCha8Rng::seed_from_u64(5));
            let (weights, bias) = network.layer(&params, 0);
            let most = weights.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
            assert!(most <= weight_bound && most > 0.99 * weight_bound);
            assert!(weights.mean().unwrap().abs() < 0.05 * weight_bound);
            assert!(bias.iter().all(|b| b.abs() <= bias_bound));
        }
    }

    #[test]
    fn heads_count_as_layers_of_their_own() {
        let network = Mlp::new(&mut Layout::default(), &[20, 100], Activation::Relu);
        let mut params: Params<f64> = Params::new(network.range().end);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        Initialisation::XavierUniform.draw(&mut params, &network, 50, &mut rng);
        let most = params.value.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
        assert!(most > 0.51 && most <= (6.0_f64 / 22.0).sqrt(), "{most}, not √(6/120)");
    }
}
