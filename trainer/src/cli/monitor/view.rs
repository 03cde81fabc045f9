//! How a controller is, as text and as JSON.

use std::fmt::Write;
use std::time::Duration;

use policy_core::action::MAX_ACTION_SIZE;
use policy_core::link::{Floats, MAX_OBSERVATION, Source, State, Telemetry};
use serde::Serialize;

use crate::envs;
use crate::interface::Channel;
use crate::link::Board;
use crate::quantise::Watch;

/// Columns of the names of lines on a page.
pub(super) const INDENT: usize = 13;

/// What is known about a board's machine: the environment with its default settings, or any of its kind, that has the
/// fingerprint which the board names; nothing for others.
#[derive(Debug, Default)]
pub(super) struct Machine {
    name: Option<&'static str>,
    observation: Vec<Channel>,
    action: Vec<Channel>,
}

impl Machine {
    pub(super) fn of(board: &Board) -> Self {
        for entry in envs::ALL {
            let Ok(table) = envs::defaults(entry.name) else { continue };
            if envs::fingerprint(&table).is_ok_and(|own| own == board.plant_fingerprint)
                && let Ok(environment) = envs::make(&table)
            {
                let spec = environment.spec();
                let (observation, action) = (spec.observation.clone(), spec.action.clone());
                return Machine { name: Some(entry.name), observation, action };
            }
        }
        Machine::default()
    }

    /// The angle of the pendulum, in °, 0 upright, by its observation (cos θ, sin θ, θ̇).
    fn angle(&self, observation: &[f32]) -> Option<f32> {
        match (self.name, observation) {
            (Some("pendulum"), [cosine, sine, _]) => Some(sine.atan2(*cosine).to_degrees()),
            _ => None,
        }
    }
}

/// What is shown; `--json` prints it, in a line of its own each time.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// Time since the first one, in s.
    time: f64,
    #[serde(skip)]
    board: &'a Board,
    #[serde(skip)]
    machine: &'a Machine,
    state: &'static str,
    /// Why the actuator is in its safe state.
    fault: Option<String>,
    /// Version of the update that runs; `null` where it is the firmware's own policy.
    policy_version: Option<u32>,
    trial_periods_left: u16,
    /// Why the policy that was on trial last was given up.
    fallback: Option<String>,
    observation: Vec<f32>,
    /// Of the pendulum, in °, 0 upright.
    #[serde(skip_serializing_if = "Option::is_none")]
    angle_degrees: Option<f32>,
    action: Vec<f32>,
    periods: u64,
    missed_periods: u32,
    jitter_microseconds: u32,
    worst_execution_microseconds: u32,
    faults: u32,
    damaged_frames: u32,
    /// Observations so far that left the ranges which the policy was quantised for.
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_ranges: Option<usize>,
    uptime_seconds: f64,
}

