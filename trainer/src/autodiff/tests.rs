//! The interpreter against central differences, the plan against the interpreter.

use policy_core::gaussian::fill_normal;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::ops::{Binary, Op, Unary};
use super::{Graph, GraphError, Interpreter, Linear, Params, Plan, Program, Tape, Var};
use crate::scalar::Scalar;
use crate::state::{StateError, Walk};

const BATCH: usize = 4;
/// Parameters of every test graph: layers 3 → 5 and 5 → 2, two single ones.
const PARAMETERS: usize = 20 + 12 + 2;
const FIRST: Linear = Linear { start: 0, inputs: 3, outputs: 5 };
const SECOND: Linear = Linear { start: 20, inputs: 5, outputs: 2 };

type Loss = for<'g> fn(Inputs<'g>) -> Var<'g>;

/// What a test loss is made of: x `[B, 3]`, z = x W + b `[B, 5]`, single numbers p and q.
#[derive(Clone, Copy)]
struct Inputs<'g> {
    x: Var<'g>,
    z: Var<'g>,
    p: Var<'g>,
    q: Var<'g>,
}

/// Every operation, by itself and where it matters in company.
const LOSSES: &[(&str, Loss)] = &[
    ("linear", |i| i.z.linear(SECOND).mean()),
    ("a value with two readers", |i| i.z.linear(SECOND).concat(i.z).square().mean()),
    ("the same layer twice", |i| {
        i.z.relu().linear(SECOND).square().mean() + i.z.tanh().linear(SECOND).mean()
    }),
    ("relu", |i| (i.z.relu() * i.z.relu()).mean()),
    ("tanh", |i| i.z.tanh().mean()),
    ("relu fused", |i| i.z.relu().linear(SECOND).square().mean()),
    ("tanh fused", |i| i.z.tanh().linear(SECOND).square().mean()),
    ("exp", |i| i.z.exp().mean()),
    ("ln", |i| (i.z.square() + 0.5).ln().mean()),
    ("square", |i| i.z.square().mean()),
    ("sech_square", |i| i.z.sech_square().mean()),
    ("huber", |i| i.z.huber(0.7).mean()),
    ("clamp", |i| i.z.clamp(-0.4, 0.6).square().mean()),
    ("addition", |i| (i.z + i.z.square()).mean()),
    ("addition of a single number", |i| (i.z + i.p).square().mean()),
    ("subtraction", |i| (i.z.tanh() - i.z.square()).mean()),
    ("subtraction from a single number", |i| (i.p - i.z).square().mean()),
    ("multiplication", |i| (i.z * i.z.tanh()).mean()),
    ("multiplication by itself", |i| (i.z * i.z).mean()),
    ("multiplication by a single number", |i| (i.p.exp() * i.z.square()).mean()),
    ("single numbers", |i| (i.p * i.q - i.p.exp()).mean()),
    ("min", |i| i.z.square().min(i.z.exp()).mean()),
    ("affine", |i| i.z.affine(&[1.0, -2.0, 0.5, 3.0, 0.0], &[0.3]).square().mean()),
    ("negation and constants", |i| (2.0 - 3.0 * -(i.z - 0.25)).square().mean()),
    ("concat", |i| i.x.concat(i.z).concat(i.z.columns(1..3)).square().mean()),
    ("columns", |i| (i.z.columns(0..2) * i.z.columns(3..5)).mean()),
    ("gather", |i| (i.z.gather(i.x.argmax()) * i.z.columns(1..2)).square().mean()),
    ("max of columns", |i| (i.z.max_columns() + i.z.square().max_columns()).mean()),
    ("sum of columns", |i| i.z.sum_columns().square().mean()),
    ("mean of a mean", |i| i.z.square().mean().mean()),
];

fn normals(seed: u64, n: usize) -> Vec<f32> {
    let mut x = vec![0.0; n];
    fill_normal(&mut ChaCha8Rng::seed_from_u64(seed), &mut x);
    x
}

/// Compiles a loss and its derivatives by whatever it depends on; `keep_z` lets z be read after a
/// run, which forbids fusing it.
fn compile<P: Program>(loss: Loss, keep_z: bool) -> P {
    let graph = Graph::new(BATCH);
    let x = graph.input(3);
    let inputs = Inputs {
        x,
        z: x.linear(FIRST),
        p: graph.parameter(PARAMETERS - 2),
        q: graph.parameter(PARAMETERS - 1),
    };
    let loss = loss(inputs);
    let ranges = [FIRST.range(), SECOND.range(), 32..33, 33..34];
    let depends = |r: &std::ops::Range<usize>| {
        graph.compile::<Interpreter>(Some(loss), std::slice::from_ref(r), &[]).is_ok()
    };
    let ranges: Vec<_> = ranges.into_iter().filter(depends).collect();
    let keep = if keep_z { vec![inputs.z] } else { vec![] };
    graph.compile(Some(loss), &ranges, &keep).unwrap()
}

