//! `trainer quantize`.

use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::{Args, ValueHint};
use policy_core::WeightKind;
use serde::Serialize;

use super::eval::{described, starts};
use super::numbers::{OneOf, number};
use super::output::{self, Outputs};
use super::progress::Wait;
use super::{Failure, json, policy_file};
use crate::config::environment;
use crate::envs;
use crate::eval::EvalError;
use crate::export::Blob;
use crate::policy::AnyPolicy;
use crate::quantise::{Bits, Comparison, QuantiseError, Reference, Watch, calibrate, quantise};
use crate::recording;
use crate::run::{RunError, Target, folder, place, remove, write_whole};
use crate::statistics::counted;
use crate::text::{self, Shown};

/// Percent that a policy may lose where nothing else is said.
pub(super) const MAX_LOSS: f64 = 1.0;
/// Where the new policy cannot be written.
const HINT: &str = "choose another file with --out";
/// Of the observations of the recording.
const SEED: u64 = 1;

/// Give a policy integer weights, for processors without an FPU
///
/// Its returns from the environment's starts are compared with those of the policy that it is made from; a loss is the mean
/// difference in percent of the mean return (a point estimate: the end of its interval is printed, too).
#[derive(Debug, Args)]
#[command(
    visible_alias = "quantise",
    after_help = "Example: trainer quantize runs/sac/policy.bin --max-loss 0.5"
)]
pub(super) struct Quantize {
    /// A policy.bin with f32 weights
    #[arg(value_hint = ValueHint::FilePath)]
    policy: PathBuf,
    /// Bits of a weight; 13 and 16 are stored in two bytes [default: the fewest whose loss is below
    /// --max-loss]
    #[arg(long, value_name = "BITS", value_parser = bits())]
    bits: Option<Bits>,
    /// The most that the mean return may lose, in percent of it [default: 1, and no limit with --bits]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    #[arg(value_parser = number)]
    max_loss: Option<f64>,
    /// The new policy, in another directory than the old one: beside it lies its recording.bin
    /// [default: int8/policy.bin or int16/policy.bin beside the old one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// A JSON array of initial states to compare from, as `trainer eval` takes it
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
    starts: Option<PathBuf>,
    /// A setting of the environment, such as reset_noise_scale=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

fn bits() -> impl TypedValueParser<Value = Bits> {
    OneOf(&["8", "13", "16"]).map(|given| match given.as_str() {
        "8" => Bits::Eight,
        "13" => Bits::Thirteen,
        _ => Bits::Sixteen,
    })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    /// The environment's settings.
    environment: toml::Table,
    starts: usize,
    /// Of the f32 policy.
    mean: f64,
    bytes: usize,
    /// What was tried.
    tried: Vec<Tried>,
    max_loss_percent: Option<f64>,
    chosen_bits: u8,
    #[serde(serialize_with = "text::path")]
    file: PathBuf,
    #[serde(serialize_with = "text::optional_path")]
    recording: Option<PathBuf>,
}

#[derive(Serialize)]
struct Tried {
    bits: u8,
    weights: WeightKind,
    bytes: usize,
    #[serde(flatten)]
    comparison: Comparison,
}

impl Quantize {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        if let Some(given) = self.max_loss.filter(|given| !(0.0..=100.0).contains(given)) {
            let text = format!("--max-loss must be from 0 to 100, not {given}");
            return Err(Failure::Usage(text));
        }
        let blob = policy_file::read(&self.policy)?;
        let policy = policy_file::policy(&self.policy, &blob)?;
        let refused =
            |error: QuantiseError| Failure::Failed(format!("{}: {error}", self.policy.shown()));
        if policy.kind() != WeightKind::F32 {
            return Err(refused(QuantiseError::NotF32 { found: policy.kind() }));
        }
        self.out.iter().try_for_each(|file| self.check_named(file))?;
        let table = environment(policy_file::plant(&self.policy, &policy)?, &self.assignments)?;
        policy_file::warn_of_settings(&self.policy, &policy, &table)?;
        let mut machine = envs::make(&table)?;
        let starts = starts(self.starts.as_deref(), &table, machine.spec())?;
        let failed = |error: EvalError| Failure::Failed(error.to_string());
        let wait =
            Wait::spinner(format!("evaluating over {}", counted(starts.states.len(), "start")));
        let reference = Reference::new(&policy, &mut *machine, &starts).map_err(failed)?;
        let calibration = calibrate(&policy, &mut *machine).map_err(refused)?;

        let limit = self.max_loss.or(self.bits.is_none().then_some(MAX_LOSS));
        let (mut tried, mut chosen, mut ranges) = (Vec::new(), None, None);
        for bits in self.bits.map_or(Bits::ALL.to_vec(), |bits| vec![bits]) {
            wait.say(format!("quantizing to {} bits and comparing", bits.number()));
            let blob = quantise(&policy, &calibration, bits).map_err(refused)?;
            let new = policy_file::policy(&self.policy, &blob)?;
            let watch = ranges.insert(Watch::new(&new));
            let comparison = reference.compare(&new, &mut *machine, &starts, |o| watch.see(o));
            let comparison = comparison.map_err(failed)?;
            let good = limit.is_none_or(|limit| comparison.loss_percent < limit);
            let (weights, bytes) = (new.kind(), blob.bytes().len());
            tried.push(Tried { bits: bits.number(), weights, bytes, comparison });
            if good {
                chosen = Some((bits, blob));
                break;
            }
        }
        drop(wait);
        if let Some(ranges) = ranges {
            policy_file::warn_of_ranges(&self.policy, &ranges);
        }
        let bytes = blob.bytes().len();
        let Some((bits, blob)) = chosen else { return Err(none_is_good(&tried, limit)) };
        let new = policy_file::policy(&self.policy, &blob)?;
        let file = self.place(new.kind());
        self.check(&file)?;
        let recording = write(&file, &blob, &new)?;
        let report = Report {
            schema: 1,
            environment: table,
            starts: starts.states.len(),
            mean: reference.evaluation.mean,
            bytes,
            tried,
            max_loss_percent: limit,
            chosen_bits: bits.number(),
            file,
            recording,
        };
        Ok(if as_json { json(&report) } else { report.to_text() })
    }

