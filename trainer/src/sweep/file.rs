//! What a sweep's file says.

use toml::{Table, Value};

use crate::numbers::whole_value;
use crate::rng::{Rng, Stream, index, stream_of};
use crate::settings::{self, ConfigError, last_part, parse};
use rand_core::Rng as _;

/// The keys that a file may have.
const KEYS: [&str; 5] = ["presets", "seeds", "grid", "random", "settings"];
/// Significant digits of a number drawn from a range that begins far below its end.
const DIGITS: usize = 4;
/// The most that a list of values, or of random trials, may have.
const MOST: usize = 10_000;

/// A key and what it is set to.
pub type Setting = (String, Value);

/// A sweep's file, its form checked but not its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepFile {
    /// Presets to start from.
    pub presets: Vec<String>,
    /// Seeds of every combination.
    pub seeds: Vec<u64>,
    /// What varies besides.
    pub varied: Varied,
    /// For every trial.
    pub settings: Vec<Setting>,
}

/// What varies from trial to trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Varied {
    /// Presets and seeds alone.
    Nothing,
    /// Every combination of these values.
    Grid(Vec<(String, Vec<Value>)>),
    /// So many draws.
    Random {
        /// How many.
        trials: usize,
        /// Of the draws.
        seed: u64,
        /// What each key is drawn from.
        spaces: Vec<(String, Space)>,
    },
}

/// What values of a key are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub enum Space {
    /// Each as likely.
    Choice(Vec<Value>),
    /// Numbers.
    Range {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// Is the logarithm uniform, and not the number?
        log: bool,
        /// Whole numbers only, the largest included?
        whole: bool,
    },
}

impl SweepFile {
    /// Reads the text of a file of that name.
    ///
    /// # Errors
    ///
    /// If it is no TOML, or not of this form; the error names the key, and the file if it is no TOML.
    pub fn read(origin: &str, text: &str) -> Result<SweepFile, ConfigError> {
        let mut table = parse(origin, text)?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ConfigError::unknown("key of a sweep", key, KEYS));
        }
        let presets = presets(table.remove("presets"))?;
        let seeds = seeds(table.remove("seeds"))?;
        let settings = leaves("settings", table.remove("settings"), |_| false)?;
        let grid = table.remove("grid").map(grid).transpose()?;
        let random = table.remove("random").map(|given| random(given, &presets)).transpose()?;
        let varied = match (grid, random) {
            (Some(_), Some(_)) => {
                let needed = "left out where there is `grid`";
                let why = "a sweep either tries every combination or draws some";
                return Err(because("random", needed, why, "a table"));
            }
            (Some(varied), None) | (None, Some(varied)) => varied,
            (None, None) => Varied::Nothing,
        };
        let file = SweepFile { presets, seeds, varied, settings };
        file.check_keys()?;
        Ok(file)
    }

    /// The keys that vary.
    pub fn keys(&self) -> Vec<&str> {
        match &self.varied {
            Varied::Nothing => Vec::new(),
            Varied::Grid(axes) => axes.iter().map(|(key, _)| key.as_str()).collect(),
            Varied::Random { spaces, .. } => spaces.iter().map(|(key, _)| key.as_str()).collect(),
        }
    }

    /// How many combinations there are, or draws.
    pub fn combinations(&self) -> Option<usize> {
        match &self.varied {
            Varied::Nothing => Some(1),
            Varied::Grid(axes) => axes
                .iter()
                .try_fold(1, |product: usize, (_, values)| product.checked_mul(values.len())),
            Varied::Random { trials, .. } => Some(*trials),
        }
    }

    /// The settings of one combination: of a grid, the last key changes fastest.
    ///
    /// Draws are by their number, so that more of them leave the first ones as they are.
    pub fn combination(&self, number: usize) -> Vec<Setting> {
        match &self.varied {
            Varied::Nothing => Vec::new(),
            Varied::Grid(axes) => {
                let mut rest = number;
                let mut settings: Vec<_> = axes
                    .iter()
                    .rev()
                    .map(|(key, values)| {
                        let value = values[rest % values.len()].clone();
                        rest /= values.len();
                        (key.clone(), value)
                    })
                    .collect();
                settings.reverse();
                settings
            }
            Varied::Random { seed, spaces, .. } => {
                let mut rng = stream_of(*seed, Stream::Sweep, number);
                let draw = |(key, space): &(String, Space)| (key.clone(), space.draw(&mut rng));
                spaces.iter().map(draw).collect()
            }
        }
    }

    /// A key in one place only, and none of those that have a place of their own.
    fn check_keys(&self) -> Result<(), ConfigError> {
        let given: Vec<&str> =
            self.settings.iter().map(|(key, _)| key.as_str()).chain(self.keys()).collect();
        for (i, key) in given.iter().enumerate() {
            let place = match last_part(key) {
                "seed" => Some("`seeds`, at the top of the file"),
                "preset" => Some("`presets`, at the top of the file"),
                _ => None,
            };
            if let Some(place) = place {
                return Err(needed(key, &format!("left to {place}"), "a setting"));
            }
            if given[..i].iter().any(|other| last_part(other) == last_part(key)) {
                return Err(needed(key, "in one place only", "in two"));
            }
        }
        Ok(())
    }
}

