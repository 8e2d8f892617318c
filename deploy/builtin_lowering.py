"""The calls of the builtins without sums of products: those that join tensors, work element by
element, or move. See `lowering.py`.
"""

from math import prod

import numpy as np

from keras_bc.deploy import builtin_tables
from keras_bc.deploy.builtin import prelu_factors, product_factor, sum_factors
from keras_bc.deploy.call import Call
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.native import (
    AddParams,
    ConcatenationParams,
    FactorParams,
    MulParams,
    OperandsParams,
    OutputParams,
    PReLUParams,
    Resize2DParams,
    SliceParams,
    TableParams,
)


def _sum(graph: Graph, op: Op) -> Call:
    factors = [FactorParams(*pair) for pair in sum_factors(graph, op)]
    sign = 1 if op.kind == "ADD" else -1
    params = AddParams(_operands(graph, op), sign, *factors, _output(graph, op))
    return Call(op, "int8_add", params)


def _product(graph: Graph, op: Op) -> Call:
    factor = FactorParams(*product_factor(graph, op))
    return Call(op, "int8_mul", MulParams(_operands(graph, op), factor, _output(graph, op)))


def in_bytes(tensor: Tensor) -> tuple[int, ...]:
    """A tensor's shape with the last axis in bytes, for functions that only move them."""
    return (*tensor.shape[:-1], tensor.shape[-1] * np.dtype(tensor.dtype).itemsize)


def _concatenation(graph: Graph, op: Op) -> Call:
    axis = op.options["axis"]
    shapes = [in_bytes(graph.tensors[name]) for name in op.inputs]
    sizes = np.array([prod(shape[axis:]) for shape in shapes], np.int32)
    params = ConcatenationParams(prod(shapes[0][:axis]), len(shapes))
    return Call(op, "int8_concatenation", params, {"sizes": sizes}, gathers=True)


def _table(graph: Graph, op: Op) -> Call:
    size = prod(graph.tensors[op.inputs[0]].shape)
    return Call(op, "int8_table", TableParams(size), {"table": builtin_tables.table(graph, op)})


def _slice(graph: Graph, op: Op) -> Call:
    x, begin, _ = (graph.tensors[name] for name in op.inputs)
    # An image of fewer axes has a height, or a width too, of 1.
    ones = [1] * (4 - len(x.shape))
    batch, *size = in_bytes(x)
    begins = begin.data.tolist()[1:]
    begins[-1] *= np.dtype(x.dtype).itemsize
    first = [0 for _ in ones] + begins
    out = ones + list(in_bytes(graph.tensors[op.outputs[0]])[1:])
    return Call(op, "int8_slice", SliceParams(batch, *ones, *size, *first, *out))


def _resize_2d(graph: Graph, op: Op) -> Call:
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    factors = [out // size for size, out in zip(x.shape[1:3], y.shape[1:3], strict=True)]
    return Call(op, "int8_resize_2d", Resize2DParams(*in_bytes(x), *factors))


def _prelu(graph: Graph, op: Op) -> Call:
    factors = [FactorParams(*pair) for pair in prelu_factors(graph, op)]
    params = PReLUParams(_operands(graph, op), *factors, _output(graph, op))
    return Call(op, "int8_prelu", params, {"alpha": graph.tensors[op.inputs[1]].data})


def _operands(graph: Graph, op: Op) -> OperandsParams:
    a, b = (graph.tensors[name] for name in op.inputs)
    size = prod(graph.tensors[op.outputs[0]].shape)
    return OperandsParams(size, prod(a.shape), prod(b.shape), a.zero_point, b.zero_point)


def _output(graph: Graph, op: Op) -> OutputParams:
    return OutputParams(graph.tensors[op.outputs[0]].zero_point, -128, 127)


MOVES = ("CONCATENATION", "SLICE", "RESIZE_NEAREST_NEIGHBOR")
"""Those that take values of any type."""

LOWERINGS = {
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _product,
    "CONCATENATION": _concatenation,
    "SLICE": _slice,
    "RESIZE_NEAREST_NEIGHBOR": _resize_2d,
    "PRELU": _prelu,
    **dict.fromkeys(builtin_tables.KINDS, _table),
}
