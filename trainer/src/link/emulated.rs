//! A board in an emulator of this machine: a child process whose serial port is a connection to us.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Client, Patience, Tcp};
use crate::text::Shown;

/// Lines of a child's output that are kept.
const LINES: usize = 8;
/// Bytes of one of them at most.
const LINE: u64 = 1000;
/// Enough to build the firmware with all its dependencies on a slow machine.
const LIMIT: Duration = Duration::from_secs(1800);
/// Between two looks at the child.
const PAUSE: Duration = Duration::from_millis(20);
/// The rest of its output may take so long once a child has ended.
const REST: Duration = Duration::from_millis(500);

/// Why there is no emulated board.
#[derive(Debug, thiserror::Error)]
pub enum EmulatedError {
    /// There is no firmware to build.
    #[error(
        "there is no folder firmware-example/ with the script `emulate` here or above: run this in a clone of the project, or start a board and use --serial"
    )]
    NoFirmware,
    /// The operating system does not do it.
    #[error("cannot start {}: {error}", script.shown())]
    Start {
        /// The script.
        script: PathBuf,
        /// Why not.
        error: Error,
    },
    /// It ended before there was a board.
    #[error("the emulator of {core} has ended ({status}) before its board answered: {output}")]
    Ended {
        /// Which board.
        core: String,
        /// How.
        status: ExitStatus,
        /// The last that it wrote.
        output: String,
    },
    /// It takes too long.
    #[error("the emulator of {core} has not begun within {} s: {output}", LIMIT.as_secs())]
    Late {
        /// Which board.
        core: String,
        /// The last that it wrote.
        output: String,
    },
}

/// An emulator that runs; it ends with this value, and with this process, however that ends.
#[derive(Debug)]
pub struct Emulated {
    child: Child,
    /// Ends the child where this process has ended without doing so.
    guard: Option<Child>,
    /// Of its output and its errors.
    tails: Vec<Tail>,
}

/// The last lines of what a process writes, which a thread reads as long as it does.
#[derive(Debug)]
struct Tail {
    reader: JoinHandle<()>,
    lines: Arc<Mutex<VecDeque<String>>>,
}

/// The folder of the firmware: that of the sources of this program, or else one here or above.
///
/// # Errors
///
/// If there is none.
pub fn firmware() -> Result<PathBuf, EmulatedError> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-example");
    let here = std::env::current_dir().unwrap_or_default();
    let above = here.ancestors().map(|folder| folder.join("firmware-example"));
    let mut folders = std::iter::once(beside).chain(above);
    let folder = folders.find(|folder| folder.join("emulate").is_file());
    folder.and_then(|folder| folder.canonicalize().ok()).ok_or(EmulatedError::NoFirmware)
}

