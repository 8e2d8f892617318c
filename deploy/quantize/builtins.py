"""Ops that TensorFlow Lite has itself."""

import numpy as np

from keras_bc.deploy.graph import Op
from keras_bc.deploy.quantize.affine import HIGH, LIMIT, LOW, check_multipliers, check_products
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.windows import IDENTITY, Window, window_for


def conv_2d(builder: Builder, op: Op) -> None:
    """CONV_2D."""
    window = op.options["window"]
    options = {"dilation_h": window.dilation_height, "dilation_w": window.dilation_width}
    options |= _padding(window, builder.fused.tensors[op.inputs[0]].shape)
    builder.append("CONV_2D", op, *_weights_and_bias(builder, op), **options)


def _weights_and_bias(builder: Builder, op: Op) -> list[str]:
    """int8 weights, a scale for each output channel, and int32 bias.

    scale and offset of batch norm fold into them; the bounds need no place, since the output's
    range ends at them and int8 saturates there.
    """
    x, y = builder.tensor(op), builder.ranged(op)
    weights, scale, offset = builder.data(op)
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
    return [
        builder.constant(op, "weights", quantized, size),
        builder.constant(op, "bias", bias.astype(np.int32), bias_scale),
    ]


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
