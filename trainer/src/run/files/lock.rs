//! Locks by the name of a file.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::lost;
use crate::run::RunError;
use crate::text::Shown;

/// Opens a file, as it is, that one process at a time may hold, until it is closed; `None` where another one has it. On a file
/// system without locks (NFS may have none) it is opened all the same, and that is noted.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, RunError> {
    lock_opened(
        path,
        || File::options().create(true).write(true).truncate(false).open(path),
        File::try_lock,
    )
}

fn lock_opened(
    path: &Path,
    mut open: impl FnMut() -> std::io::Result<File>,
    mut try_lock: impl FnMut(&File) -> Result<(), TryLockError>,
) -> Result<Option<File>, RunError> {
    loop {
        let file = open().map_err(|error| RunError::Write { path: path.into(), error })?;
        match try_lock(&file) {
            // Its last holder may have removed it since it was opened: then others lock a new one.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => return Ok(None),
            // A run without a lock is no worse than one on a file system without locks.
            Err(TryLockError::Error(error)) => {
                lost(format!(
                    "cannot lock {}: {error}; see to it that no other command writes to its directory",
                    path.shown()
                ));
                return Ok(Some(file));
            }
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

#[cfg(test)]
mod tests {
    use super::super::take_lost;
    use super::*;

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
        let second = lock_opened(&path, open, File::try_lock).unwrap().unwrap();
        assert!(is_at(&second, &path), "whoever has the old one has nothing");
    }

    /// As NFS may answer (ENOLCK), as some FUSE file systems do (ENOSYS), and as Linux does where a mount has none.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_without_locks_is_no_failure() {
        const ENOLCK: i32 = 37;
        const ENOSYS: i32 = 38;
        const EOPNOTSUPP: i32 = 95;
        let directory = tempfile::tempdir().unwrap();
        for code in [ENOLCK, ENOSYS, EOPNOTSUPP] {
            let path = directory.path().join(format!("lock-{code}"));
            let none = |_: &File| Err(TryLockError::Error(std::io::Error::from_raw_os_error(code)));
            assert!(lock_opened(&path, || File::create(&path), none).unwrap().is_some());
            let told = take_lost();
            assert!(told.iter().any(|text| text.contains(&format!("lock-{code}: "))), "{told:?}");
        }
    }
}
