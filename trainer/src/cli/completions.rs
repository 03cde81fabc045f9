//! `trainer completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Arguments, Failure};

/// Print a script with which a shell completes this program's commands, options and presets
///
/// Put what it prints where the shell looks:
///
/// bash: ~/.local/share/bash-completion/completions/trainer (needs the package bash-completion)
///
/// zsh: a file _trainer in a directory of $fpath, such as ~/.zfunc after `fpath+=~/.zfunc` before compinit
///
/// fish: ~/.config/fish/completions/trainer.fish
///
/// powershell: a file that $PROFILE runs, by a line `. FILE`
///
/// elvish: ~/.config/elvish/lib/trainer.elv, and `use trainer` in rc.elv
#[derive(Debug, Args)]
#[command(
    after_help = "Example: trainer completions bash > ~/.local/share/bash-completion/completions/trainer"
)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        if as_json {
            let text = "`completions` prints a script for a shell: leave --json out".into();
            return Err(Failure::Usage(text));
        }
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "trainer", &mut script);
        String::from_utf8(script).map_err(|error| Failure::Failed(error.to_string()))
    }
}
