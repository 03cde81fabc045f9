//! The interpreter against central differences, the plan against the interpreter.

use policy_core::gaussian::fill_normal;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::{Graph, GraphError, Interpreter, Linear, Params, Plan, Program, Var};

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
    ("sum of columns", |i| i.z.sum_columns().square().mean()),
    ("mean of a mean", |i| i.z.square().mean().mean()),
];

fn normals(seed: u64, n: usize) -> Vec<f32> {
    let mut x = vec![0.0; n];
    fill_normal(&mut ChaCha8Rng::seed_from_u64(seed), &mut x);
    x
}

fn compile<P: Program>(loss: Loss) -> P {
    let graph = Graph::new(BATCH);
    let x = graph.input(3);
    let inputs = Inputs {
        x,
        z: x.linear(FIRST),
        p: graph.parameter(PARAMETERS - 2),
        q: graph.parameter(PARAMETERS - 1),
    };
    let loss = loss(inputs);
    // Differentiate by whatever the loss depends on.
    let ranges = [FIRST.range(), SECOND.range(), 32..33, 33..34];
    let depends = |r: &std::ops::Range<usize>| {
        graph.compile::<Interpreter>(Some(loss), std::slice::from_ref(r), &[]).is_ok()
    };
    let ranges: Vec<_> = ranges.into_iter().filter(depends).collect();
    graph.compile(Some(loss), &ranges, &[inputs.z]).unwrap()
}

/// (loss, gradient, kept value)
fn evaluate<P: Program>(program: &mut P, value: &[f64], x: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    use crate::scalar::Scalar;
    let cast = |x: &[f64]| x.iter().map(|&x| P::Scalar::from_f64(x)).collect::<Vec<_>>();
    let back = |x: &[P::Scalar]| x.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    let mut params = Params::new(PARAMETERS);
    params.value = cast(value);
    program.run(&mut params, &[&cast(x)]);
    (program.loss().to_f64(), back(&params.gradient), back(program.kept(0)))
}

fn case(seed: u64) -> (Vec<f64>, Vec<f64>) {
    let to_f64 = |x: Vec<f32>| x.into_iter().map(|x| f64::from(x) * 0.7).collect();
    (to_f64(normals(seed, PARAMETERS)), to_f64(normals(seed + 1000, BATCH * 3)))
}

#[test]
fn derivatives_are_central_differences() {
    for &(name, loss) in LOSSES {
        let mut program: Interpreter = compile(loss);
        for seed in 0..8 {
            let (value, x) = case(seed);
            let (_, gradient, _) = evaluate(&mut program, &value, &x);
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
        let (mut plan, mut interpreter): (Plan, Interpreter) = (compile(loss), compile(loss));
        for seed in 0..8 {
            let (value, x) = case(seed);
            let close = |a: &f64, b: &f64| (a - b).abs() <= 4e-6 * (1.0 + b.abs());
            let (loss, gradient, kept) = evaluate(&mut plan, &value, &x);
            let wanted = evaluate(&mut interpreter, &value, &x);
            assert!(close(&loss, &wanted.0), "{name}: loss {loss}, {}", wanted.0);
            for (got, wanted) in [(&gradient, &wanted.1), (&kept, &wanted.2)] {
                let agree = got.iter().zip(wanted).all(|(a, b)| close(a, b));
                assert!(agree, "{name}, seed {seed}: {got:?}\n{wanted:?}");
            }
        }
    }
}

#[test]
fn only_what_was_asked_for_is_differentiated() {
    let graph = Graph::new(BATCH);
    let z = graph.input(3).linear(FIRST).relu();
    let loss = z.linear(SECOND).square().mean();
    let all: Plan = graph.compile(Some(loss), &[FIRST.range(), SECOND.range()], &[]).unwrap();
    let last: Plan = graph.compile(Some(loss), &[SECOND.range()], &[]).unwrap();
    let value: Plan = graph.compile(Some(loss), &[], &[]).unwrap();
    assert_eq!((all.len(), last.len()), (13, 9));
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
    assert_eq!(error.to_string(), "addition does not take [4, 3] and [4, 2]");

    let graph = Graph::new(BATCH);
    let loss = graph.input(3).linear(FIRST);
    let error = graph.compile::<Plan>(Some(loss), &[], &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a loss is a single number, this has shape [4, 5]: take its mean()"
    );
    let error = graph.compile::<Plan>(Some(loss.mean()), &[SECOND.range()], &[]).unwrap_err();
    assert_eq!(error, GraphError::Independent { start: 20, end: 32 });

    let graph = Graph::new(BATCH);
    let wide = graph.input(4).linear(FIRST).columns(3..7);
    let error = graph.compile::<Plan>(Some(wide.mean()), &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "linear does not take [4, 4] and [3, 5]");
}
