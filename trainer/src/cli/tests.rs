//! What every command's help must have.

use clap::{Command, CommandFactory, Parser};

use super::{Arguments, COLUMNS};

/// The program, and all of its commands.
fn commands() -> Vec<Command> {
    fn collect(command: &Command, found: &mut Vec<Command>) {
        found.push(command.clone());
        let own = command.get_subcommands().filter(|command| command.get_name() != "help");
        own.for_each(|command| collect(command, found));
    }
    let (mut command, mut found) = (Arguments::command(), Vec::new());
    command.build();
    collect(&command, &mut found);
    found
}

#[test]
fn every_help_fits_in_its_columns() {
    for mut command in commands() {
        let name = command.get_name().to_string();
        for help in [command.render_long_help(), command.render_help()] {
            for line in help.to_string().lines() {
                assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
            }
        }
    }
}

/// And every command of the examples, which shells may chain, takes its arguments.
#[test]
fn every_help_has_an_example() {
    for command in commands() {
        let name = command.get_name().to_string();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let text = help.lines().skip_while(|line| !line.starts_with("Example"));
        let lines = text.filter_map(|line| line.find("trainer ").map(|at| &line[at..]));
        let examples: Vec<&str> = lines.flat_map(|line| line.split(" && ")).collect();
        for example in &examples {
            let words = example.split_whitespace().take_while(|word| !["|", ">"].contains(word));
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        let own = format!("trainer {name} ");
        let is_own = |example: &&str| name == "trainer" || example.starts_with(&own);
        assert!(examples.iter().any(is_own), "{name}: {help}");
    }
}
