//! What is shown on standard error while a command works: there only, so that standard output is for
//! programs to read; nothing where that is no terminal, and nothing with `--quiet` or `--json`. No colours.
//!
//! Training has a [`Bar`] from the beginning. Whatever else may take long has a [`Wait`], which appears
//! when it does. Commands without either (`sign`, `inspect`, …) take milliseconds.

use std::collections::VecDeque;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use console::Term;

use super::line::Line;
use super::pace::{Pace, short};
use super::rows::{self, Row};
use super::warn;
use crate::run::Progress;
use crate::text;

/// Whether `--quiet` or `--json` was given. As there is one terminal, whoever writes to it asks here.
static QUIET: AtomicBool = AtomicBool::new(false);
/// Steps between redraws, so that drawing costs nothing.
const STRIDE: usize = 20;
/// Episodes in the mean return that is shown.
const WINDOW: usize = 10;
/// Quicker work shows nothing.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);
/// They are these.
const PICTURES: [&str; 4] = ["|", "/", "-", "\\"];

/// Turns all progress off or on.
pub(super) fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Says something on the way that only somebody who watches needs.
pub(super) fn remark(text: &str) {
    if !QUIET.load(Ordering::Relaxed) && stderr().is_terminal() {
        rows::suspend(|| eprintln!("{}", text::line(text)));
    }
}

/// Is progress shown?
fn is_shown() -> bool {
    !QUIET.load(Ordering::Relaxed) && rows::can_show(&Term::stderr())
}

/// Shows steps, rate, time left and the mean return of the last episodes.
pub(super) struct Bar {
    row: Option<Row>,
    name: String,
    step: usize,
    steps: usize,
    pace: Pace,
    returns: VecDeque<f64>,
    message: String,
}

impl Bar {
    /// Below those that there are.
    pub(super) fn new(name: &str, steps: usize) -> Self {
        let (row, returns) = (is_shown().then(Row::new), VecDeque::new());
        let (name, message) = (name.into(), String::new());
        Bar { row, name, step: 0, steps, pace: Pace::from(0), returns, message }
    }

    fn show(&mut self, now: bool) {
        let Some(row) = &self.row else { return };
        self.pace.come_to(self.step);
        let line = Line::default().name(&self.name).bar(share(self.step, self.steps), 4);
        let line = line.text(format!(" {}/{}", self.step, self.steps), 0).text(" steps", 1);
        let line = match self.pace.rate() {
            Some(rate) => line.text(format!(", {rate:.0}/s"), 5),
            None => line,
        };
        row.show(left(line, &self.pace, self.steps).text(self.message.as_str(), 3), now);
    }
}

/// How much is done, of 1.
fn share(done: usize, all: usize) -> f64 {
    if all == 0 { 1.0 } else { done as f64 / all as f64 }
}

/// With the time that is left, where that is known.
fn left(line: Line, pace: &Pace, all: usize) -> Line {
    match pace.left(all) {
        Some(time) => line.text(format!(", {} left", short(time)), 2),
        None => line,
    }
}

impl Progress for Bar {
    fn step(&mut self, step: usize) {
        self.step = step;
        if step.is_multiple_of(STRIDE) {
            self.show(false);
        }
    }

    fn episode(&mut self, episode_return: f64) {
        if self.returns.len() == WINDOW {
            self.returns.pop_front();
        }
        self.returns.push_back(episode_return);
        let mean = self.returns.iter().sum::<f64>() / self.returns.len() as f64;
        self.message = format!(" · return {mean:.0}");
    }

    fn goes_on(&mut self, step: usize) {
        // Of the steps before, this process knows no time.
        (self.step, self.pace) = (step, Pace::from(step));
    }

    fn trained(&mut self) {
        self.step = self.steps;
        self.message = " · evaluates the policy".into();
        self.show(true);
    }

    fn notice(&mut self, text: &str) {
        rows::suspend(|| eprintln!("{}", text::line(text)));
    }
}

/// Says what goes on, once that has taken two seconds; gone when this is dropped.
pub(super) struct Wait {
    work: Arc<Mutex<Work>>,
    /// Dropped, it ends the thread that shows the work.
    end: Option<Sender<()>>,
    waiting: Option<JoinHandle<()>>,
}

/// What goes on.
struct Work {
    what: String,
    begun: Instant,
    /// How many parts there are, and what one is called; of work whose parts are not counted, nothing.
    parts: Option<(usize, String)>,
    done: usize,
    pace: Pace,
}

impl Work {
    fn reach(&mut self, done: usize) {
        self.done = done;
        self.pace.come_to(done);
    }

    fn line(&self, picture: &str) -> Line {
        let Some((parts, unit)) = &self.parts else {
            let line = Line::default().text(format!("{picture} "), 1).text(self.what.as_str(), 0);
            return line.text(format!(" ({})", short(self.begun.elapsed())), 2);
        };
        let line = Line::default().text(self.what.as_str(), 0).bar(share(self.done, *parts), 4);
        let line = line.text(format!(" {}/{parts}", self.done), 3).text(format!(" {unit}"), 3);
        left(line, &self.pace, *parts)
    }
}

impl Wait {
    /// For work whose parts are not counted.
    pub(super) fn spinner(what: impl Into<String>) -> Self {
        Wait::show(what.into(), None)
    }

    /// For work of so many parts, each one `unit`.
    pub(super) fn bar(what: impl Into<String>, parts: usize, unit: &str) -> Self {
        Wait::show(what.into(), Some((parts, unit.into())))
    }

    fn show(what: String, parts: Option<(usize, String)>) -> Self {
        let (begun, pace) = (Instant::now(), Pace::from(0));
        let work = Arc::new(Mutex::new(Work { what, begun, parts, done: 0, pace }));
        if !is_shown() {
            return Wait { work, end: None, waiting: None };
        }
        let (end, ended) = channel();
        let shown = work.clone();
        // The work need not say anything for long.
        let waiting = thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let row = Row::new();
            for picture in PICTURES.into_iter().cycle() {
                row.show(locked(&shown).line(picture), true);
                if ended.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Wait { work, end: Some(end), waiting: Some(waiting) }
    }

    /// Something else goes on now.
    pub(super) fn say(&self, what: impl Into<String>) {
        locked(&self.work).what = what.into();
    }

    /// Something that the user should know, on a line of its own.
    pub(super) fn warn(&self, text: &str) {
        warn(text);
    }

    /// One more part is done.
    pub(super) fn one_more(&self) {
        let mut work = locked(&self.work);
        let done = work.done + 1;
        work.reach(done);
    }

    /// So many parts are done.
    pub(super) fn set(&self, parts: usize) {
        locked(&self.work).reach(parts);
    }
}

fn locked(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Wait {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(waiting) = self.waiting.take() {
            // A panic in there is shown where it happens.
            let _ = waiting.join();
        }
    }
}
