//! A progress bar on standard error; silent where that is not a terminal.

use std::collections::VecDeque;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::run::Progress;

/// Steps between redraws, so that drawing costs nothing.
const STRIDE: usize = 20;
/// Episodes in the mean return that is shown.
const WINDOW: usize = 10;

/// Shows steps, rate, time left and the mean return of the last episodes.
pub(super) struct Bar {
    bar: ProgressBar,
    returns: VecDeque<f64>,
}

impl Bar {
    pub(super) fn new(name: &str, steps: usize) -> Self {
        Bar::among(name, steps, &MultiProgress::new())
    }

    /// One of several, each on a line of its own.
    pub(super) fn among(name: &str, steps: usize, bars: &MultiProgress) -> Self {
        let template = "{prefix} [{bar:30}] {pos}/{len} steps, {per_sec}, {eta} left {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let bar = bars.add(ProgressBar::new(steps as u64));
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(name.to_string());
        Bar { bar, returns: VecDeque::new() }
    }
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

    fn notice(&mut self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows how many of several things are done.
pub(super) struct Count {
    bar: ProgressBar,
}

impl Count {
    pub(super) fn new(what: &str, count: usize) -> Self {
        let template = format!("[{{bar:30}}] {{pos}}/{{len}} {what}, {{eta}} left");
        let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
        let bar = ProgressBar::new(count as u64).with_style(style.progress_chars("=> "));
        Count { bar }
    }

    pub(super) fn one_more(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
