"""The golden model's equations for float32, where they are not those of integers.

Sums are taken in float64 and rounded once: other executors differ from them in the last digits.
"""

import math

import numpy as np

from keras_bc.deploy.builtin import explicit_window, groups
from keras_bc.deploy.functions import FUNCTIONS
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.scales import to_int8, to_real
from keras_bc.deploy.windows import convolve, patches


def finish(
    accumulator: np.ndarray, channels: np.ndarray, shortcut: np.ndarray | None
) -> np.ndarray:
    """What an op of ours makes of its sums.

    Args:
        accumulator: `[..., out]`.
        channels: float32 `[out, 5]`, see `graph.py`.
        shortcut: float32 `[..., out]`, or None.

    Returns:
        float32 `[..., out]`.
    """
    scale, offset, low, high, step = channels.T.astype(np.float64)
    y = accumulator * scale + offset + (0 if shortcut is None else shortcut)
    y = np.clip(y, low, high)
    size = np.where(step > 0, step, 1)
    return np.where(step > 0, low + np.floor((y - low) / size + 0.5) * step, y).astype(np.float32)


def _conv_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    weights = graph.tensors[op.inputs[1]].data
    return _convolved(graph, op, x, weights, groups(graph, op))


def _depthwise_conv_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    weights = graph.tensors[op.inputs[1]].data
    by_channel = np.moveaxis(weights, 3, 0)[:, 0, :, :, np.newaxis]
    return _convolved(graph, op, x, by_channel, x.shape[-1])


def _convolved(graph: Graph, op: Op, x, weights: np.ndarray, count: int) -> np.ndarray:
    taps = patches(x.astype(np.float64), explicit_window(graph, op), 0)
    bias = graph.tensors[op.inputs[2]].data
    return (convolve(taps, weights.astype(np.float64), count) + bias).astype(np.float32)


def _max_pool_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return patches(x, explicit_window(graph, op), -math.inf).max(axis=(3, 4))


def _average_pool_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    taps = patches(x.astype(np.float64), explicit_window(graph, op), math.nan)
    return np.nanmean(taps, axis=(3, 4)).astype(np.float32)


def _softmax(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    exponentials = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)


def _join(function):
    return lambda graph, op, a, b: function(a, b)


def _curve(name: str):
    def equation(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
        return FUNCTIONS[name](x.astype(np.float64), op.options.get("alpha")).astype(np.float32)

    return equation


def _prelu(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, x * graph.tensors[op.inputs[1]].data)


def _bound(function):
    return lambda graph, op, x: function(x, graph.tensors[op.inputs[1]].data)


def _quantize(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    y = graph.tensors[op.outputs[0]]
    return to_int8(x, y.scale[0], y.zero_point)


def _dequantize(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    tensor = graph.tensors[op.inputs[0]]
    return to_real(x, tensor.scale[0], tensor.zero_point)


EQUATIONS = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "MAX_POOL_2D": _max_pool_2d,
    "AVERAGE_POOL_2D": _average_pool_2d,
    "SOFTMAX": _softmax,
    "ADD": _join(np.add),
    "SUB": _join(np.subtract),
    "MUL": _join(np.multiply),
    "LOGISTIC": _curve("sigmoid"),
    "TANH": _curve("tanh"),
    "LEAKY_RELU": _curve("leaky_relu"),
    "ELU": _curve("elu"),
    "HARD_SWISH": _curve("hard_swish"),
    "PRELU": _prelu,
    "RELU": lambda graph, op, x: np.maximum(x, 0),
    "MINIMUM": _bound(np.minimum),
    "MAXIMUM": _bound(np.maximum),
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
"""All others read and write float32 by the equations of `reference.py`."""
