"""The builtins that turn each int8 into another by a curve: what they make of all 256.

TensorFlow Lite computes some of them by a table of its own, from float32, and the others in
integers, value by value; the sources are its `lut.h`, `leaky_relu.h`, `hard_swish.h` and
`requantize.h`. Here all are tables, for the NumPy reference and for the one C kernel.
"""

from collections.abc import Callable

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier, requantize_twice, rescale
from keras_bc.deploy.graph import Graph, Op, Tensor

LOW, HIGH = -128, 127
_LEVELS = np.arange(LOW, HIGH + 1)


def table(graph: Graph, op: Op) -> np.ndarray:
    """int8 `[256]`: the output of each input, from -128 to 127.

    Raises:
        ValueError: TensorFlow Lite would overflow or refuse the scales, or its runtimes differ.
    """
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    distance = _LEVELS - x.zero_point
    levels = _CURVES[op.kind](distance, x, y, op)
    return np.clip(levels + y.zero_point, LOW, HIGH).astype(np.int8)


def _by_floats(curve: Callable[[np.ndarray], np.ndarray]):
    """round(curve(s_x d) / s_y), halves away from zero, in float32."""

    def levels(distance: np.ndarray, x: Tensor, y: Tensor, op: Op) -> np.ndarray:
        real = curve(x.scale[0] * distance.astype(np.float32))
        steps = real.astype(np.float32) * (np.float32(1) / y.scale[0])
        if np.abs(steps).max() >= 1 << 24:
            raise ValueError("its output's scale is too small for that of its input")
        return np.trunc(steps + np.copysign(0.5, steps.astype(np.float64))).astype(np.int64)

    return levels


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), each step rounded to float32."""
    with np.errstate(over="ignore"):  # the power is infinite then, and the result 0
        power = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + power)


def _tanh(x: np.ndarray) -> np.ndarray:
    return np.tanh(x.astype(np.float64))


def _elu(x: np.ndarray) -> np.ndarray:
    """x, and e^x - 1 where it is negative."""
    return np.where(x < 0, np.expm1(np.minimum(x, 0).astype(np.float64)), x)


def _leaky_relu(distance: np.ndarray, x: Tensor, y: Tensor, op: Op) -> np.ndarray:
    """s_x / s_y times the distance, and alpha times that where it is negative."""
    alpha = np.float32(op.options["alpha"])
    with np.errstate(over="ignore"):  # what is infinite then, quantize_multiplier refuses
        factors = x.scale[0] / y.scale[0], x.scale[0] * alpha / y.scale[0]
    positive, negative = (_rescaled(distance, float(factor)) for factor in factors)
    return np.where(distance >= 0, positive, negative)


def _quantize(distance: np.ndarray, x: Tensor, y: Tensor, op: Op) -> np.ndarray:
    """s_x / s_y times the distance, where the runtimes agree on it.

    LiteRT on x86-64 rounds the halves of most negative numbers up, tflite-runtime away from zero.
    All runtimes agree on a LEAKY_RELU with alpha 1, which computes the same otherwise.
    """
    real = float(x.scale[0]) / float(y.scale[0])
    away = np.clip(_rescaled(distance, real) + y.zero_point, LOW, HIGH)
    factor = np.array([[0, *quantize_multiplier(real)]])
    up = requantize_twice(distance[:, np.newaxis], factor, y.zero_point, LOW, HIGH)
    if np.any(away != up[:, 0]):
        raise ValueError("runtimes round it differently")
    return away - y.zero_point


def _hard_swish(distance: np.ndarray, x: Tensor, y: Tensor, op: Op) -> np.ndarray:
    """x min(max(x + 3, 0), 6) / 6, in 16 bits.

    The factor of x is (x / 3 + 1) / 2, x / 3 saturated in steps of 2^-15; x itself is counted in
    steps of the output. Both begin with the distance's 7 bits more.
    """
    finer = x.scale[0] * np.float32(1 / 128)
    output, output_shift = _short_multiplier(finer / y.scale[0])
    gate, gate_shift = _short_multiplier(finer / np.float32(3 / 32768))
    if not 15 <= output_shift <= 30 or not -1 <= gate_shift <= 30:
        raise ValueError("its scales are not those of a hard swish")
    fine = distance << 7
    steps = _short_product(fine, output)
    if gate_shift < 15:  # to the left, but for the last bit before the product
        reluish = _short(fine << (14 - gate_shift))
        reluish = _short(_short_product(reluish, gate) << 1)
    else:
        reluish = _divided(_short_product(fine, gate), gate_shift - 15)
    factor = (reluish + (1 << 15)) >> 1
    product = np.trunc(factor * steps / (1 << 15)).astype(np.int64)
    return _divided(product, output_shift - 15)


def _short_multiplier(real: np.float32) -> tuple[int, int]:
    """A multiplier of 16 bits, and the shift with real = multiplier * 2^-shift."""
    multiplier, shift = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), shift - 16


def _short_product(x: np.ndarray, multiplier: int) -> np.ndarray:
    """x * multiplier * 2^-15, rounded half up."""
    return (x * multiplier + (1 << 14)) >> 15


def _short(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


def _divided(x: np.ndarray, shift: int) -> np.ndarray:
    """x * 2^-shift, rounded half away from zero."""
    return np.sign(x) * ((np.abs(x) + ((1 << shift) >> 1)) >> shift)


def _rescaled(distance: np.ndarray, real: float) -> np.ndarray:
    multiplier, shift = quantize_multiplier(real)
    if multiplier and shift < 31 - 22:  # 255 would leave int32
        raise ValueError("a multiplier overflows its accumulator")
    return rescale(distance, multiplier, shift)


_CURVES = {
    "LOGISTIC": _by_floats(_sigmoid),
    "TANH": _by_floats(_tanh),
    "ELU": _by_floats(_elu),
    "LEAKY_RELU": _leaky_relu,
    "HARD_SWISH": _hard_swish,
    "QUANTIZE": _quantize,
}
KINDS = tuple(_CURVES)
"""Of the ops that have a table."""
