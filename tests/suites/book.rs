//! The book in docs/: its chapters are all listed, its links lead somewhere, the command line takes its commands, and it
//! explains every setting, with the range and the default that the code has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use firmware_example::control::MAX_INPUTS;
use firmware_example::station::TRIAL;
use policy_core::link::MAX_OBSERVATION;
use toml::{Table, Value};
use trainer::config::RunConfig;
use trainer::eval::Starts;
use trainer::run::CHECKPOINT_EVERY;
use trainer::settings::{ConfigError, from_table};
use trainer::statistics::FEW;
use trainer::train::TrainingConfig;
use trainer::{algos, cli, envs, export, presets, recording, run};

/// Presets of this project, whose values are the defaults that the book gives.
const OURS: [&str; 7] = ["dqn", "double-dqn", "ddpg", "td3", "sac", "sac-v", "sac-best"];

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

/// A row of the tables in settings.md: what is said of the range and of the default.
struct Row {
    range: String,
    default: String,
}

/// The rows of settings.md by table and key.
fn rows() -> BTreeMap<(String, String), Row> {
    let text = &pages("docs")["settings.md"];
    let (mut rows, mut table) = (BTreeMap::new(), String::new());
    for (number, line) in lines(text).0 {
        if let Some(name) = line.strip_prefix("## ") {
            table = name.split('`').nth(1).unwrap_or("").trim_matches(['[', ']']).into();
        }
        let Some(rest) = line.strip_prefix("| `") else { continue };
        let (key, rest) = rest.split_once('`').unwrap();
        let cells: Vec<&str> = rest.trim_matches([' ', '|']).split(" | ").collect();
        let [_, range, default] = cells[..] else { panic!("settings.md, line {number}: {line}") };
        let row = Row { range: range.into(), default: default.into() };
        let twice = rows.insert((table.clone(), key.into()), row).is_some();
        assert!(!twice, "settings.md has `{table}.{key}` twice");
    }
    rows
}

/// (table, key) → (preset, value), of every preset.
fn settings() -> BTreeMap<(String, String), Vec<(&'static str, Value)>> {
    let mut settings: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, _) in presets::ALL {
        let table = presets::table(name).unwrap();
        for section in ["environment", "training", "agent"] {
            for (key, value) in table[section].as_table().unwrap() {
                let place = settings.entry((section.to_string(), key.clone())).or_default();
                place.push((*name, value.clone()));
            }
        }
    }
    settings
}

/// What the book has to say of the defaults: the value that most of our presets have, or where they have none, most of the
/// others; then other values, with their presets.
fn default(values: &[(&str, Value)]) -> String {
    let ours: Vec<_> = values.iter().filter(|(name, _)| OURS.contains(name)).collect();
    let values = if ours.is_empty() { values.iter().collect() } else { ours };
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in values {
        let text = match value {
            Value::Float(x) if *x != 0.0 && x.abs() < 1e-4 => format!("{x:e}"),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![*name])),
        }
    }
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let rest = groups[1..].iter().map(|(text, names)| format!("; {text}: {}", names.join(", ")));
    format!("{}{}", groups[0].0, rest.collect::<String>())
}

/// The same of an environment's own setting: what it is where a preset has none for that environment, then the presets that
/// have another value.
fn default_of_environment(key: &str, values: &[(&'static str, Value)]) -> String {
    let tables = envs::ALL.iter().map(|entry| envs::defaults(entry.name).unwrap());
    let own = tables.filter_map(|table| table.get(key).cloned()).next();
    let own = own.unwrap_or_else(|| panic!("no environment has `{key}`"));
    let others = values.iter().filter(|(_, value)| *value != own).cloned().collect::<Vec<_>>();
    let is_ours = |(name, _): &(&str, Value)| OURS.contains(name);
    assert!(!others.iter().any(is_ours), "presets of our own with another `{key}`: {others:?}");
    match others.is_empty() {
        true => own.to_string(),
        false => format!("{own}; {}", with_presets(&others)),
    }
}

/// `value: preset, preset; value: preset`
fn with_presets(values: &[(&'static str, Value)]) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in values {
        let text = value.to_string();
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![*name])),
        }
    }
    let groups = groups.iter().map(|(text, names)| format!("{text}: {}", names.join(", ")));
    groups.collect::<Vec<_>>().join("; ")
}

#[test]
fn every_setting_is_explained_with_its_default() {
    let (rows, settings) = (rows(), settings());
    let (told, there): (BTreeSet<_>, BTreeSet<_>) =
        (rows.keys().collect(), settings.keys().collect());
    let (missing, gone) = (there.difference(&told), told.difference(&there));
    let (missing, gone): (Vec<_>, Vec<_>) = (missing.collect(), gone.collect());
    assert!(
        missing.is_empty() && gone.is_empty(),
        "settings.md misses {missing:?}; no preset has {gone:?}"
    );
    let wrong: Vec<String> = settings
        .iter()
        .map(|(place, values)| match (place.0.as_str(), place.1.as_str()) {
            ("environment", key) if key != "name" => (place, default_of_environment(key, values)),
            _ => (place, default(values)),
        })
        .filter(|(place, default)| rows[*place].default != *default)
        .map(|((table, key), default)| format!("{table}.{key}: {default}"))
        .collect();
    assert!(wrong.is_empty(), "other defaults than in settings.md: {wrong:#?}");
}

