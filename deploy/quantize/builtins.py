"""Ops that TensorFlow Lite has itself."""

import numpy as np

from keras_bc.deploy.graph import Op, Tensor
from keras_bc.deploy.quantize.affine import (
    HIGH,
    LIMIT,
    LOW,
    affine,
    check_multipliers,
    check_products,
)
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.windows import IDENTITY, Window, window_for

_LARGEST_RATIO = 2**12  # of a step of the inputs and one of their sum or product
_MOST_STEPS = 2**15 - 256  # of an output, in 16 bits with its zero point and roundings


def conv_2d(builder: Builder, op: Op) -> None:
    """CONV_2D."""
    window = op.options["window"]
    options = {"dilation_h": window.dilation_height, "dilation_w": window.dilation_width}
    options |= _padding(window, builder.fused.tensors[op.inputs[0]].shape)
    constants = _int8_weights(builder, op, builder.ranged(op))
    builder.append("CONV_2D", op, *constants, **options)


def _int8_weights(
    builder: Builder, op: Op, y: Tensor, lift: float = 0.0, depthwise: bool = False
) -> list[str]:
    """int8 weights, a scale for each output channel, and int32 bias.

    scale and offset of batch norm fold into them; the bounds need no place, since the output's
    range ends at them and int8 saturates there.

    Args:
        builder: Of the graph.
        op: With weights `[out, kh, kw, c / groups]`.
        y: Its output.
        lift: What is added to all outputs.
        depthwise: Whether the weights become `[1, kh, kw, out]`.
    """
    x = builder.tensor(op)
    weights, scale, offset = builder.data(op)
    offset = offset + lift
    weights = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
    rows = np.abs(weights).reshape(len(weights), -1)
    check_products(op, rows.shape[1] * HIGH)
    # A channel of tiny weights takes a scale that its bias fits into.
    size = np.maximum(rows.max(axis=1) / HIGH, np.abs(offset) / (float(x.scale[0]) * LIMIT))
    size = np.where(size > 0, size, 1.0).astype(np.float32)
    steps = size.astype(np.float64).reshape(-1, *[1] * (weights.ndim - 1))
    quantized = np.clip(np.rint(weights / steps), -HIGH, HIGH).astype(np.int8)
    bias_scale = x.scale * size
    bias = np.clip(np.rint(offset / bias_scale.astype(np.float64)), -LIMIT, LIMIT)
    # A builtin shifts its accumulator to the left, in 32 bits, by a multiplier above 1.
    sums = (HIGH - LOW) * np.abs(quantized.astype(np.int64)).reshape(len(size), -1).sum(axis=1)
    most = np.maximum(LIMIT / (sums + np.abs(bias) + 1), 1)
    check_multipliers(op, bias_scale / y.scale, most)
    if depthwise:
        quantized = np.ascontiguousarray(np.moveaxis(quantized[..., 0], 0, -1))[None]
    return [
        builder.constant(op, "weights", quantized, size, axis=3 if depthwise else 0),
        builder.constant(op, "bias", bias.astype(np.int32), bias_scale),
    ]


def depthwise_conv_2d(builder: Builder, op: Op) -> None:
    """DEPTHWISE_CONV_2D, whose output begins at the zero point -128 (see graph.py).

    Where negative values are wanted, they are lifted by a whole number of steps, which the bias
    does, and a RESHAPE that moves nothing takes them back: its output counts from elsewhere.
    """
    window = op.options["window"]
    channels = builder.channels(op)
    y = builder.ranged(op)
    lift = y.zero_point - LOW
    options = {
        "depth_multiplier": len(builder.data(op)[0]) // channels,
        "dilation_h": window.dilation_height,
        "dilation_w": window.dilation_width,
        **_padding(window, builder.fused.tensors[op.inputs[0]].shape),
    }
    constants = _int8_weights(builder, op, y, lift * float(y.scale[0]), depthwise=True)
    builder.append("DEPTHWISE_CONV_2D", op, *constants, **options)
    if lift:
        builder.lift(op, y)


def join(kind: str):
    """ADD, SUB or MUL.

    What the operands could give may be far more than what they gave together on the samples. An
    output that counts in too small steps for it wraps around in some runtimes (see
    `builtin_checks`). Then the op writes in the least steps that do not, which are still small
    beside those of the operands, and a second op brings them to the output's.
    """

    def append(builder: Builder, op: Op) -> None:
        y = builder.ranged(op)
        operands = builder.tensor(op, 0), builder.tensor(op, 1)
        a, b = (float(tensor.scale[0]) for tensor in operands)
        step = a * b if kind == "MUL" else max(a, b)
        check_multipliers(op, np.array([step / float(y.scale[0])]), _LARGEST_RATIO)
        builder.append(kind, op)
        a, b = (_reach(tensor) for tensor in operands)
        least = (a * b if kind == "MUL" else a + b) / _MOST_STEPS
        if y.scale[0] < least:
            builder.widen(op, y, np.array([least], np.float32))

    return append


