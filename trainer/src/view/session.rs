//! One page's simulation.

use std::fmt;

use policy_core::format::Channel;
use policy_core::gaussian::fill_normal;

use super::Value;
use super::delay::DelayLine;
use super::protocol::{Aim, Command, Entry, Frame, Hello, Place, Slider};
use crate::control::Recent;
use crate::envs::Goal;
use crate::eval::{EvalError, check_shape};
use crate::interface::{Environment, Grip, Parameter, within};
use crate::policy::AnyPolicy;
use crate::rng::{Rng, Stream, stream_of};

/// The longest latency, in ms.
const MAX_LATENCY: f64 = 200.0;
/// The most noise, in %.
const MAX_NOISE: f64 = 30.0;
/// Slower and faster than real time.
const SPEEDS: [f64; 2] = [0.25, 2.0];
/// The hardest strike, in N·s.
const MAX_STRIKE: f64 = 10.0;
/// How long a machine that fell lies, in s.
const PAUSE: f64 = 1.5;

/// A machine, its policy, and what lies between them: noise before the policy, latency behind it.
pub struct Session<'a> {
    policy: AnyPolicy<'a>,
    machine: Box<dyn Environment>,
    value: Option<Value>,
    starts: Rng,
    sensors: Rng,
    delay: DelayLine,
    /// What the actuator does when nobody asks: 0, or the end of its range next to it.
    idle: Vec<f32>,
    /// Noise of each entry of an observation at 100 %.
    noise_scales: Vec<f32>,
    latency: f64,
    noise: f64,
    speed: f64,
    running: bool,
    /// The grip that a hand holds, and where the hand is.
    hand: Option<(usize, f64)>,
    time: f64,
    episode: u64,
    /// For how long the machine has been at its goal, in s.
    at_goal: f64,
    /// Its last two seconds, with the policy's actions; `None` where nothing is known of its goal.
    recent: Option<Recent>,
    /// Time left until a machine that fell begins anew, in s.
    fallen: Option<f64>,
    /// As the sensors would have it without noise.
    observation: Vec<f32>,
    seen: Vec<f32>,
    action: Vec<f32>,
    expected: Option<f32>,
    fault: Option<String>,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut session = f.debug_struct("Session");
        session.field("time", &self.time).field("state", &self.machine.save());
        session.finish_non_exhaustive()
    }
}

impl<'a> Session<'a> {
    /// A machine that begins where training's episodes do; `index` tells the sessions of a server apart, each of which has
    /// streams of random numbers of its own.
    ///
    /// # Errors
    ///
    /// If the policy is for another machine.
    pub fn new(
        policy: AnyPolicy<'a>,
        machine: Box<dyn Environment>,
        value: Option<Value>,
        index: usize,
    ) -> Result<Self, EvalError> {
        let spec = machine.spec();
        check_shape(&policy, spec)?;
        let idle: Vec<f32> = spec.action.iter().map(|a| 0_f32.clamp(a.low, a.high)).collect();
        let noise_scales: Vec<f32> = spec.observation.iter().map(noise_scale).collect();
        let zeros = vec![0.0; spec.observation_size()];
        let recent = Recent::new(spec);
        let mut session = Session {
            policy,
            value,
            starts: stream_of(0, Stream::Environment, index),
            sensors: stream_of(0, Stream::Sensors, index),
            delay: DelayLine::new(MAX_LATENCY / 1000.0 / spec.period, &idle),
            machine,
            action: idle.clone(),
            idle,
            noise_scales,
            latency: 0.0,
            noise: 0.0,
            speed: 1.0,
            running: true,
            hand: None,
            time: 0.0,
            episode: 0,
            at_goal: 0.0,
            recent,
            fallen: None,
            observation: zeros.clone(),
            seen: zeros,
            expected: None,
            fault: None,
        };
        session.reset(Place::Random);
        Ok(session)
    }