/// What a setting must be, as the errors say that impossible values give.
fn needed(preset: &str, section: &str, key: &str) -> Vec<String> {
    let table = presets::table(preset).unwrap();
    let impossible = match &table[section][key] {
        Value::Float(_) => vec![Value::Float(1e300), Value::Float(-1e300)],
        Value::Integer(_) => vec![Value::Integer(i64::MAX), Value::Integer(0)],
        Value::Array(_) => vec![vec![0].into()],
        Value::String(_) if key != "name" => vec!["impossible".into()],
        _ => Vec::new(),
    };
    let check = |value: Value| -> Result<(), ConfigError> {
        let mut settings: Table = table[section].as_table().unwrap().clone();
        settings.insert(key.into(), value);
        match section {
            "environment" => envs::make(&settings).map(drop),
            "training" => from_table::<TrainingConfig>(section, &settings)?.check(),
            _ => {
                let algorithm = algos::find(table["algorithm"].as_str().unwrap())?;
                (algorithm.settings)(&settings).map(drop)
            }
        }
    };
    let mut needed = Vec::new();
    for value in impossible {
        match check(value) {
            Err(ConfigError::Value { key: found, needed: text, .. })
                if found.ends_with(&format!(".{key}")) =>
            {
                needed.push(text);
            }
            // unknown variant `impossible`, expected `relu` or `tanh`
            Err(ConfigError::Toml { message, .. }) if message.starts_with("unknown variant") => {
                needed.extend(message.split('`').skip(3).step_by(2).map(String::from));
            }
            _ => {}
        }
    }
    needed
}

#[test]
fn every_setting_is_explained_with_its_range() {
    let rows = rows();
    let mut wrong = BTreeSet::new();
    for ((section, key), values) in settings() {
        // Whatever is missing is another test's.
        let Some(Row { range, .. }) = rows.get(&(section.clone(), key.clone())) else { continue };
        for needed in values.iter().flat_map(|(preset, _)| needed(preset, &section, &key)) {
            if !range.contains(&needed) {
                wrong.insert(format!("{section}.{key}: {needed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "other ranges than in settings.md: {wrong:#?}");
}

/// Figures of the code that the pages restate: another one in the code makes them wrong.
#[test]
fn figures_are_those_of_the_code() {
    let environment = |name: &str| envs::make(&envs::defaults(name).unwrap()).unwrap();
    let starts = |name: &str| Starts::builtin(&envs::defaults(name).unwrap()).unwrap();
    let (pendulum, inverted) = (environment("pendulum"), environment("inverted-pendulum"));
    let (pendulum, inverted) = (pendulum.spec(), inverted.spec());
    let steps = |preset| RunConfig::resolve(Some(preset), None, &[]).unwrap().training.steps;
    let thousands = |number: usize| format!("{} {:03}", number / 1000, number % 1000);
    let words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight"];
    let best_known = starts("pendulum").best_known_mean().unwrap();
    let (first, twice) = (thousands(steps("sac")), thousands(steps("dqn")));
    let (period, every) = (pendulum.period, CHECKPOINT_EVERY.as_secs());
    let (count, drawn) =
        (starts("pendulum").states.len(), starts("inverted-pendulum").states.len());
    let layers = sac_bytes(&[]);
    let wide = sac_bytes(&["hidden=[128, 128]"]);
    for (folder, page, figure) in [
        (".", "README.md", format!("swing-up ({first} steps of {period} s, DQN {twice})")),
        (".", "README.md", format!("the mean over {count} fixed starts")),
        (
            ".",
            "README.md",
            format!("{} observations with the action bits", thousands(recording::ROWS)),
        ),
        (".", "README.md", format!("one every {every} s and one at Ctrl-C")),
        (".", "README.md", format!("best known mean {best_known:.1}")),
        (".", "README.md", format!("on trial for {TRIAL} control periods")),
        (
            ".",
            "README.md",
            format!(
                "control loop takes up to {MAX_INPUTS} entries of an observation, the link {MAX_OBSERVATION}"
            ),
        ),
        ("docs", "exporting.md", format!("on trial for {TRIAL} control periods")),
        ("docs", "exporting.md", format!("{} examples by which a", words[export::EXAMPLES])),
        ("docs", "first-run.md", format!("{first} steps of {period} s on the pendulum")),
        ("docs", "first-run.md", format!("from {count} fixed starts")),
        ("docs", "first-run.md", format!("an episode of {} steps", pendulum.horizon)),
        ("docs", "first-run.md", format!("best known from the same starts: {best_known:.2}")),
        ("docs", "resuming.md", format!("saves all of its state every {every} s")),
        ("docs", "reading-results.md", format!("mean return over {count} fixed starts")),
        ("docs", "reading-results.md", format!("stands, {} at most", inverted.horizon)),
        (
            "docs",
            "RESULTS.md",
            format!("the number of {drawn} episodes that last all {} steps", inverted.horizon),
        ),
        ("docs", "comparing.md", format!("Below {} seeds an interval means little", words[FEW])),
        ("docs", "settings.md", format!("are {} bytes for SAC on the pendulum", thousands(layers))),
        ("docs", "settings.md", format!("two of 128 are {}", thousands(wide))),
    ] {
        let page_text = &pages(folder)[page];
        let text = page_text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&figure), "{page} does not say {figure:?}");
    }
}

/// The size of SAC's policy for the pendulum.
fn sac_bytes(set: &[&str]) -> usize {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    let config = RunConfig::resolve(Some("sac"), None, &set).unwrap();
    let run::Start { environments, agent } = run::start(&config).unwrap();
    let fingerprint = envs::fingerprint(&config.environment).unwrap();
    let spec = environments[0].spec();
    export::export(&agent.policy(), spec, fingerprint).unwrap().bytes().len()
}
