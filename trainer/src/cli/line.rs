//! A line of progress, fitted to as many columns as there are.

use std::borrow::Cow;

use console::measure_text_width;

use crate::text::line;

/// A bar is so long where there is room, in columns with its brackets (a longer line takes more rows where a terminal that
/// becomes narrower wraps it),
const LONGEST_BAR: usize = 22;
/// and makes way rather than become shorter than this.
const SHORTEST_BAR: usize = 12;

/// Parts of a line, in their order.
#[derive(Debug, Default, Clone)]
pub(super) struct Line(Vec<Part>);

#[derive(Debug, Clone)]
struct Part {
    what: What,
    /// Where there is no room for all, the greatest makes way first; 0 stays.
    rank: u8,
}

#[derive(Debug, Clone)]
enum What {
    Name(String),
    Text(String),
    /// So much of it is done, of 1.
    Bar(f64),
}

impl Line {
    /// What tells a line from others. A long one loses its beginning.
    pub(super) fn name(self, text: &str) -> Self {
        self.with(What::Name(line(text).into_owned()), 0)
    }

    /// With the space or comma before it.
    pub(super) fn text(self, text: impl Into<String>, rank: u8) -> Self {
        self.with(What::Text(line(&text.into()).into_owned()), rank)
    }

    /// With a space before it.
    pub(super) fn bar(self, done: f64, rank: u8) -> Self {
        self.with(What::Bar(done), rank)
    }

    fn with(mut self, what: What, rank: u8) -> Self {
        self.0.push(Part { what, rank });
        self
    }

    /// What fits into a row: first the bar becomes shorter, then parts make way, at last the end is cut off.
    pub(super) fn fit(&self, columns: usize) -> String {
        let mut parts: Vec<&Part> = self.0.iter().collect();
        loop {
            let (mut fixed, mut bars) = (0, 0);
            for part in &parts {
                match &part.what {
                    What::Name(text) => fixed += width(text).min(columns / 2),
                    What::Text(text) => fixed += width(text),
                    What::Bar(_) => bars += 1,
                }
            }
            let bar = columns.saturating_sub(fixed + bars).min(LONGEST_BAR);
            if fixed <= columns && (bars == 0 || bar >= SHORTEST_BAR) {
                return parts.iter().map(|part| part.what.shown(columns / 2, bar)).collect();
            }
            let least =
                (0..parts.len()).filter(|i| parts[*i].rank > 0).max_by_key(|i| parts[*i].rank);
            let Some(least) = least else {
                let all: String =
                    parts.iter().map(|part| part.what.shown(columns / 2, 0)).collect();
                return cut(&all, columns);
            };
            parts.remove(least);
        }
    }
}

impl What {
    fn shown(&self, name: usize, bar: usize) -> Cow<'_, str> {
        match self {
            What::Name(text) => cut_front(text, name).into(),
            What::Text(text) => text.as_str().into(),
            What::Bar(done) => {
                let room = bar.saturating_sub(2);
                let full = ((done.clamp(0.0, 1.0) * room as f64) as usize).min(room);
                let head = if *done > 0.0 && full < room { ">" } else { "" };
                format!(" [{:room$}]", format!("{}{head}", "=".repeat(full))).into()
            }
        }
    }
}

/// How many columns a text takes.
fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// The beginning of a text, with a mark where it is not all of it.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.into();
    }
    let Some(mut room) = columns.checked_sub(1) else { return String::new() };
    let fits = |c: &char| {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        let fits = wide <= room;
        room = if fits { room - wide } else { 0 };
        fits
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

/// The end of a text, as [`cut`]: what tells names apart comes last.
fn cut_front(text: &str, columns: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    cut(&reversed, columns).chars().rev().collect()
}

/// A text in as many rows as it takes, the further ones behind so many spaces where there is room for that.
pub(super) fn wrapped(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let indent = if columns >= 2 * indent { indent } else { 0 };
    let mut rows = vec![String::new()];
    for (index, word) in text.split(' ').enumerate() {
        let row = rows.last_mut().expect("there is a first one");
        if index == 0 {
            row.push_str(word);
        } else if width(row) + 1 + width(word) <= columns {
            row.push(' ');
            row.push_str(word);
        } else {
            rows.push(format!("{:indent$}{word}", ""));
        }
    }
    rows.iter().map(|row| cut(row, columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(name: &str) -> Line {
        let line = Line::default().name(name).bar(0.5, 4).text(" 5000/10000", 0).text(" steps", 1);
        line.text(", 8000/s", 5).text(", 12s left", 2).text(" · return -155", 3)
    }

    #[test]
    fn what_matters_least_makes_way_first() {
        for (columns, shown) in [
            (199, "sac [==========>         ] 5000/10000 steps, 8000/s, 12s left · return -155"),
            (79, "sac [==========>         ] 5000/10000 steps, 8000/s, 12s left · return -155"),
            (70, "sac [=======>       ] 5000/10000 steps, 8000/s, 12s left · return -155"),
            (60, "sac [======>      ] 5000/10000 steps, 12s left · return -155"),
            (50, "sac 5000/10000 steps, 12s left · return -155"),
            (35, "sac 5000/10000 steps, 12s left"),
            (25, "sac 5000/10000 steps"),
            (19, "sac 5000/10000"),
            (7, "sac 50…"),
            (1, "…"),
            (0, ""),
        ] {
            assert_eq!(training("sac").fit(columns), shown, "{columns} columns");
        }
    }

    #[test]
    fn no_line_is_longer_than_a_row() {
        let wide = "倒立振子".repeat(9);
        for name in [
            "",
            "sac",
            "gamma=0.98-hidden=[64, 64]-seed-1",
            &wide,
            "e\u{301}\u{1f600}",
            "a\x1b[2J\nb",
        ] {
            for columns in 0..120 {
                let line = training(name).fit(columns);
                assert!(width(&line) <= columns, "{line:?} in {columns} columns");
                assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
        let long = training("gamma=0.98-hidden=[64, 64]-seed-1").fit(40);
        assert_eq!(long, "…den=[64, 64]-seed-1 5000/10000 steps");
    }

    #[test]
    fn a_text_takes_as_many_rows_as_it_needs() {
        let text = "state     running, as it should be";
        assert_eq!(wrapped(text, 80, 10), [text]);
        assert_eq!(wrapped(text, 24, 10), ["state     running, as it", "          should be"]);
        assert_eq!(wrapped(text, 12, 10), ["state    ", "running, as", "it should be"]);
        assert_eq!(wrapped("abcdefgh ij", 4, 0), ["abc…", "ij"]);
        assert_eq!(wrapped("ab", 0, 0), [""]);
    }
}
