//! `trainer keygen`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::{Failure, json};
use crate::signing;
use crate::text::{self, Shown};

/// Make a pair of keys: one signs policies, the other one goes into firmware
///
/// Writes NAME.key, which signs and must stay secret, and NAME.pub, which firmware checks signatures with.
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer keygen --out update\n         \
                        KEY=update.pub, when firmware is built; --key update.key, when a policy is signed")]
pub(super) struct Keygen {
    /// Name of both files, without an ending
    #[arg(long, value_name = "NAME", default_value = "update", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(serialize_with = "text::path")]
    private: PathBuf,
    #[serde(serialize_with = "text::path")]
    public: PathBuf,
}

impl Keygen {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let with = |ending: &str| {
            let mut name = self.out.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let (private, public) = (with(".key"), with(".pub"));
        for path in [&private, &public] {
            if path.symlink_metadata().is_ok() {
                // Who lost a key can update none of the boards that know it.
                let text = format!(
                    "{} is already there, and is not overwritten: give another name with --out",
                    path.shown()
                );
                return Err(Failure::Failed(text));
            }
        }
        let pair = signing::generate().map_err(|error| Failure::Failed(error.to_string()))?;
        create(&private, &pair.private, true)?;
        if let Err(error) = create(&public, &pair.public, false) {
            // One without the other is of no use.
            let _ = std::fs::remove_file(&private);
            return Err(error);
        }
        let report = Report { schema: 1, private, public };
        Ok(if as_json {
            json(&report)
        } else {
            format!(
                "{} signs policies: keep it secret, and keep it; git must not have it (this project's .gitignore names \
                 *.key)\n{} goes into firmware: KEY={} when it is built\n",
                report.private.shown(),
                report.public.shown(),
                report.public.shown(),
            )
        })
    }
}

/// Writes a file that is not there yet; a secret one only its owner can read.
fn create(path: &Path, text: &str, is_secret: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.shown())))
}
