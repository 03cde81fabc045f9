//! `report.html`: all that there is to know of a run, on one page that needs no network.
//!
//! Pictures lie in it as SVG, so that they follow the reader's light or dark, and print sharply; the page has no
//! scripts. What comes from files is escaped by the template, `templates/report.html`.

mod page;
mod pictures;

pub use page::{Contents, page};
pub use pictures::{Picture, Pictures, Subject, training};

use std::path::Path;

use crate::eval::EvalError;
use crate::export::Blob;
use crate::policy::AnyPolicy;
use crate::results::{Results, ResultsError};
use crate::run::{RunError, write_whole};

/// The name of the page in a run's directory.
pub const FILE: &str = "report.html";
/// No film of an episode is larger than this where it is put into a page, in bytes.
const LARGEST_FILM: u64 = 700_000;

/// Asks for the expected discounted return from a state with this observation, under the policy.
pub type Value<'a> = &'a mut dyn FnMut(&[f32]) -> f32;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run's files are not whole.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// The policy cannot be run on the environment's starts.
    #[error("the policy of {directory} cannot be shown: {error}")]
    Evaluate {
        /// The run's directory.
        directory: String,
        /// Why not.
        error: EvalError,
    },
    /// The policy file is none.
    #[error("{directory}/policy.bin is no usable policy: {error}; train again")]
    Policy {
        /// The run's directory.
        directory: String,
        /// Why not.
        error: policy_core::BlobError,
    },
    /// The page cannot be written.
    #[error(transparent)]
    Write(#[from] RunError),
}

/// Writes the page of a finished run into its directory.
///
/// Where the directory has an `episode.gif`, the page shows it.
///
/// # Errors
///
/// If a file of the run is missing or damaged, or the page cannot be written.
pub fn write(results: &Results, value: Option<Value<'_>>) -> Result<(), ReportError> {
    let directory = &results.directory;
    let shown = directory.display().to_string();
    let blob = Blob::from_bytes(&results.policy()?);
    let policy = AnyPolicy::from_bytes(blob.bytes())
        .map_err(|error| ReportError::Policy { directory: shown.clone(), error })?;
    let film = film(&directory.join("episode.gif"));
    let contents = Contents { results, policy: &policy, bytes: blob.bytes().len(), film };
    let page = page(&contents, value)
        .map_err(|error| ReportError::Evaluate { directory: shown, error })?;
    write_whole(&directory.join(FILE), page.as_bytes())?;
    Ok(())
}

/// The film, if there is one that a page can hold.
fn film(path: &Path) -> Option<Vec<u8>> {
    let small =
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST_FILM);
    small.then(|| std::fs::read(path).ok()).flatten()
}