impl<'a> View<'a> {
    /// `None` where the numbers are more than a frame should have, or cut short.
    pub(super) fn new(
        board: &'a Board,
        machine: &'a Machine,
        telemetry: &Telemetry<'_>,
        time: Duration,
    ) -> Option<Self> {
        let numbers = |floats: Floats<'_>, most: usize| {
            let mut entries = [0.0; MAX_OBSERVATION];
            floats.read(entries.get_mut(..most)?).map(<[f32]>::to_vec)
        };
        let observation = numbers(telemetry.observation, MAX_OBSERVATION)?;
        let (state, fault) = match telemetry.state {
            State::Stopped => ("stopped", None),
            State::Running => ("running", None),
            State::Safe(fault) => ("safe", Some(fault.to_string())),
        };
        Some(View {
            time: time.as_secs_f64(),
            board,
            machine,
            state,
            fault,
            policy_version: match telemetry.policy {
                Source::Firmware => None,
                Source::Update { version } => Some(version),
            },
            trial_periods_left: telemetry.trial,
            fallback: telemetry.fallback.map(|fault| fault.to_string()),
            angle_degrees: machine.angle(&observation),
            observation,
            action: numbers(telemetry.action, MAX_ACTION_SIZE)?,
            periods: telemetry.periods,
            missed_periods: telemetry.missed,
            jitter_microseconds: telemetry.jitter,
            worst_execution_microseconds: telemetry.worst_execution,
            faults: telemetry.faults,
            damaged_frames: telemetry.damaged,
            outside_ranges: None,
            uptime_seconds: telemetry.uptime as f64 / 1e6,
        })
    }

    /// Compares the observation with the policy's ranges, if it acts on it; whether it is the first that leaves them.
    pub(super) fn watch(&mut self, ranges: &mut Watch) -> bool {
        let before = ranges.outside();
        if self.state == "running" {
            ranges.see(&self.observation);
        }
        self.outside_ranges = Some(ranges.outside());
        before == 0 && ranges.outside() > 0
    }

    fn state(&self) -> String {
        match &self.fault {
            Some(fault) => format!("{}: {fault}", self.state),
            None => self.state.into(),
        }
    }

    fn policy(&self) -> String {
        let mut text = match self.policy_version {
            None => "policy of the firmware".into(),
            Some(version) => format!("policy version {version}"),
        };
        if self.trial_periods_left > 0 {
            let _ = write!(text, ", on trial for {} more periods", self.trial_periods_left);
        }
        if let Some(fault) = &self.fallback {
            let _ = write!(text, ", as the one after it failed: {fault}");
        }
        text
    }

    fn observation(&self) -> String {
        let mut text = entries(&self.observation, &self.machine.observation, "no observation");
        if let Some(angle) = self.angle_degrees {
            let _ = write!(text, ", θ {angle:+.1}°");
        }
        text
    }

    fn action(&self) -> String {
        entries(&self.action, &self.machine.action, "no action")
    }

    fn timing(&self) -> String {
        format!(
            "{} periods, {} missed, jitter {} µs, worst execution {} µs",
            self.periods,
            self.missed_periods,
            self.jitter_microseconds,
            self.worst_execution_microseconds
        )
    }

    fn troubles(&self) -> String {
        let mut text = format!("{} faults, {} damaged frames", self.faults, self.damaged_frames);
        if let Some(count @ 1..) = self.outside_ranges {
            let _ = write!(text, ", {count} observations outside the policy's ranges");
        }
        text
    }

    /// All of it in a line.
    pub(super) fn line(&self) -> String {
        format!(
            "{:.2} s: {}; {}; {} -> {}; {}; {}; up {:.1} s",
            self.time,
            self.state(),
            self.policy(),
            self.observation(),
            self.action(),
            self.timing(),
            self.troubles(),
            self.uptime_seconds
        )
    }

    /// All of it in lines of a page; [`INDENT`] is where their values begin.
    pub(super) fn page(&self) -> String {
        let machine = self.machine.name.unwrap_or("an unknown machine");
        format!(
            "{}, {machine}, up {:.1} s\n\
             state        {}\n\
             policy       {}\n\
             observation  {}\n\
             action       {}\n\
             timing       {}\n\
             trouble      {}",
            self.board,
            self.uptime_seconds,
            self.state(),
            self.policy(),
            self.observation(),
            self.action(),
            self.timing(),
            self.troubles()
        )
    }
}

