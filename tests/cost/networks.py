"""The networks that are measured, their observations, and what each action must be.

Nothing is trained: what an action costs does not depend on what the weights mean. Weights and observations
come from a generator of ten lines, so that they are the same with any Python.
"""

import math
import struct
from dataclasses import dataclass

SCALE = 2.0  # of tanh: the widest torque of the pendulum
OBSERVATIONS = 4
# For the ranges of activations that quantised programs need.
CALIBRATION = 256


def f32(number):
    """The nearest f32, as a float of Python."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def generator(seed):
    """SplitMix64 (Steele, Lea, Flood 2014): uniform numbers of [-1, 1), exact in f32."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        yield ((z ^ (z >> 31)) >> 40) / 2**23 - 1.0


@dataclass(frozen=True)
class Layer:
    """Weights [outputs][inputs] and biases [outputs], all of them numbers of f32."""

    weights: list
    biases: list
    last: bool

    @property
    def inputs(self):
        return len(self.weights[0])

    @property
    def outputs(self):
        return len(self.weights)

    def forward(self, x):
        sums = [math.fsum([b, *map(lambda w, v: w * v, row, x)]) for row, b in zip(self.weights, self.biases)]
        return sums if self.last else [max(z, 0.0) for z in sums]


class Network:
    """ReLU behind the hidden layers; behind the last one 2·tanh, or nothing (`head`)."""

    def __init__(self, *sizes):
        self.sizes = sizes
        self.name = "-".join(map(str, sizes))
        numbers = generator(seed=10)
        self.layers = []
        for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            bound = 1.0 / math.sqrt(inputs)
            rows = [[f32(bound * next(numbers)) for _ in range(inputs)] for _ in range(outputs)]
            biases = [f32(bound * next(numbers)) for _ in range(outputs)]
            self.layers.append(Layer(rows, biases, index == len(sizes) - 2))
        # Of a range that makes the actions differ by much more than any tolerance.
        points = [[f32(8.0 * next(numbers)) for _ in range(sizes[0])] for _ in range(OBSERVATIONS + CALIBRATION)]
        self.observations, self.calibration = points[:OBSERVATIONS], points

    @property
    def weights(self):
        return sum(layer.inputs * layer.outputs for layer in self.layers)

    @property
    def biases(self):
        return sum(layer.outputs for layer in self.layers)

    def activations(self, observation):
        """The observation and every layer's output, in f64."""
        values = [observation]
        for layer in self.layers:
            values.append(layer.forward(values[-1]))
        return values

    def expected(self, head):
        """The action for each observation, in f64."""
        linear = [self.activations(observation)[-1][0] for observation in self.observations]
        return [SCALE * math.tanh(z) for z in linear] if head == "tanh" else linear


NETWORKS = {n.name: n for n in (Network(3, 16, 16, 1), Network(3, 64, 64, 1), Network(4, 256, 256, 1))}
