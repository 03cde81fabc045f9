"""Runs one program on one core and logs what it reports."""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

from .build import ENVIRONMENT, VENV


def append(log, line):
    """A whole line at once, given to the system at once: a killed run leaves the lines before."""
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


def read(log):
    """The lines of a log; of a line that was cut off only the fact."""
    runs = []
    for text in log.read_text().splitlines():
        try:
            runs.append(json.loads(text))
        except json.JSONDecodeError:
            print(f"{log}: leaves out a line that is cut off", file=sys.stderr)
    return runs


def machine(core, avx512, load):
    """What a reader must know about where the numbers come from."""

    def first_line(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
        except (OSError, IndexError):
            return None

    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    packages = []
    if (VENV / "bin" / "python").exists():
        freeze = subprocess.run([VENV / "bin" / "python", "-m", "pip", "freeze"], capture_output=True, text=True)
        packages = freeze.stdout.splitlines()
    return {
        "processor": model[0] if model else platform.processor(),
        "cores": os.cpu_count(),
        "core": core,
        "avx512": avx512,
        "system": f"{platform.system()} {platform.release()}",
        "load": load,
        "g++": first_line("g++", "--version"),
        "rustc": first_line("rustc", "--version"),
        "commit": first_line("git", "describe", "--always", "--dirty"),
        "date": time.strftime("%Y-%m-%d"),
        "packages": packages,
    }


def run(peer, algorithm, seed, settings, core, log):
    """Runs the program and appends a line to the log, with `error` if it failed."""
    command = peer.command(algorithm, seed, settings)
    line = {"peer": peer.name, "baseline": peer.baseline, "algorithm": algorithm, "seed": seed}
    line |= {"one_update": peer.one_update, "command": " ".join(command), "environment": peer.environment}
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **peer.environment},
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    line["process_seconds"] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3)
    line["wall_seconds"] = round(time.monotonic() - wall, 3)
    if done.returncode != 0:
        # Logs are published: where the clone lies on this machine is nobody's business.
        text = (done.stderr or done.stdout).replace(f"{Path.cwd()}/", "")
        line["error"] = text[-600:] or f"exit status {done.returncode}"
    else:
        line |= result(done.stdout)
        if "error" not in line:
            line |= wrong_backend(peer, line["backend"])
    append(log, line)
    shown = line.get("error") or f"{line['cpu_seconds']:8.3f} s of {line['process_seconds']:.1f}"
    print(f"{peer.name:18} {algorithm:5} seed {seed:2}: {shown}", file=sys.stderr, flush=True)


def result(output):
    """What a program printed: a line of JSON, or our summary, whose names differ."""
    try:
        found = json.loads(output[output.index("{"):])
        if "train_cpu_seconds" not in found:
            needed = {key: found[key] for key in ("backend", "cpu_seconds", "updates")}
            return needed | {key: found[key] for key in found if key not in ("algorithm", "seed")}
        evaluation = found["evaluation"]
        return {
            "steps": found["steps"],
            "updates": found["updates"],
            "cpu_seconds": found["train_cpu_seconds"],
            "mean_return": evaluation["mean"],
            "starts": evaluation["starts"],
            "backend": found["backend"],
        }
    except (ValueError, KeyError) as problem:
        return {"error": f"prints no result: {problem}"}


def wrong_backend(peer, backend):
    """A program that does not compute with what its name says must not count."""
    if peer.backend in backend and peer.no_backend not in backend:
        return {}
    return {"error": f"runs with `{backend}`: not what {peer.name} stands for"}
