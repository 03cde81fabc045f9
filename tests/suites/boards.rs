//! What the trainer knows of boards is what their linker scripts say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use trainer::link::{BOARDS, Known};

/// What the code of the largest program takes, less its policy: rounded up.
const PROGRAM: u64 = 128 << 10;

fn firmware() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-example")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Origin and length of each region.
type Regions = BTreeMap<String, (u64, u64)>;

/// The regions of a board, as its linker script has them; none for a board without a script of its own.
fn regions(board: &str) -> Regions {
    let file = firmware().join("boards").join(board).join("memory.x");
    if !file.exists() {
        return Regions::new();
    }
    let lines = read(&file).lines().filter(|line| line.contains("ORIGIN =")).map(region).collect();
    assert!(!Regions::is_empty(&lines), "{board}");
    lines
}

/// `  NAME : ORIGIN = 0x10000100, LENGTH = 768K - 0x100`
fn region(line: &str) -> (String, (u64, u64)) {
    let (name, rest) = line.split_once(':').unwrap();
    let (origin, length) = rest.split_once(',').unwrap();
    let value = |text: &str| number(text.split_once('=').unwrap().1);
    (name.trim().to_string(), (value(origin), value(length)))
}

fn number(text: &str) -> u64 {
    if let Some((whole, less)) = text.split_once(" - ") {
        return number(whole) - number(less);
    }
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).unwrap();
    }
    let unit =
        |letter: char, bits: u32| Some(text.strip_suffix(letter)?.parse::<u64>().unwrap() << bits);
    unit('K', 10).or_else(|| unit('M', 20)).unwrap_or_else(|| text.parse().unwrap())
}

/// Real boards are packages, emulated ones programs.
fn built() -> BTreeSet<String> {
    let names = |folder: PathBuf| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let real = names(firmware().join("boards"))
        .into_iter()
        .filter(|path| path.join("Cargo.toml").exists() && path.file_name().unwrap() != "parts");
    let programs = names(firmware().join("src/bin")).into_iter();
    let emulated = programs.map(|path| path.with_extension(""));
    let emulated =
        emulated.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("qemu-"));
    real.chain(emulated).map(|path| path.file_name().unwrap().to_string_lossy().into()).collect()
}

#[test]
fn the_table_names_every_board_as_its_firmware_does() {
    let known: BTreeSet<String> = BOARDS.iter().map(|board| board.name.to_string()).collect();
    assert_eq!(known, built());
    for Known { name, .. } in BOARDS {
        let sources = ["boards/*/src/main.rs", "boards/*/src/tasks.rs", "src/bin/*.rs"];
        let files = sources.map(|file| firmware().join(file.replace('*', name)));
        let texts: String =
            files.iter().filter(|file| file.exists()).map(|file| read(file)).collect();
        assert!(texts.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn slots_are_those_of_the_linker_scripts() {
    for Known { name, slot } in BOARDS {
        let slots = regions(name).get("SLOTS").map(|(_, length)| length / 2);
        assert_eq!(slot.map(u64::from), slots, "{name}");
        // Emulated boards say once more whether they have any.
        let program = firmware().join(format!("src/bin/{name}.rs"));
        if program.exists() {
            let flag = format!(", {}, \"{name}\"", slot.is_some());
            assert!(read(&program).contains(&flag), "{name}: not{flag}");
        }
    }
}

/// Two slots and a program with a policy as large; one more of the pieces that are erased at once would not fit.
#[test]
fn slots_are_as_large_as_each_flash_allows() {
    for (name, flash, piece) in [
        ("microbit-v2", 512 << 10, 4 << 10),
        ("pico", 2 << 20, 4 << 10),
        ("pico2", 4 << 20, 4 << 10),
        ("nucleo-f401re", 512 << 10, 128 << 10),
    ] {
        let regions = regions(name);
        let (start, length) = regions["SLOTS"];
        let slot = length / 2;
        assert!(start % piece == 0 && slot % piece == 0, "{name}");
        let begin = regions.get("BOOT2").unwrap_or(&regions["FLASH"]).0;
        assert_eq!((start - begin) + length, flash, "{name}: the slots are the end of its flash");
        let (program, room) = regions["FLASH"];
        assert_eq!(program + room, start, "{name}: the program ends where the slots begin");
        assert!(start - begin >= PROGRAM + slot, "{name}: a slot's policy fits the program, too");
        let larger = slot + piece;
        assert!(flash < 3 * larger + PROGRAM, "{name}: slots of {larger} bytes would fit");
    }
}
