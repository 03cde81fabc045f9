//! sweep.csv: a row for each trial that has ended.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use toml::Value;

use super::Failure;
use super::sweep_report::{Outcome, TrialLine};
use crate::input;
use crate::run::write_whole;
use crate::sweep::Plan;
use crate::text::{self, Shown};

/// No sweep.csv is larger, in bytes.
const LARGEST: u64 = 1 << 28;

/// Writes sweep.csv anew, whole. Nothing is lost if it is cut off between a trial's end and this: the rows come from the trials'
/// own directories next time.
pub(super) fn write(
    plan: &Plan,
    path: &Path,
    outcomes: &[Option<Outcome>],
    earlier: &Earlier,
) -> Result<(), Failure> {
    let text = csv(plan, outcomes, earlier);
    // What is finished can be looked at on a disk that is read-only.
    match input::bytes(path, LARGEST) {
        Ok(same) if same == text => Ok(()),
        _ => write_whole(path, &text).map_err(Failure::from),
    }
}

/// All trials that have ended, as CSV; those of an earlier file of settings that are none of these trials come last.
fn csv(plan: &Plan, outcomes: &[Option<Outcome>], earlier: &Earlier) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<String>| csv.write_record(row).expect("writing to memory");
    let trials: Vec<&str> = plan.trials.iter().map(|trial| trial.name.as_str()).collect();
    let earlier = earlier.without(&trials);
    let mut keys = plan.keys.clone();
    for key in earlier.keys().filter(|_| !earlier.rows.is_empty()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let columns = |keys: &[String]| {
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        [words(&FIRST), keys.to_vec(), words(&LAST)].concat()
    };
    write(columns(&keys));
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    for (trial, outcome) in plan.trials.iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        let line = TrialLine::new(plan, trial, outcome);
        let value = |key: &String| match line.settings.get(key.as_str()) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let first = vec![line.trial.to_string(), line.preset.to_string()];
        let last = vec![
            line.seed.to_string(),
            line.status.to_string(),
            number(line.mean),
            number(line.standard_error),
            number(line.worst),
            number(line.gap_percent),
            number(line.train_seconds),
            line.parameters_fingerprint.unwrap_or_default().to_string(),
            text::line(line.error.unwrap_or_default()).into_owned(),
        ];
        write([first, keys.iter().map(value).collect(), last].concat());
    }
    for row in &earlier.rows {
        let cell = |column: &String| row.get(column).cloned().unwrap_or_default();
        write(columns(&keys).iter().map(cell).collect());
    }
    csv.into_inner().expect("writing to memory")
}

/// The columns of a sweep.csv before and after those of what varies.
const FIRST: [&str; 2] = ["trial", "preset"];
const LAST: [&str; 9] = [
    "seed",
    "status",
    "return",
    "standard_error",
    "worst",
    "gap_percent",
    "train_seconds",
    "parameters_fingerprint",
    "error",
];

/// The rows of a sweep.csv that is there already: what has finished stays in it, though the file of settings does not ask for it
/// any more.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    columns: Vec<String>,
    /// By column.
    rows: Vec<BTreeMap<String, String>>,
}

impl Earlier {
    /// Reads the one at a path, if there is one.
    pub(super) fn read(path: &Path) -> Result<Earlier, Failure> {
        let shown = path.shown();
        let bytes = match input::bytes(path, LARGEST) {
            // Whoever writes there says what is wrong.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Earlier::default());
            }
            bytes => {
                bytes.map_err(|error| Failure::Failed(format!("cannot read {shown}: {error}")))?
            }
        };
        Earlier::parse(&bytes).map_err(|error| {
            Failure::Usage(format!(
                "{shown} is none that a sweep wrote, {error}: move it elsewhere, or choose another directory with --out"
            ))
        })
    }

    /// An error, in words, where the text is none that a sweep wrote.
    fn parse(bytes: &[u8]) -> Result<Earlier, String> {
        let mut reader = csv::Reader::from_reader(bytes);
        let words = |error: csv::Error| error.to_string();
        let columns: Vec<String> =
            reader.headers().map_err(words)?.iter().map(String::from).collect();
        if let Some(missing) =
            FIRST.iter().chain(&LAST).find(|name| !columns.iter().any(|c| c == *name))
        {
            return Err(format!("it has no column `{missing}`"));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(words)?;
            rows.push(columns.iter().cloned().zip(record.iter().map(String::from)).collect());
        }
        Ok(Earlier { columns, rows })
    }

    /// Without the rows of these trials.
    pub(super) fn without(&self, trials: &[&str]) -> Earlier {
        let is_other = |row: &&BTreeMap<String, String>| {
            row.get(FIRST[0]).is_some_and(|name| !trials.contains(&name.as_str()))
        };
        let rows = self.rows.iter().filter(is_other).cloned().collect();
        Earlier { columns: self.columns.clone(), rows }
    }

    /// How many trials it has.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// What varied.
    fn keys(&self) -> impl Iterator<Item = &String> {
        let is_key = |column: &&String| !FIRST.iter().chain(&LAST).any(|name| name == column);
        self.columns.iter().filter(is_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep;

    const TABLE: &str = "presets = [\"sac\"]\nseeds = [1, 2]\n[grid]\ngamma = [0.9]\n";

    fn text(table: &str, earlier: &str) -> String {
        let plan = sweep::plan("s.toml", table, &mut |_, _| true).unwrap();
        let failed = Outcome::Failed { reason: "a \u{1b}[2J reason".into() };
        let outcomes = vec![Some(failed); plan.trials.len()];
        let earlier = Earlier::parse(earlier.as_bytes()).unwrap();
        String::from_utf8(csv(&plan, &outcomes, &earlier)).unwrap()
    }

    /// With fewer seeds, with other values, and with other keys.
    #[test]
    fn what_has_ended_stays() {
        let none = "trial,preset,seed,status,return,standard_error,worst,gap_percent,train_seconds,\
                    parameters_fingerprint,error\n";
        let all = text(TABLE, none);
        let rows = |text: &str| text.lines().skip(1).map(String::from).collect::<Vec<_>>();
        assert!(!all.contains('\u{1b}') && rows(&all).len() == 2, "{all}");
        let fewer = text(&TABLE.replace("[1, 2]", "[1]"), &all);
        assert_eq!(fewer, all);
        let others = text(&TABLE.replace("0.9", "0.5"), &all);
        assert_eq!(rows(&others)[2..], rows(&all));
        let other_keys = text(&TABLE.replace("gamma = [0.9]", "tau = [0.5]"), &all);
        assert!(other_keys.starts_with("trial,preset,tau,gamma,seed,"), "{other_keys}");
        assert!(rows(&other_keys)[2].starts_with("sac-gamma=0.9/seed-1,sac,,0.9,1,failed,"));
        // Those of now are told anew.
        assert_eq!(rows(&text(TABLE, &others)).len(), 4);
    }

    #[test]
    fn tables_of_others_are_refused() {
        for (text, wrong) in [("", "no column `trial`"), ("a,b\n1,2\n", "no column `trial`")] {
            assert!(Earlier::parse(text.as_bytes()).unwrap_err().contains(wrong), "{text}");
        }
    }
}
