//! Figures with how sure they are, as text.

use super::{Estimate, has_width};

/// The most decimals that are shown.
const MOST: usize = 15;

/// `value (low to high)`, as far as there is an interval; with more digits than those where the ends would look the same.
pub fn with_interval(estimate: &Estimate, digits: usize) -> String {
    let value = estimate.value;
    let apart = estimate.interval.and_then(|[low, high]| {
        let is_apart = |d: &usize| format!("{low:.d$}") != format!("{high:.d$}");
        Some((low, high, (digits..=MOST).find(is_apart)?))
    });
    match apart {
        Some((low, high, digits)) => {
            format!("{value:.digits$} ({low:.digits$} to {high:.digits$})")
        }
        None => format!("{value:.digits$}"),
    }
}

/// `mean ± error`, as far as there is an error; with more digits than those where it would look like none.
pub fn with_error(mean: f64, error: Option<f64>, digits: usize) -> String {
    let shown = error.filter(|error| has_width(&[mean - error, mean + error], mean.abs()));
    let shown = shown.and_then(|error| {
        let is_shown = |d: &usize| format!("{error:.d$}").contains(|c| ('1'..='9').contains(&c));
        Some((error, (digits..=MOST).find(is_shown)?))
    });
    match shown {
        Some((error, digits)) => format!("{mean:.digits$} ± {error:.digits$}"),
        None => format!("{mean:.digits$}"),
    }
}

/// A percentage with one decimal; one that is 0 then has no sign.
pub fn percent(x: f64) -> String {
    let text = format!("{x:.1}");
    format!("{} %", if text == "-0.0" { "0.0" } else { &text })
}

/// `1 start`, `2 starts`
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_without_width_is_shown() {
        for (interval, text) in [
            (None, "6.67"),
            (Some([6.5, 6.75]), "6.67 (6.50 to 6.75)"),
            (Some([6.6698, 6.6702]), "6.6700 (6.6698 to 6.6702)"),
        ] {
            assert_eq!(with_interval(&Estimate { value: 6.67, interval }, 2), text);
        }
        for (error, text) in [
            (None, "-156.0"),
            (Some(5.7), "-156.0 ± 5.7"),
            (Some(0.004), "-156.000 ± 0.004"),
            // Of a summary that was written before there was none.
            (Some(0.0), "-156.0"),
            (Some(1e-13), "-156.0"),
        ] {
            assert_eq!(with_error(-156.0, error, 1), text);
        }
        assert_eq!((percent(-0.01), percent(-0.06)), ("0.0 %".into(), "-0.1 %".into()));
        assert_eq!(
            (counted(1, "start"), counted(2, "start")),
            ("1 start".into(), "2 starts".into())
        );
    }
}
