"""Cycles of a trace: how often each instruction ran, times what the processor's manual says it takes.

A model, not silicon: memory answers at once, nothing is fetched ahead, and no instruction waits for the
result of the one before. The prices are those of the
Cortex-M4 (ARM 100166, tables 3-1 and 7-1) and the Cortex-M0 (ARM DDI 0432, table 3-1, with the
multiplier of one cycle).
"""

import re
from dataclasses import dataclass

TAKEN = 2  # beyond the cycle of a branch that is not taken


@dataclass
class Line:
    """An instruction, how often it ran, and how often another than the next one followed."""

    address: int
    size: int
    times: int
    left: int
    name: str
    operands: str


def read(path):
    lines = []
    with open(path) as file:
        for line in file:
            address, size, times, left, text = line.rstrip("\n").split("\t")
            name, _, operands = text.strip().partition(" ")
            lines.append(Line(int(address, 16), int(size), int(times), int(left), name, operands.strip()))
    return lines


def instructions(lines):
    return sum(line.times for line in lines)


def cycles(lines, price):
    total, before = 0, None
    for line in lines:
        follows = before is not None and line.address - before.address in (2, 4)
        total += line.times * price(line, before if follows else None) + TAKEN * line.left
        before = line
    return total


def registers(operands):
    """How many registers a list in braces names."""
    count = 0
    for part in re.search(r"\{(.*?)\}", operands).group(1).split(","):
        ends = re.findall(r"\d+", part.replace("lr", "14").replace("pc", "15").replace("sp", "13"))
        count += int(ends[-1]) - int(ends[0]) + 1 if "-" in part else 1
    return count


def base(name):
    """The mnemonic without width and condition."""
    return re.sub(r"\.(w|n|f32|f64|32|s32|u32|i32|16|8|s32\.f32|u32\.f32|f32\.s32|f32\.u32)\b.*", "", name.lower())


LOAD = re.compile(r"^ldr(b|h|sb|sh)?(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?$")
STORE = re.compile(r"^str(b|h)?(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?$")


def is_single_transfer(line):
    name = base(line.name)
    return bool(LOAD.match(name) or STORE.match(name) or name in ("vldr", "vstr"))


def m4(line, before):
    name, operands = base(line.name), line.operands.lower()
    if LOAD.match(name) or name == "vldr":
        words = 2 if name == "vldr" and operands.startswith("d") else 1
        return words + (0 if before and is_single_transfer(before) else 1)
    if STORE.match(name):
        # The address and the data of a store to a constant offset overlap with what follows.
        return 2 if re.search(r"\[[^\]]*,\s*r\d+", operands) else 1
    if name == "vstr":
        words = 2 if operands.startswith("d") else 1
        return words + (0 if before and is_single_transfer(before) else 1)
    if name.startswith(("ldrd", "strd")):
        return 3
    if name.startswith(("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop")):
        wide = 2 if name[0] == "v" and re.search(r"\{\s*d", operands) else 1
        return 1 + wide * registers(operands)
    if re.match(r"^v(n?mla|n?mls|fn?ma|fn?ms)", name):
        return 3
    if name in ("mla", "mls"):
        return 2  # LLVM's model (ARMScheduleM4.td) says so, too; long and 16-bit multiply-accumulates take 1
    if name == "vmov" and (re.search(r"\bd\d", operands) or operands.count(",") > 1):
        return 2  # two words
    if name.startswith(("vdiv", "vsqrt")):
        return 14
    if re.match(r"^[su]div", name):
        return 12  # the most; 2 at the least
    if name in ("tbb", "tbh"):
        return 2
    return 1


def m0(line, before):
    name, operands = base(line.name), line.operands.lower()
    if LOAD.match(name) or STORE.match(name):
        return 2
    if name.startswith(("ldm", "stm", "push")):
        return 1 + registers(operands)
    if name.startswith("pop"):
        # 4 + N with the return address, of which TAKEN counts two.
        return registers(operands) + (2 if "pc" in operands else 1)
    if name == "bl":
        return 2  # 4 with TAKEN
    return 1


PRICES = {"m4": m4, "m0": m0}
