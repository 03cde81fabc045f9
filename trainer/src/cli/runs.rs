//! Finished runs, as `trainer train` and `trainer sweep` leave them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Failure, policy_file};
use crate::config::RunConfig;
use crate::export::Blob;
use crate::results::taken_alone;
use crate::run::{Summary, finished, place};
use crate::text::Shown;

/// A finished run with its policy.
#[derive(Debug)]
pub(super) struct Run {
    pub directory: PathBuf,
    pub config: RunConfig,
    pub summary: Summary,
    pub blob: Blob,
}

/// Runs that differ by their seed alone, by which they are sorted.
#[derive(Debug)]
pub(super) struct Runs {
    pub name: String,
    pub runs: Vec<Run>,
}

/// The run in a directory, with its policy; `None` where none has finished there.
fn read(directory: &Path) -> Result<Option<Run>, Failure> {
    let Some((summary, config)) = finished(directory)? else { return Ok(None) };
    let path = directory.join(place::POLICY);
    let blob = policy_file::read(&path).map_err(|_| {
        let text = format!(
            "{} has a summary.json but no policy.bin that can be read: train it again, or leave it out",
            directory.shown()
        );
        Failure::Failed(text)
    })?;
    let policy = policy_file::policy(&path, &blob)?;
    if !summary.is_of(&policy) {
        let text = format!(
            "{} is not the policy of the summary.json beside it: train it again, or leave it out",
            path.shown()
        );
        return Err(Failure::Failed(text));
    }
    Ok(Some(Run { directory: directory.into(), config, summary, blob }))
}

/// Sorts what a user names into groups.
///
/// A directory with a run is that run; one with runs in `seed-N` is a group of its own. Single runs
/// whose settings differ by the seed alone become one group; one whose seed that group has already,
/// with other results, begins another one. What is named twice is taken once; files beside the runs,
/// which a shell's `DIR/*` names too, are passed over.
pub(super) struct Sorter {
    /// Unfinished runs are passed over.
    finished_only: bool,
    groups: Vec<Runs>,
    /// Which groups are made of single runs.
    singles: Vec<bool>,
    seen: HashSet<PathBuf>,
    /// What the user should know.
    pub notes: Vec<String>,
    passed_over: Vec<String>,
}

