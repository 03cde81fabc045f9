//! What an evaluation ran, as a table: each state, what the policy saw and did there, and the reward for that.

use std::fmt::Write;

use crate::envs::Entry;
use crate::eval::{Moment, Then};
use crate::interface::{Channel, Spec};

/// No table has more rows: it is made in memory.
pub const MOST_ROWS: usize = 2_000_000;
/// Times are multiples of periods, without the rounding of the product.
const PER_SECOND: f64 = 1e9;

/// A table with a row for each state of each episode, as CSV:
///
/// | column | what is in it |
/// |---|---|
/// | `start` | index of the start |
/// | `step` | periods since then |
/// | `time [s]` | the same in s |
/// | `state NAME [UNIT]` | each entry of the machine's state |
/// | `observation NAME [UNIT]` | each entry of what the policy sees, in `f32` |
/// | `action NAME [UNIT]` | each entry of what it does there, in `f32`, held for the period that begins |
/// | `reward` | what the machine gives for that |
///
/// The last row of an episode is the state in which it ends: there is no action and no reward. Names without a unit have no
/// brackets. Numbers have as many digits as it takes to read the same bits again.
#[derive(Debug)]
pub struct Trajectories {
    header: Vec<String>,
    period: f64,
    /// The rows of each start.
    starts: Vec<String>,
    /// Entries of an action.
    size: usize,
}

impl Trajectories {
    /// Nothing of so many starts yet.
    pub fn new(entry: &Entry, spec: &Spec, starts: usize) -> Self {
        let mut header: Vec<String> = ["start", "step", "time [s]"].map(String::from).into();
        let mut column = |kind: &str, name: &str, unit: &str| {
            header.push(match unit {
                "" => format!("{kind} {name}"),
                unit => format!("{kind} {name} [{unit}]"),
            });
        };
        entry.state.iter().for_each(|(name, unit)| column("state", name, unit));
        let mut channels = |kind: &str, channels: &[Channel]| {
            channels.iter().for_each(|channel| column(kind, channel.name, channel.unit));
        };
        channels("observation", &spec.observation);
        channels("action", &spec.action);
        header.push("reward".into());
        let (period, size) = (spec.period, spec.action_size());
        Trajectories { header, period, starts: vec![String::new(); starts], size }
    }

    /// Adds a row.
    pub fn see(&mut self, moment: &Moment<'_>) {
        let Moment { start, step, state, observation, then } = *moment;
        let time = (step as f64 * self.period * PER_SECOND).round() / PER_SECOND;
        let row = &mut self.starts[start];
        let written = (|| {
            write!(row, "{start},{step},{time}")?;
            state.iter().try_for_each(|x| write!(row, ",{x}"))?;
            observation.iter().try_for_each(|x| write!(row, ",{x}"))?;
            match then {
                Then::Acts { action, reward } => {
                    action.iter().try_for_each(|x| write!(row, ",{x}"))?;
                    writeln!(row, ",{reward}")
                }
                Then::Ends { .. } => writeln!(row, "{}", ",".repeat(self.size + 1)),
            }
        })();
        written.expect("writing to memory");
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.starts.iter().map(|rows| rows.lines().count()).sum()
    }

    /// The table: header, then start after start.
    pub fn csv(&self) -> Vec<u8> {
        let mut header = csv::Writer::from_writer(Vec::new());
        header.write_record(&self.header).expect("writing to memory");
        let mut bytes = header.into_inner().expect("writing to memory");
        self.starts.iter().for_each(|rows| bytes.extend_from_slice(rows.as_bytes()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envs;

    #[test]
    fn rows_stand_by_start_whatever_came_first() {
        let entry = envs::find("pendulum").unwrap();
        let environment = envs::make(&envs::defaults("pendulum").unwrap()).unwrap();
        let mut table = Trajectories::new(&entry, environment.spec(), 2);
        let mut moment = |start, step, then| {
            let (state, observation) = (&[3.25, -0.5][..], &[-1.0, 0.1, -0.5][..]);
            table.see(&Moment { start, step, state, observation, then });
        };
        moment(1, 0, Then::Ends { terminated: true });
        moment(0, 3, Then::Acts { action: &[0.1], reward: -0.1 });
        assert_eq!(table.rows(), 2);
        assert_eq!(
            String::from_utf8(table.csv()).unwrap(),
            "start,step,time [s],state θ [rad],state θ̇ [rad/s],observation cos θ,observation sin θ,\
             observation angular velocity [rad/s],action torque [N·m],reward\n\
             0,3,0.15,3.25,-0.5,-1,0.1,-0.5,0.1,-0.1\n\
             1,0,0,3.25,-0.5,-1,0.1,-0.5,,\n"
        );
    }
}
