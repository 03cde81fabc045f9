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
//! | `backend` | which instructions a machine has, and which are used |
//! | `factors` | what a product is made of |
//! | `kernel` | the tiled product, generic over the vector type |
//! | `lanes` | the vector types: one `f32`, or a register of AVX2, AVX-512 or NEON |
//! | [`parallel`], `crew` | work cut in parts, and threads that wait for them |
//! | `pack` | copies of parts of the factors in the order in which tiles read them |

// The reasons stand as SAFETY comments at each block.
#![allow(unsafe_code)]

mod backend;
mod crew;
mod factors;
mod kernel;
mod lanes;
mod pack;
pub mod parallel;

pub use backend::{Backend, BackendError, VARIABLE};
pub use factors::{Left, Right, Start};

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
mod tests;
