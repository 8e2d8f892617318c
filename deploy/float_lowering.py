"""The calls of float ops that have kernels of their own; see `lowering.py`.

Curves and softmax have none: they would need a library of mathematics on the chip.
"""

from math import prod

import numpy as np

from keras_bc.deploy.call import Call
from keras_bc.deploy.float_ops import LARGEST
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.native import (
    ConversionParams,
    FloatAddParams,
    FloatBoundParams,
    FloatMulParams,
)


def channels(bias: np.ndarray) -> np.ndarray:
    """float32 `[out, 5]` of a layer that adds a bias and nothing else."""
    rows = np.tile(np.array([1, 0, -LARGEST, LARGEST, 0], np.float32), (len(bias), 1))
    rows[:, 1] = bias
    return rows


def _sum(graph: Graph, op: Op) -> Call:
    sign = 1 if op.kind == "ADD" else -1
    return Call(op, "float_add", FloatAddParams(*_sizes(graph, op), sign))


def _product(graph: Graph, op: Op) -> Call:
    return Call(op, "float_mul", FloatMulParams(*_sizes(graph, op)))


def _sizes(graph: Graph, op: Op) -> list[int]:
    """Of the output and of both operands."""
    return [prod(graph.tensors[name].shape) for name in (*op.outputs, *op.inputs)]


def _bound(graph: Graph, op: Op) -> Call:
    low, high = -LARGEST, LARGEST
    if op.kind == "RELU":
        low = 0.0
    elif op.kind == "MAXIMUM":
        low = float(graph.tensors[op.inputs[1]].data[0])
    else:
        high = float(graph.tensors[op.inputs[1]].data[0])
    size = prod(graph.tensors[op.outputs[0]].shape)
    return Call(op, "float_bound", FloatBoundParams(size, low, high))


def _quantize(graph: Graph, op: Op) -> Call:
    y = graph.tensors[op.outputs[0]]
    params = ConversionParams(prod(y.shape), float(y.scale[0]), y.zero_point)
    return Call(op, "float_to_int8", params)


def _dequantize(graph: Graph, op: Op) -> Call:
    x = graph.tensors[op.inputs[0]]
    params = ConversionParams(prod(x.shape), float(x.scale[0]), x.zero_point)
    return Call(op, "int8_to_float", params)


LOWERINGS = {
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _product,
    **dict.fromkeys(("RELU", "MINIMUM", "MAXIMUM"), _bound),
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
