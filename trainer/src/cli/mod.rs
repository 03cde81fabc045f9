//! The command line: one file for each subcommand.
//!
//! Reports go to standard output, as a table or with `--json` as JSON; progress and errors go to
//! standard error, progress only where that is a terminal and neither `--json` nor `--quiet` was
//! given. The exit status is 0, or 1 for a run that failed, or 2 for wrong usage or settings, or 130
//! after Ctrl-C.

mod bench;
mod board;
mod columns;
mod compare;
mod completions;
mod eval;
mod inspect;
mod interrupt;
mod keygen;
mod line;
mod main_job;
mod monitor;
mod names;
mod numbers;
mod output;
mod pace;
mod pil;
mod plot;
mod policy_file;
mod pool;
mod presets;
mod progress;
mod push;
mod quantize;
mod record;
mod report;
mod rows;
mod runs;
mod seeds;
mod sign;
mod stop;
mod sweep;
mod sweep_csv;
mod sweep_report;
mod train;
mod view;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::linalg::Backend;
use crate::run::{self, RunError};
use crate::settings::ConfigError;
use crate::text;

/// A line of help has so many at most.
const COLUMNS: usize = 100;

/// Trains control policies by reinforcement learning and exports them for microcontrollers.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = COLUMNS,
    after_help = "Without a command: trains the presets `dqn`, `ddpg`, `td3` and `sac`, evaluates \
                  and exports their policies to runs/PRESET, checks them, and prints a table.\n\n\
                  Example: trainer train --preset sac --seed 3 --set gamma=0.98 --out runs/mine"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON instead of text, and show no progress
    #[arg(long, global = true)]
    json: bool,
    /// Show no progress; warnings and errors are still shown
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a policy and export it
    Train(train::Train),
    /// Run a policy from fixed starts and report its return
    Eval(eval::Eval),
    /// Train with settings that vary, on all processors, and rank them
    Sweep(sweep::Sweep),
    /// Compare runs and seeds, with intervals
    Compare(compare::Compare),
    /// Draw a run, or several beside each other, as SVG
    Plot(plot::Plot),
    /// Write the page of a run again
    Report(report::Report),
    /// Watch a policy run its machine on a page of the browser, poke it, drag it and change it
    View(view::View),
    /// Give a policy integer weights, for processors without an FPU
    Quantize(quantize::Quantize),
    /// Run a policy on a board, in a simulation that runs here, and compare bit for bit
    Pil(pil::Pil),
    /// Show how the controller on a board is
    Monitor(monitor::Monitor),
    /// Make a pair of keys: one signs policies, the other one goes into firmware
    Keygen(keygen::Keygen),
    /// Sign a policy, so that boards take it as an update
    Sign(sign::Sign),
    /// Send a signed policy to a board, which tries it and keeps it if nothing goes wrong
    Push(push::Push),
    /// Film an episode of a policy, as an animated GIF
    Record(record::Record),
    /// Show what is in a policy file
    Inspect(inspect::Inspect),
    /// List the presets
    Presets(presets::Presets),
    /// Measure what training costs on this machine
    Bench(bench::Bench),
    /// Print a script with which a shell completes commands, options and presets
    Completions(completions::Completions),
}

/// Runs something and counts the allocations that it makes. The library leaves the allocator to the
/// program.
pub type Counter = fn(&mut dyn FnMut()) -> u64;

/// Why a command failed; decides the exit status.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or settings: 2.
    Usage(String),
    /// Right usage, but it could not be done: 1.
    Failed(String),
    /// A signal ended it, after it has saved what there was: 128 and the signal's number.
    Interrupted { text: String, status: u8 },
}

