//! Event files, which TensorBoard draws while a run goes on: `tensorboard --logdir runs`.
//!
//! A file has a scalar for each number of a row of metrics.csv, at the environment step of the row, rounded
//! to `f32`. [`tag`] says what they are called.
//!
//! A directory may hold several files, `events.out.tfevents.<seconds>.<host>.trainer`, which TensorBoard reads in
//! the order of their names. Each begins a session, which says from which step on what the files before it
//! hold does not count: all of it where a run begins anew, and where one is resumed, what the
//! interrupted run wrote after the step that it is resumed from. So a curve is one run's, from the first
//! episode on, whatever else lies there; and the files of an earlier run stay, as its other files do, until
//! a run that took their place has finished (one that was resumed leaves them).

mod messages;
mod record;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;

use messages::{Event, Scalar, SessionLog, Summary, VERSION, What};

/// What the names of all event files begin with; TensorBoard goes by a part of it.
const PREFIX: &str = "events.out.tfevents.";
/// What those of ours end with, so that others' are left alone.
const SUFFIX: &str = ".trainer";

/// The name of a column of metrics.csv in TensorBoard, as courses on the subject call it.
///
/// | column | tag |
/// |---|---|
/// | `return` | `stats/Rewards` |
/// | `actor_loss` | `loss/ - policy loss` |
/// | others that end in `_loss` | `loss/` and the name, with spaces |
/// | others | `stats/` and the name, with spaces |
pub fn tag(column: &str) -> String {
    let words = || column.replace('_', " ");
    match column {
        "return" => "stats/Rewards".into(),
        "actor_loss" => "loss/ - policy loss".into(),
        _ if column.ends_with("_loss") => format!("loss/{}", words()),
        _ => format!("stats/{}", words()),
    }
}

/// Writes an event file.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// Files of an earlier run, which this one takes the place of.
    earlier: Vec<PathBuf>,
}

impl EventWriter {
    /// Begins a file in a directory: of a new run, or where `resumed` is a step, of one that goes on after it.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the directory not be read.
    pub fn create(directory: &Path, resumed: Option<u64>) -> io::Result<Self> {
        let earlier = event_files(directory)?;
        let (path, file) = create_after(directory, &earlier, now())?;
        // What is resumed is no earlier run.
        let earlier = if resumed.is_some() { Vec::new() } else { earlier };
        let mut writer = EventWriter { path, file: BufWriter::new(file), earlier };
        writer.write(0, What::FileVersion(VERSION.into()))?;
        // What has the step of this event does not count either.
        let first = resumed.map_or(0, |step| step.saturating_add(1));
        writer.write(first, What::SessionLog(SessionLog::start()))?;
        writer.flush()?;
        Ok(writer)
    }

    /// A number of a step.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> io::Result<()> {
        self.scalars(step, [(tag.into(), value)])
    }

    /// Several numbers of a step, by their tags.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn scalars(
        &mut self,
        step: u64,
        values: impl IntoIterator<Item = (String, f64)>,
    ) -> io::Result<()> {
        let values = values.into_iter();
        let value = values.map(|(tag, x)| Scalar { tag, simple_value: Some(x as f32) }).collect();
        self.write(step, What::Summary(Summary { value }))
    }

    /// Gives everything so far to the system.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file, and removes those of an earlier run, which have not counted since it began.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or one of them not be removed.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        for path in &self.earlier {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn write(&mut self, step: u64, what: What) -> io::Result<()> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time: now().as_secs_f64(), step, what: Some(what) };
        self.file.write_all(&record::framed(&event.encode_to_vec()))
    }
}

/// Is this the path of an event file of ours?
pub fn is_ours(path: &Path) -> bool {
    seconds(path).is_some()
}

