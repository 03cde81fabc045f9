//! Rows that are drawn again and again at the place of a terminal where its other output has come to.
//!
//! A terminal's width changes while it shows them, and what it makes of longer lines then is its own affair: some wrap them,
//! some cut them off. So nothing here depends on that. A row never wraps. Between two drawings the cursor stands at the
//! beginning of the first row, where terminals that wrap lines anew take it along; a drawing begins there and goes downwards only. It can
//! neither reach what others wrote above, nor leave anything of the rows that were there.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::{Term, is_dumb};

use super::line::Line;

/// Time between two drawings, at least.
const PAUSE: Duration = Duration::from_millis(50);
/// Begins a drawing: at the left end, and what is longer than a row is cut off by the terminal, too, which may have become
/// narrower a moment ago.
const BEGIN: &str = "\r\x1b[?7l";
/// Ends it: rows of before go, the terminal wraps lines again.
const END: &str = "\x1b[J\x1b[?7h";
/// Empties a row, from its left end. Only then does tmux forget that it was the continuation of another one.
const EMPTY: &str = "\x1b[K";

/// What is shown on standard error; as there is one, so is this.
static SHOWN: Mutex<Shown> = Mutex::new(Shown { rows: Vec::new(), drawn: None });
/// How many rows there have been.
static COUNT: AtomicU64 = AtomicU64::new(0);

struct Shown {
    /// By their numbers, the oldest first.
    rows: Vec<(u64, Line)>,
    /// When they were last drawn, if they are.
    drawn: Option<Instant>,
}

/// A row on standard error, until it is dropped; below those that there are.
#[derive(Debug)]
pub(super) struct Row(u64);

impl Row {
    pub(super) fn new() -> Self {
        let row = Row(COUNT.fetch_add(1, Ordering::Relaxed));
        shown().rows.push((row.0, Line::default()));
        row
    }

    /// What it says from now on, which is seen soon; where `now`, at once.
    pub(super) fn show(&self, line: Line, now: bool) {
        let mut shown = shown();
        if let Some((_, old)) = shown.rows.iter_mut().find(|(row, _)| *row == self.0) {
            *old = line;
        }
        if now || shown.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
            shown.draw();
        }
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let mut shown = shown();
        shown.rows.retain(|(row, _)| *row != self.0);
        if shown.drawn.is_some() {
            shown.draw();
        }
    }
}

/// Does something that writes to the terminal, above the rows.
pub(super) fn suspend<T>(work: impl FnOnce() -> T) -> T {
    let mut shown = shown();
    if shown.drawn.take().is_none() {
        return work();
    }
    put(&mut std::io::stderr(), &frame(&[], 1));
    let done = work();
    shown.draw();
    done
}

fn shown() -> MutexGuard<'static, Shown> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shown {
    fn draw(&mut self) {
        let (height, columns) = size(&Term::stderr());
        let rows: Vec<String> = self.rows.iter().map(|(_, line)| line.fit(columns)).collect();
        put(&mut std::io::stderr(), &frame(&rows, height));
        self.drawn = (!rows.is_empty()).then(Instant::now);
    }
}

/// Is it a terminal that shows rows?
pub(super) fn can_show(term: &Term) -> bool {
    // On Windows, asking for colours has its terminal obey control sequences.
    term.is_term() && !is_dumb() && (cfg!(unix) || term.features().colors_supported())
}

/// How many rows there are, and how many columns a row may have: the last one stays empty, as terminals differ in where the
/// cursor is after it.
pub(super) fn size(term: &Term) -> (usize, usize) {
    let (height, width) = term.size();
    (height.into(), usize::from(width).saturating_sub(1))
}

/// What draws rows in the place of those that were drawn before.
pub(super) fn frame(rows: &[String], height: usize) -> String {
    // The first ones, where there are more than the terminal has.
    let rows = &rows[..rows.len().min(height.max(1))];
    // tmux takes what is erased from its very first column on into its history, so that something stands there.
    let all = if rows.is_empty() { " ".into() } else { rows.join(&format!("\r\n{EMPTY}")) };
    let mut text = format!("{BEGIN}{EMPTY}{all}{END}\r");
    if rows.len() > 1 {
        let _ = write!(text, "\x1b[{}A", rows.len() - 1);
    }
    text
}

/// The same for the last time: the rows stay, and what comes next comes below.
pub(super) fn last_frame(rows: &[String], height: usize) -> String {
    let below = rows.len().min(height.max(1));
    let down = if below > 1 { format!("\x1b[{}B", below - 1) } else { String::new() };
    format!("{}{down}\r\n", frame(rows, height))
}

/// Writes at once what belongs together. A terminal that is gone is no failure of the work.
pub(super) fn put(out: &mut dyn Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the cursor is when a terminal has obeyed, counted from where it was, and the highest and lowest it has been.
    fn path(text: &str) -> (i32, i32, i32) {
        let (mut row, mut highest, mut lowest) = (0, 0, 0);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\n' => row += 1,
                '\x1b' => {
                    let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    let count = || rest[1..end].parse::<i32>().unwrap();
                    match &rest[end..=end] {
                        "A" => row -= count(),
                        "B" => row += count(),
                        _ => {}
                    }
                    rest = &rest[end + 1..];
                }
                _ => {}
            }
            (highest, lowest) = (highest.min(row), lowest.max(row));
        }
        (row, highest, lowest)
    }

    #[test]
    fn a_drawing_goes_downwards_and_ends_where_it_began() {
        let rows: Vec<String> = (0..5).map(|row| format!("row {row}")).collect();
        let one = frame(&rows[..1], 24);
        assert_eq!(one, "\r\x1b[?7l\x1b[Krow 0\x1b[J\x1b[?7h\r");
        let two = frame(&rows[..2], 24);
        assert_eq!(two, "\r\x1b[?7l\x1b[Krow 0\r\n\x1b[Krow 1\x1b[J\x1b[?7h\r\x1b[1A");
        for (count, height) in [(0, 24), (1, 24), (2, 24), (5, 24), (5, 3), (5, 1), (5, 0)] {
            let lowest = count.min(height.max(1)).max(1) as i32 - 1;
            assert_eq!(path(&frame(&rows[..count], height)), (0, 0, lowest));
            assert_eq!(path(&last_frame(&rows[..count], height)), (lowest + 1, 0, lowest + 1));
        }
    }
}
