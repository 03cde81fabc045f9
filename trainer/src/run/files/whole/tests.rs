use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;
use crate::run::files::take_lost;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Of the file that is replaced; that of a new one is for the tests of the command line, as a umask is the process's.
#[test]
fn a_file_keeps_its_mode() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for kept in [0o600, 0o644, 0o664, 0o755, 0o444, 0o2750] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (kept, b"new".to_vec()));
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(take_lost().iter().filter(|text| text.contains("its mode")).count(), 0);
}

#[test]
fn what_links_name_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("far")).unwrap();
    fs::write(at("far/file"), "old").unwrap();
    symlink("far/file", at("link")).unwrap();
    symlink("link", at("second")).unwrap();
    symlink("far/none", at("dangling")).unwrap();
    symlink("nowhere/none", at("lost")).unwrap();
    symlink("circle", at("circle")).unwrap();
    for (link, file) in [("link", "far/file"), ("second", "far/file"), ("dangling", "far/none")] {
        write_whole(&at(link), link.as_bytes()).unwrap();
        assert_eq!(fs::read(at(file)).unwrap(), link.as_bytes());
        assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
    }
    for bad in ["lost", "circle"] {
        write_whole(&at(bad), b"x").unwrap_err();
        assert!(fs::symlink_metadata(at(bad)).unwrap().is_symlink(), "{bad}");
    }
    assert_eq!(names(&at("far")), ["file", "none"], "nothing stray");
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let fifo = at("fifo");
    let reader = std::thread::spawn(move || fs::read(fifo).unwrap());
    // More than a FIFO holds at a time.
    let bytes = vec![7; 1 << 18];
    write_whole(&at("fifo"), &bytes).unwrap();
    assert_eq!(reader.join().unwrap(), bytes);
    assert!(fs::metadata(at("fifo")).unwrap().file_type().is_fifo());

    write_whole(Path::new("/dev/null"), &bytes).unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let error = write_whole(Path::new("/dev/full"), &bytes).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");

    let _listener = UnixListener::bind(at("socket")).unwrap();
    let error = write_whole(&at("socket"), b"x").unwrap_err();
    assert!(error.to_string().contains("it is a socket"), "{error}");
    assert!(fs::metadata(at("socket")).unwrap().file_type().is_socket());
    write_whole(directory.path(), b"x").unwrap_err();
    assert_eq!(names(directory.path()), ["fifo", "socket"]);
}
