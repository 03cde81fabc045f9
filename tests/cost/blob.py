"""Policies in the format of core/FORMAT.md, version 1, written from that document: `policy-core` reads them."""

import math
import struct
import zlib

from networks import SCALE, f32

KINDS = {"f32": 0, "int16": 1, "int8": 2}
# The largest weight. The one of 16 bits is seldom reached: 32 767 times the sum of a row must fit in 32 bits.
LARGEST = {"int16": 32767, "int8": 127}
UNIT = 32767
# The largest activation of the calibration points: half of the integers above it are left for larger ones.
ACTIVATION = 16000
RELU, TANH = 1, 2


def policy(network, numbers):
    """A deterministic actor with 2·tanh behind it."""
    inputs = network.sizes[0]
    shapes = [struct.pack("<HBB", layer.outputs, 0 if layer.last else RELU, 0) for layer in network.layers]
    head = struct.pack("<4f", SCALE, 0.0, 0.0, 0.0)
    normalisation = b""
    if numbers == "f32":
        weights = b"".join(map(float_layer, network.layers))
    else:
        ranges = [max(abs(point[j]) for point in network.calibration) for j in range(inputs)]
        scales = [f32(4 * UNIT / high) for high in ranges]
        normalisation = struct.pack(f"<{2 * inputs}f", *[0.0] * inputs, *scales)
        weights = b"".join(fixed_layers(network, numbers, [4 / scale for scale in scales]))
    origin = b"\x02" + text("cost") + b"\x00" + text("tests/cost")
    entry = text("") + text("") + struct.pack("<2f", -math.inf, math.inf)
    contract = origin + entry * (inputs + 1)
    body = b"".join(shapes) + head + normalisation + weights + contract
    start = b"PLCY" + struct.pack("<HBBI", 1, KINDS[numbers], TANH, 32 + len(body))
    rest = struct.pack("<HBBfHHI", inputs, 1, len(shapes), 0.05, 0, len(contract), bool(normalisation))
    return start + struct.pack("<I", zlib.crc32(rest + body, zlib.crc32(start))) + rest + body


def text(words):
    return bytes([len(words)]) + words.encode()


def float_layer(layer):
    """Panels of 16 rows or one: biases, then column by column."""
    numbers, row = [], 0
    while row < layer.outputs:
        rows = 16 if layer.outputs - row >= 16 else 1
        numbers += layer.biases[row : row + rows]
        numbers += [layer.weights[i][j] for j in range(layer.inputs) for i in range(row, row + rows)]
        row += rows
    return struct.pack(f"<{len(numbers)}f", *numbers)


def fixed_layers(network, numbers, units):
    """`units`: what an integer of 1 stands for, for each entry of the first layer's input."""
    values = list(zip(*(network.activations(point) for point in network.calibration)))
    for index, layer in enumerate(network.layers):
        output = max(abs(x) for vector in values[index + 1] for x in vector) / ACTIVATION
        rows = [fixed_row(w, b, units, output, layer.last, numbers) for w, b in zip(layer.weights, layer.biases)]
        rows += [([0] * layer.inputs, 0, 0)] * (len(rows) % 2)
        yield pack(rows, layer.inputs, numbers)
        units = [output] * layer.outputs


def fixed_row(weights, bias, units, output, last, numbers):
    """Integers for a row's weights and bias, and the word of its scale."""
    reals = [w * unit for w, unit in zip(weights, units)]
    # One unit of the sum. No sum of products may leave 32 bits, and the bias needs some room there, too.
    step = max(max(map(abs, reals)) / LARGEST[numbers], sum(map(abs, reals)) / 60000, abs(bias) / 1.5e8)
    if last:
        return [round(w / step) for w in reals], round(bias / step), struct.unpack("<I", struct.pack("<f", step))[0]
    # step / output = m / 2^(16 + s), m of 15 bits
    fraction, exponent = math.frexp(step / output)
    m, s = round(fraction * 2**15), -exponent - 1
    if m == 2**15:
        m, s = m // 2, s - 1
    # Both shifts to the right round down; half a unit of the result makes it the nearest one.
    half = 2 ** (15 + s) // m
    return [round(w / step) for w in reals], round(bias / step) + half, s | m << 16


def pack(rows, inputs, numbers):
    """Panels of 16 rows or two: biases, scales, then pairs of columns; two rows or one in a word."""
    rows_in_word, weight = (2, "b") if numbers == "int8" else (1, "h")
    words, start = b"", 0
    while start < len(rows):
        panel = rows[start : start + (16 if len(rows) - start >= 16 else 2)]
        words += struct.pack(f"<{len(panel)}i", *(bias for _, bias, _ in panel))
        words += struct.pack(f"<{len(panel)}I", *(scale for _, _, scale in panel))
        padded = [weights + [0] * (inputs % 2) for weights, _, _ in panel]
        for column in range(0, inputs, 2):
            for row in range(0, len(panel), rows_in_word):
                some = padded[row : row + rows_in_word]
                words += b"".join(struct.pack(f"<{weight}", w[c]) for c in (column, column + 1) for w in some)
        start += len(panel)
    return words
