//! What was lost without harm: a lock that a file system does not have, a mode that it does not keep.
//!
//! Whoever writes a file is far from the terminal, and such a thing is no error; so it is noted here, and whoever runs a command
//! says it at the end, each thing once.

use std::sync::{Mutex, PoisonError};

static LOST: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes that something was lost, unless that was noted already.
pub(crate) fn lost(text: String) {
    let mut all = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    if !all.contains(&text) {
        all.push(text);
    }
}

/// What was lost since this was asked last.
pub(crate) fn take_lost() -> Vec<String> {
    std::mem::take(&mut *LOST.lock().unwrap_or_else(PoisonError::into_inner))
}