/// Time since 1970, by this machine's clock.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The event files of a directory, in the order of their names.
fn event_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if seconds(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
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

/// A new file whose name comes after those of others. It has the time, or where others have that or a
/// later one (they are of the same second, or the clock was put back), the next.
fn create_after(
    directory: &Path,
    others: &[PathBuf],
    time: Duration,
) -> io::Result<(PathBuf, File)> {
    let last = others.iter().filter_map(|path| seconds(path)).max();
    let mut seconds = time.as_secs().max(last.map_or(0, |last| last.saturating_add(1)));
    loop {
        // With leading zeros, the order of names is that of numbers.
        let path = directory.join(format!("{PREFIX}{seconds:010}.{}{SUFFIX}", host()));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => seconds += 1,
            Err(error) => return Err(error),
        }
    }
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
    use record::tests::records;

    fn events(path: &Path) -> Vec<Event> {
        let bytes = fs::read(path).unwrap();
        records(&bytes).into_iter().map(|data| Event::decode(data).unwrap()).collect()
    }

    #[test]
    fn the_bytes_of_a_record() {
        let value = vec![Scalar { tag: tag("return"), simple_value: Some(-1.5) }];
        let what = Some(What::Summary(Summary { value }));
        let event = Event { wall_time: 2.0, step: 300, what };
        let bytes: Vec<u8> = record::framed(&event.encode_to_vec());
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            text,
            // Length and its CRC; time, step, value { tag, simple_value }; CRC: what TensorBoard itself writes.
            "2400000000000000422b804d09000000000000004010ac022a160a140a0d73746174732f52657761726473150000c0bf2ca2f907"
        );
    }

    #[test]
    fn columns_have_the_names_of_courses() {
        for (column, name) in [
            ("return", "stats/Rewards"),
            ("length", "stats/length"),
            ("q_loss", "loss/q loss"),
            ("q1_loss", "loss/q1 loss"),
            ("actor_loss", "loss/ - policy loss"),
            ("alpha", "stats/alpha"),
            ("mean_log_pi", "stats/mean log pi"),
            ("exploration_rate", "stats/exploration rate"),
        ] {
            assert_eq!(tag(column), name);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let temporary = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(temporary.path(), None).unwrap();
        writer.scalar("stats/alpha", 200, 0.0).unwrap();
        let two = [("loss/q loss".to_string(), 0.1), ("stats/length".to_string(), 200.0)];
        writer.scalars(400, two).unwrap();
        let path = writer.path().to_path_buf();
        writer.finish().unwrap();

        let events = events(&path);
        assert!(events.iter().all(|event| event.wall_time > 1.6e9));
        let whats: Vec<_> = events.iter().map(|e| (e.step, e.what.clone().unwrap())).collect();
        let scalars = |values: &[(&str, f32)]| {
            let scalar = |(tag, x): &(&str, f32)| (tag.to_string(), *x);
            let scalars = values.iter().map(scalar);
            let value = scalars.map(|(tag, x)| Scalar { tag, simple_value: Some(x) }).collect();
            What::Summary(Summary { value })
        };
        assert_eq!(
            whats,
            [
                (0, What::FileVersion("brain.Event:2".into())),
                (0, What::SessionLog(SessionLog::start())),
                (200, scalars(&[("stats/alpha", 0.0)])),
                (400, scalars(&[("loss/q loss", 0.1), ("stats/length", 200.0)])),
            ]
        );
    }

    /// Files stay until a run that takes their place has finished; a resumed one only adds to them.
    #[test]
    fn earlier_files_go_when_a_new_run_has_finished() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path();
        fs::write(directory.join("events.out.tfevents.1700000000.host.1.0"), "of somebody else")
            .unwrap();
        let create = |resumed| EventWriter::create(directory, resumed).unwrap();
        let count = || event_files(directory).unwrap().len();
        let interrupted = create(None);
        let resumed = create(Some(400));
        assert!(resumed.path() > interrupted.path(), "the names are in the order of time");
        let start = events(resumed.path()).pop().unwrap();
        assert_eq!((start.step, start.what), (401, Some(What::SessionLog(SessionLog::start()))));
        resumed.finish().unwrap();
        assert_eq!(count(), 2);
        let new = create(None);
        assert_eq!(count(), 3);
        let path = new.path().to_path_buf();
        new.finish().unwrap();
        assert_eq!(event_files(directory).unwrap(), [path]);
        assert!(directory.join("events.out.tfevents.1700000000.host.1.0").is_file());
    }
}