/// (loss, gradient)
fn evaluate<P: Program>(program: &mut P, value: &[f64], x: &[f64]) -> (f64, Vec<f64>) {
    let cast = |x: &[f64]| x.iter().map(|&x| P::Scalar::from_f64(x)).collect::<Vec<_>>();
    let back = |x: &[P::Scalar]| x.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    let mut params = Params::new(PARAMETERS);
    params.value = cast(value);
    program.run(&mut params, &[&cast(x)]);
    (program.loss().to_f64(), back(&params.gradient))
}

fn case(seed: u64) -> (Vec<f64>, Vec<f64>) {
    let to_f64 = |x: Vec<f32>| x.into_iter().map(|x| f64::from(x) * 0.7).collect();
    (to_f64(normals(seed, PARAMETERS)), to_f64(normals(seed + 1000, BATCH * 3)))
}

#[test]
fn derivatives_are_central_differences() {
    for &(name, loss) in LOSSES {
        let mut program: Interpreter = compile(loss, false);
        for seed in 0..8 {
            let (value, x) = case(seed);
            let (_, gradient) = evaluate(&mut program, &value, &x);
            assert!(gradient.iter().any(|g| *g != 0.0), "{name}: the gradient is zero");
            for i in 0..PARAMETERS {
                let h = 1e-6;
                let at = |shift: f64, program: &mut Interpreter| {
                    let mut value = value.clone();
                    value[i] += shift;
                    evaluate(program, &value, &x).0
                };
                let difference = (at(h, &mut program) - at(-h, &mut program)) / (2.0 * h);
                let error = (gradient[i] - difference).abs() / (1.0 + difference.abs());
                assert!(
                    error < 2e-8,
                    "{name}, seed {seed}: dL/dθ[{i}] = {}, difference quotient {difference}",
                    gradient[i]
                );
            }
        }
    }
}

#[test]
fn the_plan_agrees_with_the_interpreter() {
    for &(name, loss) in LOSSES {
        let mut interpreter: Interpreter = compile(loss, false);
        let (mut fused, mut unfused): (Plan, Plan) = (compile(loss, false), compile(loss, true));
        if name.ends_with("fused") {
            assert!(fused.len() < unfused.len(), "{name}");
        }
        for (seed, plan) in (0..8).flat_map(|seed| [(seed, false), (seed, true)]) {
            let plan = if plan { &mut fused } else { &mut unfused };
            let (value, x) = case(seed);
            let close = |a: &f64, b: &f64| (a - b).abs() <= 4e-6 * (1.0 + b.abs());
            let (loss, gradient) = evaluate(plan, &value, &x);
            let wanted = evaluate(&mut interpreter, &value, &x);
            assert!(close(&loss, &wanted.0), "{name}: loss {loss}, {}", wanted.0);
            let agree = gradient.iter().zip(&wanted.1).all(|(a, b)| close(a, b));
            assert!(agree, "{name}, seed {seed}: {gradient:?}\n{:?}", wanted.1);
        }
    }
}

/// The names of all operations: a new one must get its name here, and a loss above.
const OPERATIONS: [&str; 21] = [
    "input",
    "parameter",
    "linear",
    "relu",
    "tanh",
    "exp",
    "ln",
    "square",
    "sech_square",
    "huber",
    "clamp",
    "add",
    "sub",
    "mul",
    "min",
    "affine",
    "concat",
    "columns",
    "gather",
    "sum",
    "mean",
];

fn operation(op: &Op) -> &'static str {
    match op {
        Op::Input(_) => "input",
        Op::Parameter(_) => "parameter",
        Op::Linear(..) => "linear",
        Op::Unary(Unary::Relu, _) => "relu",
        Op::Unary(Unary::Tanh, _) => "tanh",
        Op::Unary(Unary::Exp, _) => "exp",
        Op::Unary(Unary::Ln, _) => "ln",
        Op::Unary(Unary::Square, _) => "square",
        Op::Unary(Unary::SechSquare, _) => "sech_square",
        Op::Unary(Unary::Huber { .. }, _) => "huber",
        Op::Unary(Unary::Clamp { .. }, _) => "clamp",
        Op::Binary(Binary::Add, ..) => "add",
        Op::Binary(Binary::Sub, ..) => "sub",
        Op::Binary(Binary::Mul, ..) => "mul",
        Op::Binary(Binary::Min, ..) => "min",
        Op::Affine(..) => "affine",
        Op::Concat(..) => "concat",
        Op::Columns { .. } => "columns",
        Op::Gather { .. } => "gather",
        Op::ArgMax(_) => "argmax",
        Op::SumColumns(_) => "sum",
        Op::Mean(_) => "mean",
    }
}

