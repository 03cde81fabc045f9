//! The build script of every board: which scripts the linker gets.

use std::{env, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    // Only firmware is laid out; on the desktop a board's program is an ordinary one.
    if variable("CARGO_CFG_TARGET_OS") != "none" {
        return;
    }
    let board = variable("CARGO_MANIFEST_DIR");
    // Scripts that come with the crates. All but that of the ESP32-C3 include the board's own, memory.x.
    let scripts: &[&str] = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
        "riscv32" => &["linkall.x"],
        // The RP2040 starts from a block of its own, before the vector table.
        _ if board.ends_with("/pico") => &["link.x", "link-rp.x"],
        _ => &["link.x"],
    };
    let layout = Path::new(&board).join("memory.x");
    if layout.exists() {
        println!("cargo::rustc-link-search={board}");
        println!("cargo::rerun-if-changed={}", layout.display());
    }
    for script in scripts.iter().chain(&["defmt.x"]) {
        println!("cargo::rustc-link-arg-bins=-T{script}");
    }
    // Sections keep the addresses that the scripts give them; none is moved to a page's beginning.
    println!("cargo::rustc-link-arg-bins=--nmagic");
}
