//! `trainer report`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::progress::Wait;
use super::{Failure, json, warn};
use crate::report::ReportError;
use crate::results::{Results, ResultsError, directories};
use crate::run::{self, place};
use crate::text::{self, Shown};

/// Write the page of a run again, RUN/report.html, as `trainer train` does at its end
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer report runs/sac")]
pub(super) struct Report {
    /// A run's directory, or one of seeds: all of them are done
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Written {
    schema: u32,
    files: Vec<File>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct File(#[serde(serialize_with = "text::path")] PathBuf);

impl From<ResultsError> for Failure {
    fn from(error: ResultsError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl Report {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let directories = directories(&self.runs, &mut warn)?;
        let progress = Wait::bar("writing", directories.len(), "reports");
        let mut files = Vec::new();
        for directory in &directories {
            run::write_page(&Results::read(directory)?)?;
            files.push(directory.join(place::REPORT));
            progress.one_more();
        }
        drop(progress);
        Ok(listed(files, as_json))
    }
}

/// The files that were written, one on a line.
pub(super) fn listed(files: Vec<PathBuf>, as_json: bool) -> String {
    match as_json {
        true => json(&Written { schema: 1, files: files.into_iter().map(File).collect() }),
        false => files.iter().map(|file| format!("{}\n", file.shown())).collect(),
    }
}
