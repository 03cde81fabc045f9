//! What changes as a run goes on, written and read back by one and the same walk over it, so that
//! neither way can know of something that the other one forgets.
//!
//! Whatever has state has a method `walk`, which shows its parts to a [`Walk`] in a fixed order. A
//! walk that writes copies them; a walk that reads replaces them by what was written. What settings
//! decide is no state: it is made anew from them before a walk reads.

use bytemuck::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Visits the parts of a state, to write them or to replace them.
#[derive(Debug)]
pub struct Walk<'a>(Way<'a>);

#[derive(Debug)]
enum Way<'a> {
    Write(&'a mut Vec<u8>),
    Read(&'a [u8]),
}

/// Why a state could not be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// There are fewer bytes than the state has, or they are none of its values.
    #[error("it ends early, or has a value that is none: {0}")]
    Value(#[from] postcard::Error),
    /// As many numbers as the settings ask for were not written.
    #[error("it holds {found} numbers where these settings have {needed}")]
    Count {
        /// Of the settings.
        needed: usize,
        /// What was written.
        found: usize,
    },
    /// A part contradicts another one, or the settings.
    #[error("its {0} does not fit these settings")]
    Unfit(&'static str),
    /// There is more than the state has.
    #[error("it has {0} bytes too many")]
    Rest(usize),
}

impl<'a> Walk<'a> {
    /// A walk that appends what it is shown.
    pub fn writing(bytes: &'a mut Vec<u8>) -> Self {
        Walk(Way::Write(bytes))
    }

    /// A walk that replaces what it is shown by what these bytes hold.
    pub fn reading(bytes: &'a [u8]) -> Self {
        Walk(Way::Read(bytes))
    }

    /// A value, as postcard writes it.
    ///
    /// # Errors
    ///
    /// If none can be read.
    pub fn value<T: Serialize + DeserializeOwned>(
        &mut self,
        value: &mut T,
    ) -> Result<(), StateError> {
        match &mut self.0 {
            Way::Write(bytes) => Ok(postcard::to_io(value, &mut **bytes).map(drop)?),
            Way::Read(bytes) => {
                let (read, rest) = postcard::take_from_bytes(bytes)?;
                (*value, *bytes) = (read, rest);
                Ok(())
            }
        }
    }

    /// Numbers, as many as there are: their count, then their bytes, little-endian.
    ///
    /// # Errors
    ///
    /// If as many cannot be read.
    pub fn numbers<T: Pod>(&mut self, numbers: &mut [T]) -> Result<(), StateError> {
        let mut found = numbers.len();
        self.value(&mut found)?;
        if found != numbers.len() {
            return Err(StateError::Count { needed: numbers.len(), found });
        }
        let place: &mut [u8] = bytemuck::cast_slice_mut(numbers);
        match &mut self.0 {
            Way::Write(bytes) => bytes.extend_from_slice(place),
            Way::Read(bytes) => {
                let ended = postcard::Error::DeserializeUnexpectedEnd;
                let (read, rest) = bytes.split_at_checked(place.len()).ok_or(ended)?;
                place.copy_from_slice(read);
                *bytes = rest;
            }
        }
        Ok(())
    }

    /// After a walk that reads: an error unless what was read fits the rest of the state.
    ///
    /// # Errors
    ///
    /// If it does not; `what` names it.
    pub fn check(&self, what: &'static str, fits: bool) -> Result<(), StateError> {
        if fits { Ok(()) } else { Err(StateError::Unfit(what)) }
    }

    /// What a walk that reads has not come to yet.
    pub fn rest(self) -> &'a [u8] {
        match self.0 {
            Way::Write(_) => &[],
            Way::Read(rest) => rest,
        }
    }

    /// The walk has seen all of the state.
    ///
    /// # Errors
    ///
    /// If there is more to read.
    pub fn end(self) -> Result<(), StateError> {
        match self.rest().len() {
            0 => Ok(()),
            rest => Err(StateError::Rest(rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Sample {
        name: String,
        weights: Vec<f32>,
        turns: u64,
    }

    impl Sample {
        fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
            walk.value(&mut self.name)?;
            walk.numbers(&mut self.weights)?;
            walk.value(&mut self.turns)?;
            walk.check("number of turns", self.turns < 1000)
        }

        fn read(bytes: &[u8], weights: usize) -> Result<Sample, StateError> {
            let mut sample = Sample { name: String::new(), weights: vec![0.0; weights], turns: 0 };
            let mut walk = Walk::reading(bytes);
            sample.walk(&mut walk)?;
            walk.end()?;
            Ok(sample)
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let weights = vec![1.5, -0.0, f32::MIN_POSITIVE / 2.0];
        let mut sample = Sample { name: "a".into(), weights, turns: 700 };
        let mut bytes = Vec::new();
        sample.walk(&mut Walk::writing(&mut bytes)).unwrap();
        assert_eq!(Sample::read(&bytes, 3).unwrap(), sample);
        for end in 0..bytes.len() {
            assert!(matches!(Sample::read(&bytes[..end], 3), Err(StateError::Value(_))), "{end}");
        }
        let error = Sample::read(&bytes, 4).unwrap_err();
        assert_eq!(error, StateError::Count { needed: 4, found: 3 });
        bytes.push(0);
        assert_eq!(Sample::read(&bytes, 3).unwrap_err(), StateError::Rest(1));
        sample.turns = 1000;
        let error = sample.walk(&mut Walk::writing(&mut Vec::new())).unwrap_err();
        assert_eq!(error.to_string(), "its number of turns does not fit these settings");
    }
}
