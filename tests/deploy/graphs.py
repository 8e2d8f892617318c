"""Random integer graphs, for the tests of everything that reads one."""

from dataclasses import replace

import numpy as np

from keras_bc.deploy import builtin_tables
from keras_bc.deploy.graph import Graph
from tests.deploy.graph_builder import Builder

JOIN_KINDS = ("ADD", "SUB", "MUL", "CONCATENATION")
CURVE_KINDS = (*builtin_tables.KINDS, "PRELU", "SLICE")
ANY_KINDS = JOIN_KINDS + CURVE_KINDS
"""Of tensors with any number of axes."""
VECTOR_KINDS = ("KbcFullyConnected", "FULLY_CONNECTED")
IMAGE_KINDS = (
    "KbcConv2D",
    "KbcDepthwiseConv2D",
    "KbcFullyConnected",
    "KbcMaxPool2D",
    "KbcPack",
    "KbcUnpack",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "PAD",
    "RESIZE_NEAREST_NEIGHBOR",
)
KINDS = tuple(dict.fromkeys(IMAGE_KINDS + VECTOR_KINDS + ("RESHAPE", "SOFTMAX") + ANY_KINDS))


def random_graph(seed: int, layers: int = 4) -> Graph:
    """A chain of random ops: an image or a vector, then `layers` ops, now and then a softmax.

    An op that joins takes an earlier tensor, or a branch of its own beside the chain.

    Every kind of the integer dialect comes up, with odd sizes, strides, dilations, paddings,
    groups, negative multipliers and zero points at both ends. Outputs use most of their range.
    """
    builder = Builder(seed)
    rng = builder.rng
    if rng.random() < 0.8:
        builder.input((1, *rng.integers(4, 13, 2).tolist(), int(rng.integers(1, 9))))
    else:
        builder.input((1, int(rng.integers(1, 150))))
    for _ in range(layers):
        own = IMAGE_KINDS if len(builder.x.shape) == 4 else VECTOR_KINDS
        kinds = [JOIN_KINDS, CURVE_KINDS, own][int(rng.choice(3, p=[0.2, 0.2, 0.6]))]
        builder.add(str(rng.choice(kinds)))
        if len(builder.x.shape) == 4 and rng.random() < 0.12:
            builder.add("RESHAPE")
    if rng.random() < 0.3:
        builder.add("SOFTMAX")
    return builder.finish()


PLAIN = {"weights": "binary", "outputs": "int8", "shortcut": False}
"""Few-bit ops as they were first: for `Builder` and `graph_of`."""


def graph_of(kind: str, seed: int, bits: bool = False, **fixed) -> Graph:
    """A graph of one random op of `kind`; what must be before and behind it comes along.

    Args:
        kind: Of the integer dialect.
        seed: Of all that is drawn.
        bits: Whether it reads bits.
        fixed: Of `Builder`.
    """
    builder = Builder(seed, **fixed)
    rng = builder.rng
    either = kind in ANY_KINDS and rng.random() < 0.4
    if kind in VECTOR_KINDS or kind == "SOFTMAX" or either:
        builder.input((1, int(rng.integers(1, 150))))
    else:
        builder.input((1, *rng.integers(3, 13, 2).tolist(), int(rng.integers(1, 9))))
    if bits:
        builder.add("KbcPack")
    builder.add(kind)
    return builder.finish()


def mlp(*widths: int, name: str = "mlp") -> Graph:
    """Binary fully connected layers from `widths[0]` inputs to `widths[-1]` outputs."""
    builder = Builder(0, **PLAIN)
    builder.graph.name = name
    builder.input((1, widths[0]))
    for width in widths[1:]:
        builder.add("KbcFullyConnected", width)
    return builder.finish()


def side_by_side(*graphs: Graph) -> Graph:
    """Graphs that have nothing to do with one another as one, with all their inputs and outputs."""
    joined = Graph("side by side")
    for number, graph in enumerate(graphs):
        rename = {name: f"{'abc'[number]}/{name}" for name in graph.tensors}
        for name, tensor in graph.tensors.items():
            joined.tensors[rename[name]] = replace(tensor, name=rename[name])
        for op in graph.ops:
            inputs, outputs = ([rename[name] for name in side] for side in (op.inputs, op.outputs))
            joined.ops.append(replace(op, inputs=inputs, outputs=outputs))
        joined.inputs += [rename[name] for name in graph.inputs]
        joined.outputs += [rename[name] for name in graph.outputs]
    return joined


def random_inputs(graph: Graph, count: int, seed: int = 0) -> np.ndarray | list[np.ndarray]:
    """int8 `[count, ...]` for the graph's input, or one for each of several.

    The ends of the range are included.
    """
    rng = np.random.default_rng(seed)
    arrays = []
    for name in graph.inputs:
        x = rng.integers(-128, 128, (count, *graph.tensors[name].shape[1:])).astype(np.int8)
        x[: count // 4] = rng.choice(np.array([-128, 127], np.int8), x[: count // 4].shape)
        arrays.append(x)
    return arrays[0] if len(arrays) == 1 else arrays
