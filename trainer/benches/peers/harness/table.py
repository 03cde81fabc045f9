"""The table of a log, in Markdown. Every figure comes from the log."""

from statistics import median

from .peers import ALGORITHMS, PEERS

SOLVED = -200.0


def markdown(lines):
    """Tables of whole trainings and of single updates, and what failed."""
    runs = [line for line in lines if "peer" in line]
    good = [run for run in runs if "error" not in run]
    parts = [machine(line["machine"]) for line in lines if "machine" in line]
    trainings = [run for run in good if not run["one_update"]]
    updates = [run for run in good if run["one_update"]]
    if trainings:
        parts.append(training_table(trainings))
    if updates:
        parts.append(update_table(updates))
    failed = [run for run in runs if "error" in run]
    if failed:
        parts.append("\n".join(f"- failed: {r['peer']} {r['algorithm']} seed {r['seed']}" for r in failed))
    return "\n\n".join(parts)


def machine(m):
    return (
        f"{m['processor']}, {m['cores']} cores, one used; {'AVX-512' if m['avx512'] else 'no AVX-512'}; "
        f"{m['system']}; {m['g++']}; {m['rustc']}; commit {m['commit']}; {m['date']}"
    )


def groups(runs):
    """(algorithm, peer) -> its runs by seed, in the order of peers.py."""
    found = {}
    for run in runs:
        found.setdefault((run["algorithm"], run["peer"]), {})[run["seed"]] = run
    order = [peer.name for peer in PEERS]
    return dict(sorted(found.items(), key=lambda item: (ALGORITHMS.index(item[0][0]), order.index(item[0][1]))))


def ratio(mine, baseline, cost):
    """Median of the ratios of runs of the same seed, which were made one after another."""
    pairs = [cost(run) / cost(baseline[seed]) for seed, run in mine.items() if seed in baseline]
    return f"{median(pairs):.2f}" if pairs else "–"


def spread(values, digits):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def training_table(runs):
    def cost(run):
        return run["cpu_seconds"]

    found = groups(runs)
    rows = [
        "| algorithm | program | CPU s of training, median (range) | × ours | updates | solved | median return |",
        "|---|---|---|---|---|---|---|",
    ]
    for (algorithm, peer), mine in found.items():
        baseline = found.get((algorithm, next(iter(mine.values()))["baseline"]), {})
        returns = [run["mean_return"] for run in mine.values()]
        counts = "/".join(sorted({str(run["updates"]) for run in mine.values()}))
        rows.append(
            f"| {algorithm} | {peer} | {spread([cost(r) for r in mine.values()], 2)} | "
            f"{ratio(mine, baseline, cost)} | {counts} | "
            f"{sum(r > SOLVED for r in returns)} of {len(returns)} | {median(returns):.1f} |"
        )
    return "\n".join(rows)


def update_table(runs):
    def cost(run):
        return 1e3 * run["cpu_seconds"] / run["updates"]

    found = groups(runs)
    rows = [
        "| one update | program | CPU ms, median (range) | × ours | seeds |",
        "|---|---|---|---|---|",
    ]
    for (algorithm, peer), mine in found.items():
        baseline = found.get((algorithm, next(iter(mine.values()))["baseline"]), {})
        costs = [cost(run) for run in mine.values()]
        rows.append(
            f"| {algorithm} | {peer} | {spread(costs, 3)} | {ratio(mine, baseline, cost)} | {len(costs)} |"
        )
    return "\n".join(rows)
