//! modurl's pendulum with a time limit and with the actions of the other programs, and the
//! evaluation of a policy.

use std::f64::consts::{PI, TAU};

use candle_core::{Device, Result as CandleResult, Tensor};
use modurl::gym::{Gym, ResetInfo, StepInfo};
use modurl::spaces::{BoxSpace, Discrete, Space};
use modurl::wrappers::time_limit::TimeLimitGym;
use modurl_gym::EnvironmentError;
use modurl_gym::classic_control::pendulum::PendulumV1;

/// How many torques DQN chooses from.
pub const TORQUES: usize = 5;
/// Steps of an episode.
const HORIZON: usize = 200;

/// Torque of a discrete action, in N·m: −2, −1, 0, 1 or 2.
pub fn torque(index: usize) -> f32 {
    index as f32 - (TORQUES / 2) as f32
}

/// The pendulum with actions within ±1 (of ±2 N·m), or with a few torques.
pub struct SwingUp {
    pendulum: TimeLimitGym<PendulumV1>,
    discrete: bool,
}

impl SwingUp {
    pub fn continuous() -> Result<Self, EnvironmentError> {
        Self::new(false)
    }

    pub fn discrete() -> Result<Self, EnvironmentError> {
        Self::new(true)
    }

    fn new(discrete: bool) -> Result<Self, EnvironmentError> {
        let pendulum = TimeLimitGym::new(PendulumV1::builder().build()?, HORIZON as u32);
        Ok(SwingUp { pendulum, discrete })
    }
}

impl Gym for SwingUp {
    type Error = EnvironmentError;
    type SpaceError = candle_core::Error;

    fn step(&mut self, action: Tensor) -> Result<StepInfo, Self::Error> {
        let action = match self.discrete {
            true => Tensor::new(&[torque(action.to_scalar::<u32>()? as usize)], &Device::Cpu)?,
            false => (action * 2.0)?,
        };
        self.pendulum.step(action)
    }

    fn reset(&mut self) -> Result<ResetInfo, Self::Error> {
        self.pendulum.reset()
    }

    fn observation_space(&self) -> Box<dyn Space<Error = Self::SpaceError>> {
        self.pendulum.observation_space()
    }

    fn action_space(&self) -> Box<dyn Space<Error = Self::SpaceError>> {
        match self.discrete {
            true => Box::new(Discrete::new(TORQUES)),
            false => {
                Box::new(BoxSpace::new_with_universal_bounds(vec![1], -1.0, 1.0, &Device::Cpu))
            }
        }
    }
}

/// Mean return over the starts (θ, θ̇), all at once. `policy` gives a torque in N·m for each row
/// (cos θ, sin θ, θ̇). modurl's pendulum cannot be started from a given state, so that its equations
/// stand here again.
pub fn mean_return(
    starts: &[[f64; 2]],
    policy: impl Fn(&Tensor) -> CandleResult<Vec<f32>>,
) -> CandleResult<f64> {
    let mut states = starts.to_vec();
    let mut sum = 0.0;
    for _ in 0..HORIZON {
        let observe =
            |&[angle, speed]: &[f64; 2]| [angle.cos() as f32, angle.sin() as f32, speed as f32];
        let observations: Vec<f32> = states.iter().flat_map(observe).collect();
        let torques = policy(&Tensor::from_vec(observations, (states.len(), 3), &Device::Cpu)?)?;
        for ([angle, speed], torque) in states.iter_mut().zip(torques) {
            let torque = f64::from(torque.clamp(-2.0, 2.0));
            let wrapped = (*angle + PI).rem_euclid(TAU) - PI;
            sum -= wrapped * wrapped + 0.1 * *speed * *speed + 0.001 * torque * torque;
            *speed = (*speed + (15.0 * angle.sin() + 3.0 * torque) * 0.05).clamp(-8.0, 8.0);
            *angle += *speed * 0.05;
        }
    }
    Ok(sum / starts.len() as f64)
}
