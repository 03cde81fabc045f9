"""The programs that are measured: how each is built for a network and a board."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import blob
import emit
import quantize
from build import HERE, TARGET, VENV, cargo_staticlib, compile_all, crate_sources, execute

# An action in f32 differs from the one in f64 by the rounding of some thousand sums.
F32_TOLERANCE = 1e-4
# A row's sum fits in 32 bits, which leaves rows of 256 inputs about 10 bits a weight.
INT16_TOLERANCE = 6e-3
# In int8 the output has 256 steps, and each layer before adds its own error. The actions of the observations
# span 0.6 and more, so that another function would be seen.
INT8_TOLERANCE = 0.06


@dataclass(frozen=True)
class Program:
    name: str
    # Packages with their versions, and what a reader must know.
    title: str
    numbers: str
    head: str
    # (board, network) -> what to link
    build: Callable

    @property
    def tolerance(self):
        return {"f32": F32_TOLERANCE, "int16": INT16_TOLERANCE, "int8": INT8_TOLERANCE}[self.numbers]

    def weight_bytes(self, network):
        if self.numbers == "f32":
            return 4 * (network.weights + network.biases)
        return network.weights * (2 if self.numbers == "int16" else 1) + 4 * network.biases


def files_of(network):
    """What is written for a network lies there."""
    return TARGET / "networks" / network.name


def directory(board, network, name):
    return TARGET / "build" / board.name / network.name / name


# What GCC does not do by itself at -O3 for a Cortex-M4, and what helps there: a product and a sum instead of `vfma`,
# which takes longer than both, and unrolled loops.
TUNED = ("-ffp-contract=off", "-funroll-loops")


def header_only(name, source, include, flags, tuned=False):
    """A C or C++ peer that consists of headers in a package of PyPI."""

    def build(board, network):
        written = emit.write(files_of(network) / "network.h", emit.c_header(network)).parent
        found = next(VENV.glob("lib/python3*/site-packages")) / include
        own = directory(board, network, f"{name}-tuned" if tuned else name)
        all_flags = ["-I", written, "-isystem", found, *flags, *(TUNED if tuned else ())]
        return compile_all(board, own, [HERE / "peers" / name / source], all_flags)

    return build


def empty(board, network):
    return compile_all(board, directory(board, network, "empty"), [HERE / "peers" / "empty" / "main.c"])


def ours(numbers, assembly=False):
    def build(board, network):
        written = emit.write(files_of(network) / f"policy-{numbers}.bin", blob.policy(network, numbers))
        own = directory(board, network, f"ours-{numbers}{'-assembly' if assembly else ''}") / "ours.a"
        features = ["--features", ",".join([numbers, *(["assembly"] if assembly else [])])]
        return [cargo_staticlib(board, HERE / "ours", own, {"COST_BLOB": str(written)}, features)]

    return build


def embedded_nn(numbers):
    def build(board, network):
        if numbers == "f32":
            source, features = emit.rust_f32(network), []
        else:
            source, features = emit.rust_i8(network, quantize.quantised(network)), ["--features", "int8"]
        file = emit.write(files_of(network) / f"network-{numbers}.rs", source)
        made = directory(board, network, f"embedded-nn-{numbers}") / "embedded-nn.a"
        crate = HERE / "peers" / "embedded-nn"
        return [cargo_staticlib(board, crate, made, {"COST_NETWORK": str(file)}, features)]

    return build


def tflite_model(network, numbers, head):
    file = files_of(network) / f"{numbers}-{head}.tflite"
    execute([VENV / "bin" / "python", "-B", HERE / "tflite_model.py", network.name, numbers, head, file])
    return file


# What an interpreter of fully connected layers and tanh needs of the sources.
TFLITE_SOURCES = (
    "c/common.c",
    *(f"core/api/{name}.cc" for name in ("error_reporter", "flatbuffer_conversions", "op_resolver", "tensor_utils")),
    *(f"kernels/{name}.cc" for name in ("kernel_util", "internal/quantization_util")),
    *(f"micro/{name}.cc" for name in ("memory_helpers", "micro_allocator", "micro_interpreter", "micro_utils",
                                      "simple_memory_allocator", "memory_planner/greedy_memory_planner",
                                      "kernels/fully_connected", "kernels/tanh")),
)  # fmt: skip
# Those of the crate's build script, which has two more that would not link with others' objects, and
# without the texts of errors.
TFLITE_FLAGS = ("-w", "-fno-exceptions", "-fno-unwind-tables", "-funsigned-char", "-fno-delete-null-pointer-checks",
                "-fomit-frame-pointer", "-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_MCU_DEBUG_LOG",
                "-DTF_LITE_STRIP_ERROR_STRINGS", "-DNDEBUG", "-DGEMMLOWP_ALLOW_SLOW_SCALAR_FALLBACK")  # fmt: skip
TFLITE_CPP_FLAGS = ("-std=c++11", "-fno-rtti", "-fpermissive", "-fno-threadsafe-statics", "-fno-use-cxa-atexit")


def tflite_micro(numbers, arenas):
    def build(board, network):
        crate = HERE / "peers" / "tflite-micro"
        root = crate_sources(crate, "tfmicro") / "submodules" / "tensorflow"
        downloads = root / "tensorflow" / "lite" / "micro" / "tools" / "make" / "downloads"
        paths = (root, downloads, downloads / "gemmlowp", downloads / "flatbuffers" / "include", downloads / "ruy")
        flags = [*TFLITE_FLAGS, *(word for path in paths for word in ("-isystem", path))]
        common = TARGET / "build" / board.name / "tflite-micro"
        sources = [root / "tensorflow" / "lite" / name for name in TFLITE_SOURCES]
        objects = compile_all(board, common / "c", sources[:1], flags)
        flags += TFLITE_CPP_FLAGS
        objects += compile_all(board, common / "cpp", sources[1:], flags)
        model = tflite_model(network, numbers, "tanh").with_suffix(".h")
        flags += [f"-DARENA={arenas[network.name]}", f'-DMODEL="{model}"', *(["-DINT8"] if numbers == "int8" else [])]
        own = directory(board, network, f"tflite-micro-{numbers}")
        return [*compile_all(board, own, [crate / "main.cpp"], flags), *objects]

    return build


def microflow(board, network):
    model = tflite_model(network, "int8", "linear")
    # cargo does not see that the macro reads the model; it sees this file, which changes with the model.
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    source = f"""// {digest}
const INPUTS: usize = {network.sizes[0]};

