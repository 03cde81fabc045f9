//! Noise that a deterministic policy explores with.

use serde::{Deserialize, Serialize};

use crate::elementary::fill_normal;
use crate::nn::ActionRange;
use crate::rng::Rng;
use crate::settings::{ConfigError, check, check_because, from_table};
use crate::state::{StateError, Walk};

/// How noise x for an action arises from ε ~ N(0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseProcess {
    /// x = σ ε
    Gaussian,
    /// x ← x + θ(μ − x) + σ ε, an Ornstein–Uhlenbeck process in its discrete form: Δt = 1.
    OrnsteinUhlenbeck,
    /// x ← x + θ(μ − x) Δt + σ √Δt ε, the same in its continuous form (Lillicrap et al., 2016,
    /// arXiv:1509.02971, section 7).
    OrnsteinUhlenbeckContinuous,
}

/// What σ and the clipping bound are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseUnit {
    /// Half the width of the action's range.
    Scale,
    /// The unit of the actions that the agent deals in.
    Action,
}

/// Settings of the noise: part of an `[agent]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoiseConfig {
    /// How it arises.
    pub noise: NoiseProcess,
    /// What σ is measured in.
    pub noise_unit: NoiseUnit,
    /// First σ.
    pub noise_std: f64,
    /// Least σ.
    pub noise_std_min: f64,
    /// Factor to σ at the end of each iteration, 1 for none.
    pub noise_decay: f64,
    /// Iterations over which σ falls linearly to its least value, 0 for none.
    pub noise_decay_period: usize,
    /// θ of the Ornstein–Uhlenbeck processes; their μ is 0.
    pub ou_theta: f64,
    /// Δt of the continuous form, in s.
    pub ou_dt: f64,
}

impl NoiseConfig {
    /// Reads and checks these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: NoiseConfig = from_table("agent", table)?;
        let std = (0.0..=1e3).contains(&c.noise_std);
        check("agent.noise_std", c.noise_std, "between 0 and 1e3", std)?;
        let least = (0.0..=c.noise_std).contains(&c.noise_std_min);
        check("agent.noise_std_min", c.noise_std_min, "between 0 and noise_std", least)?;
        for (key, share) in [("agent.noise_decay", c.noise_decay), ("agent.ou_theta", c.ou_theta)] {
            check(key, share, "in [0, 1]", (0.0..=1.0).contains(&share))?;
        }
        let one = c.noise_decay == 1.0 || c.noise_decay_period == 0;
        let (needed, why) = ("0 where noise_decay is not 1", "σ falls by a factor or linearly");
        check_because("agent.noise_decay_period", c.noise_decay_period, needed, why, one)?;
        let dt = c.ou_dt > 0.0 && c.ou_dt <= 1.0;
        check("agent.ou_dt", c.ou_dt, "in (0, 1]", dt)?;
        Ok(c)
    }
}

/// One entry of an action.
#[derive(Debug, Clone, Copy)]
struct Entry {
    unit: f32,
    low: f32,
    high: f32,
}

/// The noise of some environments that are stepped together.
#[derive(Debug, Clone)]
pub struct Noise {
    config: NoiseConfig,
    /// The unit of each action entry, and its least and largest value, `[act]`.
    entries: Vec<Entry>,
    iterations: usize,
    sigma: f64,
    /// x `[environments, act]`, in units.
    x: Vec<f32>,
    epsilon: Vec<f32>,
}

impl Noise {
    /// For `environments` environments and actions within `range`.
    pub fn new(config: NoiseConfig, environments: usize, range: &ActionRange) -> Self {
        let entries = range.low.iter().zip(&range.high).map(|(low, high)| Entry {
            unit: match config.noise_unit {
                NoiseUnit::Scale => (0.5 * (high - low)) as f32,
                NoiseUnit::Action => 1.0,
            },
            low: *low as f32,
            high: *high as f32,
        });
        let zeros = vec![0.0; environments * range.len()];
        Noise {
            entries: entries.collect(),
            iterations: 0,
            sigma: config.noise_std,
            x: zeros.clone(),
            epsilon: zeros,
            config,
        }
    }

