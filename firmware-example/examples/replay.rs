//! What the firmware does, on the machine that this is built for:
//!
//! ```text
//! cargo run --release --example replay -- POLICY.bin
//! ```
//!
//! replays the `recording.bin` beside the policy. The report's first line and the exit code are the firmware's.

use std::{env, fs, io, path::Path, process::ExitCode};

use firmware_example::{Outcome, run};
use policy_core::WeightKind;

/// Enough for most policies; `core` refuses a wider one and says so.
const WIDTH: usize = 1024;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(policy), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: replay POLICY.bin (the recording lies beside it as recording.bin)");
        return ExitCode::from(2);
    };
    let policy = Path::new(&policy);
    let read = |path: &Path| match Bytes::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("error: cannot read {} ({error})", path.display());
            None
        }
    };
    let (Some(policy), Some(recording)) =
        (read(policy), read(&policy.with_file_name("recording.bin")))
    else {
        return ExitCode::from(2);
    };
    let (outcome, report) = replay(policy.get(), recording.get());
    print!("{report}");
    ExitCode::from(outcome.exit_code() as u8)
}

fn replay(policy: &[u8], recording: &[u8]) -> (Outcome, String) {
    let mut report = String::new();
    let outcome = match WeightKind::of(policy) {
        Some(WeightKind::Int16) => run::<i16, WIDTH>(policy, recording, &mut (), &mut report),
        Some(WeightKind::Int8) => run::<i8, WIDTH>(policy, recording, &mut (), &mut report),
        _ => run::<f32, WIDTH>(policy, recording, &mut (), &mut report),
    };
    (outcome, report)
}

/// A file at a multiple of 4 bytes, as policies and recordings are read in place.
struct Bytes {
    words: Vec<u32>,
    length: usize,
}

impl Bytes {
    fn read(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        let mut words = vec![0; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        Ok(Bytes { words, length: bytes.len() })
    }

    fn get(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }
}
