//! The command line: one file for each subcommand.
//!
//! Reports go to standard output, as a table or with `--json` as JSON; progress and errors go to
//! standard error. The exit status is 0, or 1 for a run that failed, or 2 for wrong usage or
//! settings.

mod eval;
mod inspect;
mod policy_file;
mod presets;
mod progress;
mod train;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::run::RunError;

/// Trains control policies by reinforcement learning and exports them for microcontrollers.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Without a command: trains the preset `sac`, evaluates and exports its policy \
                  to runs/sac, checks it, and prints a table.\n\n\
                  Example: trainer train --preset sac --seed 3 --set gamma=0.98 --out runs/mine"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a policy and export it
    Train(train::Train),
    /// Run a policy from fixed starts and report its return
    Eval(eval::Eval),
    /// Show what is in a policy file
    Inspect(inspect::Inspect),
    /// List the presets
    Presets(presets::Presets),
}

/// Why a command failed; decides the exit status.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or settings: 2.
    Usage(String),
    /// Right usage, but it could not be done: 1.
    Failed(String),
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
            _ => Failure::Failed(error.to_string()),
        }
    }
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    // Wrong arguments end here, with exit status 2.
    let arguments = Arguments::parse();
    let report = match arguments.command {
        None => train::main_job(arguments.json),
        Some(Command::Train(command)) => command.run(arguments.json),
        Some(Command::Eval(command)) => command.run(arguments.json),
        Some(Command::Inspect(command)) => command.run(arguments.json),
        Some(Command::Presets(command)) => Ok(command.run(arguments.json)),
    };
    let (text, status) = match report {
        Ok(report) => {
            // A reader that has seen enough (`| head`) closes the pipe: that is no failure.
            let _ = std::io::stdout().write_all(report.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Failure::Usage(text)) => (text, 2),
        Err(Failure::Failed(text)) => (text, 1),
    };
    eprintln!("error: {text}");
    ExitCode::from(status)
}

/// A value as JSON with a line break at its end.
fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("reports are plain data") + "\n"
}
