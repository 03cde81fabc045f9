//! `trainer sign`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use policy_core::update::Manifest;
use serde::Serialize;

use super::numbers::whole;
use super::output::{self, Outputs};
use super::{Failure, json, names, policy_file};
use crate::link::{BOARDS, Known};
use crate::run::place;
use crate::signing;
use crate::text::{self, Shown};

/// Where it cannot be written.
const HINT: &str = "choose another file with --out";

/// Sign a policy, so that boards take it as an update
#[derive(Debug, Args)]
#[command(
    after_help = "Example: trainer sign runs/sac/policy.bin --key update.key --version 2 --board pico2"
)]
pub(super) struct Sign {
    /// A policy.bin
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// The private key, as `trainer keygen` makes it
    #[arg(long, value_name = "FILE.key", value_hint = ValueHint::FilePath)]
    key: PathBuf,
    /// Version of the policy: a board takes only higher ones than that which it has
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=u32::MAX.into()))]
    version: u32,
    /// Refuse a policy that has more bytes than a slot of this board
    #[arg(long, value_name = "NAME", value_parser = names::BOARDS)]
    board: Option<String>,
    /// The signed policy [default: the policy's name with the ending .signed]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(serialize_with = "text::path")]
    file: PathBuf,
    version: u32,
    bytes: usize,
    checksum: String,
    plant_fingerprint: String,
    /// Bytes of a slot of `--board` that are for a policy, which has `bytes` less manifest and signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u32>,
}

impl Sign {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let board = self.board.as_deref().map(board).transpose()?;
        let file = self.out.clone().unwrap_or_else(|| self.policy.with_extension("signed"));
        let outputs = Outputs {
            kind: output::Kind::Signed,
            inputs: &[&self.policy, &self.key],
            own: &[place::SIGNED],
            hint: HINT,
        };
        outputs.check(&file)?;
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let refused = |error: &dyn std::fmt::Display| policy_file::refused(&self.policy, error);
        // What would fail on the board need not be signed.
        policy.self_test().map_err(|error| refused(&error))?;
        let version = self.version;
        let manifest = Manifest::new(blob.bytes(), version).map_err(|error| refused(&error))?;
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
        if let Some(board) = board {
            board.has_room(manifest.length).map_err(|refusal| {
                let (file, name) = (self.policy.shown(), board.name);
                Failure::Failed(format!("{file} is not for {name}, and was not signed: {refusal}"))
            })?;
        }
        let key = signing::private_key(&self.key).map_err(|error| failed(&error))?;
        let signed = signing::sign(&manifest, blob.bytes(), &key);
        outputs.write(&file, &signed)?;
        let report = Report {
            schema: 1,
            file,
            version,
            bytes: signed.len(),
            checksum: format!("{:08x}", manifest.checksum),
            plant_fingerprint: format!("{:08x}", manifest.plant_fingerprint),
            slot: board.map(|board| board.capacity()),
        };
        Ok(if as_json {
            json(&report)
        } else {
            let room = board.map(|board| {
                format!(
                    "; its {} bytes fit {}'s slot of {}",
                    manifest.length,
                    board.name,
                    board.capacity()
                )
            });
            format!(
                "{}: policy 0x{} as version {version}, {} bytes, for machines of fingerprint 0x{}{}\n",
                report.file.shown(),
                report.checksum,
                report.bytes,
                report.plant_fingerprint,
                room.unwrap_or_default(),
            )
        })
    }
}

fn board(name: &str) -> Result<Known, Failure> {
    Known::find(name).ok_or_else(|| {
        let names = BOARDS.map(|board| board.name).join(", ");
        Failure::Usage(format!("there is no board `{name}`: choose from: {names}"))
    })
}
