"""Installs and builds what is missing, in target/peers/."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path("trainer/benches/peers")
TARGET = Path("target/peers")
VENV = TARGET / "venv"

# Without the caller's choices of kernels, and one thread in every library that would take more.
CHOICES = ("TRAINER_", "MKL_", "OPENBLAS_", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(CHOICES)},
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "RAYON")},
}


class Missing(Exception):
    """Something that this program cannot go on without, and what to do about it."""


def need(program, advice):
    if shutil.which(program) is None:
        raise Missing(f"{program} is not installed; {advice}")


def say(text):
    print(f"setup: {text}", file=sys.stderr, flush=True)


def execute(command, advice, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-15:])
        raise Missing(f"`{' '.join(map(str, command))}` failed:\n{last}\n{advice}")
    return done.stdout


def install(*packages):
    """Packages from PyPI, in the versions that requirements.txt pins."""
    pins = (HERE / "requirements.txt").read_bytes()
    key = hashlib.sha256(pins + " ".join(packages).encode()).hexdigest()[:16]
    marker = VENV / f"installed-{key}"
    if marker.exists():
        return
    if not (VENV / "bin" / "python").exists():
        say(f"makes {VENV} with Python {sys.version.split()[0]}")
        try:
            venv.create(VENV, with_pip=True)
        except (subprocess.CalledProcessError, ImportError) as error:
            shutil.rmtree(VENV, ignore_errors=True)
            raise Missing(f"python3 cannot make a virtual environment ({error}); install python3-venv") from error
    say(f"installs {' '.join(packages)}")
    execute(
        [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "-c", HERE / "requirements.txt", *packages],
        "Is there a network? The pins need Python 3.11 or later on x86-64 Linux; another one is used "
        f"by `python3.X trainer/benches/peers/run` after `rm -r {VENV}`.",
    )
    marker.touch()


def torch(_):
    install("torch", "stable-baselines3", "gymnasium")


def trainer(_):
    need("cargo", "see https://rustup.rs")
    say("builds our trainer")
    # A directory of its own: an ordinary build at the same time must not replace the program.
    execute(
        ["cargo", "build", "--release", "--quiet", "--locked", "-p", "trainer"],
        "Our own program does not build; the message above says why.",
        env={**ENVIRONMENT, "CARGO_TARGET_DIR": str(TARGET / "trainer")},
    )


def modurl(_):
    need("cargo", "see https://rustup.rs")
    say("builds modurl (several minutes the first time)")
    execute(
        ["cargo", "build", "--release", "--quiet", "--locked", "--manifest-path", HERE / "modurl/Cargo.toml"],
        "Is there a network? Leave modurl out with --only.",
        # Candle asks for the instructions of this processor.
        env={**ENVIRONMENT, "CARGO_TARGET_DIR": str(TARGET / "modurl"), "RUSTFLAGS": "-C target-cpu=native"},
    )


def rltools_binary(variant, settings):
    return TARGET / f"rltools-{variant}-{settings.steps}"


def rltools_mkl(settings):
    _rltools_with_mkl("mkl", "native", settings)


def rltools_mkl_avx2(settings):
    # x86-64-v3 is AVX2 and FMA.
    _rltools_with_mkl("mkl-avx2", "x86-64-v3", settings)


def _rltools_with_mkl(variant, march, settings):
    install("rltools", "mkl", "mkl-include")
    # The package has these libraries under versioned names only, which -l does not find.
    libraries = [_library(f"libmkl_{part}.so.*", VENV / "lib") for part in ("intel_lp64", "sequential", "core")]
    flags = ["-DRL_TOOLS_BACKEND_ENABLE_MKL", f"-I{VENV}/include"]
    _rltools(variant, march, settings, flags, ["-Wl,--no-as-needed", *libraries])


def rltools_openblas(settings):
    install("rltools", "scipy-openblas32")
    package = next(VENV.glob("lib/python*/site-packages/scipy_openblas32"))
    library = _library("libscipy_openblas*.so", package / "lib")
    # The package's symbols have a prefix.
    flags = ["-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS", f"-I{package}/include", "-Dcblas_sgemm=scipy_cblas_sgemm",
             "-Dcblas_dgemm=scipy_cblas_dgemm"]  # fmt: skip
    _rltools("openblas", "native", settings, flags, ["-Wl,--no-as-needed", library])


def rltools_loops(settings):
    install("rltools")
    _rltools("loops", "native", settings, [], [])


def _library(pattern, directory):
    found = sorted(directory.glob(pattern))
    if not found:
        raise Missing(f"{directory} has no {pattern}: the package is not what it was; `rm -r {VENV}` and run again")
    return found[-1]


def _rltools(variant, march, settings, flags, libraries):
    """RLtools' own flags (its Python package compiles with them), and `flags`."""
    binary, source = rltools_binary(variant, settings), HERE / "rltools/main.cpp"
    need("g++", "on Debian: apt-get install g++")
    made_from = [source.read_text(), (HERE / "requirements.txt").read_text(), march, *map(str, flags + libraries)]
    made_from.append(execute(["g++", "--version"], ""))
    key = hashlib.sha256("\n".join(made_from).encode()).hexdigest()
    marker = binary.with_name(binary.name + ".made-from")
    if binary.exists() and marker.exists() and marker.read_text() == key:
        return
    include = next(VENV.glob("lib/python*/site-packages/rltools/external/rl_tools/include"))
    run_paths = sorted({f"-Wl,-rpath,{library.resolve().parent}" for library in libraries[1:]})
    say(f"compiles RLtools ({variant})")
    execute(
        ["g++", "-std=c++17", "-O3", f"-march={march}", "-ffast-math", "-DNDEBUG", f"-DSTEPS={settings.steps}",
         "-DRL_TOOLS_DISABLE_UNALIGNED_MEMORY_ALLOCATIONS", *flags, f"-I{include}", source, "-o", binary, *libraries,
         *run_paths, "-lpthread", "-lm", "-ldl"],
        "RLtools does not compile; it was tried with g++ 12.",
    )  # fmt: skip
    marker.write_text(key)


def write_starts(file):
    """The 200 states that every policy is judged from."""
    states = json.loads(Path("trainer/src/envs/pendulum_starts.json").read_text())["states"]
    file.write_text("".join(f"{angle!r} {speed!r}\n" for angle, speed in states))
