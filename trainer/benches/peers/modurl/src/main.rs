//! Trains modurl's SAC, TD3, DDPG or DQN on its pendulum, evaluates the greedy policy from given
//! starts, and prints one line of JSON.
//!
//! ```text
//! modurl-peer sac|td3|ddpg|dqn SEED STEPS STARTS       STARTS: a file of lines "angle speed"
//! ```
//!
//! Candle cannot seed its random numbers on a processor: SEED only names the run.

mod swing_up;

use std::error::Error;

use candle_core::{DType, Device, Module, Result as CandleResult, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use modurl::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use swing_up::{SwingUp, TORQUES, mean_return};

const WARMUP: usize = 100;
const BATCH: usize = 100;
const DEVICE: Device = Device::Cpu;
/// Of actions within ±1.
const EXPLORATION: f64 = 0.1;

/// Processor time of this process, in s.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// Counts updates.
#[derive(Default)]
struct Count(usize);

impl TD3Logger for Count {
    fn log(&mut self, _: &DeterministicActorCriticLogEntry) {
        self.0 += 1;
    }
}
impl DDPGLogger for Count {
    fn log(&mut self, _: &DeterministicActorCriticLogEntry) {
        self.0 += 1;
    }
}
impl SACLogger for Count {
    fn log_update(&mut self, _: &SACLogEntry) {
        self.0 += 1;
    }
    fn log_collection(&mut self, _: &SACCollectionLogEntry) {}
}
impl DQNLogger for Count {
    fn log(&mut self, _: &QLogEntry) {
        self.0 += 1;
    }
}

/// A network with two hidden layers of 64 whose parameters are in `vars`; built twice on the same
/// `vars`, it is the same network.
fn mlp(vars: &VarMap, inputs: usize, outputs: usize) -> CandleResult<MLP> {
    MLP::builder()
        .input_size(inputs)
        .output_size(outputs)
        .vb(VarBuilder::from_varmap(vars, DType::F32, &DEVICE))
        .hidden_layer_sizes(vec![64, 64])
        .build()
}

/// tanh of a network.
struct Squashed(MLP);

impl Module for Squashed {
    fn forward(&self, x: &Tensor) -> CandleResult<Tensor> {
        self.0.forward(x)?.tanh()
    }
}

/// (mean, log σ) with log σ limited; the distribution squashes.
struct Gaussian(MLP);

impl Module for Gaussian {
    fn forward(&self, x: &Tensor) -> CandleResult<Tensor> {
        let y = self.0.forward(x)?;
        Tensor::cat(&[y.narrow(1, 0, 1)?, y.narrow(1, 1, 1)?.clamp(-20.0, 2.0)?], 1)
    }
}

/// Adam: AdamW without decay.
fn adam(variables: Vec<Var>) -> CandleResult<AdamW> {
    AdamW::new(variables, ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() })
}

fn critic<'a>(
    online: &'a VarMap,
    target: &'a mut VarMap,
) -> Result<DeterministicCritic<'a, AdamW>, Box<dyn Error>> {
    let (online_network, target_network) = (mlp(online, 4, 1)?, mlp(target, 4, 1)?);
    Ok(DeterministicCritic::builder()
        .online_network(ScalarStateActionCritic::new(online_network))
        .target_network(ScalarStateActionCritic::new(target_network))
        .optimizer(adam(online.all_vars())?)
        .online_vars(online)
        .target_vars(target)
        .build()?)
}

fn storage() -> ReplayStorageConfig {
    ReplayStorageConfig::new(ReplayDeviceStrategy::OneDevice(DEVICE))
}

fn bounds() -> BoxSpace {
    BoxSpace::new_with_universal_bounds(vec![1], -1.0, 1.0, &DEVICE)
}

/// A trained network, how many updates made it, and in how much processor time.
struct Trained {
    vars: VarMap,
    updates: usize,
    seconds: f64,
}

/// TD3, or with `single` DDPG.
fn deterministic(steps: usize, single: bool) -> Result<Trained, Box<dyn Error>> {
    let (vars, mut target_vars) = (VarMap::new(), VarMap::new());
    let (online_1, mut target_1) = (VarMap::new(), VarMap::new());
    let (online_2, mut target_2) = (VarMap::new(), VarMap::new());
    let mut env = VectorizedGymWrapper::new(vec![SwingUp::continuous()?]);
    let mut count = Count::default();
    let (actor, target) = (Squashed(mlp(&vars, 3, 1)?), Squashed(mlp(&target_vars, 3, 1)?));
    let optimiser = adam(vars.all_vars())?;
    let first = critic(&online_1, &mut target_1)?;
    let seconds;
    if single {
        let mut agent = DDPGAgent::builder()
            .online_actor(actor)
            .target_actor(target)
            .online_actor_vars(&vars)
            .target_actor_vars(&mut target_vars)
            .actor_optimizer(optimiser)
            .critic(first)
            .action_space(bounds())
            .observation_space(env.observation_space())
            .replay_storage_config(storage())
            .logger(&mut count)
            .exploration_noise(EXPLORATION)
            .replay_capacity(steps)
            .batch_size(BATCH)
            .training_start(WARMUP)
            .training_horizon(steps)
            .build()?;
        let before = cpu_seconds();
        agent.learn(&mut env, steps)?;
        seconds = cpu_seconds() - before;
    } else {
        let second = critic(&online_2, &mut target_2)?;
        let mut agent = TD3Agent::builder()
            .online_actor(actor)
            .target_actor(target)
            .online_actor_vars(&vars)
            .target_actor_vars(&mut target_vars)
            .actor_optimizer(optimiser)
            .critics(vec![first, second])
            .action_space(bounds())
            .observation_space(env.observation_space())
            .replay_storage_config(storage())
            .logger(&mut count)
            .exploration_noise(EXPLORATION)
            .replay_capacity(steps)
            .batch_size(BATCH)
            .training_start(WARMUP)
            .training_horizon(steps)
            .build()?;
        let before = cpu_seconds();
        agent.learn(&mut env, steps)?;
        seconds = cpu_seconds() - before;
    }
    Ok(Trained { vars, updates: count.0, seconds })
}

