//! Checkpoints: a run at some moment, from which it goes on to the bits of an unbroken one.
//!
//! They lie in `RUN/checkpoints/`, named by their step. Each is written whole under another name,
//! synced and renamed; only then does the one before the last make way, so that there are two: where
//! the newest was damaged, the run goes on from the other one.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::sealed::{Kind, SealError};
use super::{RunError, files, place};
use crate::config::RunConfig;
use crate::envs;
use crate::state::{StateError, Walk};
use crate::text::Shown;

/// Of the trainer.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Digits of a step in a name.
const DIGITS: usize = 12;
/// So many stay.
const KEPT: usize = 2;
/// Saving takes at most one part in so many of the time, however slow the disk is.
const SHARE: u32 = 50;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// It is not whole, or none.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It does not hold what these settings have.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its settings are none.
    #[error("its settings cannot be read: {0}")]
    Settings(#[from] toml::de::Error),
    /// Another version of the trainer may go on to other bits.
    #[error("version {0} of the trainer wrote it, this is {VERSION}")]
    Version(String),
    /// The equations of the environment have changed since.
    #[error("the equations of `{0}` were others when it was written")]
    Physics(String),
}

impl CheckpointError {
    /// Whether the file is not what was written, so that no trainer can go on from it, now or another time.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Seal(_) | Self::State(_) | Self::Settings(_) => true,
            Self::Read(_) | Self::Version(_) | Self::Physics(_) => false,
        }
    }
}

/// A checkpoint that was found whole.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) path: PathBuf,
    /// Of its run.
    pub(super) config: RunConfig,
    pub(super) step: usize,
    /// What was written of the run itself.
    state: Vec<u8>,
}

impl Checkpoint {
    fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
        let bytes = std::fs::read(path)?;
        let mut walk = Walk::reading(Kind::Checkpoint.open(&bytes)?);
        let mut version = String::new();
        walk.value(&mut version)?;
        if version != VERSION {
            return Err(CheckpointError::Version(version));
        }
        let (mut text, mut physics, mut step) = (String::new(), 0_u32, 0);
        head(&mut walk, &mut text, &mut physics, &mut step)?;
        let config: RunConfig = toml::from_str(&text)?;
        if envs::fingerprint(&config.environment).ok() != Some(physics) {
            return Err(CheckpointError::Physics(envs::name(&config.environment).into()));
        }
        Ok(Checkpoint { path: path.into(), config, step, state: walk.rest().to_vec() })
    }

    /// That it is there, and what to do.
    pub(super) fn unfinished(&self, directory: &Path) -> RunError {
        let (step, steps) = (self.step, self.config.training.steps);
        RunError::Unfinished { directory: directory.into(), step, steps }
    }

    /// Puts the run that was written in the place of what the walk shows.
    pub(super) fn restore(
        &self,
        state: impl FnOnce(&mut Walk<'_>) -> Result<(), StateError>,
    ) -> Result<(), RunError> {
        let mut walk = Walk::reading(&self.state);
        let read = state(&mut walk).and_then(|()| walk.end());
        read.map_err(|error| RunError::Checkpoint { path: self.path.clone(), error: error.into() })
    }
}

/// What comes before the run itself.
fn head(
    walk: &mut Walk<'_>,
    config: &mut String,
    physics: &mut u32,
    step: &mut usize,
) -> Result<(), StateError> {
    walk.value(config)?;
    walk.value(physics)?;
    walk.value(step)
}

/// The checkpoints of a run.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    every: Duration,
    /// When the next one is due.
    due: Instant,
}

impl Checkpoints {
    /// Those in a run's directory; one is due every so often, from now on.
    pub(super) fn of(directory: &Path, every: Duration) -> Self {
        Checkpoints { folder: directory.join(place::CHECKPOINTS), every, due: after(every) }
    }

