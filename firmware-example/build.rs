//! Finds the policy to bake in, and gives each board its memory layout.
//!
//! The variable `POLICY` names a policy file; the recording to replay lies beside it as
//! `recording.bin`. Without it the sample in `sample/f32/` is taken.

use ed25519_dalek::{VerifyingKey, pkcs8::DecodePublicKey};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    let is = |key: &str, value: &str| env::var(key).as_deref() == Ok(value);
    let done = if is("CARGO_CFG_TARGET_OS", "none") {
        bake().and_then(|()| bake_key()).and_then(|()| lay_out_memory())
    } else if is("CARGO_CFG_TARGET_FAMILY", "wasm") {
        bake().and_then(|()| bake_key())
    } else {
        // A build for the desktop tests the library; there is nothing to bake in and nothing to link.
        println!("cargo::rerun-if-changed=build.rs");
        Ok(())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Hands the two files to `include_bytes!` in `src/baked.rs`.
fn bake() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=POLICY");
    let policy = match env::var_os("POLICY") {
        Some(path) if !path.is_empty() => from_where_cargo_was_called(Path::new(&path)),
        _ => package().join("sample").join("f32").join("policy.bin"),
    };
    let recording = policy.with_file_name("recording.bin");
    for (name, file) in [("POLICY", &policy), ("RECORDING", &recording)] {
        println!("cargo::rerun-if-changed={}", file.display());
        check(file).map_err(|error| explain(name, file, &error))?;
        println!("cargo::rustc-env=BAKED_{name}={}", file.display());
    }
    Ok(())
}

/// The public key that updates must be signed with, in the variable `KEY`, as an expression for `src/baked.rs`. Without it
/// the firmware takes no updates.
fn bake_key() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=KEY");
    let key = match env::var_os("KEY") {
        Some(path) if !path.is_empty() => {
            let file = from_where_cargo_was_called(Path::new(&path));
            println!("cargo::rerun-if-changed={}", file.display());
            let explain = |error: &dyn std::fmt::Display| {
                format!(
                    "cannot read a public key from {} ({error}): make a pair with `trainer keygen`, and name the file \
                     that ends in .pub in the variable KEY",
                    file.display()
                )
            };
            let text = fs::read_to_string(&file).map_err(|error| explain(&error))?;
            let key = VerifyingKey::from_public_key_pem(&text).map_err(|error| explain(&error))?;
            format!("Some({:?})", key.to_bytes())
        }
        _ => String::from("None"),
    };
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("key.rs");
    fs::write(&out, key).map_err(|error| format!("cannot write {} ({error})", out.display()))
}

/// Can the compiler read it, and could a board hold it? A device has no end. Whether it is a policy does not matter
/// here: the firmware is what must refuse one that is none.
fn check(file: &Path) -> io::Result<()> {
    const LARGEST: u64 = 1 << 26;
    let found = fs::metadata(file)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    if found.len() > LARGEST {
        let text = format!("it has more than {LARGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    fs::File::open(file).map(|_| ())
}

fn explain(name: &str, file: &Path, error: &io::Error) -> String {
    let file = file.display();
    match name {
        "POLICY" => format!(
            "cannot read the policy {file} ({error}): train one with `cargo run --release -p trainer` \
             and name it in the variable POLICY, for example POLICY=../runs/sac/policy.bin"
        ),
        _ => format!(
            "cannot read the recording {file} ({error}): it lies beside the policy; \
             the trainer writes both, so copy both or train again"
        ),
    }
}

/// A build script runs in the package's folder, but a relative path means the folder in which cargo
/// was called; shells leave that one in `PWD`. Other programs that call cargo may leave an old one
/// there, so the package's folder counts too.
fn from_where_cargo_was_called(path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    println!("cargo::rerun-if-env-changed=PWD");
    let called = env::var_os("PWD").map_or_else(package, PathBuf::from).join(path);
    let here = package().join(path);
    if here.exists() && !called.exists() { here } else { called }
}

/// The linker script `link.x` of cortex-m-rt includes the file `memory.x`, that of riscv-rt must come after it. Each
/// emulated board has its own, in the folder `boards/qemu-CORE`, for its programs in `src/bin/`: `replay-CORE` and, if there
/// is one, `qemu-CORE`. The programs of other architectures are empty and get no script, so that `cargo build` works.
fn lay_out_memory() -> Result<(), String> {
    let programs = package().join("src").join("bin");
    println!("cargo::rerun-if-changed={}", programs.display());
    let entries = fs::read_dir(&programs)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|error| format!("cannot list {} ({error})", programs.display()))?;
    let is_riscv = env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv32");
    for program in entries {
        let file = program.path();
        let name = file.file_stem().unwrap_or_default().display().to_string();
        let Some((_, core)) = name.split_once('-') else { continue };
        if is_riscv != core.starts_with("rv") {
            continue;
        }
        let layout = package().join("boards").join(format!("qemu-{core}"));
        println!("cargo::rerun-if-changed={}", layout.display());
        println!("cargo::rustc-link-arg-bin={name}=-L{}", layout.display());
        if is_riscv {
            println!("cargo::rustc-link-arg-bin={name}=-Tmemory.x");
        }
        println!("cargo::rustc-link-arg-bin={name}=-Tlink.x");
    }
    Ok(())
}

fn package() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}
