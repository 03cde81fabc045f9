//! Threads that wait for work awake.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a thread waits for work before it sleeps.
pub(super) const PATIENCE: Duration = Duration::from_millis(2);
/// Looks for work, or for its end, before a thread lets others have the processor between two looks:
/// there may be no processor for each thread.
const LOOKS: u32 = 4096;

/// Some threads besides the one that has them. Dropped, they end.
#[derive(Debug)]
pub(super) struct Crew {
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where a worker finds its work.
#[derive(Debug, Default)]
struct Desk {
    /// [`FREE`], [`WORK`], [`TAKEN`], [`DONE`] or [`CLOSED`].
    state: AtomicU8,
    /// A [`Task`], while the state is [`WORK`] or [`TAKEN`].
    task: AtomicPtr<Task>,
    asleep: AtomicBool,
}

/// Nothing to do.
const FREE: u8 = 0;
/// There is a task, which nobody works on yet.
const WORK: u8 = 1;
/// The worker is at it.
const TAKEN: u8 = 2;
/// The task has been done, and whoever gave it may look at it.
const DONE: u8 = 3;
/// No more work will come.
const CLOSED: u8 = 4;

/// A closure of whoever waits for its end, without its type.
#[derive(Debug)]
struct Task {
    closure: *mut (),
    /// Calls the closure.
    call: unsafe fn(*mut ()),
}

/// A closure to be called once, then the panic that it ended with.
struct Closure<F> {
    f: UnsafeCell<Option<F>>,
    panic: UnsafeCell<Option<Box<dyn Any + Send>>>,
}

/// Calls a [`Closure`].
///
/// # Safety
///
/// The pointer is one to a `Closure<F>`, which nobody else touches meanwhile.
unsafe fn call<F: FnOnce()>(closure: *mut ()) {
    // SAFETY: the caller's promise.
    let closure = unsafe { &*closure.cast::<Closure<F>>() };
    // SAFETY: nobody else touches it.
    let f = unsafe { (*closure.f.get()).take() };
    if let Some(f) = f
        && let Err(panic) = catch_unwind(AssertUnwindSafe(f))
    {
        // SAFETY: nobody else touches it.
        unsafe { *closure.panic.get() = Some(panic) };
    }
}

impl Crew {
    /// So many threads.
    pub(super) fn new(workers: usize) -> std::io::Result<Self> {
        let worker = |_| {
            let desk = Arc::new(Desk::default());
            let own = Arc::clone(&desk);
            let thread = thread::Builder::new().name("crew".into()).spawn(move || own.attend())?;
            Ok(Worker { desk, thread: Some(thread) })
        };
        Ok(Crew { workers: (0..workers).map(worker).collect::<std::io::Result<_>>()? })
    }

    /// Its threads and the one that has it, which is number 0.
    pub(super) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `here` on this thread and `there` on thread number `thread`, and waits for both. If that
    /// thread has not begun when `here` ends, another program may have its processor: then `there`
    /// runs on this one too. Who calls this must be the only one to give work to that thread meanwhile.
    pub(super) fn join(&self, thread: usize, here: impl FnOnce(), there: impl FnOnce() + Send) {
        let worker = &self.workers[thread - 1];
        let closure = Closure { f: UnsafeCell::new(Some(there)), panic: UnsafeCell::new(None) };
        let mut task = task(&closure);
        worker.give(&mut task);
        // Also if `here` panics: the other thread still works with what is on this one's stack.
        let wait = Wait(&worker.desk);
        here();
        if worker.desk.take(FREE) {
            // SAFETY: the task is this one, and the worker will not touch it any more.
            unsafe { (task.call)(task.closure) };
        }
        drop(wait);
        if let Some(panic) = closure.panic.into_inner() {
            resume_unwind(panic);
        }
    }
}

fn task<F: FnOnce()>(closure: &Closure<F>) -> Task {
    Task { closure: ptr::from_ref(closure).cast_mut().cast(), call: call::<F> }
}

/// Waits for a task's end when it is dropped, or takes it back if it has not begun.
struct Wait<'a>(&'a Desk);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut looks = 0;
        self.0.take(FREE);
        while self.0.state.load(Ordering::Acquire) == TAKEN {
            look_away(&mut looks);
        }
        self.0.state.store(FREE, Ordering::Relaxed);
    }
}