impl Space {
    /// A value. Numbers have few digits, so that directories named after them can be read.
    fn draw(&self, rng: &mut Rng) -> Value {
        let (low, high, log, whole) = match self {
            Space::Choice(values) => return values[index(rng, values.len())].clone(),
            Space::Range { low, high, log, whole } => (*low, *high, *log, *whole),
        };
        // Uniform in [0, 1), of 53 bits.
        let u = (rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
        // Each whole number has as much room as any other, those at the ends too.
        let (from, to) = if whole { (low - 0.5, high + 0.5) } else { (low, high) };
        let x = match log {
            false => from + u * (to - from),
            true => libm::exp(libm::log(from) + u * (libm::log(to) - libm::log(from))),
        };
        if whole {
            return Value::Integer(x.round().clamp(low, high) as i64);
        }
        let narrow = (low.abs().max(high.abs()) / (high - low)).log10().floor().max(0.0);
        let decimals = DIGITS - 1 + narrow as usize;
        let rounded: f64 = format!("{x:.decimals$e}").parse().unwrap_or(x);
        Value::Float(rounded.clamp(low, high))
    }
}

fn presets(given: Option<Value>) -> Result<Vec<String>, ConfigError> {
    let form = "a list of presets, such as [\"sac\", \"td3\"]";
    let Some(given) = given else { return Err(needed("presets", form, "missing")) };
    let wrong = || needed("presets", form, &given);
    let list = given.as_array().filter(|list| !list.is_empty()).ok_or_else(wrong)?;
    let names = list.iter().map(|name| name.as_str().map(String::from));
    let names: Vec<String> = names.collect::<Option<_>>().ok_or_else(wrong)?;
    for (i, name) in names.iter().enumerate() {
        crate::presets::table(name)?;
        if names[..i].contains(name) {
            return Err(needed("presets", "without repetition", &given));
        }
    }
    Ok(names)
}

fn seeds(given: Option<Value>) -> Result<Vec<u64>, ConfigError> {
    let form = "a list of whole numbers, such as [101, 102, 103], or { first = 101, count = 3 }";
    let Some(given) = given else { return Err(needed("seeds", form, "missing")) };
    let wrong = || needed("seeds", form, &given);
    let number = |value: &Value| whole_value(value).and_then(|i| u64::try_from(i).ok());
    let seeds: Vec<u64> = match &given {
        Value::Array(list) => list.iter().map(number).collect::<Option<_>>().ok_or_else(wrong)?,
        Value::Table(table) => {
            let keys = ["first", "count"];
            if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
                return Err(ConfigError::unknown("key of `seeds`", key, keys));
            }
            let [first, count] = keys.map(|key| table.get(key).and_then(number));
            let (first, count) = first.zip(count).ok_or_else(wrong)?;
            let end = first.checked_add(count).filter(|end| *end <= 1 << 63);
            let end = end.filter(|_| count <= MOST as u64).ok_or_else(|| {
                needed("seeds", &format!("at most {MOST}, and below 2⁶³"), &given)
            })?;
            (first..end).collect()
        }
        _ => return Err(wrong()),
    };
    let repeats = |i: &usize| seeds[..*i].contains(&seeds[*i]);
    match (seeds.is_empty(), (0..seeds.len()).find(repeats)) {
        (true, _) => Err(wrong()),
        (_, Some(i)) => Err(needed("seeds", "without repetition", format!("{} twice", seeds[i]))),
        _ => Ok(seeds),
    }
}

fn grid(given: Value) -> Result<Varied, ConfigError> {
    let axis = |(key, value): Setting| {
        let key_in_grid = format!("grid.{key}");
        let values = match value {
            Value::Array(values) if (1..=MOST).contains(&values.len()) => values,
            other => {
                return Err(needed(&key_in_grid, "a list of values, such as [0.98, 0.99]", &other));
            }
        };
        match (0..values.len()).find(|i| values[..*i].contains(&values[*i])) {
            Some(i) => {
                let twice = format!("{} twice", values[i]);
                Err(needed(&key_in_grid, "without repetition", &twice))
            }
            None => Ok((key, values)),
        }
    };
    let axes = leaves("grid", Some(given), |_| false)?;
    if axes.is_empty() {
        let form = "a table of settings and their values, such as gamma = [0.98, 0.99]";
        return Err(needed("grid", form, "empty"));
    }
    Ok(Varied::Grid(axes.into_iter().map(axis).collect::<Result<_, _>>()?))
}

