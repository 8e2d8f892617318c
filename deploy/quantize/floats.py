"""Ops that stay in floating point: of layers that are kept so, or of a whole model."""

import math
from dataclasses import replace

import numpy as np

from keras_bc.deploy.float_ops import LARGEST
from keras_bc.deploy.graph import Op
from keras_bc.deploy.layouts import pack_bits
from keras_bc.deploy.quantize import builtins
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.quantize.few_bit import linear_kind, packed_weights
from keras_bc.deploy.windows import IDENTITY, to_options

_FREE = {"low": -math.inf, "high": math.inf, "levels": 0}


def append(builder: Builder, op: Op) -> None:
    """Append the float form of a fused op, whose inputs are real, or bits to unpack."""
    _HANDLERS[op.kind](builder, op)


def _linear(builder: Builder, op: Op) -> None:
    if op.options["sign"]:
        inner = replace(op, outputs=[builder.alias(op.outputs[0], "real")])
        _linear(builder, replace(inner, options=op.options | {"sign": False}))
        _sign(builder, replace(op, inputs=inner.outputs))
    elif op.options["weights"] != "real":
        _few_bit(builder, op)
    elif op.options["levels"]:
        inner = replace(op, outputs=[builder.alias(op.outputs[0], "real")])
        _conv_2d(builder, replace(inner, options=op.options | _FREE))
        _round_to_levels(builder, replace(op, inputs=inner.outputs))
    else:
        _bounded(_conv_2d)(builder, op)


def _few_bit(builder: Builder, op: Op) -> None:
    """An op of ours, which bounds its output and rounds it to levels."""
    _, scale, offset = builder.data(op)
    kind, options = linear_kind(builder, op)
    channels = builder.constant(op, "channels", _channels(op, scale, offset))
    builder.real(op.outputs[0])
    builder.append(kind, op, packed_weights(builder, op), channels, **options)


def _channels(op: Op, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """float32 `[out, 5]`: scale, offset, low, high and step of each output channel."""
    low, high, levels = (op.options[key] for key in ("low", "high", "levels"))
    step = (high - low) / levels if levels else 0.0
    shared = np.tile([*np.clip([low, high], -LARGEST, LARGEST), step], (len(scale), 1))
    return np.column_stack([scale, offset, shared]).astype(np.float32)


def _round_to_levels(builder: Builder, op: Op) -> None:
    """A depthwise convolution with weights +1, for the output of a builtin."""
    count = builder.channels(op)
    channels = _channels(op, np.ones(count), np.zeros(count))
    ones = builder.constant(op, "ones", pack_bits(np.ones((count, 1))))
    levels = builder.constant(op, "levels", channels)
    options = to_options("kernel", IDENTITY) | to_options("pool", IDENTITY)
    builder.real(op.outputs[0])
    builder.append("KbcDepthwiseConv2D", op, ones, levels, weights="binary", **options)


def _conv_2d(builder: Builder, op: Op) -> None:
    """CONV_2D or DEPTHWISE_CONV_2D, with real weights that scale and offset are folded into."""
    weights, scale, offset = builder.data(op)
    weights = (weights * scale.reshape(-1, 1, 1, 1)).astype(np.float32)
    builder.real(op.outputs[0])
    bias = builder.constant(op, "bias", offset.astype(np.float32))
    if builtins.is_depthwise(builder, op):
        kernel = builder.constant(op, "weights", builtins.depthwise_layout(weights))
        options = builtins.depthwise_options(builder, op)
        builder.append("DEPTHWISE_CONV_2D", op, kernel, bias, **options)
    else:
        kernel = builder.constant(op, "weights", weights)
        builder.append("CONV_2D", op, kernel, bias, **builtins.window_options(builder, op))


def _bounded(handler):
    """A builtin whose bounds are ops behind it: RELU, or MAXIMUM, and MINIMUM."""

    def append_bounded(builder: Builder, op: Op) -> None:
        low, high = op.options["low"], op.options["high"]
        bounds = [("RELU" if low == 0 else "MAXIMUM", low)] if low > -math.inf else []
        bounds += [("MINIMUM", high)] if high < math.inf else []
        inner = [builder.alias(op.outputs[0], f"unbounded_{n}") for n in range(len(bounds))]
        names = [*inner, op.outputs[0]]
        handler(builder, replace(op, outputs=names[:1]))
        for (kind, bound), x, y in zip(bounds, names, names[1:], strict=False):
            builder.real(y)
            one = np.clip([bound], -LARGEST, LARGEST).astype(np.float32)
            constants = [] if kind == "RELU" else [builder.constant(op, kind.lower(), one)]
            builder.graph.ops.append(Op(kind, op.name, [x, *constants], [y]))

    return append_bounded


def _sign(builder: Builder, op: Op) -> None:
    builder.bits(op.outputs[0])
    builder.append("KbcPack", op)


def _unpack(builder: Builder, op: Op) -> None:
    builder.real(op.outputs[0])
    builder.append("KbcUnpack", op, positive=1, negative=-1)


def _plain(kind: str, *options: str, **fixed):
    """A builtin that has the fused op's options of these names."""

    def append_plain(builder: Builder, op: Op) -> None:
        builder.real(op.outputs[0])
        builder.append(kind, op, **{name: op.options[name] for name in options}, **fixed)

    return append_plain


def _function(builder: Builder, op: Op) -> None:
    name = op.options["name"]
    options = ("alpha",) if name == "leaky_relu" else ()
    _plain(builtins.FUNCTIONS[name][0], *options)(builder, op)


def _prelu(builder: Builder, op: Op) -> None:
    (alpha,) = builder.data(op)
    builder.real(op.outputs[0])
    builder.append("PRELU", op, builder.constant(op, "alpha", alpha.astype(np.float32)))


_HANDLERS = {
    "add": _bounded(_plain("ADD")),
    "average_pool_2d": builtins.pool_2d,
    "concatenate": _plain("CONCATENATION", "axis"),
    "conv_2d": _linear,
    "fully_connected": _linear,
    "function": _function,
    "max_pool_2d": builtins.pool_2d,
    "multiply": _bounded(_plain("MUL")),
    "pad_2d": builtins.pad_2d,
    "prelu": _prelu,
    "reshape": builtins.reshape,
    "resize": builtins.resize,
    "sign": _sign,
    "slice": builtins.crop,
    "softmax": _plain("SOFTMAX", beta=1),
    "subtract": _bounded(_plain("SUB")),
    "unpack": _unpack,
}
