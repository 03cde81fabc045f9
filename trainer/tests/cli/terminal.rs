//! What a terminal shows while a command works, and what it does not.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// On a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than what is quick takes, so that a bar would have appeared.
const A_WHILE: Duration = Duration::from_secs(4);
const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/sample/f32/policy.bin");
const SIGNED: &str = "update.signed";

/// Our end of a new pseudo-terminal, and the one for a child.
fn terminal() -> (File, Stdio) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let size = Winsize { ws_row: 40, ws_col: 150, ws_xpixel: 0, ws_ypixel: 0 };
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let theirs = rustix::fs::open(name, flags, Mode::empty()).unwrap();
    tcsetwinsize(&theirs, size).unwrap();
    (File::from(ours), Stdio::from(theirs))
}

fn command(directory: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null());
    command.env("TERM", "xterm-256color");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// What is written to the other end, as it comes.
fn chunks(mut ours: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // A terminal whose other end is closed fails to be read.
        while let Ok(count @ 1..) = ours.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What a child writes until a text is in it, or for a time.
fn written(chunks: &Receiver<Vec<u8>>, until: &str, patience: Duration) -> String {
    let (mut bytes, begun) = (Vec::new(), Instant::now());
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if !until.is_empty() && text.contains(until) {
            return text.into_owned();
        }
        match chunks.recv_timeout(patience.saturating_sub(begun.elapsed())) {
            Ok(more) => bytes.extend(more),
            Err(_) => return text.into_owned(),
        }
    }
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Whether a text has a sequence that selects colours or bold letters.
fn is_coloured(text: &str) -> bool {
    text.split("\x1b[").skip(1).any(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
    })
}

/// Every command that takes long, and what it shows then. The board of some is one that never answers.
fn long_commands(directory: &Path, port: &str) -> Vec<(Vec<String>, &'static str)> {
    fs::write(directory.join("starts.json"), crate::many_starts()).unwrap();
    crate::succeed(directory, &["keygen", "--out", "key"]);
    let sign = ["sign", POLICY, "--key", "key.key", "--version", "1", "--out", SIGNED];
    crate::succeed(directory, &sign);
    let sweep = "presets = [\"sac\"]\nseeds = { first = 1, count = 5 }\n[settings]\nsteps = 1000000\n[grid]\ngamma = [0.9]";
    fs::write(directory.join("sweep.toml"), sweep).unwrap();
    crate::short_run(directory, "short", &[]);
    [
        ("sweep sweep.toml --out RUN", "seed-1 ["),
        ("compare short --starts starts.json", "runs every policy from the starts"),
        ("train --preset sac --steps 1000000 --out RUN", "sac ["),
        ("train --preset sac --steps 1000000 --seeds 2 --out RUN", "seed 1 ["),
        ("eval POLICY --starts starts.json", "evaluating ["),
        ("quantize POLICY --starts starts.json --out int/policy.bin", "evaluating over 400001"),
        ("record POLICY --steps 100000 --size 2000 --out film.gif", "filming ["),
        ("bench --seconds 3600", "measuring dqn, 64-64, batch 100 ["),
        ("pil POLICY --serial PORT", "waiting for an answer from tcp:"),
        ("push update.signed --serial PORT", "waiting for an answer from tcp:"),
        ("monitor --serial PORT", "waiting for an answer from tcp:"),
    ]
    .map(|(line, shown)| {
        let word = |word: &str| match word {
            "POLICY" => POLICY.into(),
            "PORT" => port.into(),
            _ => word.into(),
        };
        (line.split(' ').map(word).collect(), shown)
    })
    .into()
}

#[test]
fn long_commands_show_progress_on_a_terminal_only() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = format!("tcp:{}", listener.local_addr().unwrap());
    let commands = long_commands(directory, &port);
    // They mostly wait.
    thread::scope(|scope| {
        for (line, shown) in &commands {
            scope.spawn(|| shows_progress_on_a_terminal_only(directory, line, shown));
        }
    });
}

fn shows_progress_on_a_terminal_only(directory: &Path, line: &[String], shown: &str) {
    // One run at a time writes to a directory, and a killed one may have left a checkpoint there.
    let mut runs = 0;
    let mut arguments = || {
        runs += 1;
        let run = |word: &String| match word.as_str() {
            "RUN" => format!("run-{}-{runs}", line.len()),
            _ => word.clone(),
        };
        line.iter().map(run).collect::<Vec<String>>()
    };
    let start = |arguments: &[String], no_colour: Option<&str>| {
        let (ours, theirs) = terminal();
        let mut command = command(directory, arguments);
        command.envs(no_colour.map(|value| ("NO_COLOR", value))).stderr(theirs);
        (command.spawn().unwrap(), chunks(ours))
    };

    let (child, chunks_of_it) = start(&arguments(), Some("1"));
    let text = written(&chunks_of_it, shown, PATIENCE);
    end(child);
    assert!(text.contains(shown), "{line:?}: not {shown:?} in {text:?}");
    assert!(!is_coloured(&text), "{line:?}: {text:?}");

    // With --quiet or --json, and where standard error is no terminal, there is nothing at all.
    let [quiet, as_json] = ["--quiet", "--json"]
        .map(|option| start(&[&[option.to_string()], &arguments()[..]].concat(), None));
    let mut piped = command(directory, &arguments()).stderr(Stdio::piped()).spawn().unwrap();
    let piped_chunks = chunks(piped.stderr.take().unwrap());
    let texts = [
        written(&quiet.1, "", A_WHILE),
        written(&as_json.1, "", Duration::ZERO),
        written(&piped_chunks, "", Duration::ZERO),
    ];
    [quiet.0, as_json.0, piped].into_iter().for_each(end);
    assert_eq!(texts, ["", "", ""], "{line:?}");
}

#[test]
fn quick_commands_show_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    for arguments in
        [&["inspect", POLICY][..], &["record", POLICY, "--steps", "2", "--out", "f.gif"]]
    {
        let (ours, theirs) = terminal();
        let mut command = command(temporary.path(), arguments);
        let child = command.stderr(theirs).spawn().unwrap();
        // Ours is closed by the end of the child, once this has no copy of its end.
        drop(command);
        let text = written(&chunks(ours), "", PATIENCE);
        assert!(child.wait_with_output().unwrap().status.success());
        assert_eq!(text, "", "{arguments:?}");
    }
}

#[test]
fn help_has_colours_on_a_terminal_unless_nobody_wants_them() {
    let help = |no_colour: Option<&str>| {
        let (ours, theirs) = terminal();
        let mut command = command(Path::new("."), &["train", "--help"]);
        command.envs(no_colour.map(|value| ("NO_COLOR", value)));
        let child = command.stdout(theirs).spawn().unwrap();
        drop(command);
        let text = written(&chunks(ours), "", PATIENCE);
        assert!(child.wait_with_output().unwrap().status.success());
        assert!(text.contains("--preset"), "{text}");
        text
    };
    assert!(is_coloured(&help(None)));
    assert!(!help(Some("1")).contains('\x1b'));
}
