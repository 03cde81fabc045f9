"""The networks in int8, as TensorFlow Lite quantises fully connected layers: activations with a scale and a
zero point for the whole layer, weights with a scale for the whole layer and no zero point, biases in int32 with the
product of both scales. The ranges are those of the calibration points of networks.py.
"""

import math
from dataclasses import dataclass

from networks import f32


@dataclass(frozen=True)
class Range:
    """A real number is scale · (integer − zero)."""

    scale: float
    zero: int

    def quantised(self, number):
        return min(max(math.floor(number / self.scale + 0.5) + self.zero, -128), 127)


@dataclass(frozen=True)
class QuantisedLayer:
    input: Range
    output: Range
    scale: float
    weights: list  # [outputs][inputs]
    biases: list
    relu: bool

    @property
    def multiplier(self):
        """Of a sum of products, to the output's scale: (Q31, shift to the left)."""
        fraction, shift = math.frexp(self.input.scale * self.scale / self.output.scale)
        fixed = round(fraction * 2**31)
        return (fixed // 2, shift + 1) if fixed == 2**31 else (fixed, shift)


def spanned(numbers):
    """The range of these numbers, zero included: it must be exact."""
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    scale = f32((high - low) / 255)
    return Range(scale, max(-128, min(127, round(-128 - low / scale))))


def quantised(network):
    values = list(zip(*(network.activations(point) for point in network.calibration)))
    ranges = [spanned([x for vector in vectors for x in vector]) for vectors in values]
    layers = []
    for index, layer in enumerate(network.layers):
        scale = f32(max(abs(w) for row in layer.weights for w in row) / 127)
        weights = [[round(w / scale) for w in row] for row in layer.weights]
        biases = [round(b / (ranges[index].scale * scale)) for b in layer.biases]
        layers.append(QuantisedLayer(ranges[index], ranges[index + 1], scale, weights, biases, not layer.last))
    return layers