    /// What the page needs to know first; `policy` says in a few words what runs, `no_value` why there is no value.
    pub fn hello(
        &mut self,
        policy: String,
        other_machine: bool,
        no_value: Option<String>,
    ) -> Hello {
        let slider =
            |name, unit, value, [low, high]: [f64; 2]| Slider { name, unit, value, low, high };
        let parameters = self.parameters().into_iter();
        let parameters =
            parameters.map(|p| slider(p.name, p.unit, p.value, [p.low, p.high])).collect();
        let grips = self.grips().iter().map(|grip| (grip.name, grip.entry)).collect();
        let spec = self.machine.spec();
        let contract = self.policy.contract();
        let (observation, action) = match &contract {
            Ok(contract) => (contract.observation().collect(), contract.action().collect()),
            Err(_) => (spec.observation.clone(), spec.action.clone()),
        };
        Hello {
            kind: "hello",
            plant: spec.name,
            policy,
            other_machine,
            period: spec.period,
            observation: observation.iter().map(entry).collect(),
            action: action.iter().map(entry).collect(),
            no_value,
            parameters,
            latency: slider("latency", "ms", self.latency, [0.0, MAX_LATENCY]),
            noise: slider("sensor noise", "%", self.noise, [0.0, MAX_NOISE]),
            speed: slider("speed", "×", self.speed, SPEEDS),
            grips,
            goal: self.recent.as_ref().map(|recent| Aim::of(recent.goal())),
        }
    }

    /// Does time go on?
    pub fn running(&self) -> bool {
        self.running
    }

    /// How long a period takes here, in s.
    pub fn pace(&self) -> f64 {
        self.machine.spec().period / self.speed
    }

    /// Does what the page asks for, as far as the machine can.
    pub fn obey(&mut self, command: &Command) {
        let put = |place: &mut f64, value: f64, [low, high]: [f64; 2]| {
            *place = within(value, low, high).unwrap_or(*place);
        };
        match command {
            Command::Set { name, value } => {
                if let Some(machine) = self.machine.by_hand() {
                    machine.set_parameter(name, *value);
                }
            }
            Command::Latency { value } => put(&mut self.latency, *value, [0.0, MAX_LATENCY]),
            Command::Noise { value } => put(&mut self.noise, *value, [0.0, MAX_NOISE]),
            Command::Speed { value } => put(&mut self.speed, *value, SPEEDS),
            Command::Run { value } => self.running = *value,
            Command::Step if !self.running => self.advance(),
            Command::Step => {}
            Command::Reset { to } => self.reset(*to),
            Command::Strike { value } => {
                let impulse = within(*value, -MAX_STRIKE, MAX_STRIKE);
                if let (Some(machine), Some(impulse)) = (self.machine.by_hand(), impulse) {
                    machine.strike(impulse);
                    self.recent.iter_mut().for_each(Recent::clear);
                }
            }
            Command::Hold { grip, position } => {
                if self.grips().get(*grip).is_some() && position.is_finite() {
                    self.hand = Some((*grip, *position));
                    self.fallen = None;
                }
            }
            Command::Release => self.hand = None,
        }
    }

    /// One period: the machine moves, then the policy sees where it has come to and answers.
    pub fn advance(&mut self) {
        let period = self.machine.spec().period;
        let hand = self.hand.zip(self.machine.by_hand());
        let terminated = match hand {
            // A hand can hold what would have fallen.
            Some(((grip, target), machine)) => {
                machine.carry(grip, target, &mut self.observation);
                false
            }
            None => {
                let applied = self.applied();
                self.machine.step(&applied, &mut self.observation).terminated
            }
        };
        self.time += period;
        // Thrown hard enough, a pole that was made light or short is beyond what its equations can follow.
        if self.machine.save().iter().any(|x| !x.is_finite()) {
            return self.reset(Place::Random);
        }
        let goal = self.recent.as_ref().map(|recent| *recent.goal());
        let is_there = goal.is_some_and(|goal| self.error(&goal).abs() <= goal.within);
        self.at_goal = if is_there { self.at_goal + period } else { 0.0 };
        match self.fallen {
            Some(left) if left <= period => return self.reset(Place::Random),
            Some(left) => self.fallen = Some(left - period),
            None if terminated => self.fallen = Some(PAUSE),
            None => {}
        }
        self.act();
        if let Some(recent) = &mut self.recent {
            // What a hand does is none of the policy's doing.
            match self.hand {
                Some(_) => recent.clear(),
                None => recent.see(&self.machine.save(), &self.action),
            }
        }
    }

