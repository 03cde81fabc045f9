//! What an action of a policy costs on microcontrollers, before one has it: estimates from measured policies.
//!
//! `measured.csv` holds what `tests/cost/shapes --write` measured in the emulator, of policies of many shapes on
//! five cores. To the rows that are called `fit`, a line is fitted for each core and each kind of weights:
//!
//! ```text
//! instructions ≈ a + b · layers + c · weights in panels of 16 rows + d · other weights + e · rows
//!                  + f · tanh of hidden units + g · outputs that the head takes
//! stack        ≈ a + b · width
//! ```
//!
//! with relative errors squared. The rows called `check` are of other shapes and never fitted. What an estimate says of itself is
//! the largest error on all rows, these among them. For a policy that is larger or smaller than all that were measured, and on a core
//! where a kind of weights was not, there is no estimate, and none of the stack where a layer is
//! wider than all that were measured.

mod line;
mod model;

use policy_core::format::WeightKind;
use policy_core::{Activation, Head};

use crate::policy::AnyPolicy;
use line::dot;
use model::{Line, models};

/// Cores that were measured, and what they are called.
pub const CORES: [(&str, &str); 5] = [
    ("m0", "Cortex-M0"),
    ("m3", "Cortex-M3"),
    ("m4", "Cortex-M4F, M7F"),
    ("m33", "Cortex-M33, M55"),
    ("rv32", "RV32IMAC"),
];
/// All kinds of weights.
pub const KINDS: [WeightKind; 3] = [WeightKind::F32, WeightKind::Int16, WeightKind::Int8];

/// Rows of a panel of weights.
const PANEL: usize = 16;

/// A figure, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The largest error on policies that were measured, those among them that were not fitted: a share of the figure for
    /// instructions, bytes for a stack.
    pub error: f64,
}

/// What a policy costs on a core.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// What the core is called.
    pub core: &'static str,
    /// Instructions of an action; `None` where there is no estimate.
    pub instructions: Option<Estimate>,
    /// Bytes of stack that loading and testing a policy takes.
    pub stack_to_load: Option<Estimate>,
    /// Bytes of stack that an action takes.
    pub stack_to_act: Option<Estimate>,
    /// Bytes of code, from the smallest to the largest that was measured; they hardly depend on the policy.
    pub code: Option<(u32, u32)>,
}

/// What the cost of a policy depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Entries of an observation.
    pub inputs: usize,
    /// Outputs of each layer, and whether tanh stands behind it; of the last one those that the head takes: of a Gaussian
    /// the means alone.
    pub layers: Vec<(usize, bool)>,
}

impl Shape {
    /// That of a policy.
    pub fn of(policy: &AnyPolicy<'_>) -> Shape {
        let layers = policy.shapes().into_iter();
        let layers = layers.map(|l| (l.outputs.into(), l.activation == Activation::Tanh));
        let mut layers: Vec<(usize, bool)> = layers.collect();
        let gaussian =
            matches!(policy.head(), Head::SquashedGaussian { .. } | Head::ClampedGaussian { .. });
        if let (true, Some(last)) = (gaussian, layers.last_mut()) {
            last.0 = policy.action_size();
        }
        Shape { inputs: policy.observation_size(), layers }
    }

    /// Inputs and outputs of each layer.
    fn sizes(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let inputs = std::iter::once(self.inputs).chain(self.layers.iter().map(|layer| layer.0));
        inputs.zip(self.layers.iter().map(|layer| layer.0))
    }

    /// Weights, without biases.
    fn weights(&self) -> usize {
        self.sizes().map(|(inputs, outputs)| inputs * outputs).sum()
    }

    /// 1, layers, weights in whole panels, other weights, rows, tanh of hidden units, outputs. Integers are stored in pairs,
    /// with zeros where one is missing.
    fn instruction_terms(&self, kind: WeightKind) -> Vec<f64> {
        let pair = |n: usize| if kind == WeightKind::F32 { n } else { n.next_multiple_of(2) };
        let (mut panels, mut others, mut rows) = (0, 0, 0);
        for (inputs, outputs) in self.sizes() {
            let whole = outputs / PANEL * PANEL;
            panels += whole * pair(inputs);
            others += pair(outputs - whole) * pair(inputs);
            rows += pair(outputs);
        }
        let hidden = &self.layers[..self.layers.len().saturating_sub(1)];
        let tanh: usize = hidden.iter().filter(|layer| layer.1).map(|layer| layer.0).sum();
        let outputs = self.layers.last().map_or(0, |layer| layer.0);
        [1, self.layers.len(), panels, others, rows, tanh, outputs].map(|x| x as f64).to_vec()
    }

    /// The most numbers that lie between two layers, or before the first one.
    fn width(&self) -> usize {
        let hidden = &self.layers[..self.layers.len().saturating_sub(1)];
        hidden.iter().map(|layer| layer.0).fold(self.inputs, usize::max)
    }

    /// 1, width.
    fn stack_terms(&self) -> Vec<f64> {
        vec![1.0, self.width() as f64]
    }
}

/// What a policy of that shape costs with that kind of weights, on each of [`CORES`].
pub fn costs(shape: &Shape, kind: WeightKind) -> Vec<Cost> {
    CORES.iter().map(|(core, called)| cost(shape, kind, core, called)).collect()
}

