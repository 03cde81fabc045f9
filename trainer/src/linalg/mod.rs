//! Matrix products on slices: the only place with `unsafe`, and where the time goes.
//!
//! Every backend gives the same bits. They vectorise across the *columns* of the product and add
//! over k in order with fused multiply-adds, so each element is
//!
//! ```text
//! c[i][j] = fma(a[i][K−1], b[K−1][j], … fma(a[i][1], b[1][j], fma(a[i][0], b[0][j], start[i][j])))
//! ```
//!
//! at any vector width. Where a left factor is said to have many zeros ([`Left::with_zeros`]) and the
//! product is large enough, the terms of its zeros are left out, which changes no sum of finite numbers. Programs
//! do so where it is faster ([`zeros`]).
//!
//! | module | what is in it |
//! |---|---|
//! | `backend` | which instructions a machine has, and which are used |
//! | `count` | how much work products are |
//! | `factors` | what a product is made of |
//! | `kernel` | the tiled product, generic over the vector type |
//! | `lanes` | the vector types: one `f32`, or a register of AVX2, AVX-512 or NEON |
//! | [`parallel`], `crew` | work cut in parts, and threads that wait for them |
//! | `peak` | the most multiplications that the processor can do |
//! | `pack` | copies of parts of the factors in the order in which tiles read them |
//! | [`zeros`] | whether to leave the terms of zeros out |

// The reasons stand as SAFETY comments at each block.
#![allow(unsafe_code)]

mod backend;
mod count;
mod crew;
mod factors;
mod kernel;
mod lanes;
mod pack;
pub mod parallel;
mod peak;
pub mod zeros;

pub use backend::{Backend, BackendError, VARIABLE};
pub use count::{Multiplications, count_multiplications};
pub use factors::{Finish, Left, Right, Start};

/// Takes the memory that products need on this thread, which the first one does otherwise.
pub fn prepare() {
    pack::Scratch::with(|_| ());
}

#[cfg(test)]
mod tests;
