//! What a run tells while it goes on: its progress, and for each episode a row of metrics.csv and the same
//! numbers for TensorBoard.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Progress, RunError, files, place};
use crate::interface::{Algorithm, Metric};
use crate::state::{StateError, Walk};
use crate::tensorboard::{EventWriter, tag};
use crate::train::{Episode, Observer, TrainError};

/// An interrupted run loses the rows of this time at most.
const FLUSHED_EVERY: Duration = Duration::from_secs(1);

/// Writes the rows of metrics.csv to a file of another name, as they come.
pub(super) struct Recorder<'a> {
    directory: PathBuf,
    part: PathBuf,
    /// Once the run trains.
    file: Option<File>,
    /// The rows so far, with that of the names; checkpoints carry them.
    rows: String,
    /// Bytes of them that the file has.
    written: usize,
    /// Once the run trains.
    events: Option<EventWriter>,
    /// The step that it goes on from.
    resumed: Option<u64>,
    /// (step, return) of each episode.
    episodes: Vec<(usize, f64)>,
    /// When rows were last given to the system.
    flushed: Instant,
    progress: &'a mut dyn Progress,
}

impl<'a> Recorder<'a> {
    /// Of a run in this directory, where nothing changes yet.
    pub(super) fn new(directory: &Path, progress: &'a mut dyn Progress) -> Self {
        Recorder {
            directory: directory.into(),
            part: directory.join(place::METRICS_PART),
            file: None,
            rows: String::new(),
            written: 0,
            events: None,
            resumed: None,
            episodes: Vec::new(),
            flushed: Instant::now(),
            progress,
        }
    }

    /// Begins metrics.csv with the names of its columns.
    pub(super) fn begin(&mut self, agent: &dyn Algorithm) -> Result<(), RunError> {
        let columns = place::COLUMNS.into_iter().chain(agent.metrics().into_iter().map(|m| m.name));
        self.rows = row(columns);
        self.rewrite()
    }

    /// Begins the file for TensorBoard, once it is known whether the run goes on from a checkpoint.
    pub(super) fn begin_events(&mut self) -> Result<(), RunError> {
        let events = EventWriter::create(&self.directory, self.resumed);
        let wrong = |error| RunError::Write { path: self.directory.clone(), error };
        self.events = Some(events.map_err(wrong)?);
        Ok(())
    }

    /// What it has recorded. After a walk that reads, [`Recorder::rewrite`] is called for.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.rows)?;
        walk.value(&mut self.episodes)
    }

    /// Gives the file the rows there are, and nothing else.
    pub(super) fn rewrite(&mut self) -> Result<(), RunError> {
        self.written = 0;
        let opened = File::options().create(true).write(true).truncate(true).open(&self.part);
        let opened = opened.map_err(|error| RunError::Write { path: self.part.clone(), error });
        self.file = Some(opened?);
        self.flush()
    }

    /// Gives the files the rows that they do not have yet.
    pub(super) fn flush(&mut self) -> Result<(), RunError> {
        self.append().map_err(|(path, error)| RunError::Write { path, error })
    }

    /// As [`Recorder::flush`]; an error comes with the file that it is of.
    fn append(&mut self) -> Result<(), (PathBuf, std::io::Error)> {
        if let Some(file) = &mut self.file {
            let rows = file.write_all(&self.rows.as_bytes()[self.written..]);
            rows.map_err(|error| (self.part.clone(), error))?;
            self.written = self.rows.len();
        }
        // A run that goes on from a checkpoint finds there what came before it.
        if let Some(events) = &mut self.events {
            events.flush().map_err(|error| (events.path().into(), error))?;
        }
        self.flushed = Instant::now();
        Ok(())
    }

    /// All is written: what there was meanwhile goes.
    pub(super) fn close(self) -> Result<(), RunError> {
        files::remove(&self.part)
    }

    /// Where it tells of the run.
    pub(super) fn progress(&mut self) -> &mut dyn Progress {
        self.progress
    }

    /// Tells the user.
    pub(super) fn notice(&mut self, text: &str) {
        self.progress.notice(text);
    }

    /// The run goes on from this step.
    pub(super) fn goes_on(&mut self, step: usize) {
        self.resumed = Some(step as u64);
        self.progress.goes_on(step);
    }

    /// All steps are made.
    pub(super) fn trained(&mut self) {
        self.progress.trained();
    }

    /// (step, return) of each episode so far.
    pub(super) fn episodes(&self) -> &[(usize, f64)] {
        &self.episodes
    }

    /// metrics.csv, of all episodes.
    pub(super) fn rows(&self) -> &str {
        &self.rows
    }

    /// Ends the events.
    pub(super) fn finish(&mut self) -> Result<(), RunError> {
        let Some(events) = self.events.take() else { return Ok(()) };
        let path = events.path().to_path_buf();
        events.finish().map_err(|error| RunError::Write { path, error })
    }
}

/// A line of CSV.
fn row<T: AsRef<[u8]>>(fields: impl Iterator<Item = T>) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(fields).expect("writing to memory does not fail");
    let line = csv.into_inner().expect("writing to memory does not fail");
    String::from_utf8(line).expect("names and numbers are text")
}

impl Observer for Recorder<'_> {
    fn on_step(&mut self, step: usize) {
        self.progress.step(step);
    }

    fn on_episode(&mut self, e: &Episode<'_>) -> Result<(), TrainError> {
        self.progress.episode(e.episode_return);
        self.episodes.push((e.step, e.episode_return));
        let (length, updates) = (e.length as f64, e.updates as f64);
        let counts = [e.step as f64, e.episode as f64, e.episode_return, length, updates];
        // Before the first update there is nothing to report.
        let metric = |m: &Metric| if e.updates > 0 { m.value.to_string() } else { String::new() };
        self.rows += &row(counts.iter().map(f64::to_string).chain(e.metrics.iter().map(metric)));
        if let Some(events) = &mut self.events {
            // The step, which is first, all of them have.
            let counts = place::COLUMNS.into_iter().zip(counts).skip(1);
            let metrics = e.metrics.iter().filter(|_| e.updates > 0).map(|m| (m.name, m.value));
            let values = counts.chain(metrics).map(|(column, value)| (tag(column), value));
            let written = events.scalars(e.step as u64, values);
            let path = || events.path().to_path_buf();
            written.map_err(|error| TrainError::Write { path: path(), error })?;
        }
        if self.flushed.elapsed() < FLUSHED_EVERY {
            return Ok(());
        }
        self.append().map_err(|(path, error)| TrainError::Write { path, error })
    }
}
