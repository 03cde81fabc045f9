//! Modes, links, FIFOs, limits, and file systems that cannot do everything.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::{short_run, succeed};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Shell commands, with the trainer as `$TRAINER`.
fn shell(directory: &Path, commands: &str) -> Output {
    Command::new("sh")
        .args(["-c", commands])
        .env("TRAINER", env!("CARGO_BIN_EXE_trainer"))
        .env("RUST_BACKTRACE", "1")
        .current_dir(directory)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn files_have_the_modes_that_a_person_wants() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    for (umask, wanted) in [("077", 0o600), ("022", 0o644), ("002", 0o664)] {
        let commands = format!(
            "umask {umask}; $TRAINER train --preset sac --steps 700 --out r{umask} &&
             $TRAINER record r{umask}/policy.bin --steps 5 --out f{umask}.gif &&
             $TRAINER keygen --out k{umask}"
        );
        let output = shell(directory, &commands);
        assert!(output.status.success(), "{}", told(&output));
        let run = directory.join(format!("r{umask}"));
        let files =
            names(&run).into_iter().map(|name| run.join(name)).filter(|path| path.is_file());
        let film = directory.join(format!("f{umask}.gif"));
        for path in files.chain([film, directory.join(format!("k{umask}.pub"))]) {
            assert_eq!(mode(&path), wanted, "{} with umask {umask}", path.display());
        }
        assert_eq!(mode(&directory.join(format!("k{umask}.key"))), 0o600);
    }
    let film = directory.join("f022.gif");
    for kept in [0o640, 0o600, 0o664] {
        fs::set_permissions(&film, Permissions::from_mode(kept)).unwrap();
        succeed(directory, &["record", "r022/policy.bin", "--steps", "5", "--out", "f022.gif"]);
        assert_eq!(mode(&film), kept);
    }
}

#[test]
fn links_and_fifos_stay_what_they_are() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    fs::create_dir(directory.join("far")).unwrap();
    for link in ["link.gif", "dangling.gif"] {
        symlink(format!("far/{link}"), directory.join(link)).unwrap();
    }
    fs::write(directory.join("far/link.gif"), "of before").unwrap();
    for link in ["link.gif", "dangling.gif"] {
        succeed(directory, &["record", "run/policy.bin", "--steps", "5", "--out", link]);
        assert!(fs::symlink_metadata(directory.join(link)).unwrap().is_symlink());
        assert!(fs::read(directory.join("far").join(link)).unwrap().starts_with(b"GIF8"));
    }
    assert_eq!(names(&directory.join("far")), ["dangling.gif", "link.gif"]);
    // By a FIFO, and by the names that shells have for pipes.
    let output = shell(
        directory,
        "mkfifo fifo && { cat fifo >got & } && $TRAINER record run/policy.bin --steps 5 --out fifo && wait",
    );
    assert!(output.status.success(), "{}", told(&output));
    assert!(fs::metadata(directory.join("fifo")).unwrap().file_type().is_fifo());
    let film = fs::read(directory.join("far/link.gif")).unwrap();
    assert_eq!(fs::read(directory.join("got")).unwrap(), film);
    for (command, wanted) in [
        ("record run/policy.bin --steps 5 --out /dev/stdout", &film),
        ("quantize run/policy.bin --bits 8 --out /dev/stdout", &{
            succeed(directory, &["quantize", "run/policy.bin", "--bits", "8"]);
            fs::read(directory.join("run/int8/policy.bin")).unwrap()
        }),
    ] {
        let output = shell(directory, &format!("$TRAINER {command} | cat"));
        assert!(output.stdout.starts_with(wanted), "{command}: {}", told(&output));
    }
    assert!(!Path::new("/dev/recording.bin").exists());
}

