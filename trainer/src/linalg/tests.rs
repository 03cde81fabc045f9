//! Every way to compute a product against its formula, bit for bit.

use super::kernel::Product;
use super::pack::Scratch;
use super::*;
use policy_core::gaussian::fill_normal;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn normals(seed: u64, n: usize) -> Vec<f32> {
    let mut x = vec![0.0; n];
    fill_normal(&mut ChaCha8Rng::seed_from_u64(seed), &mut x);
    x
}

/// The formula of the module, term by term.
fn expected(
    a: &Left<'_>,
    b: &Right<'_>,
    n: usize,
    start: Start<'_>,
    finish: Finish<'_>,
    c: &[f32],
) -> Vec<u32> {
    let (m, k) = (c.len() / n, b.data.len() / n);
    let without_zeros = a.sparse && super::kernel::leaves_zeros_out(m, k, n);
    let element = |i: usize, j: usize| {
        let first = match start {
            Start::Zero => 0.0,
            Start::Row(bias) => bias[j],
            Start::Accumulate => c[i * n + j],
        };
        let left = |p: usize| a.data[i * a.row_stride + p * a.column_stride];
        let terms = (0..k).filter(|&p| !without_zeros || left(p) != 0.0);
        let sum = terms.fold(first, |sum, p| {
            let right = b.data[if b.transposed { j * k + p } else { p * n + j }];
            left(p).mul_add(right, sum)
        });
        match finish {
            Finish::Sums => sum,
            Finish::Relu => [sum, 0.0][usize::from(sum <= 0.0)],
            Finish::WherePositive(y) => [0.0, sum][usize::from(y[i * n + j] > 0.0)],
        }
    };
    (0..m * n).map(|at| element(at / n, at % n).to_bits()).collect()
}

/// A way to compute a product.
type Way = fn(Backend, Left<'_>, Right<'_>, usize, Start<'_>, Finish<'_>, &mut [f32]);

/// The backends of this machine, and the kernel with the geometry of registers that it may lack. Where
/// one is forced, as in an emulator that has no time for others, only that.
fn ways() -> Vec<(String, Backend, Way)> {
    let forced = std::env::var_os(VARIABLE).is_some();
    let backends = if forced { vec![Backend::current()] } else { Backend::available() };
    let backends = backends.into_iter().map(|backend| {
        let way: Way =
            |backend, a, b, n, start, finish, c| backend.matmul(a, b, n, start, finish, c);
        (backend.to_string(), backend, way)
    });
    let sixteen: Way = |_, a, b, n, start, finish, c| {
        // SAFETY: an array needs no instruction that a machine may lack.
        unsafe {
            Product::new(a, b, n, start, finish, c).run::<[f32; 16], 6, 8, 4>(&mut Scratch::new());
        }
    };
    let four: Way = |_, a, b, n, start, finish, c| {
        // SAFETY: an array needs no instruction that a machine may lack.
        unsafe {
            Product::new(a, b, n, start, finish, c).run::<[f32; 4], 6, 8, 4>(&mut Scratch::new());
        }
    };
    let others = [("as AVX-512", sixteen), ("as NEON", four)];
    let others = others.map(|(name, way)| (name.to_string(), Backend::current(), way));
    backends.chain(others.into_iter().filter(|_| !forced)).collect()
}

/// One product in every way, with both forms of A and B, and every start and finish.
fn check(m: usize, k: usize, n: usize) {
    let (mut a, mut b, bias) = (normals(2, m * k), normals(3, k * n), normals(1, n));
    let (before, mut y) = (normals(4, m * n), normals(5, m * n));
    // Sums of one row are NaNs, or infinite; y has what is neither positive nor below 0.
    a[m * k / 2] = [f32::NAN, f32::INFINITY][m % 2];
    // Zeros of both signs; where their terms are left out, an infinite factor is not seen.
    a.iter_mut().filter(|x| **x < 0.2).for_each(|x| *x *= 0.0);
    b[k * n / 2] = f32::INFINITY;
    (y[0], y[m * n - 1], y[m * n / 2]) = (f32::NAN, 0.0, -0.0);
    let lefts = [Left::rows(&a, k), Left::columns(&a, m)];
    let lefts = lefts.into_iter().flat_map(|left| [left, left.with_zeros()]);
    let factors = lefts.flat_map(|left| [(left, Right::rows(&b)), (left, Right::columns(&b))]);
    for (form, (left, right)) in factors.enumerate() {
        for (start, finish) in [
            (Start::Zero, Finish::WherePositive(&y)),
            (Start::Zero, Finish::Relu),
            (Start::Row(&bias), Finish::Relu),
            (Start::Accumulate, Finish::Sums),
            (Start::Accumulate, Finish::WherePositive(&y)),
        ] {
            let wanted = expected(&left, &right, n, start, finish, &before);
            for (name, backend, way) in ways() {
                let mut c = before.clone();
                way(backend, left, right, n, start, finish, &mut c);
                let bits: Vec<u32> = c.iter().map(|x| x.to_bits()).collect();
                // Not `assert_eq`: nobody reads thousands of numbers.
                assert!(bits == wanted, "{name}, [{m}, {k}] · [{k}, {n}], form {form}, {start:?}");
            }
        }
    }
}

