//! What `trainer completions` prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{fail, succeed};

#[test]
fn completions_know_commands_presets_and_files() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeed(Path::new("."), &["completions", shell]);
        for word in ["quantize", "completions", "--preset"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell}: no {word}");
        }
        // Names of presets are for shells that complete the values of options, too.
        let knows_values = ["bash", "zsh", "fish"].contains(&shell);
        assert_eq!(script.contains("lab-sac-auto"), knows_values, "{shell}");
    }
    assert!(fail(Path::new("."), &["completions", "tcsh"], 2).contains("tcsh"));
    assert!(fail(Path::new("."), &["completions", "bash", "--json"], 2).contains("leave --json"));
}

/// Bash reads the script, and completes by it.
#[test]
#[cfg(unix)]
fn bash_completes() {
    let temporary = tempfile::tempdir().unwrap();
    let script = temporary.path().join("trainer.bash");
    fs::write(&script, succeed(Path::new("."), &["completions", "bash"])).unwrap();
    let bash = |arguments: &[&str]| {
        let output = Command::new("bash").args(arguments).arg(&script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    bash(&["-n"]);
    // As readline calls it: the words of the line, and the one where the cursor is.
    let complete = |words: &str, last: &str, before: &str| {
        let count = words.split(' ').count() - 1;
        let call = format!(
            "source \"$0\"; COMP_WORDS=({words}); COMP_CWORD={count}; _trainer trainer '{last}' '{before}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        bash(&["-c", &call])
    };
    let presets = complete("trainer train --preset lab-", "lab-", "--preset");
    assert!(presets.lines().any(|line| line == "lab-ddpg"), "{presets}");
    let commands = complete("trainer rec", "rec", "trainer");
    assert_eq!(commands, "record\n");
}
