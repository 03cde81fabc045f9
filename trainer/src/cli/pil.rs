//! `trainer pil`.

use std::fmt::Display;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use serde::Serialize;

use super::board::{baud, greet};
use super::eval::{described, starts};
use super::numbers::whole;
use super::progress::{Bar, Wait};
use super::{Failure, json, policy_file, print};
use crate::config::environment;
use crate::envs;
use crate::eval::{Evaluation, check_shape};
use crate::link::figures::Percentiles;
use crate::link::{Board, Counters, Emulated, board, connect, emulated};
use crate::pil::{self, CostOfAction, Difference, Findings, StopError};
use crate::statistics::{counted, with_error};

/// Starts that are taken where nothing else is said.
pub(super) const EPISODES: usize = 100;
/// The most episodes, or steps, that one can ask for.
const MOST: u64 = u32::MAX as u64;

/// Run a policy on a board, in a simulation that runs here, and compare bit for bit
///
/// The machine is simulated here; the board gets each observation over a serial line and answers with its action (processor
/// in the loop). The same episodes are run with the policy here. Exit status 1 if any bit differs, or the board stops
/// answering: that episode ends there, without an action.
#[derive(Debug, Args)]
#[command(after_help = "Examples: trainer pil runs/sac/policy.bin --qemu m4\n          \
                        trainer pil runs/sac/policy.bin --serial /dev/ttyACM0")]
pub(super) struct Pil {
    /// The policy.bin that the board runs
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// Build firmware around the policy and run it in QEMU, on this core [default: m4, without --serial]
    #[arg(long, value_name = "CORE", value_parser = core(), conflicts_with = "serial")]
    qemu: Option<String>,
    /// The board's serial port, or tcp:HOST:PORT
    #[arg(long, value_name = "PORT", value_hint = ValueHint::FilePath)]
    serial: Option<String>,
    /// Bits each second on the serial port
    #[arg(long, value_name = "BAUD", default_value = "115200", requires = "serial", value_parser = baud())]
    baud: u32,
    /// A JSON array of initial states, as `trainer eval` takes it
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
    starts: Option<PathBuf>,
    /// How many of the starts, from the first on [default: 100, or all where there are fewer]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=MOST))]
    episodes: Option<usize>,
    /// Steps of an episode at most [default: those of the environment, 200 for the pendulum]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=MOST))]
    steps: Option<usize>,
    /// A setting of the environment, such as reset_noise_scale=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

/// `qemu-m4` is the name of the firmware, `m4` that of its core.
fn core() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(["m0", "m4", "rv32", "qemu-m0", "qemu-m4", "qemu-rv32"])
        .map(|given| given.trim_start_matches("qemu-").to_string())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    /// The environment's settings.
    environment: &'a toml::Table,
    board: &'a str,
    firmware: &'a str,
    policy_checksum: String,
    /// Starts that were asked for.
    starts: usize,
    steps: usize,
    /// Starts from which both episodes came to their end.
    finished: usize,
    /// Starts from which they have the same bits.
    equal: usize,
    all_equal: bool,
    board_hash: String,
    host_hash: String,
    first_difference: Option<Difference>,
    /// Returns with the board's actions; `null` where no episode was finished.
    #[serde(rename = "return")]
    board_return: Option<&'a Evaluation>,
    /// Returns with the policy here.
    host_return: Option<&'a Evaluation>,
    actions: usize,
    actions_per_second: Option<f64>,
    round_trip_microseconds: Option<Percentiles>,
    cost_of_action: Option<CostOfAction>,
    counters: Counters,
    /// Why it ended before its time.
    stopped: Option<String>,
}

impl Pil {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        fn failed(error: impl Display) -> Failure {
            Failure::Failed(error.to_string())
        }
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let table = environment(policy_file::plant(&self.policy, &policy)?, &self.assignments)?;
        let mut machine = envs::make(&table)?;
        check_shape(&policy, machine.spec()).map_err(failed)?;
        let starts = starts(self.starts.as_deref(), &table, machine.spec())?.states;
        let states = match self.episodes {
            None => starts.get(..EPISODES).unwrap_or(&starts),
            Some(wanted) => starts.get(..wanted).ok_or_else(|| {
                let count = counted(starts.len(), "start");
                Failure::Usage(format!("--episodes {wanted}: there is no more than {count}"))
            })?,
        };
        let steps = self.steps.unwrap_or(machine.spec().horizon);

