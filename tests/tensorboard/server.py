"""Asks TensorBoard's own server what it shows while runs begin, end, are interrupted and take each other's place.

    python server.py TRAINER PLACE

TRAINER is the program, PLACE a directory for its runs. Two servers look at it, as people start them: one with the fast loader, which
is the default where `tensorboard-data-server` is installed, and one with the other loader, which knows other rules of what belongs to a run.
"""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np

from measured import measured

# The servers look for new events every 5 s, and this machine may do other things, too.
PATIENCE = 90  # s
STEPS = 1500


class Server:
    def __init__(self, runs, fast):
        options = [] if fast else ["--load_fast=false"]
        command = [Path(sys.executable).with_name("tensorboard"), "--logdir", runs, "--host", "127.0.0.1", "--port", "0", *options]
        self.name = "fast loader" if fast else "other loader"
        self.errors = runs.parent / f"{self.name.replace(' ', '-')}.log"
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(command, stderr=errors, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            self.address = until(self.announced, bool, f"{self.name}: no address")
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            names = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
            if any("tensorboard_data_server" in name for name in names) != fast:
                raise SystemExit(f"{self.name}: the data server should {'' if fast else 'not '}run, there are {names}")
        except BaseException:
            self.end()
            raise

    def announced(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name}: ended: {self.errors.read_text()}")
        found = re.search(r"http://127\.0\.0\.1:\d+", self.errors.read_text())
        return found and found.group()

    def get(self, path, **query):
        url = f"{self.address}/data/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def curves(self):
        """(step, value) of each scalar, by run and tag."""
        points = lambda run, name: self.get("plugin/scalars/scalars", run=run, tag=name)
        curve = lambda run, name: [(int(step), np.float32(value)) for _, step, value in points(run, name)]
        try:
            tags = self.get("plugin/scalars/tags")
            return {run: {name: curve(run, name) for name in tags.get(run, {})} for run in self.get("runs")}
        except urllib.error.HTTPError:
            return {}  # what was listed is gone

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def until(look, enough, what):
    """What is seen when it is enough."""
    end = time.monotonic() + PATIENCE
    while not enough(seen := look()):
        if time.monotonic() > end:
            raise SystemExit(f"{what} within {PATIENCE} s, but {seen}")
        time.sleep(0.2)
    return seen


def shows(servers, wanted, what):
    """Waits until both servers show these curves, and no others; the names of their runs."""
    ordered = lambda curves: sorted(sorted(tags.items()) for tags in curves)
    same = lambda curves: ordered(curves.values()) == ordered(wanted)
    for server in servers:
        curves = until(server.curves, same, f"{server.name}: not the {len(wanted)} curves of {what}")
        print(f"{server.name}: {what}: {', '.join(f'{run} ({len(tags)} tags)' for run, tags in sorted(curves.items()))}")
    return set(curves)


def check(trainer, place):
    shutil.rmtree(place, ignore_errors=True)
    runs = place / "runs"
    runs.mkdir(parents=True)
    out = runs / "tb"
    command = lambda preset, *more: [trainer, "train", "--quiet", "--preset", preset, "--out", out, *map(str, more)]
    train = lambda *words: subprocess.run(command(*words), check=True, stdout=subprocess.DEVNULL, timeout=600)

    with contextlib.ExitStack() as stack:
        servers = []
        for fast in (True, False):
            servers.append(Server(runs, fast))
            stack.callback(servers[-1].end)

        train("td3", "--steps", STEPS)
        first = measured(out / "metrics.csv")
        names = [shows(servers, [first], "a run of TD3")]
        train("sac", "--steps", STEPS)
        second = measured(out / "metrics.csv")
        names.append(shows(servers, [second], "one of SAC in its place"))

        # While the next one trains, and when it was interrupted, it stands beside the one that has finished.
        with subprocess.Popen(command("sac", "--steps", 20000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            part = out / "metrics.csv.part"
            until(lambda: part.exists() and part.read_text().count("\n"), lambda count: count >= 8, "no rows of a run")
            process.send_signal(signal.SIGINT)
            if (status := process.wait(60)) != 130:
                raise SystemExit(f"an interrupted run ended with {status}")
        shows(servers, [second, measured(part)], "one that was interrupted, beside it")
        train("sac", "--steps", 20000, "--resume")
        names.append(shows(servers, [measured(out / "metrics.csv")], "the same, which went on"))

        shutil.rmtree(out)
        train("td3", "--steps", STEPS, "--seed", 2)
        names.append(shows(servers, [measured(out / "metrics.csv")], "a run in a directory that was removed"))
        if len(set().union(*names)) != len(names):
            raise SystemExit(f"runs share a name: {names}")


check(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
