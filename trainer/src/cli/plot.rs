//! `trainer plot`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::eval::described;
use super::output::{self, Outputs};
use super::progress::Wait;
use super::report::listed;
use super::{Failure, policy_file, warn};
use crate::config::environment;
use crate::envs;
use crate::export::Blob;
use crate::plot::{self, Group};
use crate::report::{Picture, Pictures, Subject, Value, training, with_value};
use crate::results::{Results, directories, groups};
use crate::run::place;
use crate::text::Shown;

/// Where pictures cannot be written.
const HINT: &str = "choose another directory with --out";

/// Draw a run, or several beside each other, as SVG
#[derive(Debug, Args)]
#[command(
    after_help = "Runs that differ by nothing but their seeds are one curve with a band around it. A run alone \
                  gets the pictures of its policy as well.\n\n\
                  Example: trainer plot runs/sac\n\
                  Example: trainer plot runs/sac runs/td3 --out pictures"
)]
pub(super) struct Plot {
    /// A run's directory, or one of seeds as `trainer train --seeds` makes it
    #[arg(required_unless_present = "policy", value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// A policy to draw, such as a quantised one, in the place of the run's own
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Directory of the pictures [default: the first RUN, or without one that of the policy]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Plot {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let directories = directories(&self.runs, &mut warn)?;
        let wait = Wait::spinner("reads the runs");
        let mut runs = Vec::new();
        for directory in &directories {
            runs.push(Results::read(directory)?);
        }
        wait.say("draws");
        one_environment(&runs)?;
        let mut pictures = match &runs[..] {
            [] => Vec::new(),
            [run] => vec![training(run)].into_iter().chain(reported(run)).collect(),
            runs => vec![together(runs, &wait)],
        };
        let settings = |run: &Results| run.environment();
        match (&self.policy, &runs[..]) {
            (Some(path), _) => {
                let name = path.shown().to_string();
                let blob = policy_file::read(path)?;
                if let Some(run) = runs.first() {
                    same_environment(path, &blob, run)?;
                }
                let run = runs.first().map(settings);
                pictures.extend(of_policy(path, &blob, &name, run, None)?);
            }
            (None, [run]) => {
                let (path, blob) = (run.directory.join(place::POLICY), run.policy()?);
                let name = &run.summary.preset;
                let mut draw = |value: Option<Value<'_>>| {
                    let drawn = of_policy(&path, &blob, name, Some(settings(run)), value)?;
                    pictures.extend(drawn);
                    Ok::<(), Failure>(())
                };
                with_value(run, |value| {
                    let reason = value.as_ref().err();
                    if let Some(reason) = reason {
                        wait.warn(&format!("there is no map of the value: {reason}"));
                    }
                    draw(value.ok())
                })?;
            }
            _ => {}
        }
        let beside = self.policy.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let out = self.out.or_else(|| self.runs.first().cloned()).or(beside).unwrap_or_default();
        let inputs: Vec<&Path> = self.policy.iter().map(PathBuf::as_path).collect();
        write(&out, &pictures, &inputs).map(|files| listed(files, as_json))
    }
}

/// What the updates of a run report, if there were any.
fn reported(run: &Results) -> Option<Picture> {
    let (name, series) = (&run.summary.preset, &run.metrics.reported);
    let svg = plot::losses(&format!("Losses: {name}"), series);
    (!series.is_empty()).then(|| Picture { name: "losses", svg, caption: String::new() })
}

/// The learning curves of several runs.
fn together(runs: &[Results], wait: &Wait) -> Picture {
    let mut notice = |text: &str| wait.warn(text);
    let groups = groups(runs, &mut notice);
    let cut = |members: &[&Results]| members[0].cuts_episodes_off();
    let some_are_cut = groups.iter().any(|(_, members)| cut(members));
    let mixed = some_are_cut && !groups.iter().all(|(_, members)| cut(members));
    if mixed {
        notice(
            "returns of some are of episodes that iterations cut off (reset_each_iteration), and nearer to 0 than those of \
             whole ones: `trainer compare` evaluates all over whole episodes",
        );
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|(mut name, members)| {
            if mixed && cut(&members) {
                name += ", episodes cut off";
            }
            let runs = members.iter().map(|run| run.metrics.episodes.clone()).collect();
            Group { name, runs }
        })
        .collect();
    let drawn: usize = groups.iter().map(|group| group.runs.len()).sum();
    let title = format!("Training: {drawn} runs");
    let svg = plot::learning_curves(&title, &groups);
    Picture { name: "learning_curves", svg, caption: String::new() }
}

/// Pictures beside each other are of one environment.
fn one_environment(runs: &[Results]) -> Result<(), Failure> {
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    let Some(other) = others.iter().find(|run| run.environment() != first.environment()) else {
        return Ok(());
    };
    let text = format!(
        "{} is on {}, but {} is on {}: runs are drawn beside each other on one environment with the same settings \
         only, so leave one out",
        first.directory.shown(),
        described(&first.environment()),
        other.directory.shown(),
        described(&other.environment())
    );
    Err(Failure::Failed(text))
}

/// A policy stands for a run's own on the run's environment alone.
fn same_environment(path: &Path, blob: &Blob, run: &Results) -> Result<(), Failure> {
    let policy = policy_file::policy(path, blob)?;
    let plant = policy_file::plant(path, &policy)?;
    let table = run.environment();
    if plant == envs::name(&table) && policy_file::was_trained_on(path, &policy, &table)? {
        return Ok(());
    }
    let (shown, directory) = (path.shown(), run.directory.shown());
    let what = match plant == envs::name(&table) {
        true => format!("was trained on `{plant}` with other settings than those of {directory}"),
        false => format!("is for `{plant}`, but {directory} is on {}", described(&table)),
    };
    Err(Failure::Failed(format!("{shown} {what}: draw it without the run, by --policy alone")))
}

/// The pictures of a policy file, on the environment that it names, with the settings of its run.
fn of_policy(
    path: &Path,
    blob: &Blob,
    name: &str,
    run: Option<toml::Table>,
    value: Option<Value<'_>>,
) -> Result<Vec<Picture>, Failure> {
    let policy = policy_file::policy(path, blob)?;
    let plant = policy_file::plant(path, &policy)?;
    let table = run.map_or_else(|| environment(plant, &[]), Ok)?;
    let subject = Subject { name, policy: &policy, environment: &table };
    let pictures =
        Pictures::new(&subject, value).map_err(|error| policy_file::refused(path, &error))?;
    Ok(pictures.all)
}

fn write(out: &Path, pictures: &[Picture], inputs: &[&Path]) -> Result<Vec<PathBuf>, Failure> {
    std::fs::create_dir_all(out).map_err(|error| {
        Failure::Failed(format!("cannot write {}: {error}; {HINT}", out.shown()))
    })?;
    let outputs = Outputs { kind: output::Kind::Other, inputs, own: &[], hint: HINT };
    let file = |picture: &Picture| out.join(picture.name).with_extension("svg");
    let files: Vec<PathBuf> = pictures.iter().map(file).collect();
    // All or none.
    files.iter().try_for_each(|file| outputs.check(file))?;
    for (file, picture) in files.iter().zip(pictures) {
        outputs.write(file, picture.svg.as_bytes())?;
    }
    Ok(files)
}
