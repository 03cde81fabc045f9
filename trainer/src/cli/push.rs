//! `trainer push`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use policy_core::link::{CHUNK, Fault, Refusal, Request, Source, State, UpdateRefusal};
use serde::Serialize;

use super::board::{baud, meet};
use super::progress::Wait;
use super::stop::stop;
use super::{Failure, json};
use crate::input;
use crate::link::{Board, Client, LinkError};
use crate::signing::Signed;
use crate::text::Shown;

/// No signed policy is larger, in bytes.
const LARGEST: u64 = 1 << 30;
/// Between two looks at a trial.
const LOOK: Duration = Duration::from_millis(100);
/// Longer than a trial takes, by so many control periods more.
const SPARE: f32 = 100.0;

/// Send a signed policy to a board, which tries it and keeps it if nothing goes wrong
///
/// The board says when it is met what it can run: machine, sizes, control period, kind and width of weights, and bytes of a slot;
/// what does not fit is not sent. The board checks all that itself, the signature and the version, before it writes a byte,
/// and the policy that runs is left as it is until all of the new one is there. The new one is then on trial; if it meets a fault in its first 100 control
/// periods, or the board restarts, the one before runs again. A trial needs a controller that runs.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: trainer push runs/sac/policy.signed --serial /dev/ttyACM0 --start"
)]
pub(super) struct Push {
    /// A signed policy, as `trainer sign` makes it
    #[arg(value_hint = ValueHint::FilePath)]
    signed: PathBuf,
    /// The board's serial port, or tcp:HOST:PORT
    #[arg(long, value_name = "PORT", value_hint = ValueHint::FilePath)]
    serial: String,
    /// Bits each second on the serial port
    #[arg(long, value_name = "BAUD", default_value = "115200", value_parser = baud())]
    baud: u32,
    /// Stop the controller first: boards whose flash holds up the processor want that
    #[arg(long)]
    stop: bool,
    /// Start the controller with the new policy, if it does not run
    #[arg(long)]
    start: bool,
}

/// How the trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Trial {
    /// The board keeps the policy.
    Kept,
    /// It met a fault, and the one before runs again.
    Failed,
    /// The controller does not run, so that the policy is still on trial.
    Waiting,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    board: String,
    version: u32,
    bytes: usize,
    /// Bytes of a slot that are for a policy.
    slot: u32,
    trial: Trial,
    /// Why it failed.
    fault: Option<String>,
}

impl Push {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let failed = |error: LinkError| Failure::Failed(error.to_string());
        let name = self.signed.shown();
        let bytes = input::bytes(&self.signed, LARGEST)
            .map_err(|error| Failure::Failed(format!("cannot read {name}: {error}")))?;
        let signed = Signed::from_bytes(bytes)
            .map_err(|error| Failure::Failed(format!("{name} is no signed policy: {error}")))?;
        let (mut client, board) = meet(&self.serial, self.baud)?;
        // Before anything is sent, and before the controller is stopped for nothing.
        board.judge(&signed.manifest).map_err(|refusal| {
            Failure::Failed(format!(
                "{name} is not for {}, and was not sent: {refusal}",
                board.name
            ))
        })?;
        if self.stop {
            stop(&mut client, &board)?;
        }
        send(&mut client, &signed, &board)?;
        if self.start {
            client.order(Request::Start).map_err(failed)?;
        }
        let (trial, fault) = watch(&mut client, &signed, board.control_period)?;
        let report = Report {
            schema: 1,
            version: signed.manifest.version,
            bytes: signed.policy().len(),
            slot: board.capacity,
            trial,
            fault: fault.map(|fault| fault.to_string()),
            board: board.name,
        };
        let text = if as_json { json(&report) } else { report.to_text(&self.serial) };
        if trial == Trial::Failed {
            super::print(&text);
            return Err(Failure::Failed("the policy has failed its trial".into()));
        }
        Ok(text)
    }
}

fn send(client: &mut Client, signed: &Signed, board: &Board) -> Result<(), Failure> {
    let failed = |error: LinkError| {
        let hint = match error {
            LinkError::Refused(Refusal::Update(UpdateRefusal::Running)) => {
                " (`trainer push … --stop --start` does, and starts it again)"
            }
            LinkError::Refused(Refusal::Update(UpdateRefusal::OnTrial)) => {
                " (`trainer monitor` shows how long; it needs a controller that runs: --start, or a restart of the board)"
            }
            _ => "",
        };
        Failure::Failed(format!("{error}{hint}"))
    };
    let (manifest, signature) = (signed.manifest_bytes(), signed.signature());
    let (name, slot, length) = (&board.name, board.capacity, signed.policy().len());
    let begins = Wait::spinner(format!("{name}: policy of {length} bytes, slot of {slot}"));
    client.order(Request::Propose { manifest, signature }).map_err(failed)?;
    drop(begins);
    let wait = Wait::bar(format!("sending to {name}, slot of {slot}"), length, "bytes");
    for (offset, bytes) in (0..).step_by(CHUNK).zip(signed.policy().chunks(CHUNK)) {
        client.order(Request::Chunk { offset, bytes }).map_err(failed)?;
        wait.set(offset as usize + bytes.len());
    }
    wait.say(format!("{name} checks the policy"));
    client.order(Request::Commit).map_err(failed)
}

/// Looks on until the trial has ended, or cannot go on.
fn watch(
    client: &mut Client,
    signed: &Signed,
    period: f32,
) -> Result<(Trial, Option<Fault>), Failure> {
    let version = signed.manifest.version;
    let mut begun = Instant::now();
    let mut left = None;
    let wait = Wait::spinner("the policy is on trial");
    let patience = Duration::try_from_secs_f32(SPARE * period).unwrap_or(LOOK).max(20 * LOOK);
    loop {
        std::thread::sleep(LOOK);
        let status = client.status().map_err(|error| Failure::Failed(error.to_string()))?;
        let is_new = status.policy == Source::Update { version };
        if status.trial == 0 && is_new {
            return Ok((Trial::Kept, None));
        }
        if status.trial == 0 && status.fallback.is_some() {
            return Ok((Trial::Failed, status.fallback));
        }
        if left != Some(status.trial) {
            (left, begun) = (Some(status.trial), Instant::now());
            wait.say(format!("the policy is on trial for {} more periods", status.trial));
        }
        // The first period after an order may still be to come.
        let has_waited = begun.elapsed() > patience;
        if has_waited || (is_new && status.state != State::Running && begun.elapsed() > 10 * LOOK) {
            return Ok((Trial::Waiting, None));
        }
    }
}

impl Report {
    fn to_text(&self, port: &str) -> String {
        let Report { board, version, bytes, slot, .. } = self;
        let end = match (self.trial, &self.fault) {
            (Trial::Kept, _) => "it has passed its trial, and is kept".to_string(),
            (Trial::Failed, Some(fault)) => {
                format!("it has failed its trial, as {fault}; the policy before runs again")
            }
            (Trial::Failed, None) => "it has failed its trial".to_string(),
            (Trial::Waiting, _) => format!(
                "it is on trial, which goes on when the controller runs: trainer monitor --serial {port} --start"
            ),
        };
        format!("version {version} ({bytes} bytes, slot of {slot}) is on {board}: {end}\n")
    }
}