    /// How far the machine is from its goal.
    fn error(&self, goal: &Goal) -> f64 {
        goal.error(&self.machine.save())
    }

    /// How the machine is.
    pub fn frame(&mut self) -> Frame {
        let parameters = self.parameters().iter().map(|parameter| parameter.value).collect();
        let goal = self.recent.as_ref().map(|recent| *recent.goal());
        Frame {
            kind: "frame",
            time: self.time,
            episode: self.episode,
            state: self.machine.save(),
            error: goal.map(|goal| self.error(&goal)),
            at_goal: self.at_goal,
            rest: self.recent.as_mut().and_then(Recent::rest),
            observation: self.seen.clone(),
            action: self.action.clone(),
            applied: self.applied(),
            value: self.expected,
            fault: self.fault.clone(),
            fallen: self.fallen,
            held: self.hand.map(|(grip, _)| grip),
            running: self.running,
            latency: self.latency,
            noise: self.noise,
            speed: self.speed,
            parameters,
        }
    }

    fn reset(&mut self, to: Place) {
        let rest = self.machine.by_hand().map(|machine| machine.rest());
        match rest.filter(|_| to == Place::Rest) {
            Some(rest) => self.machine.restore(&rest, &mut self.observation),
            None => self.machine.reset(&mut self.starts, &mut self.observation),
        }
        (self.hand, self.fallen, self.at_goal) = (None, None, 0.0);
        self.recent.iter_mut().for_each(Recent::clear);
        self.episode += 1;
        self.delay.clear(&self.idle);
        self.act();
    }

    /// s̃ᵢ = sᵢ + σᵢ z,  a = π(s̃),  with z standard normal and σᵢ the slider's share of the entry's scale.
    ///
    /// Where the policy refuses the observation, too, the actuator idles.
    fn act(&mut self) {
        self.seen.copy_from_slice(&self.observation);
        if self.noise > 0.0 {
            let mut noise = vec![0.0; self.seen.len()];
            fill_normal(&mut self.sensors, &mut noise);
            let share = (self.noise / 100.0) as f32;
            for ((seen, z), scale) in self.seen.iter_mut().zip(noise).zip(&self.noise_scales) {
                *seen += share * scale * z;
            }
        }
        self.fault = None;
        self.action.copy_from_slice(&self.idle);
        if !self.idles() {
            match self.policy.act(&self.seen) {
                Ok(action) => self.action.copy_from_slice(&action),
                Err(error) => self.fault = Some(error.to_string()),
            }
        }
        self.delay.push(&self.action);
        self.expected = self.value.as_mut().map(|value| value(&self.seen));
    }

    /// Where the machine has fallen, or a hand has it beyond what the policy was trained for, nobody acts; what is beyond by
    /// noise alone does not count.
    fn idles(&self) -> bool {
        let entries = self.machine.spec().observation.iter().zip(&self.observation);
        let beyond = |(entry, x): (&Channel<'_>, &f32)| !(entry.low..=entry.high).contains(x);
        self.fallen.is_some() || entries.into_iter().any(beyond)
    }

    /// In a hand the motor rests: a policy that holds the pole upright would drive the cart away from it.
    fn applied(&self) -> Vec<f32> {
        if self.hand.is_some() || self.idles() {
            return self.idle.clone();
        }
        self.delay.applied(self.latency / 1000.0 / self.machine.spec().period)
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        self.machine.by_hand().map(|machine| machine.parameters()).unwrap_or_default()
    }

    fn grips(&mut self) -> &'static [Grip] {
        self.machine.by_hand().map_or(&[], |machine| machine.grips())
    }
}

/// What 100 % of noise is for an entry: half of its range; or one unit, where it has no bounds.
fn noise_scale(entry: &Channel<'_>) -> f32 {
    let half = 0.5 * (entry.high - entry.low);
    if half.is_finite() { half } else { 1.0 }
}

fn entry(channel: &Channel<'_>) -> Entry {
    Entry {
        name: channel.name.into(),
        unit: channel.unit.into(),
        low: channel.low,
        high: channel.high,
        noise_scale: noise_scale(channel),
    }
}

#[cfg(test)]
mod tests;
