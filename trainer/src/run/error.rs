//! Why a run failed.

use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::path::PathBuf;

use super::{CheckpointError, Parity};
use crate::eval::EvalError;
use crate::export::ExportError;
use crate::report::ReportError;
use crate::settings::ConfigError;
use crate::text::Shown;
use crate::train::TrainError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings make no run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Training stopped early.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A number is not finite any more.
    #[error("{error}{}", salvage(checkpoint.as_ref()))]
    Diverged {
        /// Which, and when.
        error: TrainError,
        /// Step and file of the last checkpoint, in which all are finite.
        checkpoint: Option<(usize, PathBuf)>,
    },
    /// It was told to stop, and its state was saved.
    #[error("interrupted at step {step} of {steps}, which is saved; go on with `trainer train --resume --out {}`", directory.shown())]
    Interrupted {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run that was interrupted must not be lost by mistake.
    #[error("{} holds a run that was interrupted at step {step} of {steps}: go on with it by --resume, or drop it by --restart", directory.shown())]
    Unfinished {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run is to go on with fewer steps than it has made.
    #[error("the run in {} has made {step} steps already, more than the {steps} that are asked for: give --steps {step} or more", directory.shown())]
    Beyond {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run is to go on with settings that are not its own.
    #[error("the run in {} has other settings: {difference}; leave the settings out, or choose another directory with --out, or drop it by --restart", directory.shown())]
    OtherSettings {
        /// Its directory.
        directory: PathBuf,
        /// The first that differs.
        difference: String,
    },
    /// A finished run is to go on with another number of steps.
    #[error("the run in {} is finished, after {steps} steps, and cannot be made longer: choose another directory with --out", directory.shown())]
    Finished {
        /// Its directory.
        directory: PathBuf,
        /// Steps that it had.
        steps: usize,
    },
    /// A checkpoint cannot be used, and no other one either.
    #[error("cannot go on from {}: {error}; begin anew by --restart", path.shown())]
    Checkpoint {
        /// The newest.
        path: PathBuf,
        /// Why not.
        error: CheckpointError,
    },
    /// An agent's file cannot be used.
    #[error("{} is no usable agent: {error}; train it anew", path.shown())]
    Agent {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: CheckpointError,
    },
    /// The policy cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The policy cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvalError),
    /// The page of the run cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Another command writes there.
    #[error("another command is writing to {}: wait for it, or choose another directory with --out", directory.shown())]
    Busy {
        /// The directory.
        directory: PathBuf,
    },
    /// A person's file is there.
    #[error("{} was not written by this program, and what is not stays as it is: move it out of {}, or choose another directory with --out", path.shown(), directory.shown())]
    Foreign {
        /// The directory.
        directory: PathBuf,
        /// The file or folder.
        path: PathBuf,
    },
    /// A file that a run would replace is not what a run wrote.
    #[error("{} is {}, and would be replaced: move it out of {}, or choose another directory with --out", path.shown(), if *is_link { "no regular file" } else { "not as a finished run wrote it" }, directory.shown())]
    Altered {
        /// The directory.
        directory: PathBuf,
        /// The file.
        path: PathBuf,
        /// A link, a folder or the like, where a file belongs.
        is_link: bool,
    },
    /// A run or seeds would go where a sweep is.
    #[error("{} is the directory of a sweep: choose another one with --out", directory.shown())]
    OfSweep {
        /// The directory.
        directory: PathBuf,
    },
    /// A run would take the place of a sweep's.
    #[error("{} belongs to the sweep in {}, which alone trains there: choose another directory with --out", directory.shown(), sweep.shown())]
    Trial {
        /// The directory.
        directory: PathBuf,
        /// The sweep's.
        sweep: PathBuf,
    },
    /// A sweep would go where runs are.
    #[error("{} is the directory of a run, or of seeds: choose another one for the sweep with --out", directory.shown())]
    OfRun {
        /// The directory.
        directory: PathBuf,
    },
    /// The exported policy is not the trained one.
    #[error("the exported policy differs from the trained network by up to {}, for {} of {} observations: a defect of the exporter, please report it", parity.max_difference, parity.differing, parity.observations)]
    Parity {
        /// What was found.
        parity: Parity,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}: {error}", path.shown())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file of a run is not what a run writes.
    #[error("{} is not what a run writes: {error}; train it anew", path.shown())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}: {error}; {}", path.shown(), Remedy(error.kind()))]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// What can be done where something could not be written.
struct Remedy(ErrorKind);

impl Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "make room, then give the same command again"
            }
            _ => "choose another directory with --out",
        })
    }
}

/// What there is of a run that has diverged.
fn salvage(checkpoint: Option<&(usize, PathBuf)>) -> String {
    match checkpoint {
        None => "; there was no checkpoint yet".into(),
        Some((step, path)) => format!(
            "; the last good checkpoint is {}: `--resume --steps {step}` exports its policy, --restart drops it",
            path.shown()
        ),
    }
}
