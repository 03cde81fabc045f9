//! What is shown on standard error while a command works: there only, so that standard output is for
//! programs to read; nothing where that is no terminal, and nothing with `--quiet` or `--json`. No colours.
//!
//! Training has a [`Bar`] from the beginning. Whatever else may take long has a [`Wait`], which appears
//! when it does. Commands without either (`sign`, `inspect`, …) take milliseconds.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::warn;
use crate::run::Progress;

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

/// Turns all progress off or on.
pub(super) fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Says something on the way that only somebody who watches needs.
pub(super) fn remark(text: &str) {
    if !QUIET.load(Ordering::Relaxed) && stderr().is_terminal() {
        eprintln!("{text}");
    }
}

/// Where progress is drawn.
fn target() -> ProgressDrawTarget {
    match QUIET.load(Ordering::Relaxed) {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    }
}

/// Place for several bars, one below the other.
pub(super) fn bars() -> MultiProgress {
    MultiProgress::with_draw_target(target())
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}

/// Shows steps, rate, time left and the mean return of the last episodes.
pub(super) struct Bar {
    bar: ProgressBar,
    returns: VecDeque<f64>,
}

impl Bar {
    pub(super) fn new(name: &str, steps: usize) -> Self {
        Bar::among(name, steps, &bars())
    }

    /// One of several, each on a line of its own.
    pub(super) fn among(name: &str, steps: usize, bars: &MultiProgress) -> Self {
        let bar = bars.add(ProgressBar::new(steps as u64));
        let style = style("{prefix} [{bar:30}] {pos}/{len} steps, {rate}, {eta} left {msg}");
        bar.set_style(style.with_key("rate", rate));
        bar.set_prefix(name.to_string());
        Bar { bar, returns: VecDeque::new() }
    }
}

/// Steps a second, whole ones.
fn rate(state: &ProgressState, text: &mut dyn Write) {
    let _ = write!(text, "{:.0}/s", state.per_sec());
}

impl Progress for Bar {
    fn step(&mut self, step: usize) {
        if step.is_multiple_of(STRIDE) {
            self.bar.set_position(step as u64);
        }
    }

    fn episode(&mut self, episode_return: f64) {
        if self.returns.len() == WINDOW {
            self.returns.pop_front();
        }
        self.returns.push_back(episode_return);
        let mean = self.returns.iter().sum::<f64>() / self.returns.len() as f64;
        self.bar.set_message(format!("· return {mean:.0}"));
    }

    fn goes_on(&mut self, step: usize) {
        self.bar.set_position(step as u64);
        // Of the steps before, this process knows no time.
        self.bar.reset_eta();
    }

    fn trained(&mut self) {
        self.bar.set_position(self.bar.length().unwrap_or_default());
        self.bar.set_message("· evaluates the policy");
    }

    fn notice(&mut self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Says what goes on, once that has taken two seconds; gone when this is dropped.
pub(super) struct Wait {
    bar: ProgressBar,
    /// Dropped, it ends the thread that waits to show the bar.
    end: Option<Sender<()>>,
    waiting: Option<JoinHandle<()>>,
}

impl Wait {
    /// For work whose parts are not counted.
    pub(super) fn spinner(what: impl Into<String>) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Wait::show(bar.with_style(style("{spinner} {msg} ({elapsed})")), what)
    }

    /// For work of so many parts, each one `unit`.
    pub(super) fn bar(what: impl Into<String>, parts: usize, unit: &str) -> Self {
        let hidden = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(Some(parts as u64), hidden);
        let template = format!("{{msg}} [{{bar:30}}] {{pos}}/{{len}} {unit}, {{eta}} left");
        Wait::show(bar.with_style(style(&template)), what)
    }

    fn show(bar: ProgressBar, what: impl Into<String>) -> Self {
        bar.set_message(what.into());
        if QUIET.load(Ordering::Relaxed) || !stderr().is_terminal() {
            return Wait { bar, end: None, waiting: None };
        }
        let (end, ended) = channel();
        let shown = bar.clone();
        // The work need not say anything for long.
        let waiting = thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target());
                shown.enable_steady_tick(TICK);
            }
        });
        Wait { bar, end: Some(end), waiting: Some(waiting) }
    }

    /// Something else goes on now.
    pub(super) fn say(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// Something that the user should know, on a line of its own.
    pub(super) fn warn(&self, text: &str) {
        self.bar.suspend(|| warn(text));
    }

    /// One more part is done.
    pub(super) fn one_more(&self) {
        self.bar.inc(1);
    }

    /// So many parts are done.
    pub(super) fn set(&self, parts: usize) {
        self.bar.set_position(parts as u64);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(waiting) = self.waiting.take() {
            // A panic in there is shown where it happens.
            let _ = waiting.join();
        }
        self.bar.finish_and_clear();
    }
}