/// Between two looks.
fn look_away(looks: &mut u32) {
    if *looks < LOOKS {
        *looks += 1;
        spin_loop();
    } else {
        thread::yield_now();
    }
}

impl Worker {
    fn give(&self, task: &mut Task) {
        let state = self.desk.state.load(Ordering::Relaxed);
        assert_eq!(state, FREE, "a thread is given work while it has some");
        self.desk.task.store(task, Ordering::Relaxed);
        self.tell(WORK);
    }

    fn tell(&self, state: u8) {
        // In one order with `asleep`: either this sees that the worker sleeps, or the worker sees
        // the state before it does.
        self.desk.state.store(state, Ordering::SeqCst);
        if self.desk.asleep.load(Ordering::SeqCst)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
    }
}

impl Desk {
    /// Takes the task that nobody works on yet, if there is one, and leaves that state.
    fn take(&self, state: u8) -> bool {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        self.state.compare_exchange(WORK, state, success, failure).is_ok()
    }

    /// What a worker does all its life.
    fn attend(&self) {
        super::prepare();
        loop {
            match self.await_change() {
                WORK if self.take(TAKEN) => {
                    let task = self.task.load(Ordering::Relaxed);
                    // SAFETY: whoever gave the task waits while it is `TAKEN` before the task, its
                    // closure and what that borrows go, and touches none of them meanwhile. `WORK`
                    // was stored after the task, and taken before it is loaded.
                    unsafe { ((*task).call)((*task).closure) };
                    self.state.store(DONE, Ordering::Release);
                }
                CLOSED => return,
                _ => {}
            }
        }
    }

    /// Waits for work, or for its end; sleeps if that takes long.
    fn await_change(&self) -> u8 {
        let (mut began, mut looks) = (Instant::now(), 0);
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state == WORK || state == CLOSED {
                return state;
            }
            look_away(&mut looks);
            if looks == LOOKS && began.elapsed() > PATIENCE {
                self.asleep.store(true, Ordering::SeqCst);
                if !matches!(self.state.load(Ordering::SeqCst), WORK | CLOSED) {
                    thread::park();
                }
                self.asleep.store(false, Ordering::SeqCst);
                // Who woke it may have taken that work back, but has more.
                (began, looks) = (Instant::now(), 0);
            }
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.tell(CLOSED);
            if let Some(thread) = worker.thread.take() {
                // A task's panic was given to whoever waited for it.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A crew whose only worker never begins.
    fn idle() -> Crew {
        Crew { workers: vec![Worker { desk: Arc::default(), thread: None }] }
    }

    fn message(panicking: impl FnOnce()) -> &'static str {
        let panic = catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
        panic.downcast_ref::<&str>().unwrap()
    }

    #[test]
    fn work_that_is_not_begun_is_done_here() {
        let (crew, here) = (idle(), thread::current().id());
        for _ in 0..2 {
            let mut done = None;
            crew.join(1, || {}, || done = Some(thread::current().id()));
            assert_eq!(done, Some(here));
        }
    }

    #[test]
    fn panics_leave_the_desk_free() {
        let crew = idle();
        assert_eq!(message(|| crew.join(1, || {}, || panic!("there"))), "there");
        let began = AtomicBool::new(false);
        let there = || began.store(true, Ordering::Relaxed);
        assert_eq!(message(|| crew.join(1, || panic!("here"), there)), "here");
        assert!(!began.load(Ordering::Relaxed), "nobody wants it any more");
        let ended = Cell::new(false);
        crew.join(1, || ended.set(true), || {});
        assert!(ended.get());
    }
}