impl Failure {
    /// Both, with the status of the first.
    fn and(self, other: Failure) -> Failure {
        let (Self::Usage(second) | Self::Failed(second) | Self::Interrupted { text: second, .. }) =
            other;
        let both = |first: String| format!("{first}; {second}");
        match self {
            Self::Usage(first) => Self::Usage(both(first)),
            Self::Failed(first) => Self::Failed(both(first)),
            Self::Interrupted { text, status } => Self::Interrupted { text: both(text), status },
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Config(error) => error.into(),
            RunError::Unfinished { .. }
            | RunError::Finished { .. }
            | RunError::Beyond { .. }
            | RunError::OtherSettings { .. }
            | RunError::Foreign { .. }
            | RunError::Altered { .. }
            | RunError::OfSweep { .. }
            | RunError::OfRun { .. }
            | RunError::Trial { .. } => Failure::Usage(error.to_string()),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

/// All commands with their arguments, as this program parses them: for whoever checks command lines that are written
/// somewhere.
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs the command of this process's arguments, with a way to count allocations.
pub fn main(count: Counter) -> ExitCode {
    interrupt::take_limits_for_errors();
    run(std::env::args_os(), count)
}

/// The same with other arguments than this process's; the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, count: Counter) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return fail(&one_line(&error), 2),
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    progress::be_quiet(arguments.quiet || arguments.json);
    if let Err(error) = Backend::from_environment() {
        return fail(&error.to_string(), 2);
    }
    let report = match arguments.command {
        None => main_job::run(arguments.json),
        Some(Command::Train(command)) => command.run(arguments.json),
        Some(Command::Eval(command)) => command.run(arguments.json),
        Some(Command::Plot(command)) => command.run(arguments.json),
        Some(Command::Report(command)) => command.run(arguments.json),
        Some(Command::Compare(command)) => command.run(arguments.json),
        Some(Command::Sweep(command)) => command.run(arguments.json),
        Some(Command::View(command)) => command.run(arguments.json),
        Some(Command::Quantize(command)) => command.run(arguments.json),
        Some(Command::Pil(command)) => command.run(arguments.json),
        Some(Command::Monitor(command)) => command.run(arguments.json),
        Some(Command::Keygen(command)) => command.run(arguments.json),
        Some(Command::Sign(command)) => command.run(arguments.json),
        Some(Command::Push(command)) => command.run(arguments.json),
        Some(Command::Record(command)) => command.run(arguments.json),
        Some(Command::Inspect(command)) => command.run(arguments.json),
        Some(Command::Presets(command)) => Ok(command.run(arguments.json)),
        Some(Command::Bench(command)) => command.run(arguments.json, count),
        Some(Command::Completions(command)) => command.run(arguments.json),
    };
    run::take_lost().iter().for_each(|text| warn(text));
    match report {
        Ok(report) => print(&report),
        Err(Failure::Usage(text)) => fail(&text, 2),
        Err(Failure::Failed(text)) => fail(&text, 1),
        Err(Failure::Interrupted { text, status }) => fail(&text, status),
    }
}

/// Prints a report.
fn print(report: &str) -> ExitCode {
    let mut out = std::io::stdout();
    match out.write_all(text::lines(report).as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough (`| head`) closes the pipe: that is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(&format!("cannot print the report: {error}"), 1)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn fail(text: &str, status: u8) -> ExitCode {
    // Where even this cannot be written, the status has to do.
    let _ = writeln!(std::io::stderr(), "error: {}", text::line(text));
    ExitCode::from(status)
}

/// Something that the user should know; it does not stop the work.
fn warn(text: &str) {
    rows::suspend(|| {
        let _ = writeln!(std::io::stderr(), "warning: {}", text::line(text));
    });
}

/// What clap says in several paragraphs, as one sentence: the mistake, and its tip.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mistake = lines.next().unwrap_or("wrong arguments").trim_start_matches("error: ");
    let details = lines.take_while(|line| !line.starts_with("Usage:"));
    let details = details.filter(|line| !line.starts_with("For more information"));
    let details: String = details.map(|line| format!("; {line}")).collect();
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    let words = usage.unwrap_or("trainer").split(' ');
    let command: Vec<&str> = words.take_while(|word| !word.starts_with(['[', '<', '-'])).collect();
    format!("{mistake}{details}; `{} --help` shows what there is", command.join(" "))
}

/// A value as JSON with a line break at its end.
fn json<T: serde::Serialize>(value: &T) -> String {
    text::json(value, true) + "\n"
}

#[cfg(test)]
mod tests;