impl Emulated {
    /// Builds firmware in the folder around a policy file and runs it on an emulated board, by
    /// `emulate --link 127.0.0.1:PORT CORE` with `POLICY` in the environment; with a client of that board.
    ///
    /// # Errors
    ///
    /// If it cannot be built or started.
    pub fn start(
        folder: &Path,
        core: &str,
        policy: &Path,
    ) -> Result<(Emulated, Client), EmulatedError> {
        let script = folder.join("emulate");
        let cannot = |error| EmulatedError::Start { script: script.clone(), error };
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?.to_string();
        let mut command = Command::new(&script);
        command.args(["--link", &address, core]).current_dir(folder);
        command.env("POLICY", policy.canonicalize().map_err(cannot)?);
        // These would take the place of what the folder's own configuration says.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(cannot)?;
        let out = child.stdout.take().map(Tail::of);
        let err = child.stderr.take().map(Tail::of);
        let guard = guard(child.id());
        let tails = out.into_iter().chain(err).collect();
        let mut emulated = Emulated { child, guard, tails };
        let begun = Instant::now();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let tcp = Tcp::new(stream, &format!("the emulated {core}")).map_err(cannot)?;
                    return Ok((emulated, Client::new(Box::new(tcp), Patience::NETWORK)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot(error)),
            }
            let core = core.to_string();
            if let Some(status) = emulated.child.try_wait().map_err(cannot)? {
                let output = emulated.last_lines(REST);
                return Err(EmulatedError::Ended { core, status, output });
            }
            if begun.elapsed() > LIMIT {
                let output = emulated.last_lines(Duration::ZERO);
                return Err(EmulatedError::Late { core, output });
            }
            thread::sleep(PAUSE);
        }
    }

    /// How the emulator ended and what it wrote last; `None` where it still runs.
    pub fn end(&mut self) -> Option<String> {
        let begun = Instant::now();
        while begun.elapsed() < REST {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(format!(
                    "the emulator has ended ({status}): {}",
                    self.last_lines(REST)
                ));
            }
            thread::sleep(PAUSE);
        }
        None
    }

    /// The process that emulates, or builds.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its output, whose rest has so long to come, as one line.
    fn last_lines(&self, limit: Duration) -> String {
        let end = Instant::now() + limit;
        while Instant::now() < end && !self.tails.iter().all(|tail| tail.reader.is_finished()) {
            thread::sleep(PAUSE);
        }
        let lines = self.tails.iter().flat_map(|tail| lock(&tail.lines).clone());
        match lines.collect::<Vec<_>>() {
            lines if lines.is_empty() => "it wrote nothing".into(),
            lines => lines.join(" | "),
        }
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // First the guard: it must not find another process under the child's number.
        for process in self.guard.iter_mut().chain([&mut self.child]) {
            // Whatever has ended by itself needs no killing.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn lock(lines: &Mutex<VecDeque<String>>) -> MutexGuard<'_, VecDeque<String>> {
    // Lines are whole or not there, whatever happens to a thread.
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tail {
    /// Reads an output to its end, and keeps its last lines, without what could steer a terminal.
    fn of(output: impl Read + Send + 'static) -> Tail {
        let lines: Arc<Mutex<VecDeque<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut bytes = Vec::new();
            while let Ok(1..) = output.by_ref().take(LINE).read_until(b'\n', &mut bytes) {
                let text = String::from_utf8_lossy(&bytes);
                let line: String = text.trim().chars().filter(|c| !c.is_control()).collect();
                if !line.is_empty() {
                    let mut kept = lock(&kept);
                    if kept.len() == LINES {
                        kept.pop_front();
                    }
                    kept.push_back(line);
                }
                bytes.clear();
            }
        });
        Tail { reader, lines }
    }
}

/// A shell that waits until this process has ended, and then ends the child. A process that is killed cannot do it itself, and
/// an emulator without a board's other end would run for ever.
fn guard(child: u32) -> Option<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", "read -r _; kill \"$1\"", "guard"]).arg(child.to_string());
    // Its input ends with this process.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A folder whose script `emulate` does this.
    fn folder(script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("emulate");
        fs::write(&file, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("policy.bin"), "").unwrap();
        folder
    }

    fn start(script: &str) -> Result<(Emulated, Client), EmulatedError> {
        let folder = folder(script);
        Emulated::start(folder.path(), "m4", &folder.path().join("policy.bin"))
    }

    #[test]
    fn what_an_emulator_says_at_its_end_is_reported() {
        let script =
            "for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; echo 'no such core' >&2; exit 3";
        let error = start(script).err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such core"), "{error}");
        assert!(!error.contains('\n') && error.contains(": 2 | 3 |"), "{error}");
        let error = start("exit 1").err().unwrap().to_string();
        assert!(error.contains("it wrote nothing"), "{error}");
    }

    #[test]
    fn it_gets_the_policy_and_ends_with_its_handle() {
        let script = "[ \"$1 $3\" = '--link m4' ] && [ -f \"$POLICY\" ] || exit 9\n\
                      exec 3<>/dev/tcp/${2/://} && exec sleep 60";
        let (mut emulated, client) = start(script).unwrap();
        assert_eq!(emulated.end(), None);
        let running = |id: u32| Command::new("kill").args(["-0", &id.to_string()]).output();
        let id = emulated.id();
        assert!(running(id).unwrap().status.success());
        drop(emulated);
        assert!(!running(id).unwrap().status.success());
        drop(client);
    }

    #[test]
    fn the_guard_ends_a_child_whose_parent_is_gone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut guard = guard(child.id()).unwrap();
        // As if this process had ended.
        drop(guard.stdin.take());
        assert!(!child.wait().unwrap().success());
        guard.wait().unwrap();
    }
}