fn sac(steps: usize) -> Result<Trained, Box<dyn Error>> {
    let vars = VarMap::new();
    let (online_1, mut target_1) = (VarMap::new(), VarMap::new());
    let (online_2, mut target_2) = (VarMap::new(), VarMap::new());
    let mut env = VectorizedGymWrapper::new(vec![SwingUp::continuous()?]);
    let mut count = Count::default();
    let network = Gaussian(mlp(&vars, 3, 2)?);
    let squashed = TransformedDistribution::new(GaussianDistribution::new(vec![1])?, TanhTransform);
    let log_alpha = Var::from_vec(vec![0.0_f32], (), &DEVICE)?;
    let alpha_optimiser = adam(vec![log_alpha.clone()])?;
    let seconds;
    {
        let mut agent = SACAgent::builder()
            .policy(ProbabilisticPolicyModel::with_distribution(network, squashed))
            .actor_optimizer(adam(vars.all_vars())?)
            .critics(vec![critic(&online_1, &mut target_1)?, critic(&online_2, &mut target_2)?])
            .entropy_configuration(SACEntropyConfiguration::automatic(log_alpha, alpha_optimiser))
            .action_space(env.action_space())
            .observation_space(env.observation_space())
            .replay_storage_config(storage())
            .logger(&mut count)
            .replay_capacity(steps)
            .batch_size(BATCH)
            .training_start(WARMUP)
            .training_horizon(steps)
            .build()?;
        let before = cpu_seconds();
        agent.learn(&mut env, steps)?;
        seconds = cpu_seconds() - before;
    }
    Ok(Trained { vars, updates: count.0, seconds })
}

fn dqn(steps: usize) -> Result<Trained, Box<dyn Error>> {
    let (vars, mut target_vars) = (VarMap::new(), VarMap::new());
    let mut env = VectorizedGymWrapper::new(vec![SwingUp::discrete()?]);
    let mut count = Count::default();
    let (network, target) = (mlp(&vars, 3, TORQUES)?, mlp(&target_vars, 3, TORQUES)?);
    let seconds;
    {
        let mut agent = DQNAgent::builder()
            .action_space(Discrete::new(TORQUES))
            .observation_space(env.observation_space())
            .online_q_network(network)
            .target_q_network(target)
            .optimizer(adam(vars.all_vars())?)
            .online_vars(&vars)
            .target_vars(&mut target_vars)
            .replay_storage_config(storage())
            .logger(&mut count)
            // It cannot move the target a little in each update, only copy it.
            .target_update_interval(100)
            .update_frequency(1)
            .replay_capacity(steps)
            .batch_size(BATCH)
            .training_start(WARMUP)
            .training_horizon(steps)
            .build()?;
        let before = cpu_seconds();
        agent.learn(&mut env, steps)?;
        seconds = cpu_seconds() - before;
    }
    Ok(Trained { vars, updates: count.0, seconds })
}

/// Mean return of the greedy policy.
fn evaluate(algorithm: &str, vars: &VarMap, starts: &[[f64; 2]]) -> CandleResult<f64> {
    let network = mlp(
        vars,
        3,
        match algorithm {
            "sac" => 2,
            "dqn" => TORQUES,
            _ => 1,
        },
    )?;
    mean_return(starts, |observations| {
        let y = network.forward(observations)?;
        if algorithm == "dqn" {
            let best = y.argmax(1)?.to_vec1::<u32>()?;
            return Ok(best.into_iter().map(|index| swing_up::torque(index as usize)).collect());
        }
        (y.narrow(1, 0, 1)?.squeeze(1)?.tanh()? * 2.0)?.to_vec1::<f32>()
    })
}

fn read(file: &str) -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    Ok(numbers.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [algorithm, seed, steps, file] = &arguments[..] else {
        return Err("usage: modurl-peer sac|td3|ddpg|dqn SEED STEPS STARTS".into());
    };
    let (seed, steps, starts) = (seed.parse::<u64>()?, steps.parse::<usize>()?, read(file)?);
    let trained = match algorithm.as_str() {
        "sac" => sac(steps)?,
        "td3" => deterministic(steps, false)?,
        "ddpg" => deterministic(steps, true)?,
        "dqn" => dqn(steps)?,
        other => return Err(format!("no algorithm `{other}`").into()),
    };
    let mean = evaluate(algorithm, &trained.vars, &starts)?;
    println!(
        "{{\"algorithm\": \"{algorithm}\", \"seed\": {seed}, \"steps\": {steps}, \"updates\": {}, \
         \"cpu_seconds\": {:.6}, \"mean_return\": {mean:.4}, \"starts\": {}, \"backend\": \"candle 0.11.0\"}}",
        trained.updates,
        trained.seconds,
        starts.len()
    );
    Ok(())
}