impl Sorter {
    pub(super) fn new(finished_only: bool) -> Self {
        Sorter {
            finished_only,
            groups: Vec::new(),
            singles: Vec::new(),
            seen: HashSet::new(),
            notes: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    /// Takes one of the user's arguments.
    pub(super) fn add(&mut self, argument: &Path) -> Result<(), Failure> {
        let shown = argument.shown();
        if argument.is_file() {
            let name = argument.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if place::FILES.contains(&name) && name != place::SWEEP {
                let text =
                    format!("{shown} is a file: name the directory of the run that it is in");
                return Err(Failure::Failed(text));
            }
            if name != place::SWEEP {
                self.notes.push(format!("{shown} is a file, and was passed over"));
            }
            return Ok(());
        }
        if !argument.is_dir() {
            let text = format!(
                "there is no directory {shown}: name one that `trainer train` or `trainer sweep` has written"
            );
            return Err(Failure::Failed(text));
        }
        let seeds = place::seeds(argument).map_err(|error| {
            Failure::Failed(format!("cannot read the directory {shown}: {error}"))
        })?;
        if argument.join(place::SUMMARY).exists() {
            if !seeds.is_empty() {
                self.notes.push(taken_alone(argument));
            }
            return self.single(argument);
        }
        match seeds.is_empty() {
            // Says what is missing.
            true => self.single(argument),
            false => self.several(argument, &seeds),
        }
    }

    /// All groups, and what the user should know.
    pub(super) fn finish(mut self) -> Result<(Vec<Runs>, Vec<String>), Failure> {
        if !self.passed_over.is_empty() {
            self.notes.push(format!(
                "{} did not finish, and are missing from the figures, which look the better for it if they failed: {}",
                self.passed_over.len(),
                self.passed_over.join(", ")
            ));
        }
        if self.groups.is_empty() {
            let text = "none of these has a finished run: name directories that `trainer train` or \
                        `trainer sweep` has written";
            return Err(Failure::Failed(text.into()));
        }
        for group in &mut self.groups {
            group.runs.sort_by_key(|run| run.config.training.seed);
        }
        let mut names: Vec<String> = self.groups.iter().map(|group| group.name.clone()).collect();
        for (i, group) in self.groups.iter().enumerate().filter(|(i, _)| self.singles[*i]) {
            names[i] = name_of_singles(&group.runs, &names);
        }
        for (group, name) in self.groups.iter_mut().zip(names) {
            group.name = name;
        }
        Ok((self.groups, self.notes))
    }

    /// The run in a directory, unless it was named before or did not finish.
    fn take(&mut self, directory: &Path) -> Result<Option<Run>, Failure> {
        let shown = directory.shown();
        let failed = |error| Failure::Failed(format!("cannot read {shown}: {error}"));
        if !self.seen.insert(directory.canonicalize().map_err(failed)?) {
            self.notes.push(format!("{shown} is named twice, and was taken once"));
            return Ok(None);
        }
        match read(directory)? {
            Some(run) => Ok(Some(run)),
            None if self.finished_only => {
                self.passed_over.push(shown.to_string());
                Ok(None)
            }
            None => Err(Failure::Failed(format!(
                "{shown} has no finished run, there is no summary.json in it: finish it with the command that began it, \
                 or leave it out (--finished leaves out all such)"
            ))),
        }
    }

    fn single(&mut self, directory: &Path) -> Result<(), Failure> {
        let Some(run) = self.take(directory)? else { return Ok(()) };
        let settings = without_seed(&run.config);
        for (group, _) in self.groups.iter_mut().zip(&self.singles).filter(|(_, single)| **single) {
            if without_seed(&group.runs[0].config) != settings {
                continue;
            }
            match of_seed(&group.runs, &run) {
                None => {
                    group.runs.push(run);
                    return Ok(());
                }
                Some(same)
                    if same.summary.parameters_fingerprint
                        == run.summary.parameters_fingerprint =>
                {
                    self.notes.push(copied(&run, same));
                    return Ok(());
                }
                // Of another version of the trainer, perhaps.
                Some(_) => {}
            }
        }
        self.groups.push(Runs { name: directory.shown().to_string(), runs: vec![run] });
        self.singles.push(true);
        Ok(())
    }

    fn several(&mut self, argument: &Path, seeds: &[PathBuf]) -> Result<(), Failure> {
        let mut runs: Vec<Run> = Vec::new();
        for directory in seeds {
            let Some(run) = self.take(directory)? else { continue };
            if let Some(first) = runs.first()
                && let Some(difference) =
                    without_seed(&first.config).difference(&without_seed(&run.config))
            {
                let text = format!(
                    "{} and {} differ by more than their seed, {difference}: name them one by one",
                    first.directory.shown(),
                    directory.shown()
                );
                return Err(Failure::Failed(text));
            }
            match of_seed(&runs, &run) {
                Some(same) => self.notes.push(copied(&run, same)),
                None => runs.push(run),
            }
        }
        if !runs.is_empty() {
            self.groups.push(Runs { name: argument.shown().to_string(), runs });
            self.singles.push(false);
        }
        Ok(())
    }
}

/// The one with the seed of another.
fn of_seed<'a>(runs: &'a [Run], other: &Run) -> Option<&'a Run> {
    runs.iter().find(|run| run.config.training.seed == other.config.training.seed)
}

fn copied(run: &Run, of: &Run) -> String {
    format!(
        "{} is the same run as {}, of seed {}, and was passed over",
        run.directory.shown(),
        of.directory.shown(),
        of.config.training.seed
    )
}

fn without_seed(config: &RunConfig) -> RunConfig {
    let mut config = config.clone();
    config.training.seed = 0;
    config
}

/// Where they are all `DIR/seed-N`, that is DIR unless another group is called so; else the directory of
/// the first.
fn name_of_singles(runs: &[Run], names: &[String]) -> String {
    let first = &runs[0].directory;
    let parent = first.parent().filter(|parent| *parent != Path::new(""));
    let together = runs.iter().all(|run| {
        run.directory.parent() == first.parent() && place::seed(&run.directory).is_some()
    });
    match parent.map(|parent| parent.shown().to_string()) {
        _ if runs.len() == 1 => first.shown().to_string(),
        Some(parent) if together && !names.contains(&parent) => parent,
        _ => format!("{} …", first.shown()),
    }
}
