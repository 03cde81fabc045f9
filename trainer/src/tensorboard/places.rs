//! Where the event files of a run's directory lie.
//!
//! TensorBoard takes a directory for a run and all files in it for one curve, whoever wrote them. So each run has a
//! folder of its own, named by when it began:
//!
//! ```text
//! RUN/events/20260102-030405-678/events.out.tfevents.1767323045.desk.trainer
//! ```
//!
//! A run that goes on writes a further file into the folder that it has. Versions before this one wrote into RUN itself.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::run::place;

/// What the names of all event files begin with; TensorBoard goes by a part of it.
const PREFIX: &str = "events.out.tfevents.";
/// What those of ours end with, so that others' are left alone.
const SUFFIX: &str = ".trainer";
/// How long the parts of a folder's name are: day, time and milliseconds.
const PARTS: [usize; 3] = [8, 6, 3];

/// Time since 1970, by this machine's clock.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The event files of a run's directory, in the order in which they were begun.
pub(super) fn event_files(run: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = files_in(run)?;
    for folder in folders(run)? {
        files.extend(files_in(&folder)?);
    }
    files.sort_by_key(|path| seconds(path));
    Ok(files)
}

/// A new folder in a run's directory. Where the name of this moment is taken, it has that of the next.
pub(super) fn create_folder(run: &Path) -> io::Result<PathBuf> {
    let parent = run.join(place::EVENTS);
    fs::create_dir_all(&parent)?;
    let mut time = now();
    loop {
        let folder = parent.join(moment(time));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                time += Duration::from_millis(1);
            }
            Err(error) => return Err(error),
        }
    }
}

/// A new file whose name comes after those of others. It has the time, or where others have that or a
/// later one (they are of the same second, or the clock was put back), the next.
pub(super) fn create_after(folder: &Path, others: &[PathBuf]) -> io::Result<(PathBuf, File)> {
    let last = others.iter().filter_map(|path| seconds(path)).max();
    let mut seconds = now().as_secs().max(last.map_or(0, |last| last.saturating_add(1)));
    loop {
        // With leading zeros, the order of names is that of numbers.
        let path = folder.join(format!("{PREFIX}{seconds:010}.{}{SUFFIX}", host()));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => seconds += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Removes the event files of a run's directory but those in the folder that is `kept`, and the folders that are empty
/// then. What is not ours stays, and so does a folder that has it.
pub(super) fn remove_others(run: &Path, kept: &Path) -> io::Result<()> {
    for folder in [run.to_path_buf()].into_iter().chain(folders(run)?) {
        if folder == kept {
            continue;
        }
        for path in files_in(&folder)? {
            gone(fs::remove_file(path))?;
        }
        if folder != run && fs::read_dir(&folder)?.next().is_none() {
            gone(fs::remove_dir(folder))?;
        }
    }
    Ok(())
}

/// Is this path in a run's directory an event file of ours, or the folder with the folders of runs and nothing else?
pub(crate) fn is_ours(path: &Path) -> bool {
    if seconds(path).is_some() {
        return true;
    }
    let is_folder = path.file_name().is_some_and(|name| name == place::EVENTS)
        && path.symlink_metadata().is_ok_and(|data| data.is_dir());
    let of_runs = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            is_folder && is_moment(&entry.file_name())
        })
    };
    is_folder && fs::read_dir(path).is_ok_and(|mut entries| entries.all(of_runs))
}

/// No error where something is not there any more.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folders of runs in a run's directory.
fn folders(run: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(run.join(place::EVENTS)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link leads to somebody else's.
        if entry.file_type()?.is_dir() && is_moment(&entry.file_name()) {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// The event files of ours in one folder.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        files.extend(seconds(&path).map(|_| path));
    }
    Ok(files)
}

/// The number in the name of an event file of ours.
fn seconds(path: &Path) -> Option<u64> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    name.strip_suffix(SUFFIX)?
        .strip_prefix(PREFIX)?
        .split('.')
        .next()?
        .parse()
        .ok()
        .filter(|seconds| *seconds < 9_999_999_999)
}

/// A time since 1970 as the name of a folder: `YYYYMMDD-HHMMSS-mmm`, in UTC.
fn moment(time: Duration) -> String {
    let (seconds, milliseconds) = (time.as_secs(), time.subsec_millis());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{milliseconds:03}")
}

/// Is it such a name?
fn is_moment(name: &OsStr) -> bool {
    let parts = name.to_str().map(|name| name.split('-').collect::<Vec<_>>()).unwrap_or_default();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().map(|part| part.len()).eq(PARTS) && parts.iter().all(digits)
}

/// Year, month and day of a day since 1970, which is 0.
fn date(mut day: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

/// The name of this machine, with nothing in it that a file's name should not have.
fn host() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    match name.is_empty() {
        true => "localhost".into(),
        false => name.chars().map(plain).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_the_date() {
        for (seconds, name) in [
            (0, "19700101-000000-000"),
            (951_782_400, "20000229-000000-000"),
            (1_709_251_199, "20240229-235959-000"),
            (1_767_323_045, "20260102-030405-000"),
            (1_798_761_599, "20261231-235959-000"),
            (4_107_542_400, "21000301-000000-000"),
        ] {
            assert_eq!(moment(Duration::from_secs(seconds)), name);
            assert!(is_moment(OsStr::new(name)));
        }
        assert_eq!(moment(Duration::from_millis(1_767_323_045_678)), "20260102-030405-678");
        for other in ["", "mine", "20260102-030405", "20260102-030405-6789", "2026o102-030405-678"]
        {
            assert!(!is_moment(OsStr::new(other)), "{other}");
        }
    }

    #[test]
    fn folders_of_one_moment_differ() {
        let temporary = tempfile::tempdir().unwrap();
        let mut names: Vec<_> = (0..50).map(|_| create_folder(temporary.path()).unwrap()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 50);
    }
}