    /// An error where the policy or its recording must not be written.
    fn check(&self, file: &Path) -> Result<(), Failure> {
        let inputs: Vec<&Path> = [Some(&self.policy), self.starts.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        let outputs = Outputs { kind: output::Kind::Policy, inputs: &inputs, own: &[], hint: HINT };
        outputs.check_existing(file)?;
        outputs.check_existing(&file.with_file_name(place::RECORDING))
    }

    /// The same for the one that --out names. Its recording would take the place of the old policy's in the same directory.
    fn check_named(&self, file: &Path) -> Result<(), Failure> {
        let same = match (folder(file).canonicalize(), folder(&self.policy).canonicalize()) {
            (Ok(new), Ok(old)) => new == old,
            _ => false,
        };
        if same && !is_stream(file) {
            let text = format!(
                "--out {} is in the directory of the policy that it is made from, whose recording.bin would be replaced: \
                 choose another directory",
                file.shown()
            );
            return Err(Failure::Usage(text));
        }
        match file.file_name() {
            Some(name) if name != place::RECORDING && !file.is_dir() => self.check(file),
            _ => {
                let text =
                    format!("--out {} must name a file, such as DIR/policy.bin", file.shown());
                Err(Failure::Usage(text))
            }
        }
    }

    /// Where the new policy goes.
    fn place(&self, kind: WeightKind) -> PathBuf {
        let beside = || folder(&self.policy).join(kind.to_string()).join(place::POLICY);
        self.out.clone().unwrap_or_else(beside)
    }
}

/// A FIFO or a device, beside which there is no place for another file.
fn is_stream(file: &Path) -> bool {
    matches!(Target::of(file), Ok(Target::Stream))
}

fn none_is_good(tried: &[Tried], limit: Option<f64>) -> Failure {
    let best =
        tried.iter().min_by(|a, b| a.comparison.loss_percent.total_cmp(&b.comparison.loss_percent));
    let best = best.map_or(String::new(), |best| {
        let interval = best
            .comparison
            .loss_interval_percent
            .map_or(String::new(), |[low, high]| format!(" ({low:.3} to {high:.3} %)"));
        let loss = best.comparison.loss_percent;
        format!("the best loses {loss:.3} %, with {} bits{interval}", best.bits)
    });
    let limit = limit.unwrap_or_default();
    Failure::Failed(format!("no quantized policy loses less than {limit} % (--max-loss): {best}"))
}

/// Writes a policy and its recording, and gives where that is; a recording of before makes way first.
fn write(file: &Path, blob: &Blob, policy: &AnyPolicy<'_>) -> Result<Option<PathBuf>, Failure> {
    if is_stream(file) {
        write_whole(file, blob.bytes())?;
        return Ok(None);
    }
    let recording = file.with_file_name(place::RECORDING);
    std::fs::create_dir_all(folder(file))
        .map_err(|error| RunError::Write { path: folder(file).into(), error })?;
    remove(&recording)?;
    write_whole(file, blob.bytes())?;
    let observations = recording::observations(recording::ROWS, policy.observation_size(), SEED);
    let Some(bytes) = recording::record(policy, &observations) else { return Ok(None) };
    write_whole(&recording, &bytes)?;
    Ok(Some(recording))
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = format!(
            "{}: the f32 policy returns {:.3} over {}, in {} bytes\n\
             {:>4}  {:>10}  {:>26}  {:>9}  {:>20}  {:>5}\n",
            described(&self.environment),
            self.mean,
            counted(self.starts, "start"),
            self.bytes,
            "bits",
            "return",
            "difference (99 %)",
            "loss",
            "actions differ by",
            "bytes",
        );
        self.tried.iter().for_each(|tried| text += &tried.to_text());
        let chosen = self.tried.last().map(|tried| &tried.comparison);
        if let Some((limit, chosen)) = self.max_loss_percent.zip(chosen) {
            let end = chosen.largest_loss_percent;
            text += &format!(
                "{} bits: the loss of {:.3} % is a point estimate, below {limit} %{}\n",
                self.chosen_bits,
                chosen.loss_percent,
                end.map_or(String::new(), |end| format!("; its interval ends at {end:.3} %")),
            );
        }
        text += &format!("written to {}", self.file.shown());
        match &self.recording {
            Some(recording) => text + &format!(", its recording to {}\n", recording.shown()),
            None => text + "\n",
        }
    }
}

impl Tried {
    fn to_text(&self) -> String {
        let c = &self.comparison;
        let interval = c
            .difference_interval
            .map_or(String::new(), |[low, high]| format!(" ({low:+.3} to {high:+.3})"));
        let interval = format!("{:+.3}{interval}", c.difference);
        let mut text = format!(
            "{:>4}  {:>10.3}  {interval:>26}  {:>7.3} %  {:>20}  {:>5}\n",
            self.bits,
            c.mean,
            c.loss_percent,
            format!("{:.1e}, ≤ {:.1e}", c.mean_action_difference, c.largest_action_difference),
            self.bytes,
        );
        if let Some(same) = c.same_actions_percent {
            text += &format!("      the same action for {same:.2} % of the observations\n");
        }
        text
    }
}
