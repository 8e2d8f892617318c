"""Shapes of layers with few-bit weights: random ones, and corners."""

import numpy as np

from keras_bc.deploy import layouts
from keras_bc.deploy.graph import Graph
from tests.benchmarks.scripts import load

_LAYER_GRAPHS = load("layer_graphs")
Convolution, LayerGraph, window = (
    getattr(_LAYER_GRAPHS, name) for name in ("Convolution", "LayerGraph", "window")
)

BORDER = (1, 1, 1, 1)

FULLY_CONNECTED = [
    (k, outs) for k in (1, 8, 31, 32, 33, 100, 257, 544, 800) for outs in (1, 10, 32, 33, 97)
]
"""Inputs and outputs."""

POOL = window((2, 2), (2, 2))
CONVOLUTIONS = {
    "one pixel, one channel": Convolution((1, 1), 1, 1, window((1, 1))),
    "1x1, 64 channels": Convolution((5, 5), 64, 64, window((1, 1))),
    "1x1, 33 channels": Convolution((3, 5), 33, 7, window((1, 1))),
    "1x1, strides": Convolution((7, 6), 16, 9, window((1, 1), (2, 3))),
    "3x3 same, 3 channels": Convolution((6, 7), 3, 8, window(pads=BORDER)),
    "3x3 same, 1 channel": Convolution((5, 4), 1, 4, window(pads=BORDER)),
    "3x3 same, 8 channels": Convolution((5, 8), 8, 5, window(pads=BORDER)),
    "3x3 same, 31 channels": Convolution((4, 5), 31, 3, window(pads=BORDER)),
    "3x3 same, 32 channels": Convolution((6, 8), 32, 32, window(pads=BORDER)),
    "3x3 same, 33 channels": Convolution((4, 6), 33, 4, window(pads=BORDER)),
    "3x3 same, 64 channels": Convolution((4, 4), 64, 33, window(pads=BORDER)),
    "3x3 same, 128 channels": Convolution((3, 2), 128, 6, window(pads=BORDER)),
    "3x3 same, 100 filters": Convolution((3, 20), 33, 100, window(pads=BORDER)),
    "3x3 valid": Convolution((7, 9), 16, 8, window((3, 3))),
    "pool 2x2": Convolution((6, 8), 32, 16, window(pads=BORDER), POOL),
    "pool 2x2, an odd image": Convolution((7, 5), 12, 6, window(pads=BORDER), POOL),
    "pool 3x2, overlapping, padded": Convolution(
        (6, 5), 9, 5, window(pads=BORDER), window((3, 2), (2, 1), pads=(1, 0, 1, 1))
    ),
    "bands of rows": Convolution((11, 33), 4, 9, window(pads=BORDER), POOL),
    "bands of rows, overlapping pool": Convolution(
        (19, 30), 3, 2, window((1, 3), pads=(0, 1, 0, 1)), window((3, 3), (2, 2), pads=(0, 1, 1, 0))
    ),
    "a wide line": Convolution((2, 300), 2, 3, window((1, 2))),
    "a pool that skips rows": Convolution(
        (38, 9), 3, 2, window(pads=BORDER), window((1, 2), (17, 2))
    ),
    "odd strides": Convolution((9, 8), 10, 3, window((3, 2), (3, 2), pads=(1, 0, 2, 1))),
    "stride 2, same": Convolution((9, 6), 16, 8, window(stride=(2, 2), pads=(0, 0, 1, 1))),
    "10x4, stride 2": Convolution((13, 10), 1, 8, window((10, 4), (2, 2), pads=(4, 1, 5, 1))),
    "dilated": Convolution((8, 9), 5, 3, window((3, 2), dilation=(2, 3), pads=(2, 1, 2, 2))),
    "1x5, a sequence": Convolution((1, 12), 20, 6, window((1, 5), pads=(0, 2, 0, 2))),
    "two groups": Convolution((4, 4), 6, 4, window(pads=BORDER), groups=2),
    "depthwise": Convolution((6, 5), 37, 37, window(pads=BORDER), groups=37),
    "depthwise, 64 channels": Convolution((5, 4), 64, 64, window(pads=BORDER), groups=64),
    "depthwise, stride 2": Convolution((7, 6), 8, 8, window(stride=(2, 2), pads=BORDER), groups=8),
    "depthwise, 5x5, pool 2x2": Convolution(
        (6, 8), 33, 33, window((5, 5), dilation=(1, 2), pads=(2, 4, 2, 4)), POOL, groups=33
    ),
    "depthwise, two each": Convolution((4, 4), 3, 6, window((2, 2)), groups=3),
    "transposed": Convolution((3, 4), 6, 5, window(pads=(2, 2, 1, 1)), input_dilation=(2, 2)),
    "wide pads": Convolution((2, 2), 4, 2, window((2, 2), pads=(3, 4, 4, 3))),
}


def graph_of(op: str, seed: int = 0) -> Graph:
    """Every shape of an op in one graph, the ways to finish in turn."""
    layers = LayerGraph(np.random.default_rng(seed))
    finishes = ("s8", "b1", "s8_shortcut")
    if op.startswith("fully_connected"):
        for number, (k, outs) in enumerate(FULLY_CONNECTED):
            layers.end(layers.fully_connected(op, k, outs, finishes[number % 3]), outs)
    else:
        for number, case in enumerate(CONVOLUTIONS.values()):
            layers.end(layers.conv_2d(op, case, finishes[(number + seed) % 3]), case.filters)
    return layers.graph


GREATEST = [
    Convolution((3, 9), 514, 8, window((1, 1))),
    Convolution((3, 9), 257, 8, window((1, 1))),
    Convolution((4, 9), 57, 8, window((3, 3))),
    Convolution((12, 13), 8, 8, window((11, 11)), groups=8),
]
"""As many inputs as some variants have room for in 16 bits, and a few more."""


def greatest_graph(op: str, zero_point: int) -> Graph:
    """Convolutions whose sums are the greatest: all weights of a filter have one sign."""
    layers = LayerGraph(np.random.default_rng(0))
    for case in GREATEST:
        layers.end(layers.conv_2d(op, case, "s8"), case.filters)
    tensors = layers.graph.tensors
    found = [each for each in layers.graph.ops if each.kind == "KbcConv2D"]
    for case, each in zip(GREATEST, found, strict=True):
        x, weights, channels = each.inputs
        fan_in = case.kernel.height * case.kernel.width * case.channels // case.groups
        signs = np.tile([[1], [-1]], (case.filters // 2, fan_in))
        pack = layouts.pack_ternary if op.endswith("ternary") else layouts.pack_bits
        tensors[weights].data = pack(signs)
        greatest = fan_in * (1 if "_b1" in op else 255)
        row = [0, 2**30, 30 + greatest.bit_length() - 7]
        tensors[channels].data = np.tile(np.array(row, np.int32), (case.filters, 1))
        if tensors[x].dtype == "int8":
            tensors[x].zero_point = zero_point
    return layers.graph


def inputs_of(graph: Graph, examples: int, seed: int = 0) -> list[np.ndarray]:
    """Integers for each input: random ones, and all the least, all the greatest."""
    rng = np.random.default_rng(seed)
    arrays = []
    for name in graph.inputs:
        shape = (examples, *graph.tensors[name].shape[1:])
        arrays.append(rng.integers(-128, 128, shape).astype(np.int8))
        arrays[-1][0], arrays[-1][1] = -128, 127
    return arrays
