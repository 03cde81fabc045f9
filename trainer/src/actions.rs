//! The actions that an algorithm deals in, and how the environment's follow from them.

use policy_core::action::grid_action;
use policy_core::gaussian::uniform;

use crate::interface::Spec;
use crate::nn::ActionRange;
use crate::rng::{Rng, index};

/// The set of actions that an algorithm explores, stores and learns from.
///
/// A stored action has as many entries as the environment's, whatever its form.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionSpace {
    form: Form,
    /// Of the environment's actions.
    physical: ActionRange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As the environment takes them.
    Physical,
    /// In [−1, 1] for the environment's [low, high].
    Normalised,
    /// Indices of this many evenly spaced actions.
    Grid(u16),
}

impl ActionSpace {
    /// Actions in the environment's own units, or `normalised` to [−1, 1] for its range.
    pub fn continuous(spec: &Spec, normalised: bool) -> Self {
        ActionSpace::new(if normalised { Form::Normalised } else { Form::Physical }, spec)
    }

    /// The indices of `points` evenly spaced actions.
    ///
    /// # Panics
    ///
    /// With fewer than two points, or if the environment's action has several entries.
    pub fn grid(spec: &Spec, points: u16) -> Self {
        assert!(points >= 2 && spec.action_size() == 1, "a grid has two points and one dimension");
        ActionSpace::new(Form::Grid(points), spec)
    }

    fn new(form: Form, spec: &Spec) -> Self {
        ActionSpace { form, physical: spec.action_range() }
    }

    /// Where stored actions lie.
    pub fn range(&self) -> ActionRange {
        let same = |x: f64| vec![x; self.physical.len()];
        let (low, high) = match self.form {
            Form::Physical => return self.physical.clone(),
            Form::Normalised => (same(-1.0), same(1.0)),
            Form::Grid(points) => (same(0.0), same(f64::from(points - 1))),
        };
        ActionRange { low, high }
    }

    /// A stored action `[action_size]` drawn uniformly.
    pub fn random(&self, rng: &mut Rng, action: &mut [f32]) {
        let ActionRange { low, high } = &self.physical;
        for ((a, low), high) in action.iter_mut().zip(low).zip(high) {
            *a = match self.form {
                Form::Physical => (low + (high - low) * f64::from(uniform(rng))) as f32,
                Form::Normalised => 2.0 * uniform(rng) - 1.0,
                Form::Grid(points) => index(rng, usize::from(points)) as f32,
            };
        }
    }

    /// log π of the actions that [`ActionSpace::random`] draws, the same for all: −Σᵢ log(highᵢ − lowᵢ), or that of one
    /// index of a grid.
    pub fn log_likelihood_of_random(&self) -> f64 {
        let ActionRange { low, high } = self.range();
        match self.form {
            Form::Physical | Form::Normalised => {
                -low.iter().zip(&high).map(|(low, high)| libm::log(high - low)).sum::<f64>()
            }
            Form::Grid(points) => -libm::log(f64::from(points)),
        }
    }

    /// Turns a stored action `[action_size]` into the environment's, in place:
    ///
    /// ```text
    /// physical    a
    /// normalised  ½ (high − low) a + ½ (high + low)
    /// grid        low + (high − low) i / (points − 1), as the exported policy computes it
    /// ```
    pub fn to_environment(&self, action: &mut [f32]) {
        let ActionRange { low, high } = &self.physical;
        for ((a, low), high) in action.iter_mut().zip(low).zip(high) {
            let (low, high) = (*low as f32, *high as f32);
            *a = match self.form {
                Form::Physical => *a,
                Form::Normalised => 0.5 * (high - low) * *a + 0.5 * (high + low),
                Form::Grid(points) => grid_action(low, high, points, *a as usize),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::channel;
    use crate::rng::{Stream, stream};

    fn spec() -> Spec {
        Spec {
            name: "test",
            observation: vec![channel("", "", -1.0, 1.0)],
            state_size: 1,
            action: vec![channel("", "", -1.0, 4.0)],
            horizon: 1,
            period: 1.0,
        }
    }

    #[test]
    fn random_actions_cover_the_environments_range() {
        for space in [
            ActionSpace::continuous(&spec(), false),
            ActionSpace::continuous(&spec(), true),
            ActionSpace::grid(&spec(), 6),
        ] {
            let mut rng = stream(1, Stream::Exploration);
            let (mut least, mut largest) = (f32::MAX, f32::MIN);
            let range = space.range();
            for _ in 0..1000 {
                let mut action = [0.0];
                space.random(&mut rng, &mut action);
                assert!((range.low[0]..=range.high[0]).contains(&f64::from(action[0])));
                space.to_environment(&mut action);
                (least, largest) = (least.min(action[0]), largest.max(action[0]));
            }
            assert!((-1.0..-0.98).contains(&least), "{space:?}: {least}");
            assert!(largest > 3.98 && largest <= 4.0, "{space:?}: {largest}");
        }
    }

    #[test]
    fn grids_are_even() {
        let space = ActionSpace::grid(&spec(), 6);
        for (index, wanted) in [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0].into_iter().enumerate() {
            let mut action = [index as f32];
            space.to_environment(&mut action);
            assert_eq!(action, [wanted]);
        }
        let normalised = ActionSpace::continuous(&spec(), true);
        assert_eq!(normalised.range(), ActionRange::new(&[-1.0], &[1.0]));
        let range = space.range();
        assert_eq!((range.scale(), range.bias()), (vec![2.5], vec![2.5]));
    }

    #[test]
    fn random_actions_have_the_density_of_their_range() {
        for (space, volume) in [
            (ActionSpace::continuous(&spec(), false), 5.0_f64),
            (ActionSpace::continuous(&spec(), true), 2.0),
            (ActionSpace::grid(&spec(), 6), 6.0),
        ] {
            assert!((space.log_likelihood_of_random() + volume.ln()).abs() < 1e-12, "{space:?}");
        }
    }
}
