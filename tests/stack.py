"""The most stack that functions of an image take, from its instructions alone: the deepest chain of calls.

A function's frame is all that it ever takes from the stack pointer, added up; so where it does that on two ways that
exclude each other, the bound is too high. What cannot be followed (a call through a pointer, recursion, a
frame whose size is computed) is an error, but for jumps through a register on RISC-V, which are those of `match`.
"""

import bisect
import re
import subprocess

# What a line of code begins with: its address and the instruction's name.
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
# Numbers between functions, byte by byte, which could read like one.
DATA = re.compile(r"\t\.(byte|short|half|word|long)\t")
# LLVM 14 takes code for ARMv8-M for that of larger processors if it is not told.
OPTIONS = {"thumbv8m.main-none-eabihf": ["--triple=thumbv8m.main-none-eabihf", "--mcpu=cortex-m33"]}


class Unbounded(Exception):
    """Why there is no bound."""


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def registers(operands):
    """Bytes of the registers that braces list."""
    size = 0
    for part in re.search(r"\{(.*)\}", operands).group(1).split(","):
        numbers = [int(number) for number in re.findall(r"[rsd](\d+)", part)] or [0]
        size += (numbers[-1] - numbers[0] + 1) * (8 if part.strip().startswith("d") else 4)
    return size


def frame_of_arm(name, operands):
    """Bytes that an instruction takes from the stack."""
    if name in ("push", "push.w", "vpush") or (name.startswith(("stmdb", "vstmdb")) and operands.startswith("sp!")):
        return registers(operands)
    before = re.search(r"\[sp, #-(\d+)\]!", operands)
    if before:
        return int(before.group(1))
    if name in ("sub", "sub.w", "subw", "add", "add.w", "addw") and re.match(r"sp\b", operands):
        number = re.search(r"#(-?\d+)$", operands.strip())
        if not number:
            raise Unbounded(f"a frame whose size is computed: {name} {operands}")
        return int(number.group(1)) if name.startswith("sub") else 0
    return 0


def frame_of_riscv(name, operands):
    number = re.match(r"sp, sp, (\S+)", operands)
    if not number:
        return 0
    if name != "addi":
        raise Unbounded(f"a frame whose size is computed: {name} {operands}")
    return max(0, -int(number.group(1)))


class Image:
    """Functions of an image: what each takes, and whom it calls."""

    def __init__(self, path, target):
        self.functions = {}
        for line in output("nm", "--print-size", path).splitlines():
            fields = line.split()
            if len(fields) == 4 and fields[2] in "tTwW" and not fields[3].startswith("."):
                # The lowest bit of an address says Thumb.
                self.functions[int(fields[0], 16) & ~1] = (int(fields[1], 16), fields[3])
        self.starts = sorted(self.functions)
        self.is_riscv = target.startswith("riscv")
        self.code = {}
        text = output("llvm-objdump", "-d", "--no-show-raw-insn", *OPTIONS.get(target, []), path)
        for line in text.splitlines():
            match = LINE.match(line)
            if not match or DATA.search(line):
                continue
            address, operands = int(match.group(1), 16), match.group(3).split("@")[0].split("<")[0].strip()
            start = self.start_of(address)
            if start is not None:
                self.code.setdefault(start, []).append((address, match.group(2), operands))
        self.depths = {}

    def start_of(self, address):
        """The function that has this address."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0 or address >= self.starts[at] + self.functions[self.starts[at]][0]:
            return None
        return self.starts[at]

    def name(self, start):
        return self.functions[start][1]

    def calls(self, start):
        """The other functions that a function jumps to, with or without coming back."""
        upper = {}  # of addresses that are put together in two instructions
        for address, name, operands in self.code.get(start, []):
            if name == "auipc":
                register, high = operands.split(", ")
                upper[register] = address + (int(high, 0) << 12)
                continue
            if name == "<unknown>":
                raise Unbounded(f"{self.name(start)} has an instruction at {address:#x} that llvm-objdump does not know")
            target = None
            offset = re.match(r"(?:ra, )?(-?\d+)\((\w+)\)$", operands)
            if name in ("jalr", "jr") and self.is_riscv:
                if offset and offset.group(2) in upper:
                    target = (upper[offset.group(2)] + int(offset.group(1))) & 0xFFFFFFFF
                elif name == "jalr":
                    raise Unbounded(f"{self.name(start)} calls through a pointer at {address:#x}")
            elif name in ("blx", "bx") and not operands.startswith(("lr", "0x")):
                raise Unbounded(f"{self.name(start)} calls through a pointer at {address:#x}")
            elif re.match(r"(b|c\.b|cb|j|tail|call)", name) and not name.startswith(("bic", "bfi", "bfc", "bkpt")):
                found = re.search(r"0x([0-9a-f]+)$", operands)
                target = found and int(found.group(1), 16)
            if target is not None:
                other = self.start_of(target)
                if other is None:
                    raise Unbounded(f"{self.name(start)} jumps to {target:#x}, where no function is")
                if other != start:
                    yield other

    def depth(self, start, callers=()):
        """Bytes of stack that a call of the function takes."""
        if start in callers:
            raise Unbounded(f"{self.name(start)} calls itself")
        if start not in self.depths:
            frame = frame_of_riscv if self.is_riscv else frame_of_arm
            try:
                own = sum(frame(name, operands) for _, name, operands in self.code.get(start, []))
            except Unbounded as error:
                raise Unbounded(f"{self.name(start)} has {error}") from error
            inner = [self.depth(other, (*callers, start)) for other in set(self.calls(start))]
            self.depths[start] = own + max(inner, default=0)
        return self.depths[start]

    def bound(self, pattern):
        """The most stack of the one function with such a name."""
        found = [start for start in self.starts if re.search(pattern, self.name(start))]
        if len(found) != 1:
            raise Unbounded(f"{len(found)} functions are named {pattern}, not one")
        return self.depth(found[0])
