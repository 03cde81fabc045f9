//! Processor in the loop: the machine is simulated here, and the policy runs on a board.
//!
//! From each start two episodes are run, one with the board's actions and one with those of the same policy here. Both
//! are written down bit for bit, and must be the same:
//!
//! ```text
//!            ┌────────────┐  observation   ┌────────┐   link    ┌───────┐
//! episode 1: │ simulation │ ─────────────► │ client │ ◄───────► │ board │
//!            └────────────┘ ◄───────────── └────────┘           └───────┘
//!                               action
//! episode 2: the same simulation, the policy here
//! ```
//!
//! Where the board gives no action there is none: the episode ends there, as a machine ends in its safe state.

use std::time::{Duration, Instant};

use crc::{CRC_32_ISO_HDLC, Crc, Digest};
use policy_core::ActError;
use policy_core::link::Cost;
use serde::Serialize;

use crate::eval::Evaluation;
use crate::interface::Environment;
use crate::link::{Board, Client, Counters, LinkError, RoundTrips};
use crate::policy::AnyPolicy;
use crate::quantise::Watch;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Why the board cannot be compared with the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It runs another policy.
    #[error(
        "the board runs another policy ({board:08x}) than the file's ({file:08x}): build its firmware with POLICY=FILE, or push the file to it"
    )]
    Checksum {
        /// The checksum of the board's policy.
        board: u32,
        /// The checksum of the file's.
        file: u32,
    },
    /// It takes or gives another number of entries, though the checksums agree.
    #[error(
        "the board takes {board_observation} observations and gives {board_action} actions, the policy with its checksum takes {observation} and gives {action}: its firmware is faulty"
    )]
    Size {
        /// Entries of the board's observation.
        board_observation: usize,
        /// Entries of the board's action.
        board_action: usize,
        /// Entries of the policy's observation.
        observation: usize,
        /// Entries of the policy's action.
        action: usize,
    },
}

/// Does the board run this policy?
///
/// # Errors
///
/// If not.
pub fn check(board: &Board, policy: &AnyPolicy<'_>) -> Result<(), Mismatch> {
    if board.checksum != policy.checksum() {
        return Err(Mismatch::Checksum { board: board.checksum, file: policy.checksum() });
    }
    let (observation, action) = (policy.observation_size(), policy.action_size());
    let (board_observation, board_action) = (board.observation_size, board.action_size);
    if (board_observation, board_action) != (observation, action) {
        return Err(Mismatch::Size { board_observation, board_action, observation, action });
    }
    Ok(())
}

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// Returns of the episodes with the board's actions that came to their end.
    pub board: Evaluation,
    /// Returns of the same episodes with the policy here.
    pub host: Evaluation,
    /// Starts from which both episodes have the same bits.
    pub equal: usize,
    /// CRC-32 (that of zip) of all these episodes with the board's actions: for each step the words of the observation and
    /// of the action, little-endian.
    pub board_hash: u32,
    /// The same with the policy here.
    pub host_hash: u32,
    /// Where the bits differ first.
    pub first_difference: Option<Difference>,
    /// The time that the episodes with the board's actions took.
    pub time: Duration,
    /// Times from asking for an action to its answer.
    pub round_trips: RoundTrips,
    /// What actions cost on the board.
    pub cost: Option<CostOfAction>,
    /// What went wrong on the line.
    pub counters: Counters,
    /// What the board was asked about, beside the ranges that its policy was quantised for.
    pub ranges: Watch,
    /// Where it ended before its time, and why.
    pub stop: Option<Stop>,
}

/// What an action costs on the board.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CostOfAction {
    /// What is counted.
    #[serde(serialize_with = "name_of_unit")]
    pub unit: Cost,
    /// Mean.
    pub mean: f64,
    /// The most that one has cost.
    pub max: u32,
}

fn name_of_unit<S: serde::Serializer>(unit: &Cost, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(crate::link::board::unit(*unit))
}

/// Where two episodes from the same start part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Index of the start.
    pub start: usize,
    /// Step of the episode, from 0.
    pub step: usize,
    /// Is it the observation, or the action?
    pub part: &'static str,
    /// Which entry, 0 is the first.
    pub entry: usize,
    /// The bits with the board's actions.
    pub board: u32,
    /// The bits with the policy here.
    pub host: u32,
}

/// An episode that ended since nobody acted any more.
#[derive(Debug, thiserror::Error)]
#[error(
    "start {start}, step {step}: {error}; the episode ended there in the safe state, without an action"
)]
pub struct Stop {
    /// Index of the start.
    pub start: usize,
    /// Step of the episode, from 0.
    pub step: usize,
    /// Why.
    pub error: StopError,
}

/// Why nobody acts.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The board gave no action.
    #[error(transparent)]
    Board(LinkError),
    /// The policy here gave none.
    #[error("the policy here has no action: {0}")]
    Host(ActError),
}

impl Stop {
    fn board(start: usize, step: usize, error: LinkError) -> Stop {
        Stop { start, step, error: StopError::Board(error) }
    }

    fn host(start: usize, step: usize, error: ActError) -> Stop {
        Stop { start, step, error: StopError::Host(error) }
    }
}

impl Findings {
    /// Have all episodes come to their end, with the same bits?
    pub fn all_equal(&self) -> bool {
        self.stop.is_none() && self.first_difference.is_none() && self.board_hash == self.host_hash
    }
}

