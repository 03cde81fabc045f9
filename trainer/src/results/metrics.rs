//! `metrics.csv`.

use crate::run::place::COLUMNS;

/// `metrics.csv`: a row for each episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// (environment step at its end, return) of each episode.
    pub episodes: Vec<(usize, f64)>,
    /// What updates report: name, and (step, value) of each episode that had a value.
    pub reported: Vec<(String, Vec<(f64, f64)>)>,
}

/// No number is larger that an axis has to hold: those of single precision are not.
const LARGEST: f64 = 1e100;

impl Metrics {
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(super) fn parse(text: &str) -> Result<Metrics, String> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let column = |name: &str| {
            let at = header.iter().position(|column| column == name);
            at.ok_or_else(|| format!("it has no column `{name}`"))
        };
        let (step, episode_return) = (column("step")?, column("return")?);
        let others = header.iter().enumerate().filter(|(_, name)| !COLUMNS.contains(name));
        let others: Vec<(usize, String)> = others.map(|(at, name)| (at, name.into())).collect();
        let mut reported: Vec<(String, Vec<(f64, f64)>)> =
            others.iter().map(|(_, name)| (name.clone(), Vec::new())).collect();
        let mut episodes = Vec::new();
        for (index, row) in reader.records().enumerate() {
            let row = row.map_err(|error| error.to_string())?;
            let cell = |at: usize| row.get(at).unwrap_or_default();
            let wrong = |at: usize, what: &str| {
                format!("line {}, `{}`: `{}` is no {what}", index + 2, &header[at], cell(at))
            };
            let number = |at: usize| match cell(at).parse::<f64>() {
                Ok(x) if !x.is_finite() || x.abs() <= LARGEST => Ok(x),
                _ => Err(wrong(at, "number")),
            };
            let at: usize = cell(step).parse().map_err(|_| wrong(step, "whole number"))?;
            let sum = Some(number(episode_return)?).filter(|x| x.is_finite());
            episodes.push((at, sum.ok_or_else(|| wrong(episode_return, "number"))?));
            for ((column, _), (_, points)) in others.iter().zip(&mut reported) {
                // Before the first update there is nothing to report.
                if row.get(*column).is_some_and(|cell| !cell.is_empty()) {
                    points.push((at as f64, number(*column)?));
                }
            }
        }
        Ok(Metrics { episodes, reported })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_by_name() {
        let text =
            "step,episode,return,length,updates,q1_loss\n50,1,-3.5,50,0,\n100,2,-2,50,50,0.25\n";
        let metrics = Metrics::parse(text).unwrap();
        assert_eq!(metrics.episodes, [(50, -3.5), (100, -2.0)]);
        assert_eq!(metrics.reported, [("q1_loss".into(), vec![(100.0, 0.25)])]);
        for (text, wrong) in [
            ("step,episode\n", "it has no column `return`"),
            ("step,return\n50,x\n", "line 2, `return`: `x` is no number"),
            ("", "it has no column `step`"),
            ("step,return\n1,2\ninf,2\n", "line 3, `step`: `inf` is no whole number"),
            ("step,return\n-1,2\n", "line 2, `step`: `-1` is no whole number"),
            ("step,return\n1,inf\n", "line 2, `return`: `inf` is no number"),
            ("step,return,q1_loss\n1,2,1e200\n", "line 2, `q1_loss`: `1e200` is no number"),
            ("step,return\n1e300,2\n", "line 2, `step`: `1e300` is no whole number"),
        ] {
            assert_eq!(Metrics::parse(text).unwrap_err(), wrong);
        }
        assert!(Metrics::parse("step,return\n50,1,2\n").unwrap_err().contains("line"));
    }
}
