//! Why a run failed.

use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::path::PathBuf;

use super::{CheckpointError, Parity};
use crate::eval::EvalError;
use crate::export::ExportError;
use crate::report::ReportError;
use crate::settings::ConfigError;
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
    #[error("interrupted at step {step} of {steps}, which is saved; go on with `trainer train --resume --out {}`", directory.display())]
    Interrupted {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run that was interrupted must not be lost by mistake.
    #[error("{} holds a run that was interrupted at step {step} of {steps}: go on with it by --resume, or drop it by --restart", directory.display())]
    Unfinished {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run is to go on with fewer steps than it has made.
    #[error("the run in {} has made {step} steps already, more than the {steps} that are asked for: give --steps {step} or more", directory.display())]
    Beyond {
        /// Its directory.
        directory: PathBuf,
        /// Steps made.
        step: usize,
        /// Steps to be made.
        steps: usize,
    },
    /// A run is to go on with settings that are not its own.
    #[error("the run in {} has other settings: {difference}; leave the settings out, or choose another directory with --out, or drop it by --restart", directory.display())]
    OtherSettings {
        /// Its directory.
        directory: PathBuf,
        /// The first that differs.
        difference: String,
    },
    /// A finished run is to go on with another number of steps.
    #[error("the run in {} is finished, after {steps} steps, and cannot be made longer: choose another directory with --out", directory.display())]
    Finished {
        /// Its directory.
        directory: PathBuf,
        /// Steps that it had.
        steps: usize,
    },
    /// A checkpoint cannot be used, and no other one either.
    #[error("cannot go on from {}: {error}; begin anew by --restart", path.display())]
    Checkpoint {
        /// The newest.
        path: PathBuf,
        /// Why not.
        error: CheckpointError,
    },
    /// An agent's file cannot be used.
    #[error("{} is no usable agent: {error}; train it anew", path.display())]
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
    /// Another run writes there.
    #[error("another run is writing to {}; wait for it, or choose another directory with --out", directory.display())]
    Busy {
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
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file of a run is not what a run writes.
    #[error("{} is not what a run writes: {error}; train it anew", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}: {error}; {}", path.display(), Remedy(error.kind()))]
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
            path.display()
        ),
    }
}
