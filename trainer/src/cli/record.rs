//! `trainer record`.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, ValueHint};
use serde::Serialize;

use super::numbers::{number, whole};
use super::output::{self, Outputs};
use super::progress::Wait;
use super::train::MAX_SEED;
use super::{Failure, json, policy_file};
use crate::config::environment;
use crate::envs;
use crate::eval::{EvalError, MAX_STATE, Starts};
use crate::interface::{Environment, Spec};
use crate::picture;
use crate::picture::film::{Film, Take, film};
use crate::rng::{Stream, stream};
use crate::run::place;
use crate::text::{self, Shown};

/// Of an episode, in s, where no --steps are given.
pub(super) const SECONDS: f64 = 10.0;
/// Steps of a film at most.
const MOST_STEPS: u64 = 100_000;

/// Where a film cannot be written.
const HINT: &str = "choose another file with --out";

/// Film an episode of a policy, as an animated GIF
///
/// The policy runs as on a board, through policy-core. Each frame shows the machine, the action that the policy takes there,
/// the time, and the return until then. It plays as fast as the machine runs, again and again. The same policy and start
/// give the same file.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples: trainer record runs/sac/policy.bin --state 3.14,0 --out swing-up.gif\n          \
                        trainer record runs/td3/policy.bin --seed 7 --steps 100"
)]
pub(super) struct Record {
    /// A policy.bin
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// Start in the environment's own start of this number, as `trainer eval` does, from 0 [default: 0]
    #[arg(long, value_name = "N", conflicts_with_all = ["state", "seed"], allow_negative_numbers = true)]
    #[arg(value_parser = whole::<usize>(0..=u32::MAX.into()))]
    start: Option<usize>,
    /// Start in this state: θ,θ̇ (rad, rad/s) for the pendulum and x,θ,ẋ,θ̇ (m, rad, m/s, rad/s) for the inverted one;
    /// 0 is upright
    #[arg(long, value_name = "STATE", conflicts_with = "seed", allow_hyphen_values = true)]
    state: Option<String>,
    /// Start in a state that is drawn as training draws its starts
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u64>(0..=MAX_SEED))]
    seed: Option<u64>,
    /// Steps at most [default: 10 s of them]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = whole::<u32>(1..=MOST_STEPS))]
    steps: Option<u32>,
    /// Frames each second at most, so that the file is smaller [default: one for each step]
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    #[arg(value_parser = number)]
    fps: Option<f64>,
    /// Width of the picture, in pixels
    #[arg(long, value_name = "PIXELS", default_value = "400", allow_negative_numbers = true)]
    #[arg(value_parser = widths())]
    size: u16,
    /// The film [default: episode.gif beside the policy]
    #[arg(long, value_name = "FILE.gif", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// A setting of the environment, such as reset_noise_scale=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

fn widths() -> impl TypedValueParser<Value = u16> {
    let (first, last) = (*picture::film::WIDTHS.start(), *picture::film::WIDTHS.end());
    whole(first.into()..=last.into())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(serialize_with = "text::path")]
    file: PathBuf,
    environment: toml::Table,
    /// Where it starts.
    state: Vec<f64>,
    steps: usize,
    /// Time of the episode, in s.
    seconds: f64,
    #[serde(rename = "return")]
    episode_return: f64,
    /// Whether it came to an end of its own.
    terminated: bool,
    frames: usize,
    width: u16,
    height: u16,
    bytes: usize,
}

impl Record {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let name = policy_file::plant(&self.policy, &policy)?;
        let scene = picture::find(name)?;
        let table = environment(name, &self.assignments)?;
        policy_file::warn_of_settings(&self.policy, &policy, &table)?;
        let mut machine = envs::make(&table)?;
        let period = machine.spec().period;
        let take = Take {
            state: self.first_state(&table, &mut *machine)?,
            steps: self.steps.map_or((SECONDS / period).round() as usize, |steps| steps as usize),
            stride: self.stride(period)?,
            width: self.size,
        };
        let file = self.out.clone().unwrap_or_else(|| self.policy.with_file_name(place::FILM));
        let outputs = Outputs {
            kind: output::Kind::Other,
            inputs: &[&self.policy],
            own: &[place::FILM],
            hint: HINT,
        };
        outputs.check(&file)?;
        let wait = Wait::bar("filming", take.steps, "steps");
        let film = film(&scene, &policy, &mut *machine, &take, &mut |step| wait.set(step));
        drop(wait);
        let failed = |error: EvalError| Failure::Failed(error.to_string());
        let Film { bytes, frames, size, steps, episode_return, terminated } =
            film.map_err(failed)?;
        outputs.write(&file, &bytes)?;
        let report = Report {
            schema: 1,
            file,
            environment: table,
            state: take.state,
            steps,
            seconds: steps as f64 * period,
            episode_return,
            terminated,
            frames,
            width: size.0,
            height: size.1,
            bytes: bytes.len(),
        };
        Ok(if as_json { json(&report) } else { report.to_text(name) })
    }

    fn first_state(
        &self,
        table: &toml::Table,
        machine: &mut dyn Environment,
    ) -> Result<Vec<f64>, Failure> {
        if let Some(text) = &self.state {
            return parse(text, machine.spec());
        }
        if let Some(seed) = self.seed {
            let mut observation = vec![0.0; machine.spec().observation_size()];
            machine.reset(&mut stream(seed, Stream::Environment), &mut observation);
            return Ok(machine.save());
        }
        let (mut starts, number) = (Starts::builtin(table)?.states, self.start.unwrap_or(0));
        if number >= starts.len() {
            let last = starts.len() - 1;
            let text = format!("--start {number}: the last one has the number {last}");
            return Err(Failure::Usage(text));
        }
        Ok(starts.swap_remove(number))
    }

    /// Steps from one frame to the next.
    fn stride(&self, period: f64) -> Result<usize, Failure> {
        let Some(rate) = self.fps else { return Ok(1) };
        if !(0.1..=1000.0).contains(&rate) {
            let text = format!("--fps must be from 0.1 to 1000 Hz, not {rate}");
            return Err(Failure::Usage(text));
        }
        // 20 Hz at 0.05 s is every step, whatever the last bit of the product is.
        Ok((1.0 / (rate * period) - 1e-9).ceil().max(1.0) as usize)
    }
}

/// The numbers of a state.
fn parse(text: &str, spec: &Spec) -> Result<Vec<f64>, Failure> {
    let number = |text: &str| number(text).ok().filter(|x| x.abs() <= MAX_STATE);
    let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
    numbers.filter(|numbers| numbers.len() == spec.state_size).ok_or_else(|| {
        let (name, size) = (spec.name, spec.state_size);
        Failure::Usage(format!(
            "--state must be {size} numbers up to ±{MAX_STATE} with commas between them, not `{text}`: a state of `{name}` has so many"
        ))
    })
}

impl Report {
    fn to_text(&self, name: &str) -> String {
        let Report { file, steps, seconds, episode_return, frames, width, height, bytes, .. } =
            self;
        let end = if self.terminated { ", until it failed" } else { "" };
        format!(
            "{}: {name}, {steps} steps in {seconds:.2} s{end}, return {episode_return:.2}; \
             {frames} frames of {width} × {height}, {bytes} bytes\n",
            file.shown()
        )
    }
}
