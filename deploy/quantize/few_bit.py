"""Ops with few-bit weights, and those between signs and int8."""

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Op
from keras_bc.deploy.layouts import pack_bits, pack_ternary
from keras_bc.deploy.quantize.affine import (
    LIMIT,
    SHORTCUT_STEPS,
    channel_parameters,
    check_multipliers,
    check_products,
    thresholds,
)
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.windows import to_options

_ONE = 127  # steps of the int8 values that signs are unpacked to


def linear(builder: Builder, op: Op) -> None:
    """KbcFullyConnected, KbcConv2D or KbcDepthwiseConv2D."""
    weights, scale, offset = builder.data(op)
    kind, options = linear_kind(builder, op)
    real = scale
    if not builder.is_bits(op.inputs[0]):
        real = float(builder.tensor(op).scale[0]) * scale
    if op.options["sign"]:
        builder.bits(op.outputs[0])
        channels = thresholds(real, offset, op.options["low"], op.options["high"])
    else:
        products = weights[0].size
        channels, more = _int8_output(builder, op, real, offset, products)
        options |= more
    constants = packed_weights(builder, op), builder.constant(op, "channels", channels)
    builder.append(kind, op, *constants, **options)


def packed_weights(builder: Builder, op: Op) -> str:
    """The constant of a linear op's few-bit weights."""
    weights = builder.data(op)[0]
    rows = weights.reshape(len(weights), -1)
    check_products(op, rows.shape[1])
    pack = pack_ternary if op.options["weights"] == "ternary" else pack_bits
    return builder.constant(op, "weights", pack(rows))


def linear_kind(builder: Builder, op: Op) -> tuple[str, dict]:
    """The kind of a linear op with few-bit weights, and its options but for the output's."""
    options = {"weights": op.options["weights"]}
    if builder.is_bits(op.inputs[0]):
        options["in_channels"] = builder.channels(op)
    if op.kind == "fully_connected":
        return "KbcFullyConnected", options
    options |= to_options("kernel", op.options["window"])
    options |= to_options("pool", op.options["pool"])
    if op.options["input_dilation"] != (1, 1):
        rows, columns = op.options["input_dilation"]
        options |= {"input_dilation_h": rows, "input_dilation_w": columns}
    groups = op.options["groups"]
    if groups > 1 and groups == builder.channels(op):
        return "KbcDepthwiseConv2D", options
    return "KbcConv2D", options | {"groups": groups}


def _int8_output(builder: Builder, op: Op, real, offset, products: int) -> tuple[np.ndarray, dict]:
    """Parameters and options of an op with int8 outputs, and perhaps a shortcut."""
    y = builder.ranged(op)
    step = float(y.scale[0])
    options = builder.bounds(op, y)
    flows = builder.flows(op)
    if len(flows) > 1:
        step /= SHORTCUT_STEPS
        added = float(builder.graph.tensors[flows[1]].scale[0]) / step
        check_multipliers(op, np.array([added]), LIMIT)
        multiplier, shift = quantize_multiplier(added)
        options |= {"shortcut_multiplier": multiplier, "shortcut_shift": shift}
    check_multipliers(op, real / step, LIMIT)
    return channel_parameters(real, offset, step, products), options


def max_pool_2d(builder: Builder, op: Op) -> None:
    """KbcMaxPool2D."""
    builder.bits(op.outputs[0])
    builder.append("KbcMaxPool2D", op, **to_options("pool", op.options["window"]))


def sign(builder: Builder, op: Op) -> None:
    """KbcPack."""
    builder.bits(op.outputs[0])
    builder.append("KbcPack", op)


def unpack(builder: Builder, op: Op) -> None:
    """KbcUnpack, in steps that leave room for what is between, such as a mean."""
    builder.activation(op.outputs[0], np.array([1 / _ONE], np.float32), 0)
    builder.append("KbcUnpack", op, positive=_ONE, negative=-_ONE)
