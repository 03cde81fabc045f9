"""Boards, compilers and the linker. What is built lies in target/cost/."""

import functools
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "cost"
TARGET = ROOT / "target" / "cost"
VENV = TARGET / "venv"

# A build that takes longer counts as one that does not end.
BUILD_SECONDS = 600


class Failed(Exception):
    """A program that cannot be built or run: what to say about it."""


@dataclass(frozen=True)
class Board:
    name: str
    title: str
    machine: str
    prices: str
    flags: tuple
    rust_target: str
    cpu: str


BOARDS = [
    Board("m4f", "Cortex-M4F (QEMU `mps2-an386`)", "mps2-an386", "m4",
          ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
          "thumbv7em-none-eabihf", "cortex-m4"),
    # The machine's processor is a Cortex-M3, which runs every instruction of a Cortex-M0; QEMU's machine
    # with a Cortex-M0 (microbit) has 256 KB of flash, less than the widest network in f32.
    Board("m0", "Cortex-M0 (its code, on QEMU's `mps2-an385`)", "mps2-an385", "m0",
          ("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft"), "thumbv6m-none-eabi", "cortex-m0"),
]  # fmt: skip

OPTIMISED = ("-O3", "-ffunction-sections", "-fdata-sections")


def execute(command, **options):
    command = list(map(str, command))
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", **{"timeout": BUILD_SECONDS, **options})  # fmt: skip
    except FileNotFoundError as problem:
        raise Failed(f"{command[0]} is not installed; tests/cost/setup installs it") from problem
    except subprocess.TimeoutExpired as problem:
        raise Failed(f"{Path(command[0]).name} did not end within {problem.timeout:.0f} s") from problem
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-30:])
        raise Failed(f"{' '.join(command)} failed:\n{last}")
    return done.stdout


def compile_all(board, directory, sources, flags=()):
    """Objects of C or C++ sources, made again only if the command or a file that was read is newer."""
    objects = []
    directory.mkdir(parents=True, exist_ok=True)
    for index, source in enumerate(sources):
        source = Path(source)
        made = directory / f"{index}-{source.stem}.o"
        compiler = "arm-none-eabi-gcc" if source.suffix == ".c" else "arm-none-eabi-g++"
        command = [compiler, *board.flags, *OPTIMISED, *flags, "-MMD", "-c", source, "-o", made]
        if not fresh(made, command):
            execute(command)
            made.with_suffix(".command").write_text(" ".join(map(str, command)))
        objects.append(made)
    return objects


def fresh(made, command):
    note, rules = made.with_suffix(".command"), made.with_suffix(".d")
    if not (made.exists() and note.exists() and rules.exists()) or note.read_text() != " ".join(map(str, command)):
        return False
    # A rule of make: `object: file file \` and more lines of files.
    read = rules.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    return all(Path(file).exists() and Path(file).stat().st_mtime <= made.stat().st_mtime for file in read)


@functools.cache
def toolchain():
    """The directory of the Rust that tests/setup found or made; empty: the active one."""
    printed = execute([ROOT / "tests" / "setup", "--toolchain"]).strip().splitlines()
    return printed[-1] if printed else ""


def environment():
    """Without the caller's own flags, and with that Rust in front."""
    found = {name: value for name, value in os.environ.items() if "RUSTFLAGS" not in name}
    if toolchain():
        found["PATH"] = f"{toolchain()}:{found['PATH']}"
    return found


def cargo_staticlib(board, crate, made, variables, options=()):
    """Builds the crate's static library with these environment variables; a copy of it is `made`."""
    settings = environment() | variables
    # One directory for each crate and board: the networks share the dependencies' build.
    settings |= {"CARGO_TARGET_DIR": str(TARGET / "cargo" / crate.name), "RUSTFLAGS": f"-C target-cpu={board.cpu}"}
    execute(["cargo", "build", "--release", "--quiet", "--locked", "--target", board.rust_target, *options],
            cwd=crate, env=settings)  # fmt: skip
    libraries = list((TARGET / "cargo" / crate.name / board.rust_target / "release").glob("lib*.a"))
    if len(libraries) != 1:
        raise Failed(f"{crate} makes {len(libraries)} static libraries, not one")
    made.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(libraries[0], made)
    return made


@functools.cache
def crate_sources(crate, package):
    """Where cargo keeps the sources of a crate's dependency."""
    text = execute(["cargo", "metadata", "--format-version", "1", "--locked", "--quiet"], cwd=crate, env=environment())
    found = json.loads(text[text.index("{") :])
    return next(Path(p["manifest_path"]).parent for p in found["packages"] if p["name"] == package)


def link(board, elf, network_directory, objects):
    flags = ["-I", network_directory, "-std=gnu11", "-Wall", "-Wextra", "-O2"]
    harness = compile_all(board, network_directory / f"harness-{board.name}", [HERE / "harness.c"], flags)
    options = ["--gc-sections", "--fatal-warnings", "--no-warn-rwx-segments", "-z,noexecstack"]
    execute(["arm-none-eabi-g++", *board.flags, "--specs=nano.specs", "-nostartfiles", "-T", HERE / "harness.ld",
             *(f"-Wl,{option}" for option in options), "-o", elf, *harness, *objects, "-lm"])  # fmt: skip
    return elf
