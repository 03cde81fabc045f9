//! Many pendulums at once: the formulas of [`Pendulum::step`](super::Pendulum), in registers, to the same bits.

use super::{MAX_SPEED, MAX_TORQUE, PERIOD, Pendulum};
use crate::elementary::sines_and_cosines;
use crate::envs::angle::wrap_in_lanes;
use crate::interface::{Environment, Environments, Spec, Step};
use crate::linalg::Backend;
use crate::rng::Rng;

/// Pendulums side by side, all of one mass and length; see [`Pendulum`].
#[derive(Debug, Clone)]
pub struct Pendulums {
    /// For what a single one does.
    pendulum: Pendulum,
    /// θ, in rad
    angles: Vec<f64>,
    /// θ̇, in rad/s
    speeds: Vec<f64>,
    /// sin θ and cos θ
    sines: Vec<f64>,
    cosines: Vec<f64>,
    /// What the last step cost.
    costs: Vec<f64>,
    backend: Backend,
}

impl Pendulums {
    /// So many at rest, upright.
    pub fn new(count: usize) -> Self {
        let [angles, speeds, sines, costs] = [(); 4].map(|()| vec![0.0; count]);
        let (pendulum, cosines) = (Pendulum::new(), vec![1.0; count]);
        Pendulums { pendulum, angles, speeds, sines, cosines, costs, backend: Backend::current() }
    }

    /// Takes over a single one's state.
    fn take(&mut self, index: usize) {
        let (angle, speed) = self.pendulum.state();
        (self.angles[index], self.speeds[index]) = (angle, speed);
        (self.sines[index], self.cosines[index]) = libm::sincos(angle);
    }
}

impl Environments for Pendulums {
    fn spec(&self) -> &Spec {
        &self.pendulum.spec
    }

    fn count(&self) -> usize {
        self.angles.len()
    }

    fn reset(&mut self, index: usize, rng: &mut Rng, observation: &mut [f32]) {
        self.pendulum.reset(rng, observation);
        self.take(index);
    }

    fn restore(&mut self, index: usize, state: &[f64], observation: &mut [f32]) {
        self.pendulum.restore(state, observation);
        self.take(index);
    }

    fn save(&self, index: usize) -> Vec<f64> {
        vec![self.angles[index], self.speeds[index]]
    }

    /// As [`Pendulum`]'s, whose sin θ is that of the observation before.
    fn step(&mut self, actions: &[f32], observations: &mut [f32], outcomes: &mut [Step]) {
        let n = outcomes.len();
        assert_eq!((actions.len(), observations.len()), (n, 3 * n), "how many");
        let (angles, speeds) = (&mut self.angles[..n], &mut self.speeds[..n]);
        let (sines, cosines) = (&mut self.sines[..n], &mut self.cosines[..n]);
        let (costs, rod) = (&mut self.costs[..n], self.pendulum.rod);
        // Loops of few arrays each: where there are many, the compiler does not look whether they overlap, and puts nothing
        // side by side.
        self.backend.vectorise(
            #[inline(always)]
            || {
                let states = angles.iter().zip(&*speeds).zip(actions);
                for (cost, ((angle, speed), action)) in costs.iter_mut().zip(states) {
                    let torque = action.clamp(-MAX_TORQUE, MAX_TORQUE);
                    let effort = 0.001_f32 * (torque * torque);
                    let wrapped = wrap_in_lanes(*angle);
                    *cost = wrapped * wrapped + 0.1 * (*speed * *speed) + f64::from(effort);
                }
                for (speed, (sine, action)) in speeds.iter_mut().zip(sines.iter().zip(actions)) {
                    let torque = action.clamp(-MAX_TORQUE, MAX_TORQUE);
                    let push = rod.push * torque;
                    let pull = rod.pull * sine;
                    let next = *speed + (pull + f64::from(push)) * PERIOD;
                    *speed = next.clamp(-MAX_SPEED, MAX_SPEED);
                }
                for (angle, speed) in angles.iter_mut().zip(&*speeds) {
                    *angle += *speed * PERIOD;
                }
            },
        );
        sines_and_cosines(self.backend, angles, sines, cosines);
        let places = observations.as_chunks_mut::<3>().0.iter_mut().zip(outcomes);
        let states = cosines.iter().zip(&*sines).zip(&*speeds).zip(&*costs);
        for ((place, outcome), (((cosine, sine), speed), cost)) in places.zip(states) {
            *place = [*cosine as f32, *sine as f32, *speed as f32];
            *outcome = Step { reward: -cost, terminated: false };
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        for numbers in [&mut self.angles, &mut self.speeds, &mut self.sines, &mut self.cosines] {
            numbers.swap(one, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};
    use policy_core::gaussian::uniform;

    /// Random torques beyond their limits, from random states and from far outside; some change places.
    #[test]
    fn many_are_as_one_by_one() {
        for count in [1, 3, 16, 33] {
            let mut lanes = Pendulums::new(count);
            let mut singles: Vec<Box<dyn Environment>> =
                (0..count).map(|_| Box::new(Pendulum::new()) as Box<_>).collect();
            let mut rng = stream(7, Stream::Environment);
            let [mut found, mut wanted] = [(); 2].map(|()| vec![0.0; 3 * count]);
            let nothing = Step { reward: 0.0, terminated: false };
            let [mut given, mut expected] = [(); 2].map(|()| vec![nothing; count]);
            for index in 0..count {
                let mut starts = [stream(index as u64, Stream::Environment), rng.clone()];
                let place = 3 * index..3 * index + 3;
                lanes.reset(index, &mut starts[0].clone(), &mut found[place.clone()]);
                singles.reset(index, &mut starts[0], &mut wanted[place.clone()]);
                if index % 3 == 2 {
                    let far = [50.0 * f64::from(uniform(&mut rng)) - 30.0, -7.5];
                    lanes.restore(index, &far, &mut found[place.clone()]);
                    singles.restore(index, &far, &mut wanted[place]);
                }
            }
            assert_eq!(found, wanted);
            for step in 0..1000 {
                let active = count - step * count / 2000;
                let mut action = || 6.0 * uniform(&mut rng) - 3.0;
                let actions: Vec<f32> = (0..active).map(|_| action()).collect();
                lanes.step(&actions, &mut found[..3 * active], &mut given[..active]);
                singles.step(&actions, &mut wanted[..3 * active], &mut expected[..active]);
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&found), bits(&wanted), "step {step} of {count}");
                assert_eq!(given, expected);
                lanes.swap(step % active, active / 2);
                singles.swap(step % active, active / 2);
            }
            for index in 0..count {
                assert_eq!(lanes.save(index), singles.save(index));
            }
        }
    }
}
