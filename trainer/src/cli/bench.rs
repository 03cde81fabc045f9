//! `trainer bench`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::numbers::{number, whole};
use super::progress::Wait;
use super::train::at_most_processors;
use super::{Counter, Failure, json};
use crate::bench::{Learner, whole_run};
use crate::config::RunConfig;
use crate::linalg::Backend;
use crate::linalg::parallel::{MAX_THREADS, with_threads};

/// Each algorithm's own preset of the fewest steps.
const OWN: [&str; 4] = ["dqn", "ddpg", "td3", "sac"];

/// Hidden layers and minibatches that are measured.
const HIDDEN: [[usize; 2]; 3] = [[64, 64], [256, 256], [400, 300]];
const BATCHES: [usize; 2] = [100, 256];
/// Updates whose allocations are counted.
const COUNTED: u64 = 100;

/// Measure what training costs on this machine
///
/// "peak" is the share of the processor's fused multiply-adds that the products of an update would need
/// if they computed every term. They leave out the terms of zeros, so that it can be more than 100 %.
/// "computed" is how many are left on average, and the "peak" behind it the share that those need.
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer bench --only td3 --only sac")]
pub(super) struct Bench {
    /// Presets to measure, of dqn, ddpg, td3 and sac [default: all of them]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(OWN))]
    only: Vec<String>,
    /// Threads of a run
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u8>(1..=MAX_THREADS as u64))]
    threads: u8,
    /// Seconds of a measurement, of which each row has two
    #[arg(long, value_name = "S", default_value_t = 1.0, allow_negative_numbers = true)]
    #[arg(value_parser = number)]
    seconds: f64,
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    schema: u32,
    backend: String,
    threads: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    preset: String,
    hidden: [usize; 2],
    batch_size: usize,
    /// Processor time of a run, collecting included, for each 1 000 updates, in s.
    run_seconds_per_1000: f64,
    /// The fastest updates, in s.
    update_seconds: f64,
    /// Multiplications of its matrix products, those included that add up the gradients of biases or
    /// that products leave out because a factor is 0.
    multiplications: f64,
    /// Those that are computed, on average.
    multiplications_computed: f64,
    /// Fused multiply-adds per second of one thread, of numbers in registers, measured just before.
    peak: f64,
    /// Multiplications by time, over that: more than 1 where many are left out.
    share_of_peak: f64,
    /// The same of those that are computed.
    computed_share_of_peak: f64,
    allocations_per_update: f64,
}

impl Bench {
    pub(super) fn run(self, as_json: bool, count: Counter) -> Result<String, Failure> {
        if !(0.0..=3600.0).contains(&self.seconds) {
            let text = format!("--seconds must be from 0 to 3600, not {}", self.seconds);
            return Err(Failure::Usage(text));
        }
        let threads = at_most_processors(self.threads);
        let all = with_threads(threads, || self.measure(threads, count));
        let report = all.map_err(|error| {
            Failure::Failed(format!("cannot start {threads} threads: {error}"))
        })??;
        Ok(if as_json { json(&report) } else { table(&report) })
    }

    fn measure(&self, threads: usize, count: Counter) -> Result<Report, Failure> {
        let backend = Backend::current();
        let chosen =
            OWN.iter().filter(|name| self.only.is_empty() || self.only.contains(&(**name).into()));
        let count_of_rows = chosen.clone().count() * HIDDEN.len() * BATCHES.len();
        let wait = Wait::bar("measuring", count_of_rows, "rows");
        let mut rows = Vec::new();
        for preset in chosen {
            for (hidden, batch_size) in HIDDEN.into_iter().flat_map(|h| BATCHES.map(|b| (h, b))) {
                let [first, second] = hidden;
                wait.say(format!("measuring {preset}, {first}-{second}, batch {batch_size}"));
                let settings = [format!("hidden={hidden:?}"), format!("batch_size={batch_size}")];
                let config = RunConfig::resolve(Some(preset), None, &settings)?;
                rows.push(self.row(&config, hidden, count, backend.measure_peak())?);
                wait.set(rows.len());
            }
        }
        Ok(Report { schema: 1, backend: backend.to_string(), threads, rows })
    }

    fn row(
        &self,
        config: &RunConfig,
        hidden: [usize; 2],
        count: Counter,
        peak: f64,
    ) -> Result<Row, Failure> {
        let mut learner = Learner::new(config)?;
        let cost = learner.cost(Duration::from_secs_f64(self.seconds));
        let allocations = count(&mut || (0..COUNTED).for_each(|_| learner.update()));
        let updates = (self.seconds / cost.seconds).clamp(50.0, 9000.0) as usize;
        Ok(Row {
            preset: config.preset.clone(),
            hidden,
            batch_size: config.training.batch_size,
            run_seconds_per_1000: 1000.0 * whole_run(config, updates)?,
            update_seconds: cost.seconds,
            multiplications: cost.multiplications,
            multiplications_computed: cost.computed,
            peak,
            share_of_peak: cost.multiplications / cost.seconds / peak,
            computed_share_of_peak: cost.computed / cost.seconds / peak,
            allocations_per_update: allocations as f64 / COUNTED as f64,
        })
    }
}

fn table(report: &Report) -> String {
    let mut text = format!(
        "{:<8} {:>8} {:>6} {:>22} {:>12} {:>17} {:>6} {:>10} {:>6} {:>12}\n",
        "preset",
        "hidden",
        "batch",
        "run s / 1000 updates",
        "update µs",
        "multiplications",
        "peak",
        "computed",
        "peak",
        "allocations"
    );
    for row in &report.rows {
        text += &format!(
            "{:<8} {:>8} {:>6} {:>22.3} {:>12.1} {:>15.2} M {:>4.0} % {:>8.2} M {:>4.0} % {:>12}\n",
            row.preset,
            format!("{}-{}", row.hidden[0], row.hidden[1]),
            row.batch_size,
            row.run_seconds_per_1000,
            1e6 * row.update_seconds,
            1e-6 * row.multiplications,
            100.0 * row.share_of_peak,
            1e-6 * row.multiplications_computed,
            100.0 * row.computed_share_of_peak,
            row.allocations_per_update,
        );
    }
    let Report { backend, threads, rows, .. } = report;
    let s = if *threads == 1 { "" } else { "s" };
    let peak = rows.iter().map(|row| row.peak).fold(0.0, f64::max);
    text + &format!(
        "{backend}, {threads} thread{s}; peak of one: {:.1} G multiply-adds/s in registers\n",
        1e-9 * peak
    )
}
