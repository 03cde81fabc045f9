//! `report.html`: all that there is to know of a run, on one page that needs no network.
//!
//! Pictures lie in it as SVG, so that they follow the reader's light or dark, and print sharply; the page has no
//! scripts. What comes from files is escaped by the template, `templates/report.html`.

mod page;
mod pictures;

pub use page::{Contents, page};
pub use pictures::{Picture, Pictures, Subject, training};

use std::path::Path;

use toml::Table;

use crate::envs;
use crate::eval::{EvalError, Starts};
use crate::input;
use crate::picture;
use crate::picture::film::{Take, film as filmed, mark};
use crate::policy::AnyPolicy;
use crate::results::{Results, ResultsError};
use crate::run::{RunError, Trained, place};
use crate::text::Shown;

/// No film of an episode is larger than this where it is put into a page, in bytes.
const LARGEST_FILM: u64 = 700_000;
/// How long and how wide one is that the page makes itself, in s and pixels.
const FILM_SECONDS: f64 = 10.0;
const FILM_WIDTH: u16 = 320;

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
}

/// The page of a run.
///
/// Where its directory has an `episode.gif` that was filmed since the policy was written, the page shows that one; where it has an `agent.bin`, what the critics expect.
///
/// # Errors
///
/// If a file of the run is missing or damaged.
pub fn render(results: &Results) -> Result<String, ReportError> {
    let directory = &results.directory;
    let shown = directory.shown().to_string();
    let blob = results.policy()?;
    let policy = AnyPolicy::from_bytes(blob.bytes())
        .map_err(|error| ReportError::Policy { directory: shown.clone(), error })?;
    let film = film(directory, &policy, &results.environment());
    let contents = Contents { results, policy: &policy, bytes: blob.bytes().len(), film };
    let page = with_value(results, |value| page(&contents, value));
    page.map_err(|error| ReportError::Evaluate { directory: shown, error })
}

/// Does something with the critics of a run, or where they cannot be had, with the reason.
pub fn with_value<T>(run: &Results, then: impl FnOnce(Result<Value<'_>, String>) -> T) -> T {
    match Trained::load(&run.directory) {
        Ok(trained) if trained.fingerprint() != run.summary.parameters_fingerprint => {
            then(Err("agent.bin is of another run than summary.json".into()))
        }
        Ok(mut trained) => then(Ok(&mut |observation| trained.value(observation))),
        Err(RunError::Read { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
            then(Err("the run did not keep its critics (agent.bin)".into()))
        }
        Err(error) => then(Err(error.to_string())),
    }
}

/// The user's own film, if there is one of this policy that a page can hold, or else one from the environment's first
/// start.
fn film(directory: &Path, policy: &AnyPolicy<'_>, environment: &Table) -> Option<Vec<u8>> {
    let (own, mark) = (directory.join(place::FILM), mark(policy));
    let of_policy = |film: &Vec<u8>| {
        film.starts_with(b"GIF8") && film.windows(mark.len()).any(|part| part == mark.as_bytes())
    };
    let own = own.is_file().then(|| input::bytes(&own, LARGEST_FILM).ok()).flatten();
    let own = own.filter(of_policy);
    own.or_else(|| {
        let scene = picture::find(envs::name(environment)).ok()?;
        let mut machine = envs::make(environment).ok()?;
        let state = Starts::builtin(environment).ok()?.states.into_iter().next()?;
        let steps = (FILM_SECONDS / machine.spec().period).round() as usize;
        let take = Take { state, steps, stride: 1, width: FILM_WIDTH };
        let film = filmed(&scene, policy, &mut *machine, &take, &mut |_| {});
        film.ok().map(|film| film.bytes).filter(|bytes| bytes.len() as u64 <= LARGEST_FILM)
    })
}
