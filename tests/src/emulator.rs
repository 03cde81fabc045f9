//! Builds the firmware around a policy and runs it in QEMU.
//!
//! It calls what a user calls, `cargo run --release` in `firmware-example/`; so the emulator's
//! command line stands in one place, that folder's `.cargo/config.toml`.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Enough for a build with all its dependencies on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
/// Many times what 10 000 inferences take. A firmware that faults loops for ever.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// How a program ended.
#[derive(Debug)]
pub struct Run {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote, standard output and standard error together.
    pub output: String,
}

/// One build directory for all, so one build and run at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Builds the firmware of the default board with the policy file `policy` and the `recording.bin`
/// beside it, runs it in QEMU and gives how it ended.
///
/// `scratch` is the folder that Cargo names in `CARGO_TARGET_TMPDIR`.
///
/// # Panics
///
/// Where the firmware cannot be built, or the emulator cannot be started or does not end in time.
pub fn run_firmware(policy: &Path, scratch: &Path) -> Run {
    // A test that failed leaves nothing behind that the next one could stumble over.
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = search_path();
    let cargo = |subcommand: &str| {
        let mut command = Command::new("cargo");
        command
            .args([subcommand, "--release", "--quiet", "--bin", "replay-m4"])
            .current_dir(project().join("firmware-example"))
            .env("PATH", &path)
            .env("POLICY", policy)
            .env("CARGO_TARGET_DIR", scratch.join("firmware"));
        // These would take the place of what the folder's own configuration says.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(variable);
        }
        command
    };
    // A build of its own first: then the exit code of `run` is the firmware's.
    let build = run_bounded(cargo("build"), BUILD_LIMIT, scratch);
    assert!(build.code == Some(0), "the firmware does not build:\n{}", build.output);
    run_bounded(cargo("run"), RUN_LIMIT, scratch)
}

/// `PATH` with the toolchain for firmware in front; `tests/setup` knows which one that is.
fn search_path() -> std::ffi::OsString {
    let setup = project().join("tests").join("setup");
    let answer = Command::new(&setup).arg("--toolchain").stdin(Stdio::null()).output();
    let answer = answer.unwrap_or_else(|error| panic!("cannot run {}: {error}", setup.display()));
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let toolchain = String::from_utf8_lossy(&answer.stdout).trim_end().to_owned();
    let old = env::var_os("PATH").unwrap_or_default();
    let toolchain = (!toolchain.is_empty()).then(|| PathBuf::from(toolchain));
    env::join_paths(toolchain.into_iter().chain(env::split_paths(&old)))
        .expect("PATH was split at its separators, and a toolchain's folder has none in its name")
}

/// Runs `command` with no input and at most for `limit`, its output going through a file in
/// `scratch`: nobody then has to read it while it runs.
///
/// # Panics
///
/// Where it cannot be started or does not end in time; it is then killed.
pub fn run_bounded(mut command: Command, limit: Duration, scratch: &Path) -> Run {
    let program = command.get_program().to_owned();
    let file = scratch.join(format!("output-{:?}", thread::current().id()));
    let out = File::create(&file).expect("the scratch folder takes files");
    let err = out.try_clone().expect("a file handle can be copied");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {program:?}: {error}"));
    let started = Instant::now();
    let status: Option<ExitStatus> = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break Some(status),
            None if started.elapsed() < limit => thread::sleep(Duration::from_millis(10)),
            None => break None,
        }
    };
    if status.is_none() {
        // `cargo run` becomes the program that it starts, so this ends the emulator itself.
        child.kill().and_then(|()| child.wait()).expect("a child can be killed");
    }
    let output = fs::read(&file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let output = output.expect("the output was written to this file");
    let _ = fs::remove_file(&file); // Only tidiness.
    match status {
        Some(status) => Run { code: status.code(), output },
        None => panic!("{program:?} did not end within {limit:?}; it wrote:\n{output}"),
    }
}

fn project() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_run_has_the_exit_code_and_both_outputs() {
        let run = run_bounded(shell("echo out; echo err >&2; exit 7"), RUN_LIMIT, &env::temp_dir());
        assert_eq!((run.code, run.output.as_str()), (Some(7), "out\nerr\n"));
    }

    #[test]
    #[should_panic(expected = "did not end within 200ms; it wrote:\nstill here")]
    fn what_hangs_is_killed() {
        run_bounded(
            shell("echo still here; exec sleep 60"),
            Duration::from_millis(200),
            &env::temp_dir(),
        );
    }
}
