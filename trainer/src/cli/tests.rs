//! What every command's help must have.

use clap::{Command, CommandFactory, Parser};

use super::{Arguments, COLUMNS, pil, progress, quantize, record, train};
use crate::eval::Starts;
use crate::{envs, run};

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

/// Where help or README states a figure that the code has, it is the code's.
#[test]
fn figures_are_those_of_the_code() {
    let starts = |name: &str| {
        let table = envs::defaults(name).unwrap();
        Starts::builtin(&table).unwrap().states.len()
    };
    let horizon = |name: &str| {
        let environment = envs::make(&envs::defaults(name).unwrap()).unwrap();
        environment.spec().horizon
    };
    let (pendulum, others) = (starts("pendulum"), starts("inverted-pendulum"));
    for (command, figure) in [
        (
            "eval",
            format!("the environment's own, {pendulum} for the pendulum and {others} for others]"),
        ),
        ("pil", format!("[default: {}, or all where there are fewer]", pil::EPISODES)),
        ("pil", format!("those of the environment, {} for the pendulum]", horizon("pendulum"))),
        ("quantize", format!("[default: {}, and no limit with --bits]", quantize::MAX_LOSS)),
        ("record", format!("[default: {} s of them]", record::SECONDS)),
        ("train", format!("[default: {}]", run::CHECKPOINT_EVERY.as_secs())),
    ] {
        let mut command = commands().into_iter().find(|found| found.get_name() == command).unwrap();
        let help = command.render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&figure), "not {figure:?} in {help}");
    }
    assert_eq!(train::MAX_SEED, (1 << 63) - 1, "as the help of --seed says");
    let readme =
        include_str!("../../../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    for figure in [
        format!("is below `--max-loss` ({} %)", quantize::MAX_LOSS),
        format!("from {} starts, each action", pil::EPISODES),
    ] {
        assert!(readme.contains(&figure), "README does not say {figure:?}");
    }
    assert_eq!(progress::PATIENCE.as_secs(), 2, "CHANGELOG.md says two seconds");
}
