"""What holds of each kind of op in an integer graph: tensors, types, shapes, options, and sums
that no accumulator overflows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_bc.deploy import few_bit_checks
from keras_bc.deploy.builtin import builtin_channels, explicit_window
from keras_bc.deploy.checks import (
    LIMIT,
    check_same_scale,
    check_shape,
    check_window,
    output_size,
    require,
)
from keras_bc.deploy.graph import Graph, Op, Tensor


def _check_dense(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    # An output of two axes takes all axes of its input but the batch as one.
    axes = x.shape if len(y.shape) != 2 else (x.shape[0], math.prod(x.shape[1:]))
    check_shape(y, (*axes[:-1], y.shape[-1]), "the output", "int8")
    check_shape(constants[0], (y.shape[-1], axes[-1]), "the weights", "int8")
    _check_real_weights(graph, op, constants)


def _check_conv(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    out = check_conv_weights(x, constants[0], "int8")
    check_image(graph, op, x, y, out)
    _check_real_weights(graph, op, constants)


def check_conv_weights(x: Tensor, weights: Tensor, dtype: str) -> int:
    """Check the weights of a CONV_2D, and count its output channels."""
    require(len(x.shape) == len(weights.shape) == 4, "an image has not 4 axes")
    out, height, width, channels = weights.shape
    check_shape(weights, (out, height, width, channels), "the weights", dtype)
    divide = channels > 0 and x.shape[3] % channels == 0 and out % (x.shape[3] // channels) == 0
    require(divide, f"its groups of {channels} channels do not divide its channels")
    return out


def _check_depthwise(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    out = check_depthwise_weights(op, x, constants[0], "int8")
    # Halves of negative sums are rounded up (LiteRT on x86-64, in whole groups of 8 channels) or
    # away from zero (its other channels, tflite-runtime, TensorFlow Lite Micro). With this zero
    # point such a sum gives -128 either way.
    require(y.zero_point == -128, f"its output has the zero point {y.zero_point}, expected -128")
    check_image(graph, op, x, y, out)
    _check_real_weights(graph, op, constants, axis=3)


def check_depthwise_weights(op: Op, x: Tensor, weights: Tensor, dtype: str) -> int:
    """Check the weights of a DEPTHWISE_CONV_2D, and count its output channels."""
    require(len(x.shape) == len(weights.shape) == 4, "an image has not 4 axes")
    multiplier, out = op.options["depth_multiplier"], weights.shape[3]
    require(multiplier >= 1, f"its depth multiplier is {multiplier}")
    require(out == x.shape[3] * multiplier, f"{out} channels are not {multiplier} an input channel")
    check_shape(weights, (1, *weights.shape[1:]), "the weights", dtype)
    return out


def _check_real_weights(graph: Graph, op: Op, constants: list[Tensor], axis: int = 0) -> None:
    """`axis` is that of the output channels."""
    weights, bias = constants
    out = weights.shape[axis]
    by_channel = np.moveaxis(np.abs(weights.data.astype(np.int64)), axis, 0)
    sums = by_channel.reshape(out, -1).sum(axis=1)
    require(sums.max() * 255 <= LIMIT, "its weights overflow an accumulator")
    check_shape(bias, (out,), "the bias", "int32")
    biases = np.abs(bias.data.astype(np.int64))
    require(int(biases.max()) <= LIMIT, "a bias is beyond 2^30")
    scale = weights.scale
    require(
        scale is not None and len(scale) in (1, out) and bool(np.all(scale > 0)),
        "its weights have not one scale, nor one a channel",
    )
    along = weights.axis == axis or len(scale) == 1
    require(along, "its weights' scales are not those of its output channels")
    require(weights.zero_point == 0, "its weights have a zero point")
    _, multiplier, shift = builtin_channels(graph, op).astype(np.int64).T
    # Such a multiplier moves the accumulator to the left first, in int32 (see requantize.h).
    left = np.where(multiplier == 0, 0, np.maximum(31 - shift, 0))
    moved = (255 * sums + biases) << left
    require(int(moved.max()) < 1 << 31, "a multiplier overflows its accumulator")


def _check_pool(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(len(x.shape) == 4, "an image has not 4 axes")
    check_image(graph, op, x, y, x.shape[3])
    check_same_scale(x, y)


def check_image(graph: Graph, op: Op, x: Tensor, y: Tensor, channels: int) -> None:
    """Check that the output of a window's op has the shape that follows, and the input's type."""
    for name in ("stride_h", "stride_w"):
        require(op.options[name] >= 1, f"option {name} is not positive")
    window = explicit_window(graph, op)
    check_window(window)
    size = output_size(window, *x.shape[1:3])
    check_shape(y, (x.shape[0], *size, channels), "the output", x.dtype)


def _check_pad(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    check_shape(constants[0], (4, 2), "the paddings", "int32")
    paddings = constants[0].data
    require(len(x.shape) == 4, "an image has not 4 axes")
    require(bool(np.all(paddings >= 0)), "a padding is negative")
    require(not paddings[[0, 3]].any(), "it pads the batch or the channels")
    expected = [size + sum(pad) for size, pad in zip(x.shape, paddings.tolist(), strict=True)]
    check_shape(y, tuple(expected), "the output", x.dtype)
    check_same_scale(x, y)


def _check_reshape(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    shape = constants[0]
    check_shape(shape, (len(y.shape),), "the shape", "int32")
    require(math.prod(x.shape) == math.prod(y.shape), "its output has another size than its input")
    expected = [-1, *y.shape[1:]]
    require(shape.data.tolist() == expected, f"its shape is {shape.data}, expected {expected}")
    require(x.dtype == y.dtype, "its output is of another type than its input")
    if x.dtype == "int8":  # it may count from another zero point: see the exporter's depthwise
        require(x.scale[0] == y.scale[0], "its output has another scale than its input")


def _check_softmax(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(op.options["beta"] == 1, f"beta is {op.options['beta']}, expected 1")
    check_shape(y, x.shape, "the output", "int8")
    fixed = y.scale[0] == np.float32(1 / 256) and y.zero_point == -128
    require(bool(fixed), "its output has not scale 1/256 and zero point -128")


@dataclass(frozen=True)
class Kind:
    """What `validate` asks of a kind of op.

    Attributes:
        check: Of an op: the graph, the op, its first input, its constants and its output.
        constants: How many it has, behind its first input.
        flows: The least and the greatest number of inputs that are computed.
        bits: Whether they, or the output, may be bits.
        floats: Whether one of them is float32: then int8 and float32 are for `check` to tell.
    """

    check: Callable[[Graph, Op, Tensor, list[Tensor], Tensor], None]
    constants: int = 0
    flows: tuple[int, int] = (1, 1)
    bits: bool = False
    floats: bool = False

    def check_type(self, tensor: Tensor, what: str) -> None:
        """Raise Wrong unless the op may read, or write, an activation of the tensor's type."""
        types = ["int8"] + ["int32"] * self.bits + ["float32"] * self.floats
        given, *named = (dtype.replace("int32", "bits") for dtype in (tensor.dtype, *types))
        require(tensor.dtype in types, f"{what} is {given}, expected {' or '.join(named)}")

    def check_counts(self, inputs: int) -> None:
        """Raise Wrong unless an op may have as many inputs."""
        least, most = (count + self.constants for count in self.flows)
        expected = str(least) if least == most else f"{least} to {most}"
        require(least <= inputs <= most, f"{inputs} inputs, expected {expected}")

    def is_constant(self, number: int) -> bool:
        """Whether an input is one."""
        return 1 <= number <= self.constants


_FEW_BIT = {"constants": 2, "flows": (1, 2), "bits": True}
KINDS: dict[str, Kind] = {
    "KbcFullyConnected": Kind(few_bit_checks.check_fully_connected, **_FEW_BIT),
    "KbcConv2D": Kind(few_bit_checks.check_conv_2d, **_FEW_BIT),
    "KbcDepthwiseConv2D": Kind(few_bit_checks.check_conv_2d, **_FEW_BIT),
    "KbcMaxPool2D": Kind(few_bit_checks.check_max_pool_2d, bits=True),
    "KbcPack": Kind(few_bit_checks.check_pack, bits=True),
    "KbcUnpack": Kind(few_bit_checks.check_unpack, bits=True),
    "FULLY_CONNECTED": Kind(_check_dense, constants=2),
    "CONV_2D": Kind(_check_conv, constants=2),
    "DEPTHWISE_CONV_2D": Kind(_check_depthwise, constants=2),
    "MAX_POOL_2D": Kind(_check_pool),
    "AVERAGE_POOL_2D": Kind(_check_pool),
    "PAD": Kind(_check_pad, constants=1),
    "RESHAPE": Kind(_check_reshape, constants=1, bits=True),
    "SOFTMAX": Kind(_check_softmax),
}
