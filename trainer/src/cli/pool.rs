//! Work on all processors, one thread for each piece: a run keeps the bits that it has alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `work` for each index below `count`, `jobs` of them at a time, and gives what came of it in the
/// order of the indices. Where it gives `None`, nothing more is begun.
pub(super) fn each<T: Send>(
    jobs: usize,
    count: usize,
    work: impl Fn(usize) -> Option<T> + Sync,
) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            match work(index) {
                Some(result) => {
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
                None => next.store(count, Ordering::Relaxed),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(count) {
            // Where the system gives no more threads, those that there are do it.
            drop(thread::Builder::new().spawn_scoped(scope, worker));
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_in_order() {
        assert_eq!(each(3, 100, |i| Some(2 * i)), (0..100).map(|i| 2 * i).collect::<Vec<_>>());
        assert_eq!(each(4, 0, Some), Vec::<usize>::new());
        assert_eq!(each(1, 10, |i| (i < 4).then_some(i)), [0, 1, 2, 3]);
    }
}
