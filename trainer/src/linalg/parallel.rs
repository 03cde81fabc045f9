//! Work on several threads.
//!
//! [`with_threads`] gives whatever it runs a crew of threads, and [`spread`] cuts work in parts for
//! them. Cuts are made where no sum is, so that the bits do not depend on the number of threads.
//!
//! An update is some hundred pieces of work of microseconds each, and waking a thread that sleeps
//! takes longer than one of them. So the crew waits for its next piece awake, and only sleeps when
//! none has come for 2 ms. (That is why this is no library's pool: theirs sleep at once.)

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::crew::Crew;

/// Multiplications, or as much other work, below which another thread costs more than it saves.
const WORTH_SHARING: usize = 1 << 18;
/// The most threads.
pub const MAX_THREADS: usize = 64;

thread_local! {
    /// The crew for what this thread runs.
    static CREW: RefCell<Option<Arc<Crew>>> = const { RefCell::new(None) };
}

/// Runs `work`, whose parts may be spread over `threads` threads, this one included.
///
/// # Errors
///
/// If the system gives no more threads.
///
/// # Panics
///
/// Unless there are 1 to [`MAX_THREADS`] threads, and if `work` does.
pub fn with_threads<R>(threads: usize, work: impl FnOnce() -> R) -> std::io::Result<R> {
    /// Puts back what was there before, after a panic, too.
    struct Restore(Option<Arc<Crew>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CREW.set(self.0.take());
        }
    }
    assert!((1..=MAX_THREADS).contains(&threads), "1 to {MAX_THREADS} threads");
    let crew = if threads > 1 { Some(Arc::new(Crew::new(threads - 1)?)) } else { None };
    let _restore = Restore(CREW.replace(crew));
    Ok(work())
}

/// How many threads there are for what this one runs.
pub fn threads() -> usize {
    CREW.with_borrow(|crew| crew.as_ref().map_or(1, |crew| crew.threads()))
}

/// Work that can be cut in two.
pub trait Divisible: Sized + Send {
    /// How many parts it could be cut in.
    fn size(&self) -> usize;
    /// The first `size` parts, and the others.
    fn divide(self, size: usize) -> (Self, Self);
}

impl<T: Sync> Divisible for &[T] {
    fn size(&self) -> usize {
        self.len()
    }
    fn divide(self, size: usize) -> (Self, Self) {
        self.split_at(size)
    }
}

impl<T: Send> Divisible for &mut [T] {
    fn size(&self) -> usize {
        self.len()
    }
    fn divide(self, size: usize) -> (Self, Self) {
        self.split_at_mut(size)
    }
}

/// Two of the same size.
impl<A: Divisible, B: Divisible> Divisible for (A, B) {
    fn size(&self) -> usize {
        self.0.size()
    }
    fn divide(self, size: usize) -> (Self, Self) {
        let ((first, others), (second, more)) = (self.0.divide(size), self.1.divide(size));
        ((first, second), (others, more))
    }
}

/// Runs `work`, which takes about as long as `multiplications`, in parts of a multiple of `unit`: as
/// many as there are threads, or in one where it is not worth more.
///
/// # Panics
///
/// If `run` does.
pub fn spread<W: Divisible>(multiplications: usize, unit: usize, work: W, run: impl Fn(W) + Sync) {
    let crew = match multiplications >= WORTH_SHARING {
        true => CREW.with_borrow(Clone::clone),
        false => None,
    };
    match crew {
        None => run(work),
        Some(crew) => share(&crew, 0..crew.threads(), unit, work, &run),
    }
}

/// The same on some of the threads, of which the first one is this.
fn share<W: Divisible>(
    crew: &Crew,
    threads: Range<usize>,
    unit: usize,
    work: W,
    run: &(impl Fn(W) + Sync),
) {
    let (parts, size) = (threads.len(), work.size());
    if parts == 1 || size <= unit {
        return run(work);
    }
    let middle = threads.start + parts / 2;
    let (first, second) =
        work.divide((size * (parts / 2) / parts).next_multiple_of(unit).min(size));
    crew.join(
        middle,
        || share(crew, threads.start..middle, unit, first, run),
        || share(crew, middle..threads.end, unit, second, run),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    /// Every number is met once, on no more threads than there are.
    #[test]
    fn work_is_spread() {
        for threads in [1, 2, 3, 8] {
            for size in [1, 5, 6, 7, 100, 1000] {
                let mut met = vec![0; size];
                let numbers: Vec<usize> = (0..size).collect();
                let seen = std::sync::Mutex::new(Vec::new());
                with_threads(threads, || {
                    for _ in 0..100 {
                        spread(usize::MAX, 6, (&mut met[..], &numbers[..]), |(met, numbers)| {
                            for (met, number) in met.iter_mut().zip(numbers) {
                                *met += number + 1;
                            }
                            seen.lock().unwrap().push(thread::current().id());
                        });
                    }
                })
                .unwrap();
                assert!(met.iter().enumerate().all(|(index, met)| *met == 100 * (index + 1)));
                let mut seen = seen.into_inner().unwrap();
                seen.sort_by_key(|id| format!("{id:?}"));
                seen.dedup();
                assert!(seen.len() <= threads);
            }
        }
    }

    /// Work that takes long enough for them to begin.
    #[test]
    fn every_thread_works() {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        with_threads(3, || {
            spread(usize::MAX, 1, &mut [0; 6][..], |_| {
                thread::sleep(std::time::Duration::from_millis(200));
                seen.lock().unwrap().insert(thread::current().id());
            });
        })
        .unwrap();
        assert_eq!(seen.into_inner().unwrap().len(), 3);
    }

    #[test]
    fn little_work_is_not_shared() {
        let here = thread::current().id();
        with_threads(2, || {
            spread(WORTH_SHARING - 1, 1, &mut [0; 100][..], |_| {
                assert_eq!(thread::current().id(), here);
            });
        })
        .unwrap();
    }

    /// Wherever it happens, and the crew works on.
    #[test]
    fn panics_arrive() {
        with_threads(3, || {
            for bad in [0, 50, 99] {
                let numbers: Vec<usize> = (0..100).collect();
                let run = || {
                    spread(usize::MAX, 1, &numbers[..], |numbers| {
                        assert!(!numbers.contains(&bad), "number {bad}");
                    });
                };
                let message = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
                assert_eq!(message.downcast_ref::<String>(), Some(&format!("number {bad}")));
            }
            spread(usize::MAX, 1, &[0; 100][..], |_| {});
        })
        .unwrap();
    }

    /// Work may come when the crew has fallen asleep; it takes long enough for a sleeper to begin.
    #[test]
    fn sleepers_wake() {
        with_threads(2, || {
            for _ in 0..3 {
                thread::sleep(4 * super::super::crew::PATIENCE);
                let seen = std::sync::Mutex::new(std::collections::HashSet::new());
                spread(usize::MAX, 1, &mut [0; 2][..], |_| {
                    thread::sleep(std::time::Duration::from_millis(200));
                    seen.lock().unwrap().insert(thread::current().id());
                });
                assert_eq!(seen.into_inner().unwrap().len(), 2);
            }
        })
        .unwrap();
    }
}
