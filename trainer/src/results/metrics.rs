//! `metrics.csv`.

/// `metrics.csv`: a row for each episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// (environment step at its end, return) of each episode.
    pub episodes: Vec<(usize, f64)>,
    /// What updates report: name, and (step, value) of each episode that had a value.
    pub reported: Vec<(String, Vec<(f64, f64)>)>,
}

/// Columns of `metrics.csv` that every run has; the others are of its algorithm.
const COMMON: [&str; 5] = ["step", "episode", "return", "length", "updates"];

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
        let others = header.iter().enumerate().filter(|(_, name)| !COMMON.contains(name));
        let others: Vec<(usize, String)> = others.map(|(at, name)| (at, name.into())).collect();
        let mut reported: Vec<(String, Vec<(f64, f64)>)> =
            others.iter().map(|(_, name)| (name.clone(), Vec::new())).collect();
        let mut episodes = Vec::new();
        for (index, row) in reader.records().enumerate() {
            let row = row.map_err(|error| error.to_string())?;
            let number = |at: usize| {
                let cell = row.get(at).unwrap_or_default();
                let wrong =
                    || format!("line {}, `{}`: `{cell}` is no number", index + 2, &header[at]);
                cell.parse::<f64>().map_err(|_| wrong())
            };
            let at = number(step)?;
            episodes.push((at as usize, number(episode_return)?));
            for ((column, _), (_, points)) in others.iter().zip(&mut reported) {
                // Before the first update there is nothing to report.
                if row.get(*column).is_some_and(|cell| !cell.is_empty()) {
                    points.push((at, number(*column)?));
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
        ] {
            assert_eq!(Metrics::parse(text).unwrap_err(), wrong);
        }
        assert!(Metrics::parse("step,return\n50,1,2\n").unwrap_err().contains("line"));
    }
}
