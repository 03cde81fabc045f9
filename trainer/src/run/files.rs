//! Files that appear whole or not at all, and what is written while a run goes on.

use std::fs::{File, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Progress, RunError};
use crate::interface::{Algorithm, Metric};
use crate::tensorboard::{EventWriter, tag};
use crate::train::{Episode, Observer, TrainError};

/// Writes a file beside its place and renames it, so that a reader never sees a part of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        allow_reading(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| RunError::Write { path: path.into(), error })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RunError::Write { path: path.into(), error })
        }
        _ => Ok(()),
    }
}

/// Temporary files are private at first; artifacts are not secret.
fn allow_reading(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Writes a row of metrics.csv for each episode, under another name until the run is over, and the same
/// numbers for TensorBoard.
pub(super) struct Recorder<'a> {
    part: PathBuf,
    whole: PathBuf,
    csv: csv::Writer<BufWriter<File>>,
    events: EventWriter,
    episodes: Vec<(usize, f64)>,
    /// When rows were last given to the system.
    flushed: Instant,
    progress: &'a mut dyn Progress,
}

/// The columns of metrics.csv before those of the agent's metrics.
const COLUMNS: [&str; 5] = ["step", "episode", "return", "length", "updates"];
/// An interrupted run loses the rows of this time at most.
const FLUSHED_EVERY: Duration = Duration::from_secs(1);

/// Opens and empties a file that one run at a time may hold, until it is closed.
fn open_locked(path: &Path, directory: &Path) -> Result<File, RunError> {
    let failed = |error| RunError::Write { path: path.into(), error };
    let open = File::options().create(true).write(true).truncate(false).open(path);
    let file = open.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0).map(|()| file).map_err(failed),
        Err(TryLockError::WouldBlock) => Err(RunError::Busy { directory: directory.into() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        directory: &Path,
        agent: &dyn Algorithm,
        progress: &'a mut dyn Progress,
    ) -> Result<Self, RunError> {
        let (part, whole) = (directory.join("metrics.csv.part"), directory.join("metrics.csv"));
        std::fs::create_dir_all(directory)
            .map_err(|error| RunError::Write { path: directory.into(), error })?;
        let file = open_locked(&part, directory)?;
        let mut csv = csv::Writer::from_writer(BufWriter::new(file));
        csv.write_record(COLUMNS.into_iter().chain(agent.metrics().iter().map(|m| m.name)))
            .map_err(csv::Error::into)
            .and_then(|()| csv.flush())
            .map_err(|error| RunError::Write { path: part.clone(), error })?;
        let events = EventWriter::create(directory, None)
            .map_err(|error| RunError::Write { path: directory.into(), error })?;
        let (episodes, flushed) = (Vec::new(), Instant::now());
        Ok(Recorder { part, whole, csv, events, episodes, flushed, progress })
    }

    /// (step, return) of each episode so far.
    pub(super) fn episodes(&self) -> &[(usize, f64)] {
        &self.episodes
    }

    /// Puts metrics.csv in its place and gives (step, return) of each episode.
    pub(super) fn finish(mut self) -> Result<Vec<(usize, f64)>, RunError> {
        let path = self.events.path().to_path_buf();
        self.events.finish().map_err(|error| RunError::Write { path, error })?;
        self.csv
            .flush()
            .and_then(|()| std::fs::rename(&self.part, &self.whole))
            .map_err(|error| RunError::Write { path: self.whole, error })?;
        Ok(self.episodes)
    }
}

impl Recorder<'_> {
    /// The numbers of a row, but its step, which all of them have.
    fn write_events(
        &mut self,
        e: &Episode<'_>,
        counts: &[f64; COLUMNS.len()],
        flushing: bool,
    ) -> Result<(), TrainError> {
        let counts = COLUMNS.into_iter().zip(*counts).skip(1);
        let metrics = e.metrics.iter().filter(|_| e.updates > 0).map(|m| (m.name, m.value));
        let values = counts.chain(metrics).map(|(column, value)| (tag(column), value));
        let mut written = self.events.scalars(e.step as u64, values);
        if flushing {
            written = written.and_then(|()| self.events.flush());
        }
        let path = || self.events.path().to_path_buf();
        written.map_err(|error| TrainError::Write { path: path(), error })
    }
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
        let row = counts.iter().map(f64::to_string).chain(e.metrics.iter().map(metric));
        let mut written = self.csv.write_record(row).map_err(csv::Error::into);
        let flushing = self.flushed.elapsed() >= FLUSHED_EVERY;
        if flushing {
            written = written.and_then(|()| self.csv.flush());
            self.flushed = Instant::now();
        }
        written.map_err(|error| TrainError::Write { path: self.part.clone(), error })?;
        self.write_events(e, &counts, flushing)
    }
}
