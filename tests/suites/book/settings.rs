//! Every setting is explained, with the range and the default that the code has.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};
use trainer::settings::{ConfigError, from_table};
use trainer::train::TrainingConfig;
use trainer::{algos, envs, presets};

use super::{lines, pages};

/// Presets of this project whose values are the defaults that the book gives. `sac-best` and those that
/// end in `-still` have many of their own.
const OURS: [&str; 6] = ["dqn", "double-dqn", "ddpg", "td3", "sac", "sac-v"];

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
