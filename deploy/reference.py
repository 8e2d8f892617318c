"""The golden model: an integer graph, executed with NumPy, equation by equation.

Every other executor (the interpreter with the delegate, C on each CPU) is compared with this one
bit for bit. It is written to be read, and fast enough to run a test set.
"""

from collections.abc import Callable

import numpy as np

from keras_bc.deploy import builtin_tables, reference_floats
from keras_bc.deploy.builtin import (
    builtin_channels,
    explicit_window,
    groups,
    prelu_factors,
    scaled_product,
    scaled_sum,
    softmax_table,
)
from keras_bc.deploy.feeds import name_inputs
from keras_bc.deploy.fixed_point import (
    requantize,
    requantize_away,
    requantize_twice,
    rescale,
    scale,
)
from keras_bc.deploy.float_ops import is_float
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.layouts import pack_signs, unpack_bits, unpack_signs, unpack_ternary
from keras_bc.deploy.windows import convolve, from_options, input_dilation, patches, spread
from keras_bc.inputs import NamedInputs

LOW, HIGH = -128, 127


def run(graph: Graph, x: NamedInputs) -> dict[str, np.ndarray]:
    """All activations of an integer graph.

    Args:
        graph: Integer.
        x: int8 `[n, ...]`, the input in its quantization, or one such array for each input;
            float32 for an input of float32.

    Returns:
        int8, int32 of bits, or float32, `[n, ...]` by the tensor's name, the inputs included.
    """
    values = name_inputs(graph, x)
    for op in graph.ops:
        values[op.outputs[0]] = compute(graph, op, values)
    return values


def compute(graph: Graph, op: Op, values: dict[str, np.ndarray]) -> np.ndarray:
    """The output of one op, from the activations that it reads."""
    flows = [values[name] for name in op.inputs if name in values]
    floats = reference_floats.EQUATIONS if is_float(graph, op) else {}
    y = (_EQUATIONS | floats)[op.kind](graph, op, *flows)
    return y.reshape(-1, *graph.tensors[op.outputs[0]].shape[1:])


def _few_bit_fully_connected(graph: Graph, op: Op, x, shortcut=None) -> np.ndarray:
    """acc[c] = sum_k w[c,k] (x[k] - zx), or of signs sum_k w[c,k] x[k]."""
    x = _reals(graph, op, x)
    return _finish(graph, op, x @ _few_bit(graph, op, x.shape[-1]).T, shortcut)


def _few_bit_conv_2d(graph: Graph, op: Op, x, shortcut=None) -> np.ndarray:
    """acc[c] = max over the pool of sum_k w[c,k] (x[k] - zx); absent taps add 0."""
    options, x = op.options, _reals(graph, op, x)
    groups = options.get("groups", x.shape[-1])
    kernel, pool = from_options("kernel", options), from_options("pool", options)
    taps = kernel.height, kernel.width, x.shape[-1] // groups
    weights = _few_bit(graph, op, int(np.prod(taps))).reshape(-1, *taps)
    x = spread(x, input_dilation(options))
    sums = convolve(patches(x, kernel, 0), weights, groups)
    return _finish(graph, op, patches(sums, pool, -np.inf).max(axis=(3, 4)), shortcut)


