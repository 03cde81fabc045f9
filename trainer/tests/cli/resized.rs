//! What becomes of a terminal's other lines while progress is shown and the terminal's size changes, in tmux: it wraps its
//! lines anew, but for those of its alternate screen.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// On a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a person had on the terminal before; where it is full, more than once.
const LINES: [&str; 5] = [
    "$ some command of before, whose output is a few lines",
    "one of fifty columns, which ends here with a stop.",
    "a short one",
    "one that has as many columns as the terminal: sixty of them.",
    "$ trainer",
];

/// A terminal of its own, with a shell.
struct Tmux<'a> {
    directory: &'a Path,
    wraps: bool,
    above: Vec<&'static str>,
}

impl<'a> Tmux<'a> {
    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-S", "socket"])
            .args(arguments)
            .current_dir(self.directory)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .output()
            .expect("tmux starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Shows the lines of a person, and then what the trainer says.
    fn start(directory: &'a Path, wraps: bool, full: bool, arguments: &str) -> Self {
        let above = LINES.repeat(if full { 4 } else { 1 });
        let tmux = Tmux { directory, wraps, above };
        let program = env!("CARGO_BIN_EXE_trainer");
        let before = if wraps { "" } else { "printf '\\033[?1049h\\033[H'\n" };
        let script = format!(
            "{before}printf '%s\\n' '{}'\ntrap '' INT\n(trap - INT; exec '{program}' {arguments})\necho ended with $?\nsleep 60\n",
            tmux.above.join("' '")
        );
        std::fs::write(directory.join("script"), script).unwrap();
        tmux.tmux(&["new-session", "-d", "-x", "60", "-y", "30", "sh", "script"]);
        tmux
    }

    fn resize(&self, columns: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", "30"]);
    }

    /// All lines that there are, those that were wrapped as one.
    fn lines(&self) -> Vec<String> {
        // The alternate screen has no history.
        let all = if self.wraps { "-100000" } else { "0" };
        let text = self.tmux(&["capture-pane", "-p", "-J", "-S", all]);
        text.lines()
            .map(|line| line.trim_end().to_string())
            .filter(|line| !line.is_empty())
            .collect()
    }

    /// Waits until below the person's lines there is what is wanted, and nothing else.
    fn shows(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        let begun = Instant::now();
        loop {
            let lines = self.lines();
            let (above, below) = lines.split_at(lines.len().min(self.above.len()));
            if above == self.above && wanted(below) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}, wraps: {}: {lines:#?}", self.wraps);
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let kill = ["-S", "socket", "kill-server"];
        let _ = Command::new("tmux").args(kill).current_dir(self.directory).output();
    }
}

/// A command that shows progress for longer than the tests take.
struct Case {
    command: &'static str,
    /// How the lines begin that there are meanwhile.
    rows: &'static [&'static str],
    /// The same after Ctrl-C, where it says something then.
    left: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        command: "train --preset sac --steps 1000000 --out one",
        rows: &["sac "],
        left: &["error: interrupted at step ", "ended with 130"],
    },
    Case {
        command: "train --preset sac --steps 1000000 --seeds 1 --out seeds",
        rows: &["seed 1 "],
        left: &["error: interrupted: 0 of 1 seeds are finished", "ended with 130"],
    },
    Case {
        command: "sweep ../sweep.toml --jobs 3 --out sweep",
        rows: &["3 trials: ", "warning: intervals", "sac/seed-", "sac/seed-", "sac/seed-"],
        left: &["3 trials: ", "warning: intervals", "error: interrupted: 0 of 3", "ended with 130"],
    },
    Case {
        command: "eval ../short/policy.bin --starts ../starts.json",
        rows: &["evaluating "],
        left: &[],
    },
    // Its row begins with what turns.
    Case { command: "compare ../short --starts ../starts.json", rows: &[""], left: &[] },
];

/// Writes what the commands read.
fn prepare(directory: &Path) {
    let sweep =
        "presets = [\"sac\"]\nseeds = { first = 1, count = 3 }\n[settings]\nsteps = 1000000";
    std::fs::write(directory.join("sweep.toml"), sweep).unwrap();
    std::fs::write(directory.join("starts.json"), crate::many_starts()).unwrap();
    crate::short_run(directory, "short", &[]);
}

fn begin(lines: &[String], wanted: &[&str]) -> bool {
    lines.len() == wanted.len()
        && lines.iter().zip(wanted).all(|(line, begin)| line.starts_with(begin))
}

/// Runs every command in every kind of terminal.
fn each(work: impl Fn(&Tmux<'_>, &Case) + Sync, full: bool) {
    if Command::new("tmux").arg("-V").output().is_err() {
        eprintln!("not tested: tmux is missing (tests/setup installs it)");
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    prepare(temporary.path());
    thread::scope(|scope| {
        for (index, case) in CASES.iter().enumerate() {
            for wraps in [true, false] {
                let (directory, work) = (temporary.path().join(format!("{index}-{wraps}")), &work);
                scope.spawn(move || {
                    std::fs::create_dir(&directory).unwrap();
                    let tmux = Tmux::start(&directory, wraps, full, case.command);
                    tmux.shows(case.command, |below| begin(below, case.rows));
                    work(&tmux, case);
                });
            }
        }
    });
}

/// To another width, for as long as it takes to draw anew, and more than once.
fn resize(tmux: &Tmux<'_>, columns: u16) {
    tmux.resize(columns);
    thread::sleep(Duration::from_millis(700));
}

#[test]
fn lines_above_stay_and_nothing_else_is_left() {
    let work = |tmux: &Tmux<'_>, case: &Case| {
        for columns in [20, 60, 200, 30, 60] {
            resize(tmux, columns);
            if columns == 60 {
                tmux.shows(case.command, |below| begin(below, case.rows));
            }
        }
        if !case.left.is_empty() {
            tmux.tmux(&["send-keys", "C-c"]);
            tmux.shows(case.command, |below| begin(below, case.left));
        }
    };
    each(work, true);
}

/// Where rows that are wrapped anew take more room than the terminal has, tmux moves some into its history, where no program
/// reaches them. Others' lines stay all the same.
#[test]
fn lines_above_stay_at_any_width() {
    let work = |tmux: &Tmux<'_>, case: &Case| {
        for columns in [8, 60, 1, 60, 200, 2, 1, 60] {
            resize(tmux, columns);
        }
        tmux.shows(case.command, |below| !below.is_empty());
        if let [.., error, status] = case.left {
            tmux.tmux(&["send-keys", "C-c"]);
            let last = |below: &[String]| below[below.len().saturating_sub(2)..].to_vec();
            tmux.shows(case.command, |below| begin(&last(below), &[error, status]));
        }
    };
    each(work, false);
}
