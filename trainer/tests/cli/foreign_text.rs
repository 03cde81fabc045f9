//! Other people's text: paths that are not UTF-8, names with control characters.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crc::{CRC_32_ISO_HDLC, Crc};
use serde_json::Value;

use crate::{json, short_run, succeed};

fn run(directory: &Path, arguments: &[&OsStr]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
        .args(arguments)
        .env("RUST_BACKTRACE", "1")
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Arguments with `@` for a directory whose name is `é` in Latin-1.
fn arguments(words: &str) -> Vec<OsString> {
    let word = |word: &str| {
        let bytes: Vec<u8> = word
            .bytes()
            .flat_map(|b| if b == b'@' { b"d\xe9".to_vec() } else { vec![b] })
            .collect();
        OsString::from_vec(bytes)
    };
    words.split(' ').map(word).collect()
}

fn go(directory: &Path, words: &str) -> Output {
    let owned = arguments(words);
    run(directory, &owned.iter().map(OsString::as_os_str).collect::<Vec<_>>())
}

/// The path behind one in JSON, as README says.
fn path(value: &Value) -> PathBuf {
    let text = value.as_str().unwrap();
    let Some(encoded) = text.strip_prefix("file:") else { return text.into() };
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        match first {
            b'%' => {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[test]
fn paths_need_not_be_utf_8() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let strange = directory.join(OsStr::from_bytes(b"d\xe9"));
    fs::create_dir(&strange).unwrap();
    short_run(directory, "a", &[]);
    fs::copy(directory.join("a/policy.bin"), strange.join("p.bin")).unwrap();
    for (words, keys) in [
        ("record @/p.bin --steps 5 --out @/f.gif --json", &["file"][..]),
        ("keygen --out @/u --json", &["private", "public"]),
        ("sign @/p.bin --key @/u.key --version 2 --json", &["file"]),
        ("quantize @/p.bin --bits 8 --json", &["file", "recording"]),
        ("train --preset sac --steps 700 --out @/run --json", &[]),
        ("compare a @/run --picture @/c.svg --json", &[]),
        ("eval @/p.bin --json", &[]),
        ("inspect @/p.bin --json", &[]),
    ] {
        let output = go(directory, words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}: {error}");
        let report = json(&String::from_utf8(output.stdout).unwrap());
        for key in keys {
            assert!(directory.join(path(&report[key])).is_file(), "{words}: {}", report[key]);
        }
    }
    // On a terminal, as a shell reads them.
    let listed = String::from_utf8(go(directory, "plot @/run").stdout).unwrap();
    assert!(listed.lines().count() >= 4, "{listed}");
    for line in listed.lines() {
        let inner = line.strip_prefix("$'d\\xE9/").and_then(|rest| rest.strip_suffix('\''));
        assert!(strange.join(inner.expect(line)).is_file(), "{line}");
    }
    let files = json(&String::from_utf8(go(directory, "report @/run --json").stdout).unwrap());
    assert!(directory.join(path(&files["files"][0])).is_file(), "{files}");
    let swept = go(directory, "sweep @/none.toml");
    let error = String::from_utf8(swept.stderr).unwrap();
    assert!(error.starts_with("error: cannot read $'d\\xE9/none.toml': "), "{error}");
}

/// What a terminal would obey.
const EVIL: &str = "\u{1b}[2J\r\n\u{9b}2J\u{202e}";

fn is_safe(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_mark = |c: char| matches!(c, '\u{202a}'..='\u{202e}');
    text.chars().all(|c| c == '\n' || !c.is_control() && !is_mark(c))
}

#[test]
fn nothing_of_others_reaches_a_terminal_as_it_is() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    // A policy with such names.
    let whole = fs::read(directory.join("run/policy.bin")).unwrap();
    fs::write(directory.join("evil.bin"), named(&whole)).unwrap();
    let evil_directory = format!("d{EVIL}");
    fs::create_dir(directory.join(&evil_directory)).unwrap();
    fs::copy(directory.join("run/policy.bin"), directory.join(&evil_directory).join("p.bin"))
        .unwrap();
    fs::write(directory.join("key.toml"), "preset = \"sac\"\n\"a\\u001b[2J\\r\\n\" = 1\n").unwrap();
    fs::write(directory.join("sweep.toml"), "presets = [\"a\\u001b[2J\"]\nseeds = [1]\n").unwrap();
    let policy = format!("{evil_directory}/p.bin");
    let set = format!("ga{EVIL}=1");
    let missing = format!("{evil_directory}/none");
    for arguments in [
        &["inspect", "evil.bin"][..],
        &["inspect", "evil.bin", "--json"],
        &["eval", "evil.bin"],
        &["view", "evil.bin"],
        &["record", "evil.bin"],
        &["eval", &policy],
        &["record", &policy, "--steps", "3"],
        &["record", &policy, "--steps", "3", "--json"],
        &["sign", &policy, "--key", "none", "--version", "1"],
        &["train", "--config", "key.toml"],
        &["train", "--preset", EVIL],
        &["train", "--preset", "sac", "--set", &set],
        &["train", "--preset", "sac", "--steps", EVIL],
        &["sweep", "sweep.toml"],
        &["compare", &missing],
        &["plot", &missing],
        &["plot", "--policy", &policy],
        &["push", &missing, "--serial", EVIL],
        &[EVIL],
    ] {
        let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let output = run(directory, &words);
        for stream in [&output.stdout, &output.stderr] {
            assert!(is_safe(stream), "{arguments:?}: {:?}", String::from_utf8_lossy(stream));
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.lines().count() <= 2, "{arguments:?}: {error}");
    }
    let text = succeed(directory, &["inspect", "evil.bin"]);
    assert!(text.contains("pend\\u{1b}[2J"), "{text}");
    for entry in fs::read_dir(directory.join(&evil_directory)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() == Some(OsStr::new("svg")) {
            let svg = fs::read_to_string(&path).unwrap();
            assert!(is_safe(svg.as_bytes()), "{}", path.display());
            roxmltree::Document::parse(&svg).unwrap();
        }
    }
}

/// A policy whose machine is called `pend ESC [2J`, in the place of `pendulum`.
fn named(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let at = bytes.windows(8).position(|part| part == b"pendulum").expect("its contract");
    bytes[at + 4..at + 8].copy_from_slice(b"\x1b[2J");
    let all_but_its_own = [&bytes[..12], &bytes[16..]].concat();
    let checksum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&all_but_its_own);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    bytes
}