#[test]
fn every_way_is_the_formula() {
    let sizes = [1, 2, 3, 5, 6, 7, 8, 13, 16, 17, 31, 64];
    for at in 0..sizes.len().pow(3) {
        let size = |digit: u32| sizes[at / sizes.len().pow(digit) % sizes.len()];
        check(size(0), size(1), size(2));
    }
}

/// Sizes of networks, and those around the limits of tiles, blocks and packing.
#[test]
fn large_products_are_the_formula() {
    for (m, k, n) in [
        (100, 64, 64),
        (256, 256, 256),
        (256, 256, 1),
        (4, 256, 256),
        (128, 400, 300),
        (400, 128, 300),
        (128, 300, 1),
        (3, 100, 400),
        (1, 300, 257),
        (23, 257, 47),
        (24, 512, 48),
        (25, 513, 49),
        (132, 255, 63),
        (133, 256, 65),
        (265, 600, 51),
    ] {
        check(m, k, n);
    }
}

/// Cut in parts of rows; of 23 on 5 threads, each has fewer rows than it takes to leave zeros out, but
/// all together have not.
#[test]
fn products_on_several_threads_are_the_formula() {
    for threads in [2, 5] {
        let products = || {
            for (m, k, n) in [(400, 128, 200), (128, 256, 256), (23, 257, 147)] {
                check(m, k, n);
            }
        };
        parallel::with_threads(threads, products).unwrap();
    }
}

/// Every height of the last tiles, with and without packing.
#[test]
fn every_number_of_rows_is_the_formula() {
    for m in 1..50 {
        check(m, 9, 61);
    }
}

/// From rows without a number that is not 0 to rows with only such; masks are full at 128 = 2 · 64.
#[test]
fn any_share_of_zeros_is_the_formula() {
    let (m, k, n) = (65, 128, 100);
    let (mut a, b) = (normals(6, m * k), normals(7, k * n));
    for (at, x) in a.iter_mut().enumerate() {
        *x = if at % k * (m - 1) < at / k * k { *x } else { -0.0 };
    }
    let columns: Vec<f32> = (0..m * k).map(|at| a[at % m * k + at / m]).collect();
    for left in [Left::rows(&a, k), Left::columns(&columns, m)].map(Left::with_zeros) {
        for right in [Right::rows(&b), Right::columns(&b)] {
            let before = vec![0.0; m * n];
            let wanted = expected(&left, &right, n, Start::Zero, Finish::Sums, &before);
            for (name, backend, way) in ways() {
                let mut c = vec![f32::NAN; m * n];
                way(backend, left, right, n, Start::Zero, Finish::Sums, &mut c);
                assert!(c.iter().map(|x| x.to_bits()).eq(wanted.iter().copied()), "{name}");
            }
        }
    }
}

/// The least products that are packed, cut in blocks of k or single rows, for an emulated machine.
#[test]
fn packed_products_are_the_formula() {
    for (m, k, n) in [(1, 5, 130), (48, 200, 49), (30, 300, 50), (24, 70, 50)] {
        check(m, k, n);
    }
}

#[test]
#[should_panic(expected = "shape")]
fn a_wrong_shape_is_refused() {
    Backend::current().matmul(
        Left::rows(&[1.0; 5], 3),
        Right::rows(&[1.0; 6]),
        2,
        Start::Zero,
        Finish::Sums,
        &mut [0.0; 4],
    );
}

#[test]
#[should_panic(expected = "shape of B")]
fn an_empty_factor_is_refused() {
    Backend::current().matmul(
        Left::columns(&[], 2),
        Right::rows(&[]),
        2,
        Start::Zero,
        Finish::Sums,
        &mut [0.0; 4],
    );
}
