//! `trainer monitor`.

mod view;

use std::io::{ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use policy_core::link::Request;

use super::Failure;
use super::board::{baud, meet};
use super::numbers::number;
use super::stop::stop;
use crate::link::LinkError;
use view::{Machine, View};

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
        if self.start {
            client.order(Request::Start).map_err(failed)?;
        }
        if self.stop {
            stop(&mut client, &board)?;
        }
        let mut screen = Screen::new(as_json);
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
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let at = begun.elapsed();
            let telemetry = client.status().map_err(failed)?;
            let view = View::new(&board, &machine, &telemetry, at).ok_or(LinkError::Unexpected);
            let view = view.map_err(failed)?;
            if !screen.show(&view)? {
                break;
            }
        }
        screen.leave();
        Ok(String::new())
    }
}

/// Where it is shown.
enum Screen {
    /// Lines of JSON.
    Json,
    /// Lines of text.
    Lines,
    /// A terminal, on which it is redrawn in place.
    Terminal(ProgressBar),
}

impl Screen {
    fn new(as_json: bool) -> Self {
        if as_json {
            return Screen::Json;
        }
        if !std::io::stdout().is_terminal() {
            return Screen::Lines;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template("{msg}").expect("the template is well-formed");
        bar.set_style(style);
        Screen::Terminal(bar)
    }

    /// Shows it; whether anybody still looks.
    fn show(&mut self, view: &View<'_>) -> Result<bool, Failure> {
        let line = match self {
            Screen::Json => serde_json::to_string(view).expect("a view is plain data"),
            Screen::Lines => view.line(),
            Screen::Terminal(bar) => {
                bar.set_message(view.page());
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

    /// What was shown last stays.
    fn leave(&self) {
        if let Screen::Terminal(bar) = self {
            bar.abandon();
        }
    }
}
