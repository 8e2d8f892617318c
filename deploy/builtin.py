"""The int8 builtins of TensorFlow Lite in the integers that every executor shares.

A file states a builtin by real scales, and its borders by "SAME" or "VALID". What its interpreter
computes with are integers derived from them; here they are derived once, for the NumPy reference
and for the C emitter.
"""

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier, rescale
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.windows import Window, window_for


def explicit_window(graph: Graph, op: Op) -> Window:
    """The window of a CONV_2D, DEPTHWISE_CONV_2D or pooling, its padding in numbers."""
    options = op.options
    _, height, width, _ = graph.tensors[op.inputs[0]].shape
    if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        size = graph.tensors[op.inputs[1]].shape[1:3]
        dilation = options["dilation_h"], options["dilation_w"]
    else:
        size = options["filter_h"], options["filter_w"]
        dilation = 1, 1
    stride = options["stride_h"], options["stride_w"]
    return window_for(options["padding"], (height, width), size, stride, dilation)


def groups(graph: Graph, op: Op) -> int:
    """Of a CONV_2D: each sees its share of the input's channels, as its weights say."""
    x, weights = (graph.tensors[name] for name in op.inputs[:2])
    return x.shape[3] // weights.shape[3]


def builtin_channels(graph: Graph, op: Op) -> np.ndarray:
    """How an op with int8 weights requantizes: int32 `[out, 3]` of bias, multiplier, shift.

    The real multiplier of output channel c is input_scale * weight_scale[c] / output_scale, in
    double precision; a FULLY_CONNECTED with one scale for all channels rounds the product to
    float32 first.
    """
    x, weights, bias = (graph.tensors[name] for name in op.inputs)
    y = graph.tensors[op.outputs[0]]
    product = float(x.scale[0]) * weights.scale.astype(np.float64)
    if op.kind == "FULLY_CONNECTED" and len(weights.scale) == 1:
        product = product.astype(np.float32).astype(np.float64)
    real = product / float(y.scale[0])
    pairs = np.array([quantize_multiplier(m) for m in real.tolist()], np.int32)
    pairs = np.broadcast_to(pairs, (len(bias.data), 2))
    return np.column_stack([bias.data.astype(np.int32), pairs])


SUM_SHIFT = 20
"""Bits that the inputs of an ADD or SUB are moved to the left, so that their sum keeps them."""


def sum_factors(graph: Graph, op: Op) -> list[tuple[int, int]]:
    """How an ADD or SUB scales its inputs a and b, and their sum: three pairs (multiplier, shift).

    With m = 2 max(s_a, s_b) the real factors are s_a / m and s_b / m, and m / (2^20 s_y).

    Raises:
        ValueError: The last is at least 1, which TensorFlow Lite does not run.
    """
    a, b, y = (float(graph.tensors[name].scale[0]) for name in (*op.inputs, *op.outputs))
    twice = 2 * max(a, b)
    factors = [quantize_multiplier(m) for m in (a / twice, b / twice, twice / (y * 2**SUM_SHIFT))]
    if factors[2][1] < 31:
        raise ValueError("its output's scale is too small for those of its inputs")
    return factors


def product_factor(graph: Graph, op: Op) -> tuple[int, int]:
    """The multiplier and shift of a MUL: s_a * s_b / s_y, each step rounded to float32."""
    a, b, y = (graph.tensors[name].scale[0] for name in (*op.inputs, *op.outputs))
    with np.errstate(over="ignore"):  # what is infinite then, quantize_multiplier refuses
        return quantize_multiplier(float(a * b / y))


def scaled_sum(graph: Graph, op: Op, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """m (ma a 2^20 +- mb b 2^20) of an ADD or SUB, in steps of the output.

    Args:
        graph: Integer.
        op: An ADD or SUB.
        a: The first input's distance from its zero point.
        b: The second's; the smaller is broadcast.
    """
    ma, mb, m = sum_factors(graph, op)
    left, right = rescale(a << SUM_SHIFT, *ma), rescale(b << SUM_SHIFT, *mb)
    return rescale(left + right if op.kind == "ADD" else left - right, *m)


def scaled_product(graph: Graph, op: Op, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """m a b of a MUL, as `scaled_sum`."""
    return rescale(a * b, *product_factor(graph, op))


def prelu_factors(graph: Graph, op: Op) -> list[tuple[int, int]]:
    """The multipliers and shifts of a PRELU: s_x / s_y, and below zero s_x * s_alpha / s_y.

    Each step is rounded to float32.
    """
    x, alpha, y = (graph.tensors[name].scale[0] for name in (*op.inputs, *op.outputs))
    with np.errstate(over="ignore"):  # as in product_factor
        factors = x / y, x * alpha / y
    return [quantize_multiplier(float(factor)) for factor in factors]


def softmax_table(scale: float) -> np.ndarray:
    """float32 `[256]`: exp(-scale * d), of the distance d from the row's maximum.

    The product is rounded to float32 before the exponential and the exponential after, as in
    TensorFlow Lite.
    """
    exponent = np.float32(-scale) * np.arange(256, dtype=np.float32)
    return np.exp(exponent.astype(np.float64)).astype(np.float32)