fn cost(shape: &Shape, kind: WeightKind, core: &str, called: &'static str) -> Cost {
    let nothing = Cost {
        core: called,
        instructions: None,
        stack_to_load: None,
        stack_to_act: None,
        code: None,
    };
    let model = models().iter().find(|model| model.core == core && model.kind == kind);
    let Some(model) = model.filter(|model| model.covers(shape)) else { return nothing };
    let estimate = |fitted: &Option<Line>, terms: Vec<f64>| {
        fitted.as_ref().map(|line| Estimate { value: dot(&line.terms, &terms), error: line.error })
    };
    let stack = |fitted: &Option<Line>| {
        model.covers_width(shape).then(|| estimate(fitted, shape.stack_terms())).flatten()
    };
    Cost {
        core: called,
        instructions: estimate(&model.instructions, shape.instruction_terms(kind)),
        stack_to_load: stack(&model.stack_to_load),
        stack_to_act: stack(&model.stack_to_act),
        code: model.code,
    }
}

/// As `measured.csv` calls it.
pub fn kind_name(kind: WeightKind) -> &'static str {
    match kind {
        WeightKind::Int16 => "int16",
        WeightKind::Int8 => "int8",
        _ => "f32",
    }
}

#[cfg(test)]
mod tests {
    use super::model::measured;
    use super::*;

    fn shape(inputs: usize, layers: &[(usize, bool)]) -> Shape {
        Shape { inputs, layers: layers.to_vec() }
    }

    #[test]
    fn shapes_have_their_terms() {
        let shape = shape(3, &[(20, true), (16, false), (1, false)]);
        assert_eq!(shape.weights(), 60 + 320 + 16);
        // 16 of the 20 rows are a panel.
        let terms = [1.0, 3.0, 48.0 + 320.0, 12.0 + 16.0, 37.0, 20.0, 1.0];
        assert_eq!(shape.instruction_terms(WeightKind::F32), terms);
        let terms = [1.0, 3.0, 64.0 + 320.0, 16.0 + 32.0, 38.0, 20.0, 1.0];
        assert_eq!(shape.instruction_terms(WeightKind::Int8), terms);
        assert_eq!(shape.stack_terms(), [1.0, 20.0]);
    }

    /// The rows of the table are all read, and none is used for both.
    #[test]
    fn what_is_checked_was_not_fitted() {
        let rows = measured();
        let of = |wanted: &str| -> Vec<(String, String, Shape)> {
            let rows = rows.iter().filter(|row| row.use_ == wanted);
            rows.map(|row| (row.core.clone(), row.weights.clone(), row.shape())).collect()
        };
        let (to_fit, to_check) = (of("fit"), of("check"));
        assert_eq!(to_fit.len() + to_check.len(), rows.len());
        assert!(to_check.iter().all(|row| !to_fit.contains(row)));
    }

    /// Of rows that no line was fitted to: instructions within 10 %, and stacks within 16 bytes. Where floating point is
    /// software it is 25 %: products with zero, which ReLU makes, are short, and how many there are is not known before.
    #[test]
    fn estimates_hold_on_policies_that_were_not_fitted() {
        let mut worst = std::collections::BTreeMap::new();
        for row in measured().iter().filter(|row| row.use_ == "check") {
            let kind = KINDS.into_iter().find(|kind| kind_name(*kind) == row.weights).unwrap();
            let called = CORES.iter().find(|core| core.0 == row.core).unwrap().1;
            let cost = cost(&row.shape(), kind, &row.core, called);
            let name = format!("{} {} {}", row.core, row.weights, row.layers);
            match (cost.instructions, row.instructions) {
                (Some(estimate), Some(value)) => {
                    let error = (estimate.value / value - 1.0).abs();
                    let soft =
                        row.weights == "f32" && !row.core.starts_with("m4") && row.core != "m33";
                    assert!(error <= if soft { 0.25 } else { 0.1 }, "{name}: {error}");
                    assert!(error <= estimate.error + 1e-9, "{name}: {error}");
                    let of =
                        worst.entry((row.core.clone(), row.weights.clone())).or_insert(0.0_f64);
                    *of = of.max(error);
                }
                // Zeros on the M3 say nothing of other observations.
                (None, None) => assert_eq!([&row.core, &row.weights], ["m3", "f32"]),
                (estimate, value) => panic!("{name}: {estimate:?}, measured {value:?}"),
            }
            for (estimate, value) in
                [(cost.stack_to_load, row.stack_load), (cost.stack_to_act, row.stack_act)]
            {
                let error = (estimate.unwrap().value - value).abs();
                assert!(error <= 16.0, "{name}: stack off by {error} bytes");
            }
            let (least, most) = cost.code.unwrap();
            assert!((least..=most).contains(&row.code) && most - least < 200, "{name}");
        }
        for ((core, kind), error) in worst {
            println!("{core} {kind}: largest error on policies not fitted {:.1} %", 100.0 * error);
        }
    }

    #[test]
    fn what_was_not_measured_is_not_estimated() {
        for layers in [vec![(2000, false), (2000, false), (1, false)], vec![(2, false), (1, false)]]
        {
            let costs = costs(&shape(3, &layers), WeightKind::F32);
            assert!(costs.iter().all(|cost| cost.instructions.is_none() && cost.code.is_none()));
        }
        // So many weights were measured, but not in a layer that wide.
        for kind in KINDS {
            let wide = costs(&shape(3, &[(2000, false), (1, false)]), kind);
            let stacks = |cost: &Cost| [cost.stack_to_load, cost.stack_to_act];
            assert!(wide.iter().flat_map(stacks).all(|stack| stack.is_none()));
        }
    }
}
