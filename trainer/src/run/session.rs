//! A run while it trains: interrupted, saved, taken up again.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::checkpoint::{Checkpoint, Checkpoints};
use super::clock::Stopwatch;
use super::recorder::Recorder;
use super::selection::Selection;
use super::{Options, RunError};
use crate::config::RunConfig;
use crate::interface::{Algorithm, Environments};
use crate::state::{StateError, Walk};
use crate::train::{TrainError, Training};

/// All that a checkpoint holds.
pub(super) struct Session<'a, 'r> {
    config: &'a RunConfig,
    directory: &'a Path,
    pub(super) training: Training<'a>,
    pub(super) recorder: Recorder<'r>,
    pub(super) selection: Selection,
    pub(super) watch: Stopwatch,
}

impl<'a, 'r> Session<'a, 'r> {
    /// A run at its beginning.
    pub(super) fn begin(
        config: &'a RunConfig,
        directory: &'a Path,
        environments: &'a mut dyn Environments,
        agent: &'a mut dyn Algorithm,
        mut recorder: Recorder<'r>,
    ) -> Result<Self, RunError> {
        recorder.begin(agent)?;
        let training = Training::new(environments, agent, &config.training);
        let (selection, watch) = (Selection::new(config)?, Stopwatch::start());
        Ok(Session { config, directory, training, recorder, selection, watch })
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.training.walk(walk)?;
        self.recorder.walk(walk)?;
        self.selection.walk(walk)?;
        self.watch.walk(walk)
    }

    /// Goes on from a checkpoint.
    pub(super) fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        checkpoint.restore(|walk| {
            self.walk(walk)?;
            self.selection.resumed(self.training.agent())
        })?;
        self.recorder.rewrite()?;
        self.recorder.goes_on(checkpoint.step);
        Ok(())
    }

    /// Trains to the end, saving the run from time to time.
    pub(super) fn train(
        &mut self,
        options: &Options<'_>,
        checkpoints: &mut Checkpoints,
    ) -> Result<(), RunError> {
        self.recorder.begin_events()?;
        while !self.training.is_over() {
            if let Err(error) = self.training.iterate(&mut self.recorder) {
                return Err(stopped(error, checkpoints));
            }
            let step = self.training.step();
            if self.selection.iterated(step) {
                self.selection.try_out(step, self.training.agent())?;
            }
            let interrupted = options.interrupted.load(Ordering::Relaxed);
            // Until the results are written, what was trained is in the last one.
            if interrupted || self.training.is_over() || checkpoints.is_due() {
                self.save(checkpoints)?;
            }
            if interrupted {
                let (step, steps) = (self.training.step(), self.config.training.steps);
                let directory = self.directory.into();
                return Err(RunError::Interrupted { directory, step, steps });
            }
        }
        self.recorder.trained();
        Ok(())
    }

    fn save(&mut self, checkpoints: &mut Checkpoints) -> Result<(), RunError> {
        // What has diverged already must not take the place of what has not.
        self.training.check_finite().map_err(|error| stopped(error, checkpoints))?;
        self.recorder.flush()?;
        let (config, step) = (self.config, self.training.step());
        checkpoints.save(config, step, |walk| self.walk(walk))
    }
}

/// Why training stopped, and where it can be taken up.
fn stopped(error: TrainError, checkpoints: &Checkpoints) -> RunError {
    match error {
        TrainError::Diverged { .. } => {
            let newest = checkpoints.newest(&mut |_| ()).ok().flatten();
            let checkpoint = newest.map(|checkpoint| (checkpoint.step, checkpoint.path));
            RunError::Diverged { error, checkpoint }
        }
        TrainError::Write { path, error } => RunError::Write { path, error },
    }
}

/// An error unless a run may go on from a checkpoint: only the number of steps may have changed.
pub(super) fn may_go_on(
    checkpoint: &Checkpoint,
    config: &RunConfig,
    directory: &Path,
) -> Result<(), RunError> {
    same_settings(directory, &checkpoint.config, config)?;
    let (step, steps) = (checkpoint.step, config.training.steps);
    // The last step is one of all environments.
    match step > steps.next_multiple_of(config.training.environments) {
        true => Err(RunError::Beyond { directory: directory.into(), step, steps }),
        false => Ok(()),
    }
}

/// An error unless a run has the settings that are asked for, but for the number of steps.
pub(super) fn same_settings(
    directory: &Path,
    found: &RunConfig,
    wanted: &RunConfig,
) -> Result<(), RunError> {
    let mut found = found.clone();
    found.training.steps = wanted.training.steps;
    match found.difference(wanted) {
        None => Ok(()),
        Some(difference) => {
            Err(RunError::OtherSettings { directory: directory.into(), difference })
        }
    }
}