#[microflow::model("{model}")]
struct Network;
"""
    file = emit.write(files_of(network) / "microflow.rs", source)
    made = directory(board, network, "microflow") / "microflow.a"
    return [cargo_staticlib(board, HERE / "peers" / "microflow", made, {"COST_NETWORK": str(file)})]


# The smallest in steps of 16 bytes; the next smaller one fails.
ARENAS_F32 = {"3-16-16-1": 1392, "3-64-64-1": 1504, "4-256-256-1": 3040}
ARENAS_INT8 = {"3-16-16-1": 1696, "3-64-64-1": 1696, "4-256-256-1": 1808}

RLTOOLS = ("rltools", "main.cpp", "rltools/external/rl_tools/include",
           ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"))  # fmt: skip
EMLEARN = ("emlearn", "main.c", "emlearn", ("-std=gnu11",))

FLAGS = f"`{' '.join(TUNED)}`"

EMPTY = Program("empty", "", "f32", "none", empty)
PROGRAMS = [
    Program("ours-f32", "`policy-core` of this repository", "f32", "tanh", ours("f32")),
    Program("ours-f32-assembly", "the same with its feature `assembly`", "f32", "tanh", ours("f32", assembly=True)),
    Program("ours-int16", "`policy-core`", "int16", "tanh", ours("int16")),
    Program("ours-int16-assembly", "the same with its feature `assembly`", "int16", "tanh",
            ours("int16", assembly=True)),
    Program("ours-int8", "`policy-core`", "int8", "tanh", ours("int8")),
    Program("ours-int8-assembly", "the same with its feature `assembly`", "int8", "tanh", ours("int8", assembly=True)),
    Program("rltools", "RLtools 2.2.1 (PyPI `rltools`), its inference for ARM", "f32", "tanh", header_only(*RLTOOLS)),
    Program("rltools-tuned", f"the same with {FLAGS}", "f32", "tanh", header_only(*RLTOOLS, tuned=True)),
    Program("emlearn", "emlearn 0.23.2 (PyPI), `eml_net.h`", "f32", "tanh", header_only(*EMLEARN)),
    Program("emlearn-tuned", f"the same with {FLAGS}", "f32", "tanh", header_only(*EMLEARN, tuned=True)),
    Program("embedded-nn-f32", "embedded-nn 0.2.3 (crates.io), with `libm`'s tanh", "f32", "tanh", embedded_nn("f32")),
    Program("embedded-nn-int8", "embedded-nn 0.2.3 (crates.io), linear output", "int8", "linear", embedded_nn("int8")),
    Program("tflite-micro-f32", "TensorFlow Lite Micro of 2020 (crates.io `tfmicro` 0.1.0), reference kernels", "f32",
            "tanh", tflite_micro("f32", ARENAS_F32)),
    Program("tflite-micro-int8", "TensorFlow Lite Micro of 2020, the same", "int8",
            "tanh", tflite_micro("int8", ARENAS_INT8)),
    Program("microflow", "microflow 0.1.3 (crates.io), linear output", "int8", "linear", microflow),
]  # fmt: skip
