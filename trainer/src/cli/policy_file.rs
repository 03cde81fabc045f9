//! Reading a policy file.

use std::path::Path;

use super::{Failure, warn};
use crate::envs;
use crate::export::Blob;
use crate::input;
use crate::policy::AnyPolicy;
use crate::quantise::Watch;
use crate::text::Shown;

/// No policy is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// The bytes of a policy file, aligned.
pub(super) fn read(path: &Path) -> Result<Blob, Failure> {
    let bytes = input::bytes(path, LARGEST).map_err(|error| {
        let hint = "give the path of a policy.bin that `trainer train` wrote";
        Failure::Failed(format!("cannot read {}: {error}; {hint}", path.shown()))
    })?;
    Ok(Blob::from_bytes(&bytes))
}

/// What is wrong with a policy file.
pub(super) fn refused(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{} is no usable policy: {error}", path.shown()))
}

/// The policy in a file's bytes.
pub(super) fn policy<'a>(path: &Path, blob: &'a Blob) -> Result<AnyPolicy<'a>, Failure> {
    AnyPolicy::from_bytes(blob.bytes()).map_err(|error| refused(path, &error))
}

/// Whether a policy was trained on an environment with these settings.
pub(super) fn was_trained_on(
    path: &Path,
    policy: &AnyPolicy<'_>,
    table: &toml::Table,
) -> Result<bool, Failure> {
    let trained_on = policy.contract().map_err(|error| refused(path, &error))?.plant_fingerprint();
    Ok(trained_on == envs::fingerprint(table)?)
}

/// A warning where a policy meets its environment with other settings than those that it was trained on.
pub(super) fn warn_of_settings(
    path: &Path,
    policy: &AnyPolicy<'_>,
    table: &toml::Table,
) -> Result<(), Failure> {
    if !was_trained_on(path, policy, table)? {
        warn(&format!(
            "{} was trained with other settings of `{}` than these: give those under [environment] in its config.toml by --set",
            path.shown(),
            envs::name(table)
        ));
    }
    Ok(())
}

/// A warning where a policy met what it was not quantised for.
pub(super) fn warn_of_ranges(path: &Path, ranges: &Watch) {
    if let Some(warning) = ranges.warning() {
        warn(&format!("{}: {warning}", path.shown()));
    }
}

/// The name of the environment that it is for.
pub(super) fn plant<'a>(path: &Path, policy: &AnyPolicy<'a>) -> Result<&'a str, Failure> {
    let name = policy.contract().map_err(|error| refused(path, &error))?.plant();
    envs::find(name).map_err(|error| refused(path, &error))?;
    Ok(name)
}
