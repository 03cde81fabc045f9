"""Writes the networks in the forms that the programs take them in."""

import os
import struct
from pathlib import Path


def write(path, content):
    """Leaves a file alone that has this content already, so that nothing is built again because of it."""
    path = Path(path)
    content = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(path.name + ".new")
        scratch.write_bytes(content)
        os.replace(scratch, path)
    return path


def c_floats(numbers):
    return "{" + ", ".join(f"{number.hex()}f" for number in numbers) + "}"


def observations_header(network):
    rows = ",\n    ".join(map(c_floats, network.observations))
    return (
        f"enum {{ INPUTS = {network.sizes[0]}, OBSERVATIONS = {len(network.observations)} }};\n"
        f"static const float observations[OBSERVATIONS][INPUTS] = {{\n    {rows},\n}};\n"
    )


def c_header(network):
    """SIZE_i, and for each layer its weights by rows (outputs), by columns (inputs), and its biases.

    Nothing that a program leaves unused stays in it.
    """
    lines = [f"#define SIZE_{index} {size}" for index, size in enumerate(network.sizes)]
    for index, layer in enumerate(network.layers):
        by_rows = [w for row in layer.weights for w in row]
        by_columns = [w for column in zip(*layer.weights) for w in column]
        for name, numbers in (("rows", by_rows), ("columns", by_columns), ("biases", layer.biases)):
            lines.append(f"static const float {name}_{index}[{len(numbers)}] = {c_floats(numbers)};")
    return "\n".join(lines) + "\n"


def rust_array(name, kind, numbers, public="pub static"):
    def text(number):
        return f"f32::from_bits({struct.unpack('<I', struct.pack('<f', number))[0]:#x})" if kind == "f32" else number

    return f"{public} {name}: [{kind}; {len(numbers)}] = [{', '.join(str(text(n)) for n in numbers)}];"


def rust_f32(network):
    lines = [f"pub const SIZES: [usize; {len(network.sizes)}] = {list(network.sizes)};"]
    for index, layer in enumerate(network.layers):
        lines.append(rust_array(f"WEIGHTS_{index}", "f32", [w for row in layer.weights for w in row]))
        lines.append(rust_array(f"BIASES_{index}", "f32", layer.biases))
    return "\n".join(lines) + "\n"


def c_bytes(name, content):
    """A file as an array of C, at a multiple of 16 bytes as flatbuffers need it."""
    numbers = ",".join(map(str, content))
    return f"alignas(16) static const unsigned char {name}[{len(content)}] = {{{numbers}}};\n"


def rust_i8(network, layers):
    """The quantised network (quantize.py), for functions in the manner of CMSIS-NN."""
    first, last = layers[0].input, layers[-1].output
    lines = [
        f"pub const SIZES: [usize; {len(network.sizes)}] = {list(network.sizes)};",
        f"pub const INPUT_SCALE: f32 = {first.scale!r};",
        f"pub const OUTPUT_SCALE: f32 = {last.scale!r};",
    ]
    for index, layer in enumerate(layers):
        multiplier, shift = layer.multiplier
        numbers = [layer.input.zero, layer.output.zero, multiplier, shift]
        lines.append(rust_array(f"WEIGHTS_{index}", "i8", [w for row in layer.weights for w in row]))
        lines.append(rust_array(f"BIASES_{index}", "i32", layer.biases))
        lines.append("/// Zero points of input and output, multiplier, shift.")
        lines.append(rust_array(f"NUMBERS_{index}", "i32", numbers, "pub const"))
    return "\n".join(lines) + "\n"
