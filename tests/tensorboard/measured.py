"""The curves that TensorBoard should show of a run, from its metrics.csv."""

import csv

import numpy as np

# What courses call them; the others follow a rule.
NAMES = {"return": "stats/Rewards", "actor_loss": "loss/ - policy loss"}


def tag(column):
    kind = "loss" if column.endswith("_loss") else "stats"
    return NAMES.get(column, f"{kind}/{column.replace('_', ' ')}")


def measured(path):
    """(step, value) of each scalar, by tag, of a metrics.csv or its beginning; before the first update there is no value."""
    columns = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for column, text in row.items():
                if text:
                    columns.setdefault(tag(column), []).append((step, np.float32(float(text))))
    return columns
