"""Runs a program in QEMU; reads what it reported, what ran, and how large it is."""

import math
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import prices
from build import HERE, TARGET, Failed, execute

# Of the emulator: the slowest program needs some seconds.
RUN_SECONDS = 300
# Of the linker script, in flash; .data lies there, too.
FLASH, RAM = (".text", ".data"), (".data", ".bss")


@dataclass
class Run:
    actions: list
    instructions: int
    cycles: int
    stack_init: int
    stack_act: int
    flash: int
    ram: int
    parts: dict


def plugin():
    made = TARGET / "trace.so"
    source = HERE / "trace.c"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(parents=True, exist_ok=True)
        execute(["gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-o", made, source])
    return made


def address(elf, name):
    for line in execute(["arm-none-eabi-nm", elf]).splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[2] == name:
            return f"0x{parts[0]}"
    raise Failed(f"{elf} has no function {name}")


def sections(elf):
    """Sizes of the sections that are loaded or cleared."""
    sizes = {}
    for line in execute(["arm-none-eabi-size", "-A", elf]).splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            sizes[parts[0]] = int(parts[1])
    return sizes


# Parts of our own code, by what a function's name begins with; the first that fits counts.
PARTS = [
    ("reader", ("cost_init", "policy_core::format::", "policy_core::compact::not_finite")),
    ("tanh", ("libm::math::", "policy_core::tanh::")),
    ("kernels", ("policy_core::layer::", "<i16 as policy_core::layer", "<i8 as policy_core::layer")),
    ("observation to action", ("cost_act", "policy_core::")),
]


def code_by_part(elf):
    """Bytes of our functions' code. What Rust and C bring along (memory, soft float) is not ours to count."""
    sizes = dict.fromkeys((part for part, _ in PARTS), 0)
    for line in execute(["arm-none-eabi-nm", "--print-size", "--demangle", elf]).splitlines():
        words = line.split(maxsplit=3)
        if len(words) == 4 and words[2] in "tT":
            for part, names in PARTS:
                if words[3].startswith(names):
                    sizes[part] += int(words[1], 16)
                    break
    return sizes


def run(elf, board):
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch, "trace")
        places = f"begin={address(elf, 'cost_begin')},end={address(elf, 'cost_end')}"
        text = execute(
            ["qemu-system-arm", "-machine", board.machine, "-display", "none", "-serial", "none", "-monitor", "none",
             "-semihosting-config", "enable=on,target=native", "-plugin", f"{plugin()},{places},out={trace}",
             "-kernel", elf],
            timeout=RUN_SECONDS,
        )  # fmt: skip
        if "done" not in text.split():
            raise Failed(f"stopped in the emulator: {' '.join(text.split())[-300:] or 'without a word'}")
        lines = prices.read(trace)
    report = [line.split() for line in text.splitlines()]
    values = {words[0]: int(words[1], 16) for words in report if words[0].startswith("stack-")}
    bits = [int(words[2], 16) for words in report if words[0] == "action"]
    sizes = sections(elf)
    return Run(
        actions=[struct.unpack("<f", struct.pack("<I", b))[0] for b in bits],
        instructions=prices.instructions(lines),
        cycles=prices.cycles(lines, prices.PRICES[board.prices]),
        stack_init=values["stack-init"],
        stack_act=values["stack-act"],
        flash=sum(sizes.get(name, 0) for name in FLASH),
        ram=sum(sizes.get(name, 0) for name in RAM),
        parts=code_by_part(elf),
    )


def check(actions, expected, tolerance):
    """The greatest error. A program that computes something else is not measured."""
    errors = [abs(action - right) for action, right in zip(actions, expected, strict=True)]
    worst = math.nan if any(map(math.isnan, errors)) else max(errors)
    if not worst <= tolerance:
        raise Failed(f"its actions are {actions}, not {expected}: an error of {worst:.2g}, more than {tolerance:g}")
    return worst
