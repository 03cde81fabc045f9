//! The squashed Gaussian policy of SAC.

use policy_core::{Head, LogStdBound};
use serde::{Deserialize, Serialize};

use super::action_range::entries;
use super::{ActionRange, Mlp};
use crate::autodiff::Var;

/// Keeps the logarithm finite where tanh saturates, as the published code does.
const EPSILON: f64 = 1e-6;
/// ½ log 2π
const HALF_LOG_2_PI: f64 = 0.918_938_533_204_672_7;

/// How a raw output ζ becomes log σ within [min, max].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStdForm {
    /// log σ = min(max(ζ, min), max)
    Clamp,
    /// log σ = min + ½ (max − min) (tanh ζ + 1)
    Tanh,
}

/// π(a|s): u ~ N(μ(s), σ(s)), a = scale · tanh(u) + bias.
#[derive(Debug, Clone)]
pub struct SquashedGaussian {
    /// s → (μ | ζ), `[B, obs]` → `[B, 2 act]`.
    pub network: Mlp,
    /// Where actions lie.
    pub range: ActionRange,
    /// ζ → log σ.
    pub log_std_form: LogStdForm,
    /// (min, max) of log σ.
    pub log_std_bounds: (f64, f64),
}

impl SquashedGaussian {
    /// An action and its log-likelihood, reparametrised by ε ~ N(0, 1), `[B, act]`
    /// (arXiv:1812.05905, eq. 8 and appendix C):
    ///
    /// ```text
    /// u = μ + σε        a = scale · tanh(u) + bias
    /// log π(a|s) = Σᵢ [ log N(uᵢ; μᵢ, σᵢ) − log(scaleᵢ (1 − tanh² uᵢ) + 1e-6) ]
    /// log N(u; μ, σ) = −½ε² − log σ − ½ log 2π        1 − tanh² u = 4t/(1 + t)²,  t = e^(−2|u|)
    /// ```
    pub fn sample<'g>(&self, s: Var<'g>, epsilon: Var<'g>) -> (Var<'g>, Var<'g>) {
        let (mean, log_std) = self.distribution(s);
        self.sample_from(mean, log_std, epsilon)
    }

    /// The same from μ and log σ, `[B, act]` each.
    pub fn sample_from<'g>(
        &self,
        mean: Var<'g>,
        log_std: Var<'g>,
        epsilon: Var<'g>,
    ) -> (Var<'g>, Var<'g>) {
        let u = mean + log_std.exp() * epsilon;
        let squashed = u.tanh();
        let log_normal = -0.5 * epsilon.square() - log_std - HALF_LOG_2_PI;
        let slope = u.sech_square().affine(&self.range.scale(), &[EPSILON]);
        let log_likelihood = (log_normal - slope.ln()).sum_columns();
        (self.range.spread(squashed), log_likelihood)
    }

    /// The greedy action scale · tanh(μ) + bias, `[B, obs]` → `[B, act]`
    pub fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.range.spread(self.distribution(s).0.tanh())
    }

    /// μ and log σ, `[B, act]` each.
    pub fn distribution<'g>(&self, s: Var<'g>) -> (Var<'g>, Var<'g>) {
        let z = self.network.apply(s);
        let actions = self.range.len();
        let (mean, raw) = (z.columns(0..actions), z.columns(actions..2 * actions));
        let (min, max) = self.log_std_bounds;
        let log_std = match self.log_std_form {
            LogStdForm::Clamp => raw.clamp(min, max),
            LogStdForm::Tanh => raw.tanh().affine(&[0.5 * (max - min)], &[0.5 * (max + min)]),
        };
        (mean, log_std)
    }

    /// What the exported policy does with z where the environment's actions lie in `range`.
    pub fn head(&self, range: &ActionRange) -> Head {
        let (scale, bias) = (entries(&range.scale()), entries(&range.bias()));
        let (min, max) = (self.log_std_bounds.0 as f32, self.log_std_bounds.1 as f32);
        let log_std = match self.log_std_form {
            LogStdForm::Clamp => LogStdBound::Clamp { min, max },
            LogStdForm::Tanh => LogStdBound::Tanh { min, max },
        };
        Head::SquashedGaussian { scale, bias, log_std }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::{Graph, Interpreter, Params, Plan, Program};
    use crate::nn::{Activation, Layout};

    /// The density of a over its range must integrate to 1.
    #[test]
    fn the_likelihood_is_a_density() {
        for (log_std_form, log_std_bounds) in
            [(LogStdForm::Clamp, (-20.0, 2.0)), (LogStdForm::Tanh, (-5.0, 2.0))]
        {
            let n = 4001;
            let mut layout = Layout::default();
            let network = Mlp::new(&mut layout, &[1, 2], Activation::Relu);
            let range = ActionRange::new(&[-1.5], &[2.5]);
            let policy = SquashedGaussian { network, range, log_std_form, log_std_bounds };
            let graph = Graph::new(n);
            let (action, log_pi) = policy.sample(graph.input(1), graph.input(1));
            let mut program: Interpreter = graph.compile(None, &[], &[action, log_pi]).unwrap();
            let mut params = Params::new(layout.len());
            params.value.copy_from_slice(&[0.0, 0.0, 0.3, -0.5]);
            let epsilon: Vec<f64> =
                (0..n).map(|i| (i as f64 / (n - 1) as f64 - 0.5) * 12.0).collect();
            program.run(&mut params, &[&vec![0.0; n], &epsilon]);
            let (a, log_pi) = (program.kept(0), program.kept(1));
            let area: f64 = (1..n)
                .map(|i| (a[i] - a[i - 1]) * 0.5 * (log_pi[i].exp() + log_pi[i - 1].exp()))
                .sum();
            assert!((area - 1.0).abs() < 1e-4, "{area}");
            assert!(a[0] > -1.5 && a[n - 1] < 2.5);
        }
    }
    /// log π(a|s) and its derivative by μ, in `f32`, of a policy whose μ is s and whose σ is 1.
    fn in_f32(u: f32, scale: f64) -> (f64, f64) {
        let mut layout = Layout::default();
        let network = Mlp::new(&mut layout, &[1, 2], Activation::Relu);
        let range = ActionRange::new(&[-scale], &[scale]);
        let (log_std_form, log_std_bounds) = (LogStdForm::Clamp, (-20.0, 2.0));
        let policy = SquashedGaussian { network, range, log_std_form, log_std_bounds };
        let graph = Graph::new(1);
        let (_, log_pi) = policy.sample(graph.input(1), graph.input(1));
        let all = [0..layout.len()];
        let mut program: Plan = graph.compile(Some(log_pi.mean()), &all, &[]).unwrap();
        let mut params = Params::new(layout.len());
        params.value.copy_from_slice(&[1.0, 0.0, 0.0, 0.0]);
        program.run(&mut params, &[&[u], &[0.0]]);
        (f64::from(program.loss()), f64::from(params.gradient[2]))
    }

    /// As 1 − tanh² u it lost all digits of large u: 8e-3 of the value at |u| = 8.
    #[test]
    fn saturated_actions_lose_no_digits() {
        for scale in [0.1, 1.0, 2.0, 30.0] {
            for u in (-2000..=2000).map(|i| i as f32 * 0.005) {
                let t = libm::exp(-2.0 * f64::from(u.abs()));
                let sech_square = 4.0 * t / ((1.0 + t) * (1.0 + t));
                let tanh = libm::tanh(f64::from(u));
                let slope = scale * sech_square + EPSILON;
                let wanted = -HALF_LOG_2_PI - slope.ln();
                let derivative = scale * 2.0 * tanh * sech_square / slope;
                let (value, by_mean) = in_f32(u, scale);
                for (found, wanted) in [(value, wanted), (by_mean, derivative)] {
                    let error = (found - wanted).abs() / wanted.abs().max(1.0);
                    assert!(error < 1e-6, "u = {u}, scale {scale}: {found}, not {wanted}");
                }
            }
        }
    }
}
