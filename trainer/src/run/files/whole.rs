//! Files that appear whole or not at all.

use std::fs::{self, File, Metadata};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use super::{WRITING, folder, is_not_offered};
use crate::run::RunError;

/// More links than this in a row go round in a circle.
const MOST_LINKS: usize = 40;

/// Where the bytes go that are written to a path.
#[derive(Debug)]
pub(crate) enum Target {
    /// To a file, which is replaced as a whole or created.
    File {
        /// Its own path, behind all links.
        path: PathBuf,
        /// What is there now.
        existing: Option<Metadata>,
    },
    /// To whoever reads from a FIFO or a character device; nothing there is replaced.
    Stream,
}

impl Target {
    /// What a path leads to.
    ///
    /// # Errors
    ///
    /// If that is nothing that can be written to: a directory, a socket, a disk, links in a circle.
    pub(crate) fn of(path: &Path) -> Result<Target> {
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(data) if data.is_file() => {
                Ok(Target::File { path: path.canonicalize()?, existing: Some(data) })
            }
            Ok(data) => other(&data),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Target::File { path: behind_links(path)?, existing: None })
            }
            Err(error) => Err(error),
        }
    }
}

/// What is neither a file nor a directory.
fn other(data: &Metadata) -> Result<Target> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = data.file_type();
        if kind.is_fifo() || kind.is_char_device() {
            return Ok(Target::Stream);
        }
        let what = if kind.is_socket() { "a socket" } else { "no regular file" };
        Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}")))
    }
    #[cfg(not(unix))]
    {
        let _ = data;
        Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"))
    }
}

/// The file that a link, or a link to a link, names, though it is not there yet.
fn behind_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(Error::new(ErrorKind::InvalidInput, "its links go round in a circle"))
}

/// Writes a file beside its place, sees that the disk has it, and renames it, so that a reader never
/// sees a part of it, nor does a system that lost its power.
///
/// A new file has the mode that the process's umask leaves of 0666; one that is there keeps its own. A link stays, and what it
/// names is written. A FIFO or device gets the bytes.
///
/// # Errors
///
/// If it cannot be written; then nothing has changed, but for what a FIFO or device has got.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::result::Result<(), RunError> {
    let write = || match Target::of(path)? {
        Target::File { path, existing } => replace(&path, existing.as_ref(), bytes),
        Target::Stream => pour(path, bytes),
    };
    write().map_err(|error| RunError::Write { path: path.into(), error })
}

fn replace(path: &Path, existing: Option<&Metadata>, bytes: &[u8]) -> Result<()> {
    let directory = folder(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(WRITING);
    #[cfg(unix)]
    let permissions = mode::wanted(existing);
    #[cfg(unix)]
    builder.permissions(permissions.clone());
    let mut file = builder.tempfile_in(directory)?;
    #[cfg(unix)]
    mode::keep(file.as_file(), path, existing);
    #[cfg(not(unix))]
    let _ = existing;
    file.write_all(bytes)?;
    on_disk(file.as_file().sync_all())?;
    file.persist(path).map_err(|error| error.error)?;
    match cfg!(unix) {
        // The new name is on the disk, too. Other systems have no such call, and do without.
        true => on_disk(File::open(directory)?.sync_all()),
        false => Ok(()),
    }
}

/// Some file systems cannot be told to bring something to the disk; what they have is theirs to keep.
fn on_disk(synced: Result<()>) -> Result<()> {
    match synced {
        Err(error) if is_not_offered(&error) => Ok(()),
        synced => synced,
    }
}

/// Modes and owners of files.
#[cfg(unix)]
mod mode {
    use std::fs::{File, Metadata, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    use std::path::Path;

    use super::super::lost;
    use crate::text::Shown;

    /// Read, write and execute for all, and the three bits above.
    const BITS: u32 = 0o7777;

    /// What a file is created with, less the umask: artifacts are not secret.
    pub(super) fn wanted(existing: Option<&Metadata>) -> Permissions {
        Permissions::from_mode(existing.map_or(0o666, |data| data.mode() & 0o777))
    }

    /// Gives a new file the owner and the mode of the one whose place it takes. Where a file system has neither (a
    /// Windows drive in WSL), it goes on with what there is.
    pub(super) fn keep(file: &File, path: &Path, existing: Option<&Metadata>) {
        let (Some(old), Ok(new)) = (existing, file.metadata()) else { return };
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            // Only root can give a file away; others are owners of what they write.
            let _ = fchown(file, Some(old.uid()), Some(old.gid()));
        }
        let mode = old.mode() & BITS;
        let differs = file.metadata().map_or(true, |new| new.mode() & BITS != mode);
        if differs && let Err(error) = file.set_permissions(Permissions::from_mode(mode)) {
            lost(format!("cannot give {} its mode {mode:03o} again: {error}", path.shown()));
        }
    }
}

/// Writes to a FIFO or a device.
#[cfg(unix)]
fn pour(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::Errno;

    /// So long a FIFO may be without a reader.
    const PATIENCE: Duration = Duration::from_secs(10);
    const LOOK: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    let mut file = loop {
        // Without waiting: a FIFO that nobody reads would hold the command up for ever.
        let flags = OFlags::NONBLOCK.bits() as i32;
        match File::options().write(true).custom_flags(flags).open(path) {
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                if begun.elapsed() >= PATIENCE {
                    return Err(Error::new(ErrorKind::NotConnected, "nobody reads from it"));
                }
                sleep(LOOK);
            }
            opened => break opened?,
        }
    };
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn pour(path: &Path, bytes: &[u8]) -> Result<()> {
    File::options().write(true).open(path)?.write_all(bytes)
}

#[cfg(all(test, unix))]
mod tests;
