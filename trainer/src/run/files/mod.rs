//! Files and locks, as all commands have them: `whole` writes files that appear whole or not at all, `lock` keeps two
//! commands out of one directory, `lost` tells what a file system could not do but nobody depends on.

mod lock;
mod lost;
mod whole;

pub(crate) use lock::lock;
pub(crate) use lost::{lost, take_lost};
pub(crate) use whole::{Target, write_whole};

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use super::RunError;

/// How the names of files begin that are being written.
pub(super) const WRITING: &str = ".writing-";
/// Such a file that is older belongs to nobody any more.
const ABANDONED: Duration = Duration::from_secs(60);

/// The directory that a file is in; the parent of a bare name is empty.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a directory, with those that it lies in.
pub(crate) fn create(directory: &Path) -> Result<(), RunError> {
    fs::create_dir_all(directory).map_err(|error| RunError::Write { path: directory.into(), error })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(RunError::Write { path: path.into(), error })
        }
        _ => Ok(()),
    }
}

/// Removes a folder, if it is there and empty; what others have put there stays.
pub(crate) fn remove_empty(folder: &Path) -> Result<(), RunError> {
    match fs::remove_dir(folder) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory
            ) =>
        {
            Err(RunError::Write { path: folder.into(), error })
        }
        _ => Ok(()),
    }
}

/// Removes what processes that were killed left half-written in folders. It is only for tidiness: what cannot be removed
/// stays.
pub(super) fn remove_strays(folders: &[&Path]) {
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok());
    for entry in entries.flatten().flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        let old = matches!(age, Ok(Ok(age)) if age >= ABANDONED);
        if old && entry.file_name().to_string_lossy().starts_with(WRITING) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Does the file system not offer what was asked for?
fn is_not_offered(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::SystemTime;

    #[test]
    fn only_abandoned_files_go() {
        let directory = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * ABANDONED;
        for (name, age) in [(".writing-a", old), (".writing-b", SystemTime::now()), ("other", old)]
        {
            let file = File::create(directory.path().join(name)).unwrap();
            file.set_modified(age).unwrap();
        }
        remove_strays(&[directory.path()]);
        let left = fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(left, [".writing-b", "other"]);
    }

    #[test]
    fn folders_that_others_use_stay() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("folder");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("of somebody"), "").unwrap();
        remove_empty(&folder).unwrap();
        assert!(folder.join("of somebody").exists());
        fs::remove_file(folder.join("of somebody")).unwrap();
        remove_empty(&folder).unwrap();
        assert!(!folder.exists());
        remove_empty(&folder).unwrap();
    }
}