        let (mut emulator, mut client) = match &self.serial {
            Some(port) => (None, connect(port, self.baud).map_err(failed)?),
            None => {
                let core = self.qemu.as_deref().unwrap_or("m4");
                let folder = emulated::firmware().map_err(failed)?;
                let _wait = Wait::spinner(format!(
                    "building firmware for an emulated {core}; the first time this takes minutes"
                ));
                let (emulator, client) =
                    Emulated::start(&folder, core, &self.policy).map_err(failed)?;
                (Some(emulator), client)
            }
        };
        let port = self.serial.as_deref().unwrap_or("the emulated board");
        let mut end = || emulator.as_mut().and_then(Emulated::end);
        let board = greet(&mut client, port).map_err(|error| with_end(&error, end()))?;
        pil::check(&board, &policy).map_err(failed)?;
        let found = {
            let mut bar = Bar::new(&board.name, states.len().saturating_mul(steps));
            pil::run(&mut client, board.cost, &policy, &mut *machine, states, steps, &mut bar)
        };
        policy_file::warn_of_ranges(&self.policy, &found.ranges);
        let stopped = found.stop.as_ref().map(|stop| {
            let hint = match &stop.error {
                StopError::Board(error) if error.is_running() => {
                    " (`trainer monitor --serial PORT --stop`)"
                }
                _ => "",
            };
            let end = match stop.error {
                StopError::Board(_) => end().map(|end| format!("; {end}")),
                StopError::Host(_) => None,
            };
            format!("{stop}{hint}{}", end.unwrap_or_default())
        });
        let report = Report {
            schema: 1,
            environment: &table,
            board: &board.name,
            firmware: &board.firmware,
            policy_checksum: format!("{:08x}", board.checksum),
            starts: states.len(),
            steps,
            finished: found.board.returns.len(),
            equal: found.equal,
            all_equal: found.all_equal(),
            board_hash: format!("{:08x}", found.board_hash),
            host_hash: format!("{:08x}", found.host_hash),
            first_difference: found.first_difference,
            board_return: finished(&found.board),
            host_return: finished(&found.host),
            actions: found.round_trips.len(),
            actions_per_second: rate(&found),
            round_trip_microseconds: found.round_trips.percentiles(),
            cost_of_action: found.cost,
            counters: found.counters,
            stopped,
        };
        let text = if as_json { json(&report) } else { report.to_text(&board) };
        let error = match (report.stopped, report.all_equal) {
            (None, true) => return Ok(text),
            (Some(stopped), _) => stopped,
            (None, false) => "the board's actions are not those of the policy here".into(),
        };
        print(&text);
        Err(Failure::Failed(error))
    }
}

/// An error of the link, and how the emulator ended if it did.
fn with_end(error: &dyn Display, end: Option<String>) -> Failure {
    Failure::Failed(match end {
        Some(end) => format!("{error}; {end}"),
        None => error.to_string(),
    })
}

fn finished(evaluation: &Evaluation) -> Option<&Evaluation> {
    (!evaluation.returns.is_empty()).then_some(evaluation)
}

/// Actions each second, the simulation's time included.
fn rate(found: &Findings) -> Option<f64> {
    let seconds = found.time.as_secs_f64();
    (seconds > 0.0 && !found.round_trips.is_empty())
        .then(|| found.round_trips.len() as f64 / seconds)
}

impl Report<'_> {
    fn to_text(&self, who: &Board) -> String {
        let Report { equal, starts, finished, board_hash, host_hash, .. } = self;
        let name = described(self.environment);
        let mut text = format!("{name} on {who}: {equal} of {}: ", counted(*starts, "start"));
        text += &match (self.all_equal, self.first_difference) {
            (true, _) => format!("all bits equal, hash 0x{board_hash}\n"),
            (false, None) => format!("all bits equal of the {finished} that were finished\n"),
            (false, Some(d)) => format!(
                "all bits equal; in {} bits differ, first at start {}, step {}, entry {} of the {}: \
                 0x{:08x} ({:?}) on the board, 0x{:08x} ({:?}) here\n",
                finished - equal,
                d.start,
                d.step,
                d.entry,
                d.part,
                d.board,
                f32::from_bits(d.board),
                d.host,
                f32::from_bits(d.host),
            ),
        };
        text += &format!(
            "hash of all observations and actions: board 0x{board_hash}, host 0x{host_hash}\n"
        );
        if let Some(e) = self.board_return {
            text += &format!(
                "return {} over {}, worst {:.2}, {} to the end\n",
                with_error(e.mean, e.standard_error, 2),
                counted(*finished, "start"),
                e.worst,
                counted(e.full_episodes, "episode")
            );
        }
        if let (Some(rate), Some(p)) = (self.actions_per_second, self.round_trip_microseconds) {
            text += &format!(
                "{} actions, {rate:.0} each second; round trip 50 % {} µs, 90 % {} µs, 99 % {} µs, at most {} µs\n",
                self.actions, p.p50, p.p90, p.p99, p.max
            );
        }
        if let Some(cost) = self.cost_of_action {
            let unit = board::unit(cost.unit);
            text += &format!(
                "one action takes {:.0} {unit} on average, {} at most\n",
                cost.mean, cost.max
            );
        }
        let Counters { retries, damaged, late, .. } = self.counters;
        text + &format!(
            "asked again {retries} times; {damaged} damaged frames, {late} late answers\n"
        )
    }
}