/// Numbers with the names and units of their entries, where these are known.
fn entries(numbers: &[f32], channels: &[Channel], none: &str) -> String {
    if numbers.is_empty() {
        return none.into();
    }
    let known = numbers.len() == channels.len();
    let entry = |(index, number): (usize, &f32)| match channels.get(index).filter(|_| known) {
        Some(channel) if channel.unit.is_empty() => format!("{} {number:+.4}", channel.name),
        Some(channel) => format!("{} {number:+.4} {}", channel.name, channel.unit),
        None => format!("{number:+.4}"),
    };
    numbers.iter().enumerate().map(entry).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::link::{Cost, Fault};

    fn board(plant_fingerprint: u32) -> Board {
        Board {
            name: "bench".into(),
            firmware: "1.2".into(),
            cost: Cost::Cycles,
            capacity: 0,
            policy: Source::Firmware,
            checksum: 0,
            plant_fingerprint,
            control_period: 0.05,
            observation_size: 3,
            action_size: 1,
            weights: 0,
            width: 64,
        }
    }

    fn telemetry<'a>(observation: &'a [f32], action: &'a [f32]) -> Telemetry<'a> {
        Telemetry {
            state: State::Running,
            policy: Source::Update { version: 4 },
            trial: 17,
            fallback: None,
            uptime: 12_500_000,
            periods: 250,
            missed: 1,
            jitter: 12,
            worst_execution: 340,
            faults: 2,
            damaged: 3,
            observation: Floats::new(observation),
            action: Floats::new(action),
        }
    }

    #[test]
    fn the_pendulum_has_names_units_and_an_angle() {
        let fingerprint = envs::fingerprint(&envs::defaults("pendulum").unwrap()).unwrap();
        let board = board(fingerprint);
        let machine = Machine::of(&board);
        let telemetry = telemetry(&[0.0, -1.0, 2.5], &[-0.5]);
        let view = View::new(&board, &machine, &telemetry, Duration::from_millis(100)).unwrap();
        assert_eq!(
            view.line(),
            "0.10 s: running; policy version 4, on trial for 17 more periods; \
             cos θ +0.0000, sin θ -1.0000, angular velocity +2.5000 rad/s, θ -90.0° -> torque -0.5000 N·m; \
             250 periods, 1 missed, jitter 12 µs, worst execution 340 µs; 2 faults, 3 damaged frames; up 12.5 s"
        );
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!((&json["angle_degrees"], &json["policy_version"]), (&(-90.0).into(), &4.into()));
        assert_eq!(view.page().lines().count(), 7);
    }

    /// Of `f32` nothing is outside; of integers the first observation that is, is told, while the machine runs.
    #[test]
    fn observations_are_compared_with_the_ranges_of_the_policy() {
        let sample = |bytes: &[u8]| crate::export::Blob::from_bytes(bytes);
        let f32 = sample(include_bytes!("../../../../firmware-example/sample/f32/policy.bin"));
        let int8 = sample(include_bytes!("../../../../firmware-example/sample/int8/policy.bin"));
        let board = board(1);
        let machine = Machine::of(&board);
        let seen = |blob: &crate::export::Blob, state, speeds: &[f32]| {
            let policy = crate::policy::AnyPolicy::from_bytes(blob.bytes()).unwrap();
            let mut ranges = Watch::new(&policy);
            let mut told = Vec::new();
            let mut last = String::new();
            for speed in speeds {
                let observation = [-1.0, 0.0, *speed];
                let mut telemetry = telemetry(&observation, &[0.0]);
                telemetry.state = state;
                let mut view = View::new(&board, &machine, &telemetry, Duration::ZERO).unwrap();
                told.push(view.watch(&mut ranges));
                let json = serde_json::to_value(&view).unwrap();
                assert_eq!(json["outside_ranges"], ranges.outside());
                last = view.line();
            }
            (told, last)
        };
        let (told, line) = seen(&int8, State::Running, &[8.0, -8.0, 8.1, 9.0]);
        assert_eq!(told, [false, false, true, false]);
        assert!(line.contains(", 2 observations outside the policy's ranges; up"), "{line}");
        let nothing = [(&f32, State::Running), (&int8, State::Stopped)];
        for (blob, state) in nothing {
            let (told, line) = seen(blob, state, &[8.0, 9.0]);
            assert_eq!(told, [false, false]);
            assert!(!line.contains("outside"), "{line}");
        }
    }

    #[test]
    fn an_unknown_machine_has_bare_numbers_and_a_fault_its_sentence() {
        let board = board(1);
        let machine = Machine::of(&board);
        let mut telemetry = telemetry(&[f32::NAN, -1.0, 2.5], &[]);
        telemetry.state = State::Safe(Fault::NotFinite { entry: 0 });
        telemetry.policy = Source::Firmware;
        telemetry.trial = 0;
        telemetry.fallback = Some(Fault::NoAction);
        let view = View::new(&board, &machine, &telemetry, Duration::ZERO).unwrap();
        let line = view.line();
        for words in [
            "safe: entry 0 of the observation is not finite;",
            "policy of the firmware, as the one after it failed: the policy has no finite action",
            "; NaN, -1.0000, +2.5000 -> no action;",
        ] {
            assert!(line.contains(words), "{line}");
        }
        let json = serde_json::to_string(&view).unwrap();
        assert!(json.contains("\"observation\":[null,-1.0,2.5]") && !json.contains("angle"));
    }
}