/// An episode as it went.
#[derive(Debug, Default)]
struct Episode {
    /// For each step the bits of the observation and of the action.
    words: Vec<u32>,
    sum: f64,
    is_full: bool,
}

/// Runs an episode of up to `steps` steps from a state. `act` gives the action for an observation, and is told the step;
/// `Err` where it has none.
fn episode<A: AsRef<[f32]>, E>(
    environment: &mut dyn Environment,
    state: &[f64],
    steps: usize,
    mut act: impl FnMut(usize, &[f32]) -> Result<A, E>,
) -> Result<Episode, E> {
    let mut observation = vec![0.0; environment.spec().observation_size()];
    environment.restore(state, &mut observation);
    let mut episode = Episode { is_full: true, ..Episode::default() };
    for step in 0..steps {
        let action = act(step, &observation)?;
        let action = action.as_ref();
        episode.words.extend(observation.iter().chain(action).map(|x| x.to_bits()));
        let outcome = environment.step(action, &mut observation);
        episode.sum += outcome.reward;
        if outcome.terminated {
            episode.is_full = false;
            break;
        }
    }
    Ok(episode)
}

/// One side of the comparison.
struct Side {
    returns: Vec<f64>,
    full: usize,
    digest: Digest<'static, u32>,
}

impl Side {
    fn new() -> Self {
        Side { returns: Vec::new(), full: 0, digest: CRC.digest() }
    }

    fn push(&mut self, episode: &Episode) {
        self.returns.push(episode.sum);
        self.full += usize::from(episode.is_full);
        episode.words.iter().for_each(|word| self.digest.update(&word.to_le_bytes()));
    }
}

/// Runs both episodes from each start, of up to `steps` steps each; `progress` is told of each finished step and, with its
/// return, of each finished episode of the board.
///
/// The session must have begun, and the board's policy been [checked](check); it is for this environment.
pub fn run(
    client: &mut Client,
    cost_unit: Cost,
    policy: &AnyPolicy<'_>,
    environment: &mut dyn Environment,
    starts: &[Vec<f64>],
    steps: usize,
    progress: &mut dyn crate::run::Progress,
) -> Findings {
    let size = policy.action_size();
    let (mut board, mut host) = (Side::new(), Side::new());
    let (mut equal, mut first_difference, mut stop) = (0, None, None);
    let (mut time, mut done) = (Duration::ZERO, 0_usize);
    let (mut count, mut sum, mut max) = (0_u64, 0_u64, 0);
    let mut ranges = Watch::new(policy);
    for (start, state) in starts.iter().enumerate() {
        let begun = Instant::now();
        let there = episode(environment, state, steps, |step, observation| {
            ranges.see(observation);
            let (action, cost) =
                client.act(observation, size).map_err(|error| Stop::board(start, step, error))?;
            (count, sum, max) = (count + 1, sum + u64::from(cost), max.max(cost));
            done += 1;
            progress.step(done);
            Ok(action)
        });
        time += begun.elapsed();
        let here = episode(environment, state, steps, |step, observation| {
            policy.act(observation).map_err(|error| Stop::host(start, step, error))
        });
        let (there, here) = match (there, here) {
            (Ok(there), Ok(here)) => (there, here),
            (Err(error), _) | (_, Err(error)) => {
                stop = Some(error);
                break;
            }
        };
        progress.episode(there.sum);
        let row = environment.spec().observation_size() + size;
        let difference = difference(start, row, size, &there.words, &here.words);
        equal += usize::from(difference.is_none());
        first_difference = first_difference.or(difference);
        board.push(&there);
        host.push(&here);
    }
    let cost =
        (count > 0).then(|| CostOfAction { unit: cost_unit, mean: sum as f64 / count as f64, max });
    Findings {
        board: Evaluation::new(board.returns, board.full),
        host: Evaluation::new(host.returns, host.full),
        equal,
        board_hash: board.digest.finalize(),
        host_hash: host.digest.finalize(),
        first_difference,
        time,
        round_trips: client.round_trips().clone(),
        cost,
        counters: client.counters(),
        ranges,
        stop,
    }
}

/// The first of the words that differ, in rows of `row` of which the last `size` are the action. Episodes that are equal as
/// far as both go have the same length, as the same state ends them.
fn difference(
    start: usize,
    row: usize,
    size: usize,
    board: &[u32],
    host: &[u32],
) -> Option<Difference> {
    let index = board.iter().zip(host).position(|(board, host)| board != host)?;
    let (step, entry) = (index / row, index % row);
    let (part, entry) = match entry.checked_sub(row - size) {
        Some(entry) => ("action", entry),
        None => ("observation", entry),
    };
    let [board, host] = [board, host].map(|words| words.get(index).copied().unwrap_or_default());
    Some(Difference { start, step, part, entry, board, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        // Two entries of an observation and one of an action.
        let (board, mut host) = ([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(difference(4, 3, 1, &board, &host), None);
        host[5] = 60;
        host[7] = 80;
        let found = Difference { start: 4, step: 1, part: "action", entry: 0, board: 6, host: 60 };
        assert_eq!(difference(4, 3, 1, &board, &host), Some(found));
        host[4] = 50;
        let found = difference(4, 3, 1, &board, &host).unwrap();
        assert_eq!((found.step, found.part, found.entry), (1, "observation", 1));
    }
}