fn random(given: Value, presets: &[String]) -> Result<Varied, ConfigError> {
    let Value::Table(mut table) = given else { return Err(needed("random", "a table", &given)) };
    let mut whole = |key: &str, from: i64, to: i64, otherwise: Option<i64>| {
        let value = table.remove(key);
        let found = value.as_ref().map_or(otherwise, whole_value);
        let wrong = || {
            let value = value.as_ref().map_or("missing".into(), ToString::to_string);
            needed(&format!("random.{key}"), &format!("a whole number from {from} to {to}"), &value)
        };
        found.filter(|found| (from..=to).contains(found)).ok_or_else(wrong)
    };
    let trials = whole("trials", 1, MOST as i64, None)? as usize;
    let seed = whole("seed", 0, i64::MAX, Some(1))? as u64;
    let spaces = leaves("random", Some(Value::Table(table)), is_space)?;
    if spaces.is_empty() {
        let form = "a table with settings to draw, such as gamma = { low = 0.9, high = 0.999 }";
        return Err(needed("random", form, "without any"));
    }
    let spaces = spaces.into_iter().map(|(key, value)| {
        let space = space(&format!("random.{key}"), value, is_whole(&key, presets)?)?;
        Ok((key, space))
    });
    Ok(Varied::Random { trials, seed, spaces: spaces.collect::<Result<_, ConfigError>>()? })
}

/// The keys of what a value is drawn from.
const SPACE: [&str; 4] = ["low", "high", "scale", "choice"];

/// Is a table one of those, and none of settings?
fn is_space(table: &Table) -> bool {
    table.values().all(|value| !value.is_table())
}

/// Is a setting a whole number in any of the presets?
fn is_whole(key: &str, presets: &[String]) -> Result<bool, ConfigError> {
    for preset in presets {
        let leaves = settings::leaves(&crate::presets::table(preset)?);
        let mut own = leaves.iter().filter(|(path, _)| path == key || last_part(path) == key);
        if own.any(|(_, value)| value.is_integer()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a value is drawn from; `is_whole` where the setting takes whole numbers only.
fn space(key: &str, given: Value, is_whole: bool) -> Result<Space, ConfigError> {
    let form = "{ low = 1e-4, high = 1e-2, scale = \"log\" } or { choice = [1, 2] }";
    let wrong = |value: &Value| needed(key, form, value);
    let Value::Table(table) = &given else { return Err(wrong(&given)) };
    if let Some(key) = table.keys().find(|key| !SPACE.contains(&key.as_str())) {
        return Err(ConfigError::unknown("key of a range or choice", key, SPACE));
    }
    if let Some(choice) = table.get("choice") {
        let values = choice.as_array().filter(|values| (1..=MOST).contains(&values.len()));
        let values = values.filter(|_| table.len() == 1).ok_or_else(|| wrong(&given))?;
        return Ok(Space::Choice(values.clone()));
    }
    let number = |end: &str| {
        let value = table.get(end)?;
        value.as_float().or(value.as_integer().map(|i| i as f64)).filter(|x| x.is_finite())
    };
    let (low, high) = number("low").zip(number("high")).ok_or_else(|| wrong(&given))?;
    let log = match table.get("scale").map(Value::as_str) {
        None | Some(Some("linear")) => false,
        Some(Some("log")) => true,
        _ => return Err(needed(&format!("{key}.scale"), "\"linear\" or \"log\"", &table["scale"])),
    };
    let ends = [&table["low"], &table["high"]];
    let whole = match is_whole {
        true => ends.iter().all(|end| whole_value(end).is_some()),
        false => ends.iter().all(|end| end.is_integer()),
    };
    if low >= high {
        return Err(needed(&format!("{key}.low"), "less than its high", &table["low"]));
    }
    if log && low <= 0.0 {
        let why = "its scale is \"log\"";
        return Err(because(&format!("{key}.low"), "above 0", why, &table["low"]));
    }
    Ok(Space::Range { low, high, log, whole })
}

/// Key and value of everything in a table; a table in it stands for keys with a dot, unless it is a value.
fn leaves(
    name: &str,
    given: Option<Value>,
    is_value: impl Fn(&Table) -> bool,
) -> Result<Vec<Setting>, ConfigError> {
    let table = match given {
        None => return Ok(Vec::new()),
        Some(Value::Table(table)) => table,
        Some(other) => return Err(needed(name, "a table", &other)),
    };
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !is_value(&inner) => {
                found.extend(
                    inner.into_iter().map(|(last, value)| (format!("{key}.{last}"), value)),
                );
            }
            value => found.push((key, value)),
        }
    }
    Ok(found)
}

fn needed(key: &str, needed: &str, value: impl ToString) -> ConfigError {
    let (needed, value) = (needed.into(), value.to_string());
    ConfigError::Value { key: key.into(), needed, why: None, value }
}

fn because(key: &str, needed: &str, why: &'static str, value: impl ToString) -> ConfigError {
    let (needed, value) = (needed.into(), value.to_string());
    ConfigError::Value { key: key.into(), needed, why: Some(why), value }
}

#[cfg(test)]
mod tests;