    /// The step of a file with the name of a checkpoint.
    pub(super) fn step(path: &Path) -> Option<usize> {
        let step = path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".bin")?;
        let is_number = step.len() == DIGITS && step.bytes().all(|byte| byte.is_ascii_digit());
        step.parse().ok().filter(|_| is_number)
    }

    /// Step and path of each, the newest first.
    pub(super) fn list(&self) -> Result<Vec<(usize, PathBuf)>, RunError> {
        let unreadable = |error| RunError::Read { path: self.folder.clone(), error };
        let entries = match std::fs::read_dir(&self.folder) {
            // Where a file stands in the way, whoever writes there says so.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            entries => entries.map_err(unreadable)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            found.extend(Checkpoints::step(&path).map(|step| (step, path)));
        }
        found.sort_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// The newest that is whole. Of newer ones that are not, `notice` is told.
    ///
    /// # Errors
    ///
    /// If there are some, but none can be used.
    pub(super) fn newest(
        &self,
        notice: &mut dyn FnMut(&str),
    ) -> Result<Option<Checkpoint>, RunError> {
        let mut unusable = None;
        for (_, path) in self.list()? {
            match Checkpoint::open(&path) {
                Ok(checkpoint) => {
                    if let Some(error) = unusable {
                        notice(&format!("{error}; goes on from {}", path.shown()));
                    }
                    return Ok(Some(checkpoint));
                }
                Err(error) => {
                    unusable.get_or_insert(RunError::Checkpoint { path, error });
                }
            }
        }
        unusable.map_or(Ok(None), Err)
    }

    /// Has it been long enough since the last one?
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Saves a run at this step. Then the one before stays, and others go: older ones, and newer ones,
    /// which the run did not go on from because they were damaged.
    pub(super) fn save(
        &mut self,
        config: &RunConfig,
        mut step: usize,
        state: impl FnOnce(&mut Walk<'_>) -> Result<(), StateError>,
    ) -> Result<(), RunError> {
        let begun = Instant::now();
        let mut text = toml::to_string(config).expect("settings came from TOML");
        let mut physics = envs::fingerprint(&config.environment)?;
        let path = self.folder.join(format!("step-{step:0DIGITS$}.bin"));
        let written = Kind::Checkpoint.seal(|bytes| {
            let mut walk = Walk::writing(bytes);
            walk.value(&mut VERSION.to_string())?;
            head(&mut walk, &mut text, &mut physics, &mut step)?;
            state(&mut walk)
        });
        let bytes = written.map_err(|error: StateError| RunError::Checkpoint {
            path: path.clone(),
            error: error.into(),
        })?;
        files::create(&self.folder)?;
        files::write_whole(&path, &bytes)?;
        let (newer, older): (Vec<_>, Vec<_>) =
            self.list()?.into_iter().partition(|(at, _)| *at > step);
        for (_, other) in newer.into_iter().chain(older.into_iter().skip(KEPT)) {
            files::remove(&other)?;
        }
        self.due = after(self.every.max(SHARE * begun.elapsed()));
        Ok(())
    }

    /// Removes them all, and their folder where nothing else is in it. The newest goes last: a process that is killed
    /// meanwhile must not leave an older one, which would pass for the run's state.
    pub(super) fn clear(&self) -> Result<(), RunError> {
        for (_, path) in self.list()?.into_iter().rev() {
            files::remove(&path)?;
        }
        files::remove_empty(&self.folder)
    }
}

/// The moment that long from now; very late where there is none.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(version: &str, physics: u32, directory: &Path) -> PathBuf {
        let config = RunConfig::resolve(Some("sac"), None, &[]).unwrap();
        let bytes = Kind::Checkpoint.seal(|bytes| {
            let mut walk = Walk::writing(bytes);
            walk.value(&mut version.to_string())?;
            head(&mut walk, &mut toml::to_string(&config).unwrap(), &mut { physics }, &mut 7)?;
            walk.value(&mut "a run".to_string())
        });
        let path = directory.join("step-000000000007.bin");
        std::fs::write(&path, bytes.map_err(|error: StateError| error).unwrap()).unwrap();
        path
    }

    #[test]
    fn the_newest_goes_last() {
        let directory = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::of(directory.path(), Duration::ZERO);
        // What cannot be removed as a file stops it there, as a kill would.
        for stop in [7, 8, 9] {
            std::fs::create_dir(directory.path().join(place::CHECKPOINTS)).unwrap();
            for step in [7, 8, 9] {
                let path = checkpoints.folder.join(format!("step-{step:012}.bin"));
                match step == stop {
                    true => std::fs::create_dir(path).unwrap(),
                    false => std::fs::write(path, "").unwrap(),
                }
            }
            checkpoints.clear().unwrap_err();
            let left: Vec<_> = checkpoints.list().unwrap().into_iter().map(|(at, _)| at).collect();
            assert_eq!(left, (stop..=9).rev().collect::<Vec<_>>());
            std::fs::remove_dir_all(&checkpoints.folder).unwrap();
        }
    }

    #[test]
    fn only_the_same_trainer_and_machine_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let pendulum = envs::fingerprint(&envs::defaults("pendulum").unwrap()).unwrap();
        let found = Checkpoint::open(&written(VERSION, pendulum, directory.path())).unwrap();
        assert_eq!((found.step, found.config.preset.as_str()), (7, "sac"));
        let mut state = String::new();
        found.restore(|walk| walk.value(&mut state)).unwrap();
        assert_eq!(state, "a run");
        let error = Checkpoint::open(&written("0.0.9", pendulum, directory.path())).unwrap_err();
        assert!(error.to_string().starts_with("version 0.0.9 of the trainer wrote it"), "{error}");
        let error = Checkpoint::open(&written(VERSION, 1, directory.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the equations of `pendulum` were others when it was written"
        );
    }
}
