"""Writes a network as a model of TensorFlow Lite. Runs in the venv of tests/cost/setup, where flatbuffers and
tflite (the schema's classes) are:

    python tflite_model.py NETWORK f32|int8 tanh|linear FILE
"""

import struct
import sys
from pathlib import Path

import flatbuffers
import tflite

import emit
import quantize
from networks import NETWORKS, f32

# The int8 tanh of TensorFlow Lite always has this output.
TANH_OUTPUT = quantize.Range(1 / 128, 0)


class Model:
    def __init__(self, numbers):
        self.builder = flatbuffers.Builder(1024)
        self.numbers = numbers
        self.buffers, self.tensors, self.operators, self.codes = [self.buffer(b"")], [], [], []

    def table(self, name, **fields):
        """A table of the schema with these fields; None leaves one out."""
        getattr(tflite, f"{name}Start")(self.builder)
        for field, value in fields.items():
            if value is not None:
                getattr(tflite, f"{name}Add{field}")(self.builder, value)
        return getattr(tflite, f"{name}End")(self.builder)

    def vector(self, size, items, add):
        self.builder.StartVector(size, len(items), size)
        for item in reversed(items):
            add(item)
        return self.builder.EndVector()

    def offsets(self, items):
        return self.vector(4, items, self.builder.PrependUOffsetTRelative)

    def integers(self, items):
        return self.vector(4, items, self.builder.PrependInt32)

    def buffer(self, content):
        if not content:
            return self.table("Buffer", Data=None)
        self.builder.StartVector(1, len(content), 16)
        self.builder.head -= len(content)
        self.builder.Bytes[self.builder.head : self.builder.head + len(content)] = content
        return self.table("Buffer", Data=self.builder.EndVector())

    def tensor(self, name, shape, kind, scale=None, zero=0, content=b""):
        quantization = None
        if self.numbers == "int8":
            scales = self.vector(4, [scale], self.builder.PrependFloat32)
            zeros = self.vector(8, [zero], self.builder.PrependInt64)
            quantization = self.table("QuantizationParameters", Scale=scales, ZeroPoint=zeros)
        index = 0  # the empty buffer
        if content:
            index = len(self.buffers)
            self.buffers.append(self.buffer(content))
        name, shape = self.builder.CreateString(name), self.integers(shape)
        made = self.table("Tensor", Shape=shape, Type=kind, Buffer=index, Name=name, Quantization=quantization)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def operator(self, code, version, inputs, output, kind=None, options=None):
        if (code, version) not in self.codes:
            self.codes.append((code, version))
        index = self.codes.index((code, version))
        inputs, outputs = self.integers(inputs), self.integers([output])
        self.operators.append(
            self.table("Operator", OpcodeIndex=index, Inputs=inputs, Outputs=outputs, BuiltinOptionsType=kind,
                       BuiltinOptions=options)
        )  # fmt: skip

    def finish(self, first, last):
        tensors, operators = self.offsets(self.tensors), self.offsets(self.operators)
        inputs, outputs = self.integers([first]), self.integers([last])
        graph = self.table("SubGraph", Tensors=tensors, Inputs=inputs, Outputs=outputs, Operators=operators)
        # The code is there twice in the schema, for readers older and newer than it has been.
        codes = [self.table("OperatorCode", DeprecatedBuiltinCode=code, Version=version, BuiltinCode=code)
                 for code, version in self.codes]  # fmt: skip
        codes, graphs, buffers = self.offsets(codes), self.offsets([graph]), self.offsets(self.buffers)
        text = self.builder.CreateString("cost")
        model = self.table("Model", Version=3, OperatorCodes=codes, Subgraphs=graphs, Description=text, Buffers=buffers)
        self.builder.Finish(model, b"TFL3")
        return bytes(self.builder.Output())


def model(network, numbers, head):
    made = Model(numbers)
    kinds = tflite.TensorType
    kind = kinds.FLOAT32 if numbers == "f32" else kinds.INT8
    layers = quantize.quantised(network) if numbers == "int8" else network.layers

    def activations(name, size, part):
        return made.tensor(name, [1, size], kind, *((part.scale, part.zero) if part else ()))

    first = at = activations("observation", network.sizes[0], numbers == "int8" and layers[0].input)
    for index, layer in enumerate(layers):
        last = index == len(layers) - 1
        shape = [len(layer.weights), len(layer.weights[0])]
        flat = [w for row in layer.weights for w in row]
        if numbers == "f32":
            weights = made.tensor(f"w{index}", shape, kind, content=struct.pack(f"<{len(flat)}f", *flat))
            content = struct.pack(f"<{shape[0]}f", *layer.biases)
            biases = made.tensor(f"b{index}", shape[:1], kind, content=content)
        else:
            content = struct.pack(f"<{len(flat)}b", *flat)
            weights = made.tensor(f"w{index}", shape, kind, layer.scale, content=content)
            content = struct.pack(f"<{shape[0]}i", *layer.biases)
            scale = f32(layer.input.scale * layer.scale)
            biases = made.tensor(f"b{index}", shape[:1], kinds.INT32, scale, content=content)
        output = activations(f"y{index}", shape[0], numbers == "int8" and layer.output)
        function = tflite.ActivationFunctionType
        options = made.table("FullyConnectedOptions",
                             FusedActivationFunction=function.NONE if last else function.RELU)  # fmt: skip
        made.operator(tflite.BuiltinOperator.FULLY_CONNECTED, 1 if numbers == "f32" else 4, [at, weights, biases],
                      output, tflite.BuiltinOptions.FullyConnectedOptions, options)  # fmt: skip
        at = output
    if head == "tanh":
        output = activations("action", network.sizes[-1], numbers == "int8" and TANH_OUTPUT)
        made.operator(tflite.BuiltinOperator.TANH, 1, [at], output)
        at = output
    return made.finish(first, at)


if __name__ == "__main__":
    name, numbers, head, file = sys.argv[1:]
    content = model(NETWORKS[name], numbers, head)
    emit.write(file, content)
    # For programs of C++.
    emit.write(Path(file).with_suffix(".h"), emit.c_bytes("model", content))