def _max_pool_bits(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """-1, which is 1, only where all taps inside of the image are."""
    taps = patches(x, from_options("pool", op.options), -1)
    return np.bitwise_and.reduce(taps, axis=(3, 4))


def _pack(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return pack_signs(np.where(x < graph.tensors[op.inputs[0]].zero_point, -1, 1))


def _unpack(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    y, options = graph.tensors[op.outputs[0]], op.options
    signs = unpack_signs(x, y.shape[-1])
    return np.where(signs > 0, options["positive"], options["negative"]).astype(y.dtype)


def _int8_fully_connected(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """acc[c] = sum_k w[c,k] (x[k] - zx)."""
    weights = graph.tensors[op.inputs[1]].data.astype(np.float64)
    return _saturated(graph, op, _centered(graph, op, x) @ weights.T)


def _int8_conv_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    weights = graph.tensors[op.inputs[1]].data.astype(np.float64)
    taps = patches(_centered(graph, op, x), explicit_window(graph, op), 0)
    count = groups(graph, op)
    rule = requantize_twice if count == 1 else requantize_away
    return _saturated(graph, op, convolve(taps, weights, count), rule)


def _int8_depthwise_conv_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    weights = graph.tensors[op.inputs[1]].data.astype(np.float64)
    taps = patches(_centered(graph, op, x), explicit_window(graph, op), 0)
    by_channel = np.moveaxis(weights, 3, 0)[:, 0, :, :, np.newaxis]
    sums = convolve(taps, by_channel, groups=x.shape[-1])
    return _saturated(graph, op, sums)


def _max_pool_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return patches(x, explicit_window(graph, op), LOW).max(axis=(3, 4))


def _average_pool_2d(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """The mean of the taps inside of the image, rounded half away from zero."""
    window = explicit_window(graph, op)
    total = patches(x.astype(np.int64), window, 0).sum(axis=(3, 4))
    count = patches(np.ones_like(x, np.int64), window, 0).sum(axis=(3, 4))
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return np.clip(mean, LOW, HIGH).astype(np.int8)


def _pad(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    paddings = graph.tensors[op.inputs[1]].data
    return np.pad(x, paddings, constant_values=graph.tensors[op.inputs[0]].zero_point)


def _reshape(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return x


def _softmax(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """p = e / sum(e) with e = exp(-scale d), d the distance from the maximum, all in float32."""
    table = softmax_table(float(graph.tensors[op.inputs[0]].scale[0]))
    distance = x.max(axis=-1, keepdims=True).astype(np.int32) - x
    exponentials = table[distance]
    # The sum runs from the first to the last, each partial sum rounded: cumsum, not sum.
    total = np.cumsum(exponentials, axis=-1, dtype=np.float32)[..., -1:]
    inverse = np.float32(1) / (total * np.float32(1 / 256))
    levels = (exponentials * inverse + np.float32(0.5)).astype(np.int32)
    return np.clip(levels + LOW, LOW, HIGH).astype(np.int8)


def _sum(graph: Graph, op: Op, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """y = zy + m (ma (a - za) 2^20 +- mb (b - zb) 2^20)."""
    a, b = _distance(graph, op, 0, a), _distance(graph, op, 1, b)
    return _offset(graph, op, scaled_sum(graph, op, a, b))


def _mul(graph: Graph, op: Op, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """y = zy + m (a - za) (b - zb)."""
    a, b = _distance(graph, op, 0, a), _distance(graph, op, 1, b)
    return _offset(graph, op, scaled_product(graph, op, a, b))


def _concatenation(graph: Graph, op: Op, *inputs: np.ndarray) -> np.ndarray:
    return np.concatenate(inputs, axis=op.options["axis"])


def _curve(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return builtin_tables.table(graph, op)[x.astype(np.int64) - LOW]


def _slice(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    begin = graph.tensors[op.inputs[1]].data.tolist()[1:]
    sizes = graph.tensors[op.outputs[0]].shape[1:]
    parts = [slice(first, first + size) for first, size in zip(begin, sizes, strict=True)]
    return x[(slice(None), *parts)]


def _resize(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """Whole factors: each pixel comes several times."""
    _, height, width, _ = graph.tensors[op.outputs[0]].shape
    rows = x.repeat(height // x.shape[1], axis=1)
    return rows.repeat(width // x.shape[2], axis=2)


def _prelu(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """y = zy + m (x - zx), and zy + ma (x - zx) (alpha - za) where x < zx."""
    m, ma = prelu_factors(graph, op)
    distance = _distance(graph, op, 0, x)
    alpha = _distance(graph, op, 1, graph.tensors[op.inputs[1]].data)
    y = np.where(distance >= 0, rescale(distance, *m), rescale(distance * alpha, *ma))
    return _offset(graph, op, y)


def _distance(graph: Graph, op: Op, number: int, x: np.ndarray) -> np.ndarray:
    """x - zx of an input, in int64."""
    return x.astype(np.int64) - graph.tensors[op.inputs[number]].zero_point


def _offset(graph: Graph, op: Op, y: np.ndarray) -> np.ndarray:
    """clamp(zy + y) of the output."""
    return np.clip(y + graph.tensors[op.outputs[0]].zero_point, LOW, HIGH).astype(np.int8)


def _reals(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """What the accumulators sum, in float64: x - zx, or signs, or x."""
    if x.dtype == np.int32:
        return unpack_signs(x, op.options["in_channels"]).astype(np.float64)
    return _centered(graph, op, x)


def _few_bit(graph: Graph, op: Op, products: int) -> np.ndarray:
    """The weights as +1.0, 0.0 and -1.0, `[out, products]`."""
    unpack = unpack_ternary if op.options["weights"] == "ternary" else unpack_bits
    return unpack(graph.tensors[op.inputs[1]].data, products).astype(np.float64)


def _centered(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """x - zx in float64, whose matrix products are fast and, up to 2^53, exact."""
    return x.astype(np.float64) - graph.tensors[op.inputs[0]].zero_point


def _finish(graph: Graph, op: Op, accumulator: np.ndarray, shortcut) -> np.ndarray:
    """int8 outputs, or the signs of a threshold each, or float32."""
    channels, y = graph.tensors[op.inputs[2]].data, graph.tensors[op.outputs[0]]
    if y.dtype == "float32":
        return reference_floats.finish(accumulator, channels, shortcut)
    if y.dtype == "int32":
        threshold, direction = channels.T
        positive = np.where(direction > 0, accumulator >= threshold, accumulator <= threshold)
        return pack_signs(np.where(positive, 1, -1))
    bounds = op.options["activation_min"], op.options["activation_max"]
    if shortcut is None:
        return requantize(accumulator, channels, y.zero_point, *bounds)
    options, zero_point = op.options, graph.tensors[op.inputs[3]].zero_point
    pair = options["shortcut_multiplier"], options["shortcut_shift"]
    added = scale(shortcut, np.array([[-zero_point, *pair]]))
    total = (scale(accumulator, channels) + added + 128) >> 8
    return np.clip(total + y.zero_point, *bounds).astype(np.int8)


def _saturated(
    graph: Graph, op: Op, accumulator: np.ndarray, rule: Callable | None = None
) -> np.ndarray:
    """int8 outputs of a builtin, rounded by `rule`: by default that of most of them."""
    zero_point = graph.tensors[op.outputs[0]].zero_point
    return (rule or requantize_twice)(
        accumulator, builtin_channels(graph, op), zero_point, LOW, HIGH
    )


_EQUATIONS = {
    "KbcFullyConnected": _few_bit_fully_connected,
    "KbcConv2D": _few_bit_conv_2d,
    "KbcDepthwiseConv2D": _few_bit_conv_2d,
    "KbcMaxPool2D": _max_pool_bits,
    "KbcPack": _pack,
    "KbcUnpack": _unpack,
    "FULLY_CONNECTED": _int8_fully_connected,
    "CONV_2D": _int8_conv_2d,
    "DEPTHWISE_CONV_2D": _int8_depthwise_conv_2d,
    "MAX_POOL_2D": _max_pool_2d,
    "AVERAGE_POOL_2D": _average_pool_2d,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _mul,
    "CONCATENATION": _concatenation,
    "SLICE": _slice,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "PRELU": _prelu,
    **dict.fromkeys(builtin_tables.KINDS, _curve),
}