    /// σ of the noise that is added next, in its unit.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Where the processes are, and how far σ has fallen.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds other noise.
    pub fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.iterations)?;
        walk.value(&mut self.sigma)?;
        walk.numbers(&mut self.x)
    }

    /// Adds the next noise to actions `[environments, act]` and clips them to their bounds.
    pub fn explore(&mut self, rng: &mut Rng, actions: &mut [f32]) {
        fill_normal(rng, &mut self.epsilon);
        let (theta, sigma) = (self.config.ou_theta as f32, self.sigma as f32);
        let dt = match self.config.noise {
            NoiseProcess::OrnsteinUhlenbeckContinuous => self.config.ou_dt as f32,
            _ => 1.0,
        };
        for (x, epsilon) in self.x.iter_mut().zip(&self.epsilon) {
            *x = match self.config.noise {
                NoiseProcess::Gaussian => sigma * epsilon,
                NoiseProcess::OrnsteinUhlenbeck | NoiseProcess::OrnsteinUhlenbeckContinuous => {
                    *x - theta * *x * dt + sigma * dt.sqrt() * epsilon
                }
            };
        }
        let entries = self.entries.iter().cycle();
        for ((a, x), Entry { unit, low, high }) in actions.iter_mut().zip(&self.x).zip(entries) {
            *a = (*a + unit * x).clamp(*low, *high);
        }
    }

    /// An episode begins in an environment: its process starts from 0.
    pub fn episode_started(&mut self, environment: usize) {
        let act = self.entries.len();
        self.x[environment * act..][..act].fill(0.0);
    }

    /// σ decays.
    pub fn iteration_ended(&mut self) {
        let c = &self.config;
        self.iterations += 1;
        self.sigma = (self.sigma * c.noise_decay).max(c.noise_std_min);
        if c.noise_decay_period > 0 {
            let share = (self.iterations as f64 / c.noise_decay_period as f64).min(1.0);
            self.sigma = c.noise_std - (c.noise_std - c.noise_std_min) * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn config(noise: NoiseProcess) -> NoiseConfig {
        NoiseConfig {
            noise,
            noise_unit: NoiseUnit::Action,
            noise_std: 0.2,
            noise_std_min: 0.05,
            noise_decay: 1.0,
            noise_decay_period: 0,
            ou_theta: 0.15,
            ou_dt: 0.01,
        }
    }

    /// Mean square and lag-one product of the noise over many steps.
    fn moments(process: NoiseProcess, steps: usize) -> (f64, f64) {
        let mut noise = Noise::new(config(process), 1, &ActionRange::new(&[-100.0], &[100.0]));
        let mut rng = stream(1, Stream::Exploration);
        let (mut square, mut product, mut last) = (0.0, 0.0, 0.0);
        for _ in 0..steps {
            let mut action = [1.0_f32];
            noise.explore(&mut rng, &mut action);
            let x = f64::from(action[0] - 1.0);
            square += x * x / steps as f64;
            product += x * last / steps as f64;
            last = x;
        }
        (square, product)
    }

    #[test]
    fn processes_have_their_variance_and_memory() {
        let (square, product) = moments(NoiseProcess::Gaussian, 100_000);
        assert!((square - 0.04).abs() < 1e-3 && product.abs() < 1e-3, "{square} {product}");
        // x ← ρx + σε: variance σ²/(1 − ρ²), lag-one correlation ρ.
        for (process, rho, sigma) in [
            (NoiseProcess::OrnsteinUhlenbeck, 0.85, 0.2),
            (NoiseProcess::OrnsteinUhlenbeckContinuous, 1.0 - 0.15 * 0.01, 0.02),
        ] {
            let (square, product) = moments(process, 4_000_000);
            let variance = sigma * sigma / (1.0 - rho * rho);
            assert!((square / variance - 1.0).abs() < 0.1, "{process:?}: {square}, {variance}");
            assert!((product / square - rho).abs() < 2e-3, "{process:?}: {product}");
        }
    }

    #[test]
    fn noise_is_measured_in_its_unit() {
        for (noise_unit, unit) in [(NoiseUnit::Scale, 2.0), (NoiseUnit::Action, 1.0)] {
            let config = NoiseConfig { noise_unit, ..config(NoiseProcess::Gaussian) };
            let mut action = [0.0];
            let mut noise = Noise::new(config, 1, &ActionRange::new(&[-1.0], &[3.0]));
            noise.explore(&mut stream(1, Stream::Exploration), &mut action);
            assert_eq!(action[0], unit * noise.x[0]);
        }
    }

    #[test]
    fn episodes_forget_and_bounds_hold() {
        let config = config(NoiseProcess::OrnsteinUhlenbeck);
        let mut noise = Noise::new(config, 2, &ActionRange::new(&[-2.0], &[2.0]));
        let mut rng = stream(1, Stream::Exploration);
        let mut actions = [0.0, 2.0];
        noise.explore(&mut rng, &mut actions);
        assert!(noise.x.iter().all(|x| *x != 0.0) && actions[1] <= 2.0);
        noise.episode_started(1);
        assert!(noise.x[0] != 0.0 && noise.x[1] == 0.0);
    }

    #[test]
    fn sigma_decays_by_factor_or_linearly() {
        let mut by_factor = config(NoiseProcess::Gaussian);
        by_factor.noise_decay = 0.5;
        let mut linear = config(NoiseProcess::Gaussian);
        linear.noise_decay_period = 3;
        for (config, wanted) in [(by_factor, [0.1, 0.05, 0.05]), (linear, [0.15, 0.1, 0.05])] {
            let mut noise = Noise::new(config, 1, &ActionRange::new(&[-1.0], &[1.0]));
            for wanted in wanted {
                noise.iteration_ended();
                assert!((noise.sigma - wanted).abs() < 1e-12);
            }
        }
    }
}