/// Only looks at what it would run.
struct Names(Vec<&'static str>);

impl Program for Names {
    type Scalar = f64;
    fn from_tape(tape: Tape) -> Self {
        let differentiated = tape.nodes.iter().zip(&tape.differentiated);
        let inputs = tape.nodes.iter().filter(|node| matches!(node.op, Op::Input(_)));
        let names = differentiated.filter(|(_, d)| **d).map(|(node, _)| node).chain(inputs);
        Names(names.map(|node| operation(&node.op)).collect())
    }
    fn run(&mut self, _: &mut Params<f64>, _: &[&[f64]]) {}
    fn kept(&self, _: usize) -> &[f64] {
        &[]
    }
    fn loss(&self) -> f64 {
        0.0
    }

    fn walk(&mut self, _walk: &mut Walk<'_>) -> Result<(), StateError> {
        Ok(())
    }
}

#[test]
fn every_operation_is_checked() {
    let met: Vec<&str> =
        LOSSES.iter().flat_map(|(_, loss)| compile::<Names>(*loss, false).0).collect();
    for operation in OPERATIONS {
        assert!(met.contains(&operation), "no loss differentiates through {operation}");
    }
    assert!(met.iter().all(|name| OPERATIONS.contains(name)));
}

/// A range may be wider than what the loss reaches: the rest has a derivative of 0, whatever an
/// earlier program left there.
#[test]
fn what_the_loss_does_not_reach_has_no_derivative() {
    fn gradient<P: Program>() -> Vec<P::Scalar> {
        let graph = Graph::new(BATCH);
        let loss = graph.input(3).linear(FIRST).mean();
        let mut program: P = graph.compile(Some(loss), &[0..PARAMETERS], &[]).unwrap();
        let mut params = Params::new(PARAMETERS);
        params.gradient.fill(P::Scalar::from_f64(100.0));
        program.run(&mut params, &[&[P::Scalar::ONE; BATCH * 3]]);
        params.gradient
    }
    let (plan, interpreter) = (gradient::<Plan>(), gradient::<Interpreter>());
    let close = plan.iter().zip(&interpreter).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6);
    assert!(close, "{plan:?}");
    assert!(interpreter[20..].iter().all(|g| *g == 0.0) && interpreter[19] != 0.0);
}

#[test]
fn only_what_was_asked_for_is_differentiated() {
    let graph = Graph::new(BATCH);
    let z = graph.input(3).linear(FIRST).relu();
    let loss = z.linear(SECOND).square().mean();
    let all: Plan = graph.compile(Some(loss), &[FIRST.range(), SECOND.range()], &[]).unwrap();
    let last: Plan = graph.compile(Some(loss), &[SECOND.range()], &[]).unwrap();
    let value: Plan = graph.compile(Some(loss), &[], &[]).unwrap();
    assert_eq!((all.len(), last.len()), (11, 9));
    assert!(value.len() < last.len());

    let mut params = Params::new(PARAMETERS);
    params.value = normals(1, PARAMETERS);
    params.gradient.fill(7.0);
    let mut last = last;
    last.run(&mut params, &[&normals(2, BATCH * 3)]);
    assert!(params.gradient[FIRST.range()].iter().all(|g| *g == 7.0), "left alone");
}

#[test]
fn mistakes_are_named() {
    let graph = Graph::new(BATCH);
    let (x, y) = (graph.input(3), graph.input(2));
    let error = graph.compile::<Plan>(Some((x + y).mean()), &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "addition does not take [B = 4, 3] and [B = 4, 2]");

    let graph = Graph::new(BATCH);
    let loss = graph.input(3).linear(FIRST);
    let error = graph.compile::<Plan>(Some(loss), &[], &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a loss is a single number, this has shape [B = 4, 5]: take its mean()"
    );
    let error = graph.compile::<Plan>(Some(loss.mean()), &[SECOND.range()], &[]).unwrap_err();
    assert_eq!(error, GraphError::Independent { start: 20, end: 32 });

    let graph = Graph::new(BATCH);
    let wide = graph.input(4).linear(FIRST).columns(3..7);
    let error = graph.compile::<Plan>(Some(wide.mean()), &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "a layer of 3 inputs does not take [B = 4, 4]");

    let error = graph.compile::<Plan>(Some(Graph::new(1).parameter(0)), &[], &[]).unwrap_err();
    assert!(matches!(error, GraphError::Inputs { .. }), "the first mistake");

    let (graph, other) = (Graph::new(BATCH), Graph::new(BATCH));
    let mixed = graph.input(1) + other.input(1);
    let error = graph.compile::<Plan>(Some(mixed.mean()), &[], &[]).unwrap_err();
    assert_eq!(error, GraphError::TwoGraphs { operation: "addition" });

    let graph = Graph::new(BATCH);
    let loss = graph.input(3).linear(FIRST).linear(SECOND).mean();
    let error = graph.compile::<Plan>(Some(loss), &[0..25], &[]).unwrap_err();
    assert_eq!(error, GraphError::Cut { start: 0, end: 25 });

    // What goes together does not depend on B: a batch of one is not a single number.
    let graph = Graph::new(1);
    let error = graph.compile::<Plan>(Some((graph.input(1) + graph.input(3)).mean()), &[], &[]);
    assert!(matches!(error.unwrap_err(), GraphError::Shapes { .. }));
}
