"""What holds of each kind of op in an integer graph: tensors, types, shapes, options, and sums
that no accumulator overflows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_bc.deploy.builtin import builtin_channels, explicit_window
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import Window, from_options

_LIMIT = 1 << 30  # of accumulators and biases, see kbc.h
_MOST_BYTES = (1 << 31) - 1  # of a tensor; sizes and offsets are int32 in C
_LARGEST_SIDE = 1 << 24  # of a tensor; this and the next keep positions in an image in int32
_LARGEST_WINDOW = 1 << 15
_MOST_AXES = 8


class Wrong(Exception):
    """What is wrong with a tensor or an op."""


def require(condition: bool, what: str) -> None:
    """Raise Wrong with `what` unless the condition holds."""
    if not condition:
        raise Wrong(what)


def check_activation(tensor: Tensor, what: str) -> None:
    """Check that a tensor is a computed int8 one for a batch of 1, with one scale."""
    require(tensor.data is None, f"{what} is constant")
    require(tensor.dtype == "int8", f"{what} is {tensor.dtype}, expected int8")
    shape = tensor.shape
    require(
        0 < len(shape) <= _MOST_AXES
        and 0 < min(shape) <= max(shape) <= _LARGEST_SIDE
        and math.prod(shape) <= _MOST_BYTES,
        f"{what} has the shape {list(shape)}",
    )
    require(shape[0] == 1, f"{what} has a batch of {shape[0]}, expected 1")
    require(
        tensor.scale is not None
        and len(tensor.scale) == 1
        and np.isfinite(tensor.scale[0])
        and tensor.scale[0] > 0,
        f"{what} is not quantized with one scale",
    )
    require(-128 <= tensor.zero_point <= 127, f"{what} has the zero point {tensor.zero_point}")


def _check_shape(tensor: Tensor, expected: tuple[int, ...], what: str, dtype: str) -> None:
    require(
        tensor.shape == tuple(expected) and tensor.dtype == dtype,
        f"{what} is {tensor.dtype} {list(tensor.shape)}, expected {dtype} {list(expected)}",
    )


def _same_scale(x: Tensor, y: Tensor) -> None:
    same = x.scale[0] == y.scale[0] and x.zero_point == y.zero_point
    require(same, "its output has another scale or zero point than its input")


def _check_binary(op: Op, constants: list[Tensor], out: int, size: int) -> None:
    weights, channels = constants
    require(op.options["weights"] == "binary", f"its weights are {op.options['weights']!r}")
    low, high = op.options["activation_min"], op.options["activation_max"]
    require(-128 <= low <= high <= 127, f"its output is clamped to {low}..{high}")
    require(size * 255 <= _LIMIT, f"{size} weights a channel overflow its accumulator")
    _check_shape(weights, (out, -(-size // 32)), "the weights", "int32")
    _check_shape(channels, (out, 3), "the channels", "int32")
    if size % 32:
        padding = weights.data[:, -1].view(np.uint32) >> np.uint32(size % 32)
        require(not padding.any(), "its weights have pad bits that are not 0")
    bias, multiplier, shift = np.abs(channels.data.astype(np.int64)).T
    require(bool(np.all(bias <= _LIMIT)), "a bias is beyond 2^30")
    in_range = (multiplier == 0) | ((multiplier >= _LIMIT) & (multiplier < 2 * _LIMIT))
    require(bool(np.all(in_range)), "a multiplier has not 31 bits")
    shift = channels.data[:, 2]
    require(bool(np.all((shift >= 1) & (shift <= 62))), "a shift is not in 1..62")


def _check_binary_dense(graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_shape(y, (*x.shape[:-1], y.shape[-1]), "the output", "int8")
    _check_binary(op, constants, y.shape[-1], x.shape[-1])


def _check_binary_conv(graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(len(x.shape) == 4 and len(y.shape) == 4, "an image has not 4 axes")
    n, height, width, channels = x.shape
    groups = op.options["groups"] if op.kind == "KbcConv2D" else channels
    require(
        groups >= 1 and channels % groups == 0 and y.shape[3] % groups == 0,
        f"{groups} groups do not divide its channels",
    )
    kernel, pool = from_options("kernel", op.options), from_options("pool", op.options)
    _check_window(kernel)
    _check_window(pool)
    require(
        max(pool.pad_top, pool.pad_bottom) < pool.height
        and max(pool.pad_left, pool.pad_right) < pool.width,
        "the padding of its pooling is as wide as the window",
    )
    convolved = _output_size(kernel, height, width)
    _check_shape(y, (n, *_output_size(pool, *convolved), y.shape[3]), "the output", "int8")
    size = kernel.height * kernel.width * channels // groups
    _check_binary(op, constants, y.shape[3], size)


def _check_window(window: Window) -> None:
    pads = window.pad_top, window.pad_left, window.pad_bottom, window.pad_right
    steps = [value for name, value in vars(window).items() if not name.startswith("pad_")]
    require(min(steps) >= 1 and min(pads) >= 0, "a size of a window is not positive")
    require(max(*steps, *pads) <= _LARGEST_WINDOW, "a size of a window is too large")


def _output_size(window: Window, height: int, width: int) -> tuple[int, int]:
    size = window.output_size(height, width)
    require(min(size) >= 1, f"its window does not fit an image of {height} x {width}")
    return size


def _check_dense(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    # An output of two axes takes all axes of its input but the batch as one.
    axes = x.shape if len(y.shape) != 2 else (x.shape[0], math.prod(x.shape[1:]))
    _check_shape(y, (*axes[:-1], y.shape[-1]), "the output", "int8")
    _check_shape(constants[0], (y.shape[-1], axes[-1]), "the weights", "int8")
    _check_real_weights(graph, op, constants)


def _check_conv(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    weights = constants[0]
    require(len(x.shape) == len(y.shape) == len(weights.shape) == 4, "an image has not 4 axes")
    out, height, width, channels = weights.shape
    _check_shape(weights, (out, height, width, channels), "the weights", "int8")
    divide = channels > 0 and x.shape[3] % channels == 0 and out % (x.shape[3] // channels) == 0
    require(divide, f"its groups of {channels} channels do not divide its channels")
    _check_image(graph, op, x, y, out)
    _check_real_weights(graph, op, constants)


def _check_depthwise(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    weights = constants[0]
    require(len(x.shape) == len(y.shape) == len(weights.shape) == 4, "an image has not 4 axes")
    multiplier, out = op.options["depth_multiplier"], weights.shape[3]
    require(multiplier >= 1, f"its depth multiplier is {multiplier}")
    require(out == x.shape[3] * multiplier, f"{out} channels are not {multiplier} an input channel")
    _check_shape(weights, (1, *weights.shape[1:]), "the weights", "int8")
    # Halves of negative sums are rounded up (LiteRT on x86-64, in whole groups of 8 channels) or
    # away from zero (its other channels, tflite-runtime, TensorFlow Lite Micro). With this zero
    # point such a sum gives -128 either way.
    require(y.zero_point == -128, f"its output has the zero point {y.zero_point}, expected -128")
    _check_image(graph, op, x, y, out)
    _check_real_weights(graph, op, constants, axis=3)


def _check_real_weights(graph: Graph, op: Op, constants: list[Tensor], axis: int = 0) -> None:
    """`axis` is that of the output channels."""
    weights, bias = constants
    out = weights.shape[axis]
    by_channel = np.moveaxis(np.abs(weights.data.astype(np.int64)), axis, 0)
    sums = by_channel.reshape(out, -1).sum(axis=1)
    require(sums.max() * 255 <= _LIMIT, "its weights overflow an accumulator")
    _check_shape(bias, (out,), "the bias", "int32")
    biases = np.abs(bias.data.astype(np.int64))
    require(int(biases.max()) <= _LIMIT, "a bias is beyond 2^30")
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
    require(len(x.shape) == len(y.shape) == 4, "an image has not 4 axes")
    _check_image(graph, op, x, y, x.shape[3])
    _same_scale(x, y)


def _check_image(graph: Graph, op: Op, x: Tensor, y: Tensor, channels: int) -> None:
    for name in ("stride_h", "stride_w"):
        require(op.options[name] >= 1, f"option {name} is not positive")
    window = explicit_window(graph, op)
    _check_window(window)
    size = _output_size(window, *x.shape[1:3])
    _check_shape(y, (x.shape[0], *size, channels), "the output", "int8")


def _check_pad(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_shape(constants[0], (4, 2), "the paddings", "int32")
    paddings = constants[0].data
    require(len(x.shape) == 4, "an image has not 4 axes")
    require(bool(np.all(paddings >= 0)), "a padding is negative")
    require(not paddings[[0, 3]].any(), "it pads the batch or the channels")
    expected = [size + sum(pad) for size, pad in zip(x.shape, paddings.tolist(), strict=True)]
    _check_shape(y, tuple(expected), "the output", "int8")
    _same_scale(x, y)


def _check_reshape(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    shape = constants[0]
    _check_shape(shape, (len(y.shape),), "the shape", "int32")
    require(math.prod(x.shape) == math.prod(y.shape), "its output has another size than its input")
    expected = [-1, *y.shape[1:]]
    require(shape.data.tolist() == expected, f"its shape is {shape.data}, expected {expected}")
    _same_scale(x, y)


def _check_softmax(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(op.options["beta"] == 1, f"beta is {op.options['beta']}, expected 1")
    _check_shape(y, x.shape, "the output", "int8")
    fixed = y.scale[0] == np.float32(1 / 256) and y.zero_point == -128
    require(bool(fixed), "its output has not scale 1/256 and zero point -128")


@dataclass(frozen=True)
class Kind:
    """What `validate` asks of a kind of op.

    Attributes:
        check: Of an op: the graph, the op, its first input, its constants and its output.
        constants: How many it has, behind its first input.
        flows: How many inputs it has that are computed.
        variadic: Whether it may have more of those.
    """

    check: Callable[[Graph, Op, Tensor, list[Tensor], Tensor], None]
    constants: int = 0
    flows: int = 1
    variadic: bool = False

    def check_counts(self, inputs: int) -> None:
        """Raise Wrong unless an op may have as many inputs."""
        expected = self.flows + self.constants
        enough = inputs == expected or (self.variadic and inputs > expected)
        require(enough, f"{inputs} inputs, expected {expected}")

    def is_constant(self, number: int) -> bool:
        """Whether an input is one."""
        return 1 <= number <= self.constants


KINDS: dict[str, Kind] = {
    "KbcFullyConnected": Kind(_check_binary_dense, constants=2),
    "KbcConv2D": Kind(_check_binary_conv, constants=2),
    "KbcDepthwiseConv2D": Kind(_check_binary_conv, constants=2),
    "FULLY_CONNECTED": Kind(_check_dense, constants=2),
    "CONV_2D": Kind(_check_conv, constants=2),
    "DEPTHWISE_CONV_2D": Kind(_check_depthwise, constants=2),
    "MAX_POOL_2D": Kind(_check_pool),
    "AVERAGE_POOL_2D": Kind(_check_pool),
    "PAD": Kind(_check_pad, constants=1),
    "RESHAPE": Kind(_check_reshape, constants=1),
    "SOFTMAX": Kind(_check_softmax),
}
