//! Matrix products on slices: the only place with `unsafe`, and where the time goes.
//!
//! Every backend gives the same bits. They vectorise across the *columns* of the product and add
//! over k in order with fused multiply-adds, so each element is
//!
//! ```text
//! c[i][j] = fma(a[i][K−1], b[K−1][j], … fma(a[i][1], b[1][j], fma(a[i][0], b[0][j], start[i][j])))
//! ```
//!
//! at any vector width.
//!
//! | module | what is in it |
//! |---|---|
//! | `factors` | what a product is made of |
//! | `kernel` | the tiled product, generic over the vector type |
//! | `lanes` | the vector types: one `f32`, or eight in an AVX2 register |
//! | [`parallel`], `crew` | work cut in parts, and threads that wait for them |
//! | `pack` | copies of parts of the factors in the order in which tiles read them |

// The reasons stand as SAFETY comments at each block.
#![allow(unsafe_code)]

mod crew;
mod factors;
mod kernel;
mod lanes;
mod pack;
pub mod parallel;

use std::sync::OnceLock;

pub use factors::{Left, Right, Start};
use kernel::Product;

/// Rows that a part of a product has a multiple of, so that its tiles are whole ones.
const ROWS_TOGETHER: usize = 6;

/// Which instructions the products use. All give the same bits.
///
/// A value exists only for instructions that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Plain Rust with `f32::mul_add`. Slow on x86-64, where the compiler may not assume fused
    /// multiply-add instructions.
    Portable,
    /// AVX2 and FMA, eight lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Backend {
    /// Every backend that this machine can run, the fastest first.
    pub fn available() -> Vec<Backend> {
        let mut backends = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            backends.push(Backend(Kind::Avx2));
        }
        backends.push(Backend(Kind::Portable));
        backends
    }

    /// The fastest backend that this machine can run.
    pub fn fastest() -> Backend {
        static FASTEST: OnceLock<Backend> = OnceLock::new();
        *FASTEST.get_or_init(|| Backend::available()[0])
    }

    /// C = start + A·B for C `[m, n]`, row-major, and B `[k, n]`; m is `c.len() / n`, k is the length
    /// of B over n.
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes.
    pub fn matmul(self, a: Left<'_>, b: Right<'_>, n: usize, start: Start<'_>, c: &mut [f32]) {
        let product = Product::new(a, b, n, start, c);
        let run = |product: Product<'_>| match self.0 {
            // SAFETY: one lane needs no instruction that a machine may lack.
            Kind::Portable => unsafe { product.run::<f32, 4, 4, 4>() },
            // SAFETY: `available` is the only source of this value and asked the processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { kernel::run_avx2(product) },
        };
        parallel::spread(product.multiplications(), ROWS_TOGETHER, product, run);
    }

    /// Runs a loop over numbers that is compiled once more for this backend's registers, if it is
    /// small enough to be inlined here. Rust never fuses a multiplication with an addition by
    /// itself, so the bits are the same.
    #[inline(always)]
    pub fn vectorise(self, work: impl FnOnce()) {
        match self.0 {
            Kind::Portable => work(),
            // SAFETY: `available` is the only source of this value and asked the processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { vectorise_avx2(work) },
        }
    }
}

/// # Safety
///
/// The processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn vectorise_avx2(work: impl FnOnce()) {
    work();
}

/// Adds the sums over the rows of A `[m, n]` to `out` `[n]`, first row first.
///
/// # Panics
///
/// If A's length is not a multiple of n.
pub fn column_sums(a: &[f32], out: &mut [f32]) {
    assert_eq!(a.len() % out.len(), 0);
    for row in a.chunks_exact(out.len()) {
        for (sum, x) in out.iter_mut().zip(row) {
            *sum += x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::gaussian::fill_normal;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn normals(seed: u64, n: usize) -> Vec<f32> {
        let mut x = vec![0.0; n];
        fill_normal(&mut ChaCha8Rng::seed_from_u64(seed), &mut x);
        x
    }

    /// The formula of the module, term by term.
    fn expected(a: &Left<'_>, b: &Right<'_>, n: usize, start: Start<'_>, c: &[f32]) -> Vec<u32> {
        let (m, k) = (c.len() / n, b.data.len() / n);
        let element = |i: usize, j: usize| {
            let first = match start {
                Start::Zero => 0.0,
                Start::Row(bias) => bias[j],
                Start::Accumulate => c[i * n + j],
            };
            (0..k).fold(first, |sum, p| {
                let right = b.data[if b.transposed { j * k + p } else { p * n + j }];
                a.data[i * a.row_stride + p * a.column_stride].mul_add(right, sum)
            })
        };
        (0..m * n).map(|at| element(at / n, at % n).to_bits()).collect()
    }

    /// One product with every backend, both forms of A and B and every start.
    fn check(m: usize, k: usize, n: usize) {
        let (a, b, bias) = (normals(2, m * k), normals(3, k * n), normals(1, n));
        let before = normals(4, m * n);
        let lefts = [Left::rows(&a, k), Left::columns(&a, m)];
        let factors = lefts
            .into_iter()
            .flat_map(|left| [(left, Right::rows(&b)), (left, Right::columns(&b))]);
        for (form, (left, right)) in factors.enumerate() {
            for start in [Start::Zero, Start::Row(&bias), Start::Accumulate] {
                let wanted = expected(&left, &right, n, start, &before);
                for backend in Backend::available() {
                    let mut c = before.clone();
                    backend.matmul(left, right, n, start, &mut c);
                    let bits: Vec<u32> = c.iter().map(|x| x.to_bits()).collect();
                    // Not `assert_eq`: nobody reads thousands of numbers.
                    assert!(
                        bits == wanted,
                        "{backend:?}, [{m}, {k}] · [{k}, {n}], form {form}, {start:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_backend_is_the_formula() {
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

    /// Cut in parts of rows; those of 23 and 24 rows make parts of a single tile.
    #[test]
    fn products_on_several_threads_are_the_formula() {
        for threads in [2, 3, 5] {
            let products = || {
                for (m, k, n) in [(128, 400, 300), (400, 128, 300), (256, 256, 256), (23, 257, 147)]
                {
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

    #[test]
    #[should_panic(expected = "shape")]
    fn a_wrong_shape_is_refused() {
        Backend::fastest().matmul(
            Left::rows(&[1.0; 5], 3),
            Right::rows(&[1.0; 6]),
            2,
            Start::Zero,
            &mut [0.0; 4],
        );
    }

    #[test]
    #[should_panic(expected = "shape of B")]
    fn an_empty_factor_is_refused() {
        Backend::fastest().matmul(
            Left::columns(&[], 2),
            Right::rows(&[]),
            2,
            Start::Zero,
            &mut [0.0; 4],
        );
    }

    #[test]
    fn column_sums_add_up() {
        let mut sums = [10.0, 20.0];
        column_sums(&[1.0, 2.0, 3.0, 4.0], &mut sums);
        assert_eq!(sums, [14.0, 26.0]);
    }
}
