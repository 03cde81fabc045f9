"""Compares the event files of runs with their metrics.csv, by TensorBoard's own reader.

    python compare.py RUNS

RUNS holds a directory for each run; `interrupted`, of one that went on after Ctrl-C; and `resumed`, which trainer/examples/resumed_events.rs writes.
"""

import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

from measured import measured


def read(run):
    """(step, value) of each scalar, by tag."""
    (folder,) = (run / "events").iterdir()  # one run, one curve
    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0})  # 0: all of them
    events.Reload()
    others = {kind: tags for kind, tags in events.Tags().items() if kind != SCALARS and tags}
    if others:
        raise SystemExit(f"{run}: something else than scalars: {others}")
    return {name: [(e.step, np.float32(e.value)) for e in events.Scalars(name)] for name in events.Tags()[SCALARS]}


def compare(run):
    found, wanted = read(run), measured(run / "metrics.csv")
    if found.keys() != wanted.keys():
        raise SystemExit(f"{run}: tags differ: {sorted(found.keys() ^ wanted.keys())}")
    for name, values in wanted.items():
        if found[name] != values:
            raise SystemExit(f"{run}: {name} is {found[name]}, and in metrics.csv {values}")
    count = sum(map(len, wanted.values()))
    files, needed = len(list(run.glob("events/*/events.out.tfevents.*"))), 2 if run.name == "interrupted" else 1
    if count == 0 or files != needed:
        raise SystemExit(f"{run}: needed are numbers in {needed} event files, there are {count} in {files}")
    print(f"{run.name}: {count} scalars of {len(wanted)} tags are those of metrics.csv: {', '.join(sorted(wanted))}")


def resumed(run):
    """One curve: what was written before the checkpoint at step 300, and what the resumed run wrote."""
    wanted = [(100, -1), (200, -1), (300, -1), (350, -2), (450, -2), (550, -2), (650, -2), (750, -2)]
    found = read(run)
    if found != {"stats/Rewards": [(step, np.float32(value)) for step, value in wanted]}:
        raise SystemExit(f"{run}: {found}, not {wanted}")
    files = len(list(run.glob("events/*/events.out.tfevents.*")))
    print(f"{run.name}: one curve of {len(wanted)} points from {files} files, without steps of what was given up")


def main():
    runs = Path(sys.argv[1])
    for run in sorted(runs.iterdir()):
        resumed(run) if run.name == "resumed" else compare(run)


main()
