//! Latency between an observation and the action that follows from it.

use std::collections::VecDeque;

/// The last actions, newest first, one for each period.
#[derive(Debug)]
pub(super) struct DelayLine {
    actions: VecDeque<Vec<f32>>,
}

impl DelayLine {
    /// Room for delays up to `periods`, in which nothing has been asked of the actuator yet but `idle`.
    pub(super) fn new(periods: f64, idle: &[f32]) -> Self {
        DelayLine { actions: vec![idle.to_vec(); periods.ceil() as usize + 2].into() }
    }

    /// The action that was computed at the beginning of this period.
    pub(super) fn push(&mut self, action: &[f32]) {
        if let Some(mut oldest) = self.actions.pop_back() {
            oldest.copy_from_slice(action);
            self.actions.push_front(oldest);
        }
    }

    /// Forgets what has been asked.
    pub(super) fn clear(&mut self, idle: &[f32]) {
        self.actions.iter_mut().for_each(|action| action.copy_from_slice(idle));
    }

    /// What acts on the machine in this period where actions arrive `delay` periods late. With delay = d + f, f in [0, 1),
    /// the one before changes to the next one when the share f of the period is over:
    ///
    /// ```text
    /// u = f aₖ₋d₋₁ + (1 − f) aₖ₋d
    /// ```
    ///
    /// The mean has the same impulse as the two one after the other, and the simulation takes one action for each period.
    pub(super) fn applied(&self, delay: f64) -> Vec<f32> {
        let last = self.actions.len() - 2;
        let whole = (delay.floor() as usize).min(last);
        let part = (delay - whole as f64).clamp(0.0, 1.0) as f32;
        let (now, before) = (&self.actions[whole], &self.actions[whole + 1]);
        let mix = |(now, before): (&f32, &f32)| part * before + (1.0 - part) * now;
        // Without a part of a period it is the policy's own action, to the bit.
        if part == 0.0 { now.clone() } else { now.iter().zip(before).map(mix).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_periods_are_counted_and_parts_are_mixed() {
        let mut line = DelayLine::new(4.0, &[0.0]);
        for action in 1..=10_u8 {
            line.push(&[f32::from(action)]);
        }
        for (delay, applied) in [(0.0, 10.0), (1.0, 9.0), (4.0, 6.0), (0.5, 9.5), (2.25, 7.75)] {
            assert_eq!(line.applied(delay), [applied], "{delay}");
        }
        assert_eq!(line.applied(1e9).len(), 1);
        line.clear(&[0.5]);
        assert_eq!(line.applied(3.7), [0.5]);
    }
}
