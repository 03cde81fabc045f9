"""Tests of prices.py: python3 -B -m unittest discover tests/cost"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import prices  # noqa: E402
from prices import Line  # noqa: E402


def lines(*texts, times=1):
    """Instructions one behind the other, each of 4 bytes, each run `times` times, no branch taken."""
    made = []
    for index, text in enumerate(texts):
        name, _, operands = text.partition(" ")
        made.append(Line(4 * index, 4, times, 0, name, operands))
    return made


def m4(*texts):
    return prices.cycles(lines(*texts), prices.PRICES["m4"])


def m0(*texts):
    return prices.cycles(lines(*texts), prices.PRICES["m0"])


class Registers(unittest.TestCase):
    def test_lists_and_ranges(self):
        for operands, count in {
            "{r4}": 1,
            "{r4, r5, lr}": 3,
            "{r4-r7, lr}": 5,
            "sp!, {r3, r4, r5, r6, r7, r8, sb, pc}": 8,
            "r0!, {r1-r3, r5}": 4,
            "{r8, sb, sl, fp}": 4,
            "{d8, d9, d10}": 3,
            "r0!, {s0-s15}": 16,
        }.items():
            self.assertEqual(prices.registers(operands), count, operands)


class Names(unittest.TestCase):
    def test_widths_and_types_are_no_part_of_a_name(self):
        for name, base in {
            "ldr.w": "ldr",
            "vldr": "vldr",
            "vmla.f32": "vmla",
            "vcvt.s32.f32": "vcvt",
            "bne.n": "bne",
            "LDRB": "ldrb",
        }.items():
            self.assertEqual(prices.base(name), base, name)


class M4(unittest.TestCase):
    def test_a_load_takes_two_and_one_behind_another_load_or_store(self):
        self.assertEqual(m4("ldr r0, [r1]"), 2)
        self.assertEqual(m4("ldr r0, [r1]", "ldrb r2, [r1, #4]", "vldr s0, [r1]"), 4)
        self.assertEqual(m4("str r0, [r1]", "ldr r0, [r1]"), 2)
        self.assertEqual(m4("ldr r0, [r1]", "add r0, r0, #1", "ldr r2, [r1]"), 5)

    def test_only_the_instruction_right_before_makes_a_run(self):
        apart = lines("ldr r0, [r1]", "ldr r0, [r1]")
        apart[1].address += 100
        self.assertEqual(prices.cycles(apart, prices.PRICES["m4"]), 4)

    def test_a_store_with_an_index_register_takes_two(self):
        self.assertEqual(m4("str r0, [r1, #8]"), 1)
        self.assertEqual(m4("str r0, [r1, r2]"), 2)
        self.assertEqual(m4("strb.w r0, [r1, r2, lsl #2]"), 2)

    def test_conditions_of_loads(self):
        self.assertEqual(m4("ldrne r0, [r1]"), 2)
        self.assertEqual(m4("ldrsbeq r0, [r1]"), 2)

    def test_lists(self):
        self.assertEqual(m4("push {r4, r5, lr}"), 4)
        self.assertEqual(m4("ldm r0!, {r1, r2, r3, r4}"), 5)
        self.assertEqual(m4("vldmia r0!, {s0, s1, s2, s3}"), 5)
        self.assertEqual(m4("vpush {d8, d9}"), 5)
        self.assertEqual(m4("ldrd r0, r1, [r2]"), 3)

    def test_arithmetic(self):
        self.assertEqual(m4("vmul.f32 s0, s1, s2", "vadd.f32 s0, s0, s3"), 2)
        self.assertEqual(m4("vmla.f32 s0, s1, s2"), 3)
        self.assertEqual(m4("vfnms.f32 s0, s1, s2"), 3)
        self.assertEqual(m4("vnmul.f32 s0, s1, s2"), 1)
        self.assertEqual(m4("vdiv.f32 s0, s1, s2"), 14)
        self.assertEqual(m4("mla r0, r1, r2, r0", "mls r0, r1, r2, r0"), 4)
        self.assertEqual(m4("smlad r0, r1, r2, r0", "smlal r0, r1, r2, r3", "smlabb r0, r1, r2, r0"), 3)
        self.assertEqual(m4("udiv r0, r1, r2"), 12)

    def test_moves_between_the_register_files(self):
        self.assertEqual(m4("vmov r0, s1", "vmov.f32 s0, #1.0", "vmov.f32 s0, s1"), 3)
        self.assertEqual(m4("vmov r0, r1, d0"), 2)
        self.assertEqual(m4("vmov s0, s1, r0, r1"), 2)


class M0(unittest.TestCase):
    def test_loads_and_stores_take_two_in_a_run_too(self):
        self.assertEqual(m0("ldr r0, [r1]", "ldr r2, [r1]", "strh r0, [r1]"), 6)

    def test_lists(self):
        self.assertEqual(m0("push {r4, r5, lr}"), 4)
        self.assertEqual(m0("pop {r4, r5}"), 3)
        self.assertEqual(m0("ldm r0!, {r1, r2}"), 3)

    def test_multiplication_takes_one(self):
        self.assertEqual(m0("muls r0, r1, r0"), 1)


class Branches(unittest.TestCase):
    """`left` counts how often another instruction than the next one followed."""

    def test_a_taken_branch_takes_two_more(self):
        loop = lines("subs r0, #1", "bne.n 0x0", times=10)
        loop[1].left = 9
        self.assertEqual(prices.cycles(loop, prices.PRICES["m4"]), 10 + 10 + 2 * 9)

    def test_calls_and_returns_of_the_m0(self):
        call = lines("bl 0x100")
        call[0].left = 1
        self.assertEqual(prices.cycles(call, prices.PRICES["m0"]), 4)
        back = lines("pop {r4, pc}")
        back[0].left = 1
        self.assertEqual(prices.cycles(back, prices.PRICES["m0"]), 4 + 2)


class Traces(unittest.TestCase):
    def test_a_file_of_the_plugin(self):
        with tempfile.TemporaryDirectory() as scratch:
            trace = Path(scratch, "trace")
            trace.write_text("80\t2\t10\t9\tbne.n    #0x7c\n84\t4\t1\t0\tldr.w r0, [r1, #4]\n")
            read = prices.read(trace)
        self.assertEqual(read[0], Line(0x80, 2, 10, 9, "bne.n", "#0x7c"))
        self.assertEqual(read[1].operands, "r0, [r1, #4]")
        self.assertEqual(prices.instructions(read), 11)


if __name__ == "__main__":
    unittest.main()