/// As a full disk: with a sentence, and nothing half-written.
#[test]
fn a_limit_of_file_sizes_is_an_error() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    for (command, left) in [
        ("train --preset sac --steps 700 --out new", "new"),
        ("record run/policy.bin --out f.gif", "."),
        ("eval run/policy.bin --trajectories f.csv", "."),
        ("quantize run/policy.bin --bits 16 --out small/policy.bin", "small"),
        ("plot run --out pictures", "pictures"),
        ("train --preset sac --seeds 2 --steps 700 --out many", "many"),
    ] {
        let output = shell(directory, &format!("ulimit -f 10; $TRAINER {command}"));
        let error = told(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {error}");
        assert!(error.contains("File too large") && error.lines().count() == 1, "{error}");
        for folder in [left, &format!("{left}/checkpoints"), &format!("{left}/seed-1")] {
            let folder = directory.join(folder);
            let names = if folder.is_dir() { names(&folder) } else { Vec::new() };
            assert!(
                !names.iter().any(|name| name.starts_with(".writing-")),
                "{command}: {names:?}"
            );
        }
    }
    assert!(!directory.join("f.gif").exists() && !directory.join("f.csv").exists());
}

/// The library that makes system calls fail, in a directory.
fn faults(directory: &Path) -> String {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/faults.c");
    let library = directory.join("faults.so");
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(made.expect("a C compiler is where Rust links").success());
    library.display().to_string()
}

/// Locks on NFS (ENOLCK), modes on a Windows drive (EPERM), folders that cannot be synced (EINVAL).
#[cfg(target_os = "linux")]
#[test]
fn what_a_file_system_cannot_do_is_no_failure() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let library = faults(directory);
    let run = |fault: &str, command: &str| {
        shell(directory, &format!("LD_PRELOAD={library} FAULT={fault} $TRAINER {command}"))
    };
    let train = "train --preset sac --steps 700 --out";
    let plain = short_run(directory, "plain", &[]);
    for (fault, warnings) in [("flock=37", 1), ("flock=38", 1), ("fchmod=1", 0), ("fsync=22", 0)] {
        let output = run(fault, &format!("{train} {fault}"));
        let told = told(&output);
        assert!(output.status.success(), "{fault}: {told}");
        assert_eq!(told.matches("warning: cannot lock").count(), warnings, "{fault}: {told}");
        assert_eq!(told.lines().count(), warnings, "{fault}: {told}");
        let summary = fs::read_to_string(directory.join(fault).join("summary.json")).unwrap();
        let fingerprint = plain["parameters_fingerprint"].as_str().unwrap();
        assert!(summary.contains(fingerprint));
    }
    // Where a mode is lost, that is said, once.
    fs::write(directory.join("f.gif"), "").unwrap();
    fs::set_permissions(directory.join("f.gif"), Permissions::from_mode(0o666)).unwrap();
    let output = run("fchmod=1", "record plain/policy.bin --steps 5 --out f.gif");
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.starts_with("warning: cannot give ") && told.lines().count() == 1, "{told}");
    let sweep = "presets = [\"sac\"]\nseeds = [1, 2]\n[settings]\nsteps = 700\n";
    fs::write(directory.join("s.toml"), sweep).unwrap();
    assert!(run("flock=37", "sweep s.toml").status.success());
}

/// A finished run, and a finished sweep, on a disk that has become read-only.
#[cfg(target_os = "linux")]
#[test]
fn what_is_finished_needs_no_disk_to_write_to() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let library = faults(directory);
    short_run(directory, "run", &[]);
    let sweep = "presets = [\"sac\"]\nseeds = [1]\n[settings]\nsteps = 700\n";
    fs::write(directory.join("s.toml"), sweep).unwrap();
    succeed(directory, &["sweep", "s.toml"]);
    for command in [
        "train --preset sac --steps 700 --out run --resume",
        "train --resume --out run",
        "sweep s.toml",
        "eval run/policy.bin",
    ] {
        let script = format!("LD_PRELOAD={library} FAULT=create=30 $TRAINER {command}");
        let output = shell(directory, &script);
        assert!(output.status.success(), "{command}: {}", told(&output));
    }
    let script = format!(
        "LD_PRELOAD={library} FAULT=create=30 $TRAINER train --preset sac --steps 700 --out run"
    );
    let output = shell(directory, &script);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("Read-only file system"), "{}", told(&output));
}
