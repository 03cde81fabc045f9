//! Event files, which TensorBoard draws while a run goes on: `tensorboard --logdir runs`.
//!
//! A file has a scalar for each number of a row of metrics.csv, at the environment step of the row, rounded
//! to `f32`. [`tag`] says what they are called.
//!
//! TensorBoard takes a directory for a run, whoever wrote its files. So each run has a folder of its own in the run's
//! directory (`places`), and a new one is a new curve there. A run that is resumed goes on in the folder that it has, with a
//! further file. Each file begins a session, which says from which step on what the files before it hold does
//! not count: what the interrupted run wrote after the step that it is resumed from. The folders of earlier runs stay, as
//! their other files do, until a run that takes their place has finished.

mod messages;
mod places;
mod record;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use prost::Message;

use messages::{Event, Scalar, SessionLog, Summary, VERSION, What};
pub(crate) use places::is_ours;
use places::{create_after, create_folder, event_files, now, remove_others};

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
    /// The run's directory.
    run: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventWriter {
    /// Begins a file in a run's directory: in a new folder for a new run, or where `resumed` is a step, in the newest one,
    /// for the run that goes on after it.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the directory not be read.
    pub fn create(run: &Path, resumed: Option<u64>) -> io::Result<Self> {
        let files = event_files(run)?;
        let newest = files.last().and_then(|path| path.parent()).filter(|_| resumed.is_some());
        let folder = newest.map_or_else(|| create_folder(run), |folder| Ok(folder.into()))?;
        let (path, file) = create_after(&folder, &files)?;
        let mut writer = EventWriter { run: run.into(), path, file: BufWriter::new(file) };
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

    /// Ends the file, and removes the curves of earlier runs.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or one of them not be removed.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        remove_others(&self.run, self.path.parent().unwrap_or(&self.run))
    }

    fn write(&mut self, step: u64, what: What) -> io::Result<()> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time: now().as_secs_f64(), step, what: Some(what) };
        self.file.write_all(&record::framed(&event.encode_to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::tests::records;
    use std::fs;

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

    /// Folders stay until a run that takes their place has finished; a resumed one goes on in its own.
    #[test]
    fn earlier_curves_go_when_a_run_has_finished() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path();
        let create = |resumed| EventWriter::create(directory, resumed).unwrap();
        let folder = |writer: &EventWriter| writer.path().parent().unwrap().to_path_buf();
        let count = || event_files(directory).unwrap().len();
        let (earlier, interrupted) = (create(None), create(None));
        assert_ne!(folder(&earlier), folder(&interrupted), "a new run is a new curve");
        let resumed = create(Some(400));
        assert_eq!(folder(&resumed), folder(&interrupted));
        assert!(resumed.path() > interrupted.path(), "the names are in the order of time");
        let start = events(resumed.path()).pop().unwrap();
        assert_eq!((start.step, start.what), (401, Some(What::SessionLog(SessionLog::start()))));
        assert_eq!(count(), 3);
        resumed.finish().unwrap();
        assert_eq!((count(), folder(&earlier).exists()), (2, false));
        let new = create(None);
        let path = new.path().to_path_buf();
        new.finish().unwrap();
        assert_eq!(event_files(directory).unwrap(), [path]);
        assert!(!folder(&interrupted).exists());
    }

    #[test]
    fn files_of_versions_before_lie_in_the_directory_itself() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path();
        let old = directory.join("events.out.tfevents.1700000000.host.trainer");
        fs::write(&old, "").unwrap();
        let resumed = EventWriter::create(directory, Some(400)).unwrap();
        assert_eq!(resumed.path().parent(), Some(directory), "that run goes on where it is");
        resumed.finish().unwrap();
        assert_eq!((event_files(directory).unwrap().len(), old.is_file()), (2, true));
        EventWriter::create(directory, None).unwrap().finish().unwrap();
        assert_eq!((event_files(directory).unwrap().len(), old.is_file()), (1, false));
    }

    #[test]
    fn what_others_wrote_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path();
        let own = EventWriter::create(directory, None).unwrap();
        let folder = own.path().parent().unwrap();
        let theirs = [
            directory.join("events.out.tfevents.1700000000.host.1.0"),
            folder.join("events.out.tfevents.1700000000.host.1.0"),
            directory.join("events/kept/events.out.tfevents.1700000000.host.trainer"),
            directory.join("events/note"),
        ];
        fs::create_dir(directory.join("events/kept")).unwrap();
        theirs.iter().for_each(|path| fs::write(path, "of somebody else").unwrap());
        EventWriter::create(directory, None).unwrap().finish().unwrap();
        assert!(theirs.iter().all(|path| path.is_file()));
        assert!(!own.path().exists());
    }
}
