"""A fused graph, executed in floating point with NumPy, equation by equation."""

import math

import numpy as np

from keras_bc.deploy.feeds import name_inputs
from keras_bc.deploy.functions import FUNCTIONS
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.windows import convolve, patches, spread
from keras_bc.inputs import Inputs


def run(graph: Graph, x: Inputs) -> dict[str, np.ndarray]:
    """All activations of a fused graph.

    Args:
        graph: Fused.
        x: `[n, ...]`, or one such array for each input.

    Returns:
        float64 `[n, ...]` by the tensor's name.
    """
    values = {name: array.astype(np.float64) for name, array in name_inputs(graph, x).items()}
    for op in graph.ops:
        inputs = [values.get(name, graph.tensors[name].data) for name in op.inputs]
        y = _EQUATIONS[op.kind](op, *inputs)
        shape = graph.tensors[op.outputs[0]].shape[1:]
        values[op.outputs[0]] = y.reshape(-1, *shape)
    return values


def _fully_connected(op: Op, x, weights, scale, offset, shortcut=0.0):
    return _finish(op, x @ weights.T * scale + offset + shortcut)


def _conv_2d(op: Op, x, weights, scale, offset, shortcut=0.0):
    taps = patches(spread(x, op.options["input_dilation"]), op.options["window"], 0)
    accumulator = convolve(taps, weights, op.options["groups"])
    pooled = patches(accumulator, op.options["pool"], -math.inf).max(axis=(3, 4))
    return _finish(op, pooled * scale + offset + shortcut)


def _finish(op: Op, y):
    """Bounds, levels and sign."""
    low, high, levels = (op.options[key] for key in ("low", "high", "levels"))
    y = np.clip(y, low, high)
    if levels:
        y = low + np.floor((y - low) / (high - low) * levels + 0.5) * (high - low) / levels
    return _sign(op, y) if op.options["sign"] else y


def _sign(op: Op, x):
    return np.where(x >= 0, 1.0, -1.0)


def _join(function):
    return lambda op, a, b: np.clip(function(a, b), op.options["low"], op.options["high"])


def _function(op: Op, x):
    return FUNCTIONS[op.options["name"]](x, op.options["alpha"])


def _prelu(op: Op, x, alpha):
    return np.where(x > 0, x, alpha * x)


def _resize(op: Op, x):
    rows, columns = op.options["factor"]
    return x.repeat(rows, axis=1).repeat(columns, axis=2)


def _slice(op: Op, x):
    begin, size = op.options["begin"], op.options["size"]
    ends = zip(begin[1:], size[1:], strict=True)
    return x[(slice(None), *(slice(first, first + count) for first, count in ends))]


def _concatenate(op: Op, *inputs):
    return np.concatenate(inputs, axis=op.options["axis"])


def _softmax(op: Op, x):
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _max_pool_2d(op: Op, x):
    return patches(x, op.options["window"], -math.inf).max(axis=(3, 4))


def _average_pool_2d(op: Op, x):
    return np.nanmean(patches(x, op.options["window"], np.nan), axis=(3, 4))


def _pad_2d(op: Op, x):
    return patches(x, op.options["window"], 0)[:, :, :, 0, 0]


def _same(op: Op, x):
    return x


_EQUATIONS = {
    "add": _join(np.add),
    "average_pool_2d": _average_pool_2d,
    "concatenate": _concatenate,
    "conv_2d": _conv_2d,
    "fully_connected": _fully_connected,
    "function": _function,
    "max_pool_2d": _max_pool_2d,
    "multiply": _join(np.multiply),
    "pad_2d": _pad_2d,
    "prelu": _prelu,
    "reshape": _same,
    "resize": _resize,
    "sign": _sign,
    "slice": _slice,
    "softmax": _softmax,
    "subtract": _join(np.subtract),
    "unpack": _same,
}
