"""docs/COST.md: the tables of a run, and what a reader must know to weigh them."""

import build
from networks import NETWORKS
from programs import F32_TOLERANCE, INT8_TOLERANCE, INT16_TOLERANCE, PROGRAMS

TEXT = """\
# What an action costs on a microcontroller

Ours beside what else the package registries offer for small networks. Everything here was printed by one run of

```
tests/cost/run --write
```

which installs the pinned packages, builds every program, runs it in QEMU, and checks its actions.
[`tests/cost/README.md`](../tests/cost/README.md) says how that is done.

The networks are {networks}, observation to action, with ReLU behind the hidden
layers and 2·tanh behind the last one, or nothing where the next table says so. Weights are random, from a fixed seed.

| program | what it is | numbers | behind the last layer |
|---|---|---|---|
{programs}

## The tables

{tables}

## Where our code goes

Bytes of `policy-core`'s functions, and of `libm`'s: what reads and checks a policy file, the products and
activations, tanh, and the way from an observation to an action around them. The tables above have all of the image:
alignment, constants, what Rust brings along for memory and for soft float, and the call itself.

{code}

## How to read them

- **Instructions** are exact: QEMU counts those of one action, from the call of a C function with an observation in f32
  to its return with an action in f32, quantisation included. An empty function takes {calls}.
  It is the last of {observations} observations: soft float takes other paths for other numbers.
- **Cycles are a model, not silicon:** those instructions at the prices of ARM's manuals
  ([`prices.py`](../tests/cost/prices.py)). Memory answers at once: no wait states of a flash, no cache, no bus that
  somebody else uses, and no wait for the result of the instruction before. On the M4, a load right behind another
  one takes 1 cycle, an integer division always the 12 of the worst case, a taken branch 3.
- **Flash** is what the program adds to an image that has start-up and nothing else. *Weights* are the numbers of the
  network and nothing else (4 bytes each in f32; in integers 1 or 2 bytes a weight and 4 a bias); *code* is all the rest: code,
  tables, and what a file format needs around the weights.
- **RAM:** *static* is `.data` and `.bss`; *stack* what the call of an action, and the call at start, take at most below
  their caller (painted before, looked at afterwards). *Together* is static and the larger stack. No program has a heap.
- **Largest error** is that of the action against the same network in f64, over the observations. More than
  {f32_tolerance:g} in f32, {int16_tolerance:g} in int16 or {int8_tolerance:g} in int8, and the program counts as failed.

## What differs

The figures are not corrected for any of it.

- **Ours** takes any policy file without being compiled again: shapes and head are read at start, where the
  checksum and every weight are checked, too; an observation that is not finite, or has the wrong size, is refused. Its
  f32 actions have the same bits on every machine, so that no multiplication and addition may be fused. RLtools,
  emlearn, embedded-nn and microflow have the network compiled in, and check nothing but sizes.
- **GCC** fuses products and sums by default, and on the M4 `vfma` takes 3 cycles where a product and a sum take 2; nor
  does `-O3` unroll long loops. So RLtools and emlearn are there twice: at `-O3`, and *tuned* with two flags that we
  looked for. Rust does not fuse.
- **Where ours is not ahead.** *Flash and RAM:* RLtools, embedded-nn and microflow are smaller. Ours carries a reader that
  checks a file, five heads, activations that a file chooses, and with integers a bias and a scale for each row (8
  bytes); its stack holds two layers and four frames of functions that are kept apart so that each is linked once.
  *The smallest network:* more than a third of the 3 256 cycles go into checks, shapes and frames of
  functions, which others have compiled in.
  *f32 on the M0:* nine tenths of the cycles are soft float, and Rust's is slower than libgcc's; integers take a
  thirtieth of it. *f32 on the M4F, safe code:* RLtools with the tuned flags is 3 % faster on 3-64-64-1.
- **RLtools** knows the sizes when it is compiled; the compiler unrolls the small network completely.
- **emlearn**'s layers in fixed point are not implemented in this version.
- **embedded-nn** is called layer by layer, with buffers on the stack; its own tanh for f32 is x / (1 + |x|), so it gets
  the one of `libm`. Its int8 output stays linear.
- **TensorFlow Lite Micro** is the one of 2020 that the crate `tfmicro` carries, with its reference kernels: we
  found no newer one in a registry, and ARM's CMSIS-NN in none. It has the smallest arena that works, no texts of
  errors, no assertions. Its int8 includes tanh, whose constants it computes again for each action, in `double`.
- **microflow** has no tanh; its output stays linear. It unrolls small layers.
- **Soft float** on the M0 is libgcc's for C and C++, and compiler-builtins' for Rust. The C library is newlib's
  small one (`nano.specs`).
- The M0's code runs on an emulated Cortex-M3, which has every instruction of it: QEMU's machine with a Cortex-M0 has
  less flash than the widest network takes.

## Versions

{versions}

GCC with `-O3`, rustc with `opt-level = 3`, one codegen unit and `lto` (ours `thin`, as the firmware's profile has it); `-mcpu` and `target-cpu` name the processor.
The packages' versions are pinned in [`tests/cost/requirements.txt`](../tests/cost/requirements.txt) and in the lock
files beside the programs.
"""


def text(tables, code, calls):
    """calls: {board: the run of the empty program}."""

    def version(*command):
        return f"- {build.execute(command, env=build.environment()).splitlines()[0]}"

    programs = [f"| `{p.name}` | {p.title} | {p.numbers} | {'2·tanh' if p.head == 'tanh' else '–'} |" for p in PROGRAMS]
    return TEXT.format(
        networks=", ".join(NETWORKS),
        programs="\n".join(programs),
        tables=tables,
        code=code,
        calls=", ".join(f"{run.instructions} on the {board.name.upper()}" for board, run in calls.items()),
        observations=len(next(iter(NETWORKS.values())).observations),
        f32_tolerance=F32_TOLERANCE,
        int16_tolerance=INT16_TOLERANCE,
        int8_tolerance=INT8_TOLERANCE,
        versions="\n".join(
            version(program, "--version") for program in ("arm-none-eabi-gcc", "rustc", "qemu-system-arm")
        ),
    )
