"""The layers that kernels.py measures, by what its table shows: sizes, types, weights."""

import numpy as np
from layer_graphs import Convolution, LayerGraph, window

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import window_for

TYPES = {"": "s8", ", one-bit inputs": "b1", ", ternary": "s8_ternary"}
TYPES |= {", ternary, one-bit inputs": "b1_ternary"}

FULLY_CONNECTED = [(64, 64), (100, 33), (256, 10), (256, 256), (784, 256), (1024, 1024)]
"""Inputs and outputs."""

POOL = window((2, 2), (2, 2))


def _same(size: int, channels: int, filters: int, **options) -> Convolution:
    """A 3x3 "same" convolution of a square image."""
    kernel = window_for("same", (size, size), (3, 3))
    return Convolution((size, size), channels, filters, kernel, **options)


CONVOLUTIONS = {
    "32x32x3, 32 of 3x3": _same(32, 3, 32),
    "20x20x1, 4 of 7x7": Convolution((20, 20), 1, 4, window((7, 7))),
    "14x14x2, 8 of 5x5, stride 2": Convolution(
        (14, 14), 2, 8, window((5, 5), (2, 2), pads=(2, 2, 2, 2))
    ),
    "9x9x12, 8 of 3x3, stride 2": Convolution(
        (9, 9), 12, 8, window((3, 3), (2, 2), pads=(1, 1, 1, 1))
    ),
    "8x8x16, 16 of 3x3": _same(8, 16, 16),
    "8x8x16, 16 of 3x3, pool 2x2": _same(8, 16, 16, pool=POOL),
    "16x16x32, 32 of 3x3, pool 2x2": _same(16, 32, 32, pool=POOL),
    "8x8x64, 64 of 3x3": _same(8, 64, 64),
    "4x4x128, 128 of 3x3": _same(4, 128, 128),
    "49x10x1, 64 of 10x4, stride 2": Convolution(
        (49, 10), 1, 64, window((10, 4), (2, 2), pads=(4, 1, 5, 1))
    ),
    "25x5x64, 64 of 1x1": Convolution((25, 5), 64, 64, window((1, 1))),
    "25x5x64, depthwise 3x3": Convolution(
        (25, 5), 64, 64, window((3, 3), pads=(1, 1, 1, 1)), groups=64
    ),
}


def _few_bit_cases() -> dict[str, Graph]:
    cases = {}
    for suffix, types in TYPES.items():
        # As in a network: what takes bits makes bits.
        finish = "b1" if types.startswith("b1") else "s8"
        for inputs, outputs in FULLY_CONNECTED:
            layer = LayerGraph(np.random.default_rng(0))
            kernel = f"fully_connected_{types}"
            layer.end(layer.fully_connected(kernel, inputs, outputs, finish, rows=1), outputs)
            cases[f"{inputs} x {outputs}{suffix}"] = layer.graph
        for name, case in CONVOLUTIONS.items():
            layer = LayerGraph(np.random.default_rng(0))
            layer.end(layer.conv_2d(f"conv_2d_{types}", case, finish), case.filters)
            cases[f"{name}{suffix}"] = layer.graph
    return cases


def int8_fully_connected(inputs: int, outputs: int) -> Graph:
    """FULLY_CONNECTED with int8 weights."""
    return _int8("FULLY_CONNECTED", (1, inputs), (1, outputs), (outputs, inputs), {})


def int8_conv_2d(size: int, channels: int, filters: int) -> Graph:
    """A 3x3 "same" CONV_2D with int8 weights."""
    steps = dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    x, y = (1, size, size, channels), (1, size, size, filters)
    return _int8("CONV_2D", x, y, (filters, 3, 3, channels), {"padding": "SAME", **steps})


def _int8(kind: str, x: tuple, y: tuple, shape: tuple, options: dict) -> Graph:
    weights = _constant("weights", np.random.default_rng(0).integers(-127, 128, shape, np.int8))
    weights.scale = np.full(shape[0], 1e-3, np.float32)
    bias = _constant("bias", np.zeros(shape[0], np.int32))
    bias.scale = weights.scale
    scale = np.ones(1, np.float32)
    tensors = [
        Tensor("x", x, "int8", scale=scale, zero_point=-3),
        *(weights, bias),
        Tensor("y", y, "int8", scale=scale, zero_point=5),
    ]
    op = Op(kind, "case", ["x", "weights", "bias"], ["y"], options)
    return Graph("case", {t.name: t for t in tensors}, [op], ["x"], ["y"])


def _constant(name: str, data: np.ndarray) -> Tensor:
    return Tensor(name, data.shape, str(data.dtype), data)


CASES = _few_bit_cases() | {
    "256 x 10, int8": int8_fully_connected(256, 10),
    "8x8x3, 16 of 3x3, int8": int8_conv_2d(8, 3, 16),
}
"""A graph each: the layer, and what packs its input or unpacks its output."""
