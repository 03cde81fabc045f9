//! What a page and its session tell each other: JSON, one value in each message of the WebSocket.

use serde::{Deserialize, Serialize};

use crate::control::Rest;
use crate::envs::Goal;

/// What the page asks for. Numbers beyond their ranges become the ranges' ends.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Change a quantity of the machine.
    Set {
        /// Its name.
        name: String,
        /// Its value, in its unit.
        value: f64,
    },
    /// Let actions arrive so much later, in ms.
    Latency {
        /// Milliseconds.
        value: f64,
    },
    /// Let sensors be so noisy, in % of [`Entry::noise_scale`].
    Noise {
        /// Percent: the standard deviation.
        value: f64,
    },
    /// Run so many times as fast as real time.
    Speed {
        /// The factor.
        value: f64,
    },
    /// Let time go on, or stop it.
    Run {
        /// Does it go on?
        value: bool,
    },
    /// Where time stands still: one period.
    Step,
    /// Begin anew.
    Reset {
        /// Where.
        to: Place,
    },
    /// Strike the free end, in N·s, towards larger angles.
    Strike {
        /// The impulse.
        value: f64,
    },
    /// A hand holds a grip, and carries it to a position in the grip's unit.
    Hold {
        /// Its index.
        grip: usize,
        /// Where to.
        position: f64,
    },
    /// The hand lets go.
    Release,
}

/// Where to begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Where episodes of training begin.
    Random,
    /// Where gravity brings the machine.
    Rest,
}

/// What a session says first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hello {
    /// `hello`
    pub kind: &'static str,
    /// The environment's name.
    pub plant: &'static str,
    /// What runs, in a few words.
    pub policy: String,
    /// Was the policy trained on a machine with other settings?
    pub other_machine: bool,
    /// Time between two actions, in s.
    pub period: f64,
    /// The entries of an observation, as the policy's contract names them.
    pub observation: Vec<Entry>,
    /// The entries of an action.
    pub action: Vec<Entry>,
    /// Why there is no value; `null` where there is one.
    pub no_value: Option<String>,
    /// What can be changed about the machine.
    pub parameters: Vec<Slider>,
    /// In ms.
    pub latency: Slider,
    /// In %.
    pub noise: Slider,
    /// Times real time.
    pub speed: Slider,
    /// Where the machine can be held, with the entry of the state that is the position.
    pub grips: Vec<(&'static str, usize)>,
    /// What the policy is for; `null` where nothing is known of that.
    pub goal: Option<Aim>,
}

/// What a policy is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aim {
    /// What the machine is at its goal, such as `upright`.
    pub name: &'static str,
    /// Unit of how far it is from that.
    pub unit: &'static str,
    /// Up to this far away it is there.
    pub within: f64,
}

impl Aim {
    pub(super) fn of(goal: &Goal) -> Aim {
        Aim { name: goal.name, unit: goal.unit, within: goal.within }
    }
}

/// An entry of an observation or an action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Its least value; `null` where it has no bound.
    pub low: f32,
    /// Its largest value.
    pub high: f32,
    /// Half of its range, or one unit where it has no bounds: 100 % of the noise slider.
    pub noise_scale: f32,
}

/// A number to change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slider {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is at first.
    pub value: f64,
    /// Its least value.
    pub low: f64,
    /// Its largest value.
    pub high: f64,
}

/// How the machine is, in each period. What is not finite is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    /// `frame`
    pub kind: &'static str,
    /// Simulated time, in s.
    pub time: f64,
    /// Goes up where the machine jumps: it began anew.
    pub episode: u64,
    /// The machine's state, without noise.
    pub state: Vec<f64>,
    /// How far it is from its goal, in the goal's unit; `null` where nothing is known of that.
    pub error: Option<f64>,
    /// For how long it has been at its goal, in s.
    pub at_goal: f64,
    /// What it did in the last two seconds; `null` where it was not near its goal all the time, or a hand held or struck it.
    pub rest: Option<Rest>,
    /// What the policy sees, noise included.
    pub observation: Vec<f32>,
    /// What it answers.
    pub action: Vec<f32>,
    /// What acts on the machine from now on: older by the latency.
    pub applied: Vec<f32>,
    /// What the critics expect from here.
    pub value: Option<f32>,
    /// Why the policy gave no action.
    pub fault: Option<String>,
    /// Time until the machine begins anew, in s, where it fell.
    pub fallen: Option<f64>,
    /// The grip that a hand holds.
    pub held: Option<usize>,
    /// Does time go on?
    pub running: bool,
    /// Latency in ms, noise in %, speed, as they are.
    pub latency: f64,
    /// The same.
    pub noise: f64,
    /// The same.
    pub speed: f64,
    /// The machine's quantities, in the order of [`Hello::parameters`].
    pub parameters: Vec<f64>,
}

/// A page's message, if it is one.
pub fn command(text: &str) -> Option<Command> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        for (text, read) in [
            (r#"{"do":"latency","value":40}"#, Command::Latency { value: 40.0 }),
            (r#"{"do":"reset","to":"rest"}"#, Command::Reset { to: Place::Rest }),
            (r#"{"do":"step"}"#, Command::Step),
            (r#"{"do":"hold","grip":0,"position":3.1}"#, Command::Hold { grip: 0, position: 3.1 }),
        ] {
            assert_eq!(command(text), Some(read), "{text}");
        }
    }

    #[test]
    fn what_is_no_command_is_none() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "{\"do\":\"fly\"}",
            "{\"do\":\"latency\"}",
            "{\"do\":\"latency\",\"value\":\"far\"}",
            "{\"do\":\"latency\",\"value\":1e999}",
            "{\"do\":\"hold\",\"grip\":-1,\"position\":0}",
            "{\"do\":\"hold\",\"grip\":0.5,\"position\":0}",
            "{\"do\":\"reset\",\"to\":\"moon\"}",
            "{\"do\":\"step\"",
            "\u{0}",
        ] {
            assert_eq!(command(text), None, "{text}");
        }
    }
}
