"""The tables in Markdown. Every figure comes from the runs."""

TITLE = (
    "| network | program | numbers | instructions | cycles (model) | flash: code | weights | total "
    "| RAM: static | stack of an action | stack of start | together | largest error |"
)


def number(n):
    """Thousands apart, with a space that does not break a line."""
    return f"{n:,}".replace(",", "\u202f")


def markdown(board, rows):
    """rows: (network, program, run, empty run, error), or (network, program, None, None, why not)."""
    lines = [f"### {board.title}", "", TITLE, "|---|---|---|" + "--:|" * 10]
    for network, program, run, empty, error in rows:
        start = f"| {network.name} | {program.name} | {program.numbers} "
        if run is None:
            lines.append(f"{start}| {error} |" + " |" * 9)
            continue
        weights = program.weight_bytes(network)
        flash, static = run.flash - empty.flash, run.ram - empty.ram
        figures = [run.instructions, run.cycles, flash - weights, weights, flash, static, run.stack_act, run.stack_init,
                   static + max(run.stack_act, run.stack_init)]  # fmt: skip
        lines.append(f"{start}| " + " | ".join(map(number, figures)) + f" | {error:.1g} |")
    return "\n".join(lines)


def parts(board, rows):
    """Where the code of our programs goes; rows as above."""
    ours = [(network, program, run) for network, program, run, *_ in rows if run and program.name.startswith("ours")]
    if not ours:
        return ""
    names = list(ours[0][2].parts)
    lines = [f"| {board.name.upper()}, network | program | {' | '.join(names)} | all |", "|---|---|" + "--:|" * 5]
    for network, program, run in ours:
        figures = [*run.parts.values(), sum(run.parts.values())]
        lines.append(f"| {network.name} | {program.name} | {' | '.join(map(number, figures))} |")
    return "\n".join(lines)
