//! `trainer monitor`.

mod view;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use console::Term;
use policy_core::link::Request;

use super::board::{baud, meet};
use super::interrupt::Interrupt;
use super::line::wrapped;
use super::numbers::number;
use super::rows;
use super::stop::stop;
use super::{Failure, policy_file, warn};
use crate::link::{Board, LinkError};
use crate::pil;
use crate::quantise::Watch;
use view::{Machine, View};

/// So soon Ctrl-C is seen.
const LOOK: Duration = Duration::from_millis(50);

/// Show how the controller on a board is
///
/// Asks the board for its state, its last observation and action, how well it keeps its control period, and what has gone
/// wrong. The machine goes on as it was when this ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples: trainer monitor --serial /dev/ttyACM0 --start\n          \
                        trainer monitor --serial /dev/ttyACM0 --stop")]
pub(super) struct Monitor {
    /// The board's serial port, or tcp:HOST:PORT
    #[arg(long, value_name = "PORT", value_hint = ValueHint::FilePath)]
    serial: String,
    /// Bits each second on the serial port
    #[arg(long, value_name = "BAUD", default_value = "115200", value_parser = baud())]
    baud: u32,
    /// The policy.bin that the board runs: with its ranges, if it is a quantized one, the observations are compared
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: Option<PathBuf>,
    /// How often each second the board is asked
    #[arg(long, value_name = "HZ", default_value = "10", allow_negative_numbers = true)]
    #[arg(value_parser = number)]
    rate: f64,
    /// End after so many seconds [default: never, or with --stop at once]
    #[arg(long = "for", value_name = "SECONDS", allow_negative_numbers = true)]
    #[arg(value_parser = number)]
    duration: Option<f64>,
    /// First let the policy run the machine
    #[arg(long, conflicts_with = "stop")]
    start: bool,
    /// First put the actuator into its safe state; without --for, show the state once
    #[arg(long)]
    stop: bool,
}

impl Monitor {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        if !(0.01..=1000.0).contains(&self.rate) {
            let text = format!("--rate must be from 0.01 to 1000 Hz, not {}", self.rate);
            return Err(Failure::Usage(text));
        }
        if let Some(given) = self.duration.filter(|given| !(0.0..=1e9).contains(given)) {
            let text = format!("--for must be from 0 to 1000000000 s, not {given}");
            return Err(Failure::Usage(text));
        }
        let failed = |error: LinkError| Failure::Failed(error.to_string());
        let (mut client, board) = meet(&self.serial, self.baud)?;
        let machine = Machine::of(&board);
        let mut ranges = self.policy.as_deref().map(|path| ranges(path, &board)).transpose()?;
        if self.start {
            client.order(Request::Start).map_err(failed)?;
        }
        if self.stop {
            stop(&mut client, &board)?;
        }
        let mut screen = Screen::new(as_json)?;
        let begun = Instant::now();
        let last = match self.duration {
            Some(seconds) => Some(Duration::from_secs_f64(seconds)),
            None => self.stop.then_some(Duration::ZERO),
        };
        for poll in 0_u32.. {
            let due = Duration::from_secs_f64(f64::from(poll) / self.rate);
            if poll > 0 && last.is_some_and(|last| due > last) {
                break;
            }
            while due > begun.elapsed() && !screen.is_interrupted() {
                std::thread::sleep(due.saturating_sub(begun.elapsed()).min(LOOK));
            }
            if screen.is_interrupted() {
                break;
            }
            let at = begun.elapsed();
            let telemetry = client.status().map_err(failed)?;
            let view = View::new(&board, &machine, &telemetry, at).ok_or(LinkError::Unexpected);
            let mut view = view.map_err(failed)?;
            if let Some(ranges) = &mut ranges
                && view.watch(ranges)
            {
                screen.warn(&ranges.warning().unwrap_or_default());
            }
            if !screen.show(&view)? {
                break;
            }
        }
        screen.leave();
        Ok(String::new())
    }
}

/// The ranges of the policy in a file, which must be the board's.
fn ranges(path: &Path, board: &Board) -> Result<Watch, Failure> {
    let blob = policy_file::read(path)?;
    let policy = policy_file::policy(path, &blob)?;
    pil::check(board, &policy).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(Watch::new(&policy))
}

/// Where it is shown.
enum Screen {
    /// Lines of JSON.
    Json,
    /// Lines of text.
    Lines,
    /// A terminal, on which it is redrawn in place.
    Terminal(Page),
}

/// What is redrawn, until Ctrl-C.
struct Page {
    term: Term,
    /// What is shown now.
    text: String,
    interrupt: Interrupt,
}

impl Screen {
    fn new(as_json: bool) -> Result<Self, Failure> {
        let term = Term::stdout();
        if as_json {
            return Ok(Screen::Json);
        }
        if !rows::can_show(&term) {
            return Ok(Screen::Lines);
        }
        let (text, interrupt) = (String::new(), Interrupt::listen()?);
        Ok(Screen::Terminal(Page { term, text, interrupt }))
    }

    /// Shows it; whether anybody still looks.
    fn show(&mut self, view: &View<'_>) -> Result<bool, Failure> {
        let line = match self {
            Screen::Json => serde_json::to_string(view).expect("a view is plain data"),
            Screen::Lines => view.line(),
            Screen::Terminal(page) => {
                page.text = view.page();
                page.draw(rows::frame);
                return Ok(true);
            }
        };
        let mut out = std::io::stdout();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            // A reader that has seen enough (`| head`) closes the pipe: that is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::Failed(format!("cannot print the state: {error}"))),
        }
    }

    /// Was Ctrl-C pressed? Where lines are printed, that ends the process.
    fn is_interrupted(&self) -> bool {
        match self {
            Screen::Terminal(page) => page.interrupt.flag().load(Ordering::Relaxed),
            Screen::Json | Screen::Lines => false,
        }
    }

    /// Says something that stays above what is redrawn.
    fn warn(&self, text: &str) {
        if let Screen::Terminal(_) = self {
            rows::put(&mut std::io::stdout(), &rows::frame(&[], 1));
        }
        warn(text);
    }

    /// What was shown last stays. After Ctrl-C the process ends here.
    fn leave(self) {
        if let Screen::Terminal(page) = self {
            let interrupt = page.interrupt.clone();
            drop(page);
            interrupt.obey();
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.draw(rows::last_frame);
        }
    }
}

impl Page {
    /// Draws it as wide as the terminal is now.
    fn draw(&self, frame: fn(&[String], usize) -> String) {
        let (height, columns) = rows::size(&self.term);
        let lines = self.text.lines().flat_map(|line| wrapped(line, columns, view::INDENT));
        rows::put(&mut std::io::stdout(), &frame(&lines.collect::<Vec<_>>(), height));
    }
}
