//! Names that shells complete.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::{envs, link, presets};

/// Takes any name. What is wrong with one is said where the settings are made, with the nearest that there is; here the
/// right ones are told to shells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names(fn() -> Vec<&'static str>);

/// The presets.
pub(super) const PRESETS: Names = Names(|| presets::ALL.iter().map(|(name, _)| *name).collect());
/// The boards.
pub(super) const BOARDS: Names = Names(|| link::BOARDS.iter().map(|board| board.name).collect());
/// The environments.
pub(super) const ENVIRONMENTS: Names = Names(|| envs::ALL.iter().map(|e| e.name).collect());

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}
