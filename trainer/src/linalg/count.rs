//! How much work products are.

use std::cell::Cell;
use std::ops::AddAssign;

use super::kernel::Product;

/// Multiplications of matrix products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Multiplications {
    /// As many as the products have, m·k·n each.
    pub all: u64,
    /// Those that are computed: without the terms of zeros that are left out.
    pub computed: u64,
}

impl AddAssign for Multiplications {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.computed += other.computed;
    }
}

thread_local! {
    /// Of the products that this thread has asked for, while somebody counts.
    static COUNT: Cell<Option<Multiplications>> = const { Cell::new(None) };
}

/// The multiplications of the products that `work` asks for on this thread; it must not count itself.
/// Counting takes time: measure that without.
pub fn count_multiplications(work: impl FnOnce()) -> Multiplications {
    /// Stops counting, after a panic, too.
    struct Stop;
    impl Drop for Stop {
        fn drop(&mut self) {
            COUNT.set(None);
        }
    }
    let _stop = Stop;
    COUNT.set(Some(Multiplications::default()));
    work();
    COUNT.take().unwrap_or_default()
}

/// Counts a product, if somebody does.
pub(super) fn count(product: &Product<'_>) {
    if let Some(mut count) = COUNT.get() {
        count += product.multiplications();
        COUNT.set(Some(count));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Finish, Left, Right, Start};
    use super::*;

    #[test]
    fn zeros_left_out_are_not_counted() {
        let (m, k, n) = (64, 64, 64);
        let mut a = vec![0.0; m * k];
        a.iter_mut().step_by(4).for_each(|a| *a = 1.0);
        let (b, mut c) = (vec![1.0; k * n], vec![0.0; m * n]);
        let mut product = |left: Left<'_>| {
            let backend = Backend::current();
            backend.matmul(left, Right::rows(&b), n, Start::Zero, Finish::Sums, &mut c);
        };
        let all = (m * k * n) as u64;
        let dense = count_multiplications(|| product(Left::rows(&a, k)));
        assert_eq!(dense, Multiplications { all, computed: all });
        let sparse = count_multiplications(|| {
            product(Left::rows(&a, k).with_zeros());
            product(Left::columns(&a, m).with_zeros());
        });
        assert_eq!(sparse, Multiplications { all: 2 * all, computed: 2 * all / 4 });
        product(Left::rows(&a, k));
        assert_eq!(count_multiplications(|| ()), Multiplications::default());
    }
}
