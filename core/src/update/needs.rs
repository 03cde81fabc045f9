//! Does a policy fit a board? Boards judge by it before they touch their flash, and desktops before they send anything.

use crate::link::UpdateRefusal;

use super::Manifest;

/// What a policy must be to run on a board: what the one that its firmware was built around is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needs {
    /// The fingerprint of the board's machine.
    pub plant_fingerprint: u32,
    /// Time between two actions, in s.
    pub control_period: f32,
    /// Entries of an observation.
    pub observation_size: u16,
    /// Entries of an action.
    pub action_size: u8,
    /// The code of the only kind of weights that the firmware has kernels for.
    pub weights: u8,
    /// The most numbers between two layers that it has room for.
    pub width: u16,
}

impl Needs {
    /// Would the policy of this manifest run? Its bytes may say something else, and are judged by themselves.
    ///
    /// # Errors
    ///
    /// If not; the first reason.
    pub fn judge(&self, manifest: &Manifest) -> Result<(), UpdateRefusal> {
        let Needs { plant_fingerprint, observation_size, action_size, weights, width, .. } = *self;
        if manifest.plant_fingerprint != plant_fingerprint {
            let (needed, found) = (plant_fingerprint, manifest.plant_fingerprint);
            return Err(UpdateRefusal::Plant { needed, found });
        }
        if (manifest.observation_size, manifest.action_size) != (observation_size, action_size) {
            return Err(UpdateRefusal::Shape {
                observation: observation_size,
                action: action_size,
                found_observation: manifest.observation_size,
                found_action: manifest.action_size,
            });
        }
        let (needed, found) = (self.control_period, manifest.control_period);
        if found.to_bits() != needed.to_bits() {
            return Err(UpdateRefusal::Period { needed, found });
        }
        if manifest.weights != weights {
            let found = manifest.weights;
            return Err(UpdateRefusal::Weights { needed: weights, width, found });
        }
        if manifest.width > width {
            let found = manifest.width;
            return Err(UpdateRefusal::TooWide { limit: width, weights, found });
        }
        Ok(())
    }
}

/// Is there room for so many bytes of a policy in a slot that has so many for one?
///
/// # Errors
///
/// If not.
pub fn fits(length: u32, capacity: u32) -> Result<(), UpdateRefusal> {
    if length > capacity {
        return Err(UpdateRefusal::TooLarge { capacity, found: length });
    }
    Ok(())
}
