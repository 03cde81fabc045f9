//! The book in docs/: its chapters are all listed, its links lead somewhere, the command line takes its commands, and it
//! explains every setting, with the range and the default that the code has, and restates the code's figures.

mod figures;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use trainer::config::RunConfig;
use trainer::{algos, cli};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Markdown files of a folder, by name.
fn pages(folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let pages = entries.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.into(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// (number, text) of a line of prose.
type Prose<'a> = (usize, &'a str);
/// (number of its block, number, text) of a line between fences.
type Code<'a> = (usize, usize, &'a str);

/// The lines of a page.
fn lines(text: &str) -> (Vec<Prose<'_>>, Vec<Code<'_>>) {
    let (mut prose, mut code, mut fence, mut block) = (Vec::new(), Vec::new(), false, 0);
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
            block += usize::from(fence);
        } else if fence {
            code.push((block, index + 1, line));
        } else {
            prose.push((index + 1, line));
        }
    }
    assert!(!fence, "a fence is not closed");
    (prose, code)
}

/// Without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// Where the links and pictures of a line lead.
fn targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let after = |start: &str, end: char| -> Vec<String> {
        let parts = line.split(start).skip(1);
        parts.filter_map(|part| Some(part.split_once(end)?.0.to_string())).collect()
    };
    [after("](", ')'), after("src=\"", '"'), after("href=\"", '"')].concat()
}

/// The anchors of a page's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in lines(text).0 {
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ') else { continue };
        if !line.starts_with('#') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = counts.entry(anchor.clone()).or_default();
        anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

#[test]
fn the_summary_lists_every_chapter_once() {
    let pages = pages("docs");
    let summary = &pages["SUMMARY.md"];
    let mut listed: Vec<String> = summary.lines().flat_map(targets).collect();
    listed.sort();
    let chapters: Vec<&String> = pages.keys().filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed.iter().collect::<Vec<_>>(), chapters);
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for folder in [".", "docs", "core"] {
        for (name, text) in pages(folder) {
            for (number, target) in lines(&text)
                .0
                .iter()
                .flat_map(|(n, line)| targets(line).into_iter().map(|t| (*n, t)))
            {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
                let file = if file.is_empty() { &name } else { file };
                let path = root().join(folder).join(file);
                let is_there = if anchor.is_empty() {
                    path.exists()
                } else {
                    fs::read_to_string(&path).is_ok_and(|page| anchors(&page).contains(anchor))
                };
                if !is_there {
                    wrong.push(format!("{folder}/{name}, line {number}: {target}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The words of a line as a shell takes them, up to what is not the command's any more; `None` where a quote is open.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#' | '|' | '>' | '&' | ';', None) if word.is_none() => break,
            (';', None) => break,
            (' ', None) => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A word that stands for a value.
fn is_placeholder(word: &str) -> bool {
    word.chars().any(char::is_alphabetic)
        && word.chars().all(|c| c.is_ascii_uppercase() || "_=…".contains(c))
}

/// Parses a command line, with values in the place of its placeholders.
fn parse(mut words: Vec<String>) -> Result<clap::ArgMatches, String> {
    for _ in 0..10 {
        let error = match cli::command().try_get_matches_from(&words) {
            Ok(matches) => return Ok(matches),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Ok(clap::ArgMatches::default());
        }
        let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else {
            return Err(error.to_string());
        };
        let place = words.iter().position(|word| word == value && is_placeholder(word));
        let Some(place) = place else { return Err(error.to_string()) };
        words[place] = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(valid)) if !valid.is_empty() => valid[0].clone(),
            _ => "1".into(),
        };
    }
    Err("it has too many placeholders".into())
}

/// An error unless the settings of a command that trains make a run.
fn resolves(matches: &clap::ArgMatches) -> Result<(), String> {
    let Some(("train", train)) = matches.subcommand() else { return Ok(()) };
    let preset = train.get_one::<String>("preset").filter(|name| !is_placeholder(name));
    let Some(preset) = preset else { return Ok(()) };
    let set = train.get_many::<String>("assignments").into_iter().flatten().cloned();
    let mut set: Vec<String> = set.filter(|given| !is_placeholder(given)).collect();
    let environment = train.get_one::<String>("env").filter(|name| !is_placeholder(name));
    set.extend(environment.map(|name| format!("environment.name={name}")));
    let config = RunConfig::resolve(Some(preset), None, &set).map_err(|error| error.to_string())?;
    let algorithm = algos::find(&config.algorithm).map_err(|error| error.to_string())?;
    (algorithm.settings)(&config.agent).map_err(|error| error.to_string())?;
    Ok(())
}

#[test]
fn the_command_line_takes_every_command() {
    const PREFIXES: [&str; 2] = ["trainer ", "cargo run --release -p trainer -- "];
    let (mut wrong, mut count) = (Vec::new(), 0);
    for folder in [".", "docs", "core"] {
        for (name, text) in pages(folder) {
            let code = lines(&text).1;
            for (block, number, line) in &code {
                // A synopsis is no command.
                let is_synopsis =
                    |(other, _, line): &Code<'_>| other == block && line.contains(" [--");
                let line = line.trim_start_matches("$ ");
                let rest = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix));
                let Some(rest) = rest.filter(|_| !code.iter().any(is_synopsis)) else { continue };
                count += 1;
                let place = format!("{folder}/{name}, line {number}: {line}");
                let Some(words) = words(rest) else {
                    wrong.push(format!("{place}: a quote is open"));
                    continue;
                };
                let words = std::iter::once("trainer".to_string()).chain(words).collect();
                if let Err(error) = parse(words).and_then(|matches| resolves(&matches)) {
                    wrong.push(format!("{place}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 30, "only {count} commands were found");
}