def _reach(x: Tensor) -> float:
    """The greatest magnitude that an int8 activation can hold."""
    return float(x.scale[0]) * max(HIGH - x.zero_point, x.zero_point - LOW)


def concatenate(builder: Builder, op: Op) -> None:
    """CONCATENATION, of what has been brought to one scale."""
    y = builder.activation(op.outputs[0], *affine(*builder.ranges[op.outputs[0]]))
    inputs = [builder.rescaled(op, name, y.scale, y.zero_point) for name in op.inputs]
    builder.graph.ops.append(
        Op("CONCATENATION", op.name, inputs, list(op.outputs), {"axis": op.options["axis"]})
    )


def function(builder: Builder, op: Op) -> None:
    """LOGISTIC, TANH, LEAKY_RELU, ELU or HARD_SWISH."""
    name = op.options["name"]
    kind, fixed = _FUNCTIONS[name]
    scale, zero_point = fixed or affine(*builder.ranges[op.outputs[0]])
    builder.activation(op.outputs[0], np.array(scale, np.float32).reshape(1), zero_point)
    options = {"alpha": op.options["alpha"]} if name == "leaky_relu" else {}
    builder.append(kind, op, **options)


_FUNCTIONS = {
    "sigmoid": ("LOGISTIC", (1 / 256, LOW)),
    "tanh": ("TANH", (1 / 128, 0)),
    "leaky_relu": ("LEAKY_RELU", None),
    "elu": ("ELU", None),
    "hard_swish": ("HARD_SWISH", None),
}
"""The op of each function, and its output's scale and zero point where TensorFlow Lite fixes
them."""


def prelu(builder: Builder, op: Op) -> None:
    """PRELU."""
    x = builder.tensor(op)
    scale, zero_point = affine(*builder.ranges[op.outputs[0]])
    builder.activation(op.outputs[0], scale, zero_point)
    (alpha,) = builder.data(op)
    size = np.array([max(np.abs(alpha).max() / HIGH, 1e-6)], np.float32)
    check_multipliers(op, x.scale * np.maximum(1, size) / scale, _LARGEST_RATIO)
    quantized = np.rint(alpha / float(size[0])).astype(np.int8)
    builder.append("PRELU", op, builder.constant(op, "alpha", quantized, size))


def softmax(builder: Builder, op: Op) -> None:
    """SOFTMAX."""
    builder.activation(op.outputs[0], np.array([1 / 256], np.float32), LOW)
    builder.append("SOFTMAX", op, beta=1)


# Ops whose output is a choice, or a mean, of values of their input.


def reshape(builder: Builder, op: Op) -> None:
    """RESHAPE, of int8 or of words of signs."""
    y = builder.bits(op.outputs[0]) if builder.is_bits(op.outputs[0]) else _same_scale(builder, op)
    shape = np.array([-1, *y.shape[1:]], np.int32)
    builder.append("RESHAPE", op, builder.constant(op, "shape", shape))


def pad_2d(builder: Builder, op: Op) -> None:
    """PAD."""
    _same_scale(builder, op)
    window = op.options["window"]
    sides = [[window.pad_top, window.pad_bottom], [window.pad_left, window.pad_right]]
    paddings = np.array([[0, 0], *sides, [0, 0]], np.int32)
    builder.append("PAD", op, builder.constant(op, "paddings", paddings))


def crop(builder: Builder, op: Op) -> None:
    """SLICE."""
    _same_scale(builder, op)
    begin = np.array(op.options["begin"], np.int32)
    size = np.array([-1, *op.options["size"][1:]], np.int32)
    constants = [builder.constant(op, "begin", begin), builder.constant(op, "size", size)]
    builder.append("SLICE", op, *constants)


def resize(builder: Builder, op: Op) -> None:
    """RESIZE_NEAREST_NEIGHBOR."""
    y = _same_scale(builder, op)
    size = builder.constant(op, "size", np.array(y.shape[1:3], np.int32))
    builder.append("RESIZE_NEAREST_NEIGHBOR", op, size)


def pool_2d(builder: Builder, op: Op) -> None:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    _same_scale(builder, op)
    window = op.options["window"]
    options = {"filter_h": window.height, "filter_w": window.width}
    options |= _padding(window, builder.tensor(op).shape)
    builder.append(op.kind.upper(), op, **options)


def _same_scale(builder: Builder, op: Op):
    x = builder.tensor(op)
    return builder.activation(op.outputs[0], x.scale, x.zero_point)


def _padding(window: Window, shape: tuple[int, ...]) -> dict:
    """Strides and padding of a TensorFlow Lite builtin, which knows no padding but these two."""
    size, stride = (window.height, window.width), (window.stride_height, window.stride_width)
    dilation = window.dilation_height, window.dilation_width
    same = window == window_for("same", shape[1:3], size, stride, dilation)
    padding = "SAME" if same and window != IDENTITY else "VALID"
    return {"stride_h": stride[0], "stride_w": stride[1], "padding": padding}
