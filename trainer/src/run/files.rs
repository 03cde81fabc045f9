//! Files that appear whole or not at all.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use super::RunError;

/// How the names of files begin that are being written.
const WRITING: &str = ".writing-";
/// Such a file that is older belongs to nobody any more.
const ABANDONED: Duration = Duration::from_secs(60);

/// The directory that a file is in; the parent of a bare name is empty.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file beside its place, sees that the disk has it, and renames it, so that a reader never
/// sees a part of it, nor does a system that lost its power.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let directory = folder(path);
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        allow_reading(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        sync_directory(directory)
    };
    write().map_err(|error| RunError::Write { path: path.into(), error })
}

/// The new name is on the disk, too. Other systems have no such call, and do without.
fn sync_directory(directory: &Path) -> std::io::Result<()> {
    match cfg!(unix) {
        true => match File::open(directory)?.sync_all() {
            Err(error) if !is_not_offered(&error) => Err(error),
            _ => Ok(()),
        },
        false => Ok(()),
    }
}

/// Creates a directory, with those that it lies in.
pub(crate) fn create(directory: &Path) -> Result<(), RunError> {
    std::fs::create_dir_all(directory)
        .map_err(|error| RunError::Write { path: directory.into(), error })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(RunError::Write { path: path.into(), error })
        }
        _ => Ok(()),
    }
}

/// Removes what processes that were killed left half-written, here and in the folders. It is only for
/// tidiness: what cannot be removed stays.
pub(super) fn remove_strays(directory: &Path) {
    let folders = [directory.to_path_buf(), directory.join(super::checkpoint::FOLDER)];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.flatten().flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        let old = matches!(age, Ok(Ok(age)) if age >= ABANDONED);
        if old && entry.file_name().to_string_lossy().starts_with(WRITING) {
            let _ = std::fs::remove_file(entry.path());
        }
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

/// Opens a file, as it is, that one process at a time may hold, until it is closed; `None` where another one has it.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, RunError> {
    lock_opened(path, || File::options().create(true).write(true).truncate(false).open(path))
}

fn lock_opened(
    path: &Path,
    mut open: impl FnMut() -> std::io::Result<File>,
) -> Result<Option<File>, RunError> {
    let failed = |error| RunError::Write { path: path.into(), error };
    loop {
        let file = open().map_err(failed)?;
        match file.try_lock() {
            // Its last holder may have removed it since it was opened: then others lock a new one.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Some file systems have no locks; they are no worse off than without.
            Err(TryLockError::Error(error)) if is_not_offered(&error) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Is an open file the one of that name? Where the system does not tell, it is.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let [own, named] = [file.metadata(), std::fs::metadata(path)]
            .map(|data| data.ok().map(|data| (data.dev(), data.ino())));
        own.is_some() && own == named
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Does the file system not offer what was asked for?
fn is_not_offered(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    /// Whoever removes a file that it has locked leaves its name to the next one, who may have opened the old file.
    #[test]
    fn locks_are_of_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = lock(&path).unwrap().unwrap();
        assert!(lock(&path).unwrap().is_none());
        // Opened before its holder removed it and was done with it.
        let mut old = Some(File::open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        drop(first);
        let open = || old.take().map_or_else(|| File::create(&path), Ok);
        let second = lock_opened(&path, open).unwrap().unwrap();
        assert!(is_at(&second, &path), "whoever has the old one has nothing");
    }

    #[test]
    fn only_abandoned_files_go() {
        let directory = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * ABANDONED;
        for (name, age) in [(".writing-a", old), (".writing-b", SystemTime::now()), ("other", old)]
        {
            let file = File::create(directory.path().join(name)).unwrap();
            file.set_modified(age).unwrap();
        }
        remove_strays(directory.path());
        let left = std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(left, [".writing-b", "other"]);
    }
}
