"""What holds of every integer graph that the other steps may rely on.

A file may come from anywhere. What is checked here once need not be checked by the emitter, the
NumPy executor or the firmware: that each op has the tensors, types, shapes and options of its
kind, and that no accumulator can overflow. The delegate, which meets files on its own, checks its
ops again in C.
"""

import math
from collections.abc import Callable

import numpy as np

from keras_bc.deploy.builtin import builtin_channels, explicit_window
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import Window, from_options
from keras_bc.errors import UserError

_LIMIT = 1 << 30  # of accumulators and biases, see kbc.h
_MOST_BYTES = (1 << 31) - 1  # of a tensor; sizes and offsets are int32 in C
_LARGEST_WINDOW = 1 << 15


def validate(graph: Graph) -> None:
    """Check an integer graph.

    Raises:
        UserError: It is not one; the message names the layer and what is wrong.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise UserError(
            f"The model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; expected "
            "one of each."
        )
    ready = set(graph.inputs)
    _check_activation(graph.tensors[graph.inputs[0]], "the input")
    for op in graph.ops:
        try:
            _check_op(graph, op, ready)
        except (_Wrong, KeyError, ValueError) as error:
            what = f"option {error} is missing" if isinstance(error, KeyError) else str(error)
            raise UserError(
                f"Layer `{op.name}` ({op.kind}) of the .tflite file is not valid: {what}. Export "
                "the model again."
            ) from error
        ready.update(op.outputs)
    if graph.outputs[0] not in ready:
        raise UserError("No op makes the model's output. Export the model again.")


class _Wrong(Exception):
    """What is wrong with one op."""


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise _Wrong(what)


def _check_op(graph: Graph, op: Op, ready: set[str]) -> None:
    check, count = _KINDS[op.kind]
    _require(len(op.inputs) == count, f"{len(op.inputs)} inputs, expected {count}")
    _require(len(op.outputs) == 1, f"{len(op.outputs)} outputs, expected 1")
    _require(op.inputs[0] in ready, "its input is not computed before it")
    _require(op.outputs[0] not in ready, "its output is computed twice")
    x, *constants = (graph.tensors[name] for name in op.inputs)
    y = graph.tensors[op.outputs[0]]
    _check_activation(y, "the output")
    for constant in constants:
        _require(constant.data is not None, f"`{constant.name}` is not constant")
    check(graph, op, x, constants, y)


def _check_activation(tensor: Tensor, what: str) -> None:
    _require(tensor.data is None, f"{what} is constant")
    _require(tensor.dtype == "int8", f"{what} is {tensor.dtype}, expected int8")
    _require(
        len(tensor.shape) > 0 and min(tensor.shape) > 0 and math.prod(tensor.shape) <= _MOST_BYTES,
        f"{what} has the shape {list(tensor.shape)}",
    )
    _require(tensor.shape[0] == 1, f"{what} has a batch of {tensor.shape[0]}, expected 1")
    _require(
        tensor.scale is not None
        and len(tensor.scale) == 1
        and np.isfinite(tensor.scale[0])
        and tensor.scale[0] > 0,
        f"{what} is not quantized with one scale",
    )
    _require(-128 <= tensor.zero_point <= 127, f"{what} has the zero point {tensor.zero_point}")


def _check_shape(tensor: Tensor, expected: tuple[int, ...], what: str, dtype: str) -> None:
    _require(
        tensor.shape == tuple(expected) and tensor.dtype == dtype,
        f"{what} is {tensor.dtype} {list(tensor.shape)}, expected {dtype} {list(expected)}",
    )


def _same_scale(x: Tensor, y: Tensor) -> None:
    same = x.scale[0] == y.scale[0] and x.zero_point == y.zero_point
    _require(same, "its output has another scale or zero point than its input")


def _check_binary(op: Op, constants: list[Tensor], out: int, size: int) -> None:
    weights, channels = constants
    _require(op.options["weights"] == "binary", f"its weights are {op.options['weights']!r}")
    low, high = op.options["activation_min"], op.options["activation_max"]
    _require(-128 <= low <= high <= 127, f"its output is clamped to {low}..{high}")
    _require(size * 255 <= _LIMIT, f"{size} weights a channel overflow its accumulator")
    _check_shape(weights, (out, -(-size // 32)), "the weights", "int32")
    _check_shape(channels, (out, 3), "the channels", "int32")
    if size % 32:
        padding = weights.data[:, -1].view(np.uint32) >> np.uint32(size % 32)
        _require(not padding.any(), "its weights have pad bits that are not 0")
    bias, multiplier, shift = np.abs(channels.data.astype(np.int64)).T
    _require(bool(np.all(bias <= _LIMIT)), "a bias is beyond 2^30")
    in_range = (multiplier == 0) | ((multiplier >= _LIMIT) & (multiplier < 2 * _LIMIT))
    _require(bool(np.all(in_range)), "a multiplier has not 31 bits")
    shift = channels.data[:, 2]
    _require(bool(np.all((shift >= 1) & (shift <= 62))), "a shift is not in 1..62")


def _check_binary_dense(graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_shape(y, (*x.shape[:-1], y.shape[-1]), "the output", "int8")
    _check_binary(op, constants, y.shape[-1], x.shape[-1])


def _check_binary_conv(graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _require(len(x.shape) == 4 and len(y.shape) == 4, "an image has not 4 axes")
    n, height, width, channels = x.shape
    groups = op.options["groups"] if op.kind == "KbcConv2D" else channels
    _require(
        groups >= 1 and channels % groups == 0 and y.shape[3] % groups == 0,
        f"{groups} groups do not divide its channels",
    )
    kernel, pool = from_options("kernel", op.options), from_options("pool", op.options)
    _check_window(kernel)
    _check_window(pool)
    _require(
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
    _require(min(steps) >= 1 and min(pads) >= 0, "a size of a window is not positive")
    _require(max(*steps, *pads) <= _LARGEST_WINDOW, "a size of a window is too large")


def _output_size(window: Window, height: int, width: int) -> tuple[int, int]:
    size = window.output_size(height, width)
    _require(min(size) >= 1, f"its window does not fit an image of {height} x {width}")
    return size


def _check_dense(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    # An output of two axes takes all axes of its input but the batch as one.
    axes = x.shape if len(y.shape) != 2 else (x.shape[0], math.prod(x.shape[1:]))
    _check_shape(y, (*axes[:-1], y.shape[-1]), "the output", "int8")
    _check_shape(constants[0], (y.shape[-1], axes[-1]), "the weights", "int8")
    _check_real_weights(graph, op, constants)


def _check_conv(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    weights = constants[0]
    _require(len(x.shape) == len(y.shape) == len(weights.shape) == 4, "an image has not 4 axes")
    out, height, width, _ = weights.shape
    # Grouped convolutions round differently in TFLite, and no step makes them.
    _check_shape(weights, (out, height, width, x.shape[3]), "the weights", "int8")
    _check_image(graph, op, x, y, out)
    _check_real_weights(graph, op, constants)


def _check_real_weights(graph: Graph, op: Op, constants: list[Tensor]) -> None:
    weights, bias = constants
    out = weights.shape[0]
    sums = np.abs(weights.data.astype(np.int64)).reshape(out, -1).sum(axis=1)
    _require(sums.max() * 255 <= _LIMIT, "its weights overflow an accumulator")
    _check_shape(bias, (out,), "the bias", "int32")
    _require(int(np.abs(bias.data.astype(np.int64)).max()) <= _LIMIT, "a bias is beyond 2^30")
    scale = weights.scale
    _require(
        scale is not None and len(scale) in (1, out) and bool(np.all(scale > 0)),
        "its weights have not one scale, nor one a channel",
    )
    _require(weights.zero_point == 0, "its weights have a zero point")
    builtin_channels(graph, op)


def _check_pool(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _require(len(x.shape) == len(y.shape) == 4, "an image has not 4 axes")
    _check_image(graph, op, x, y, x.shape[3])
    _same_scale(x, y)


def _check_image(graph: Graph, op: Op, x: Tensor, y: Tensor, channels: int) -> None:
    for name in ("stride_h", "stride_w"):
        _require(op.options[name] >= 1, f"option {name} is not positive")
    window = explicit_window(graph, op)
    _check_window(window)
    size = _output_size(window, *x.shape[1:3])
    _check_shape(y, (x.shape[0], *size, channels), "the output", "int8")


def _check_pad(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_shape(constants[0], (4, 2), "the paddings", "int32")
    paddings = constants[0].data
    _require(len(x.shape) == 4, "an image has not 4 axes")
    _require(bool(np.all(paddings >= 0)), "a padding is negative")
    _require(not paddings[[0, 3]].any(), "it pads the batch or the channels")
    expected = [size + sum(pad) for size, pad in zip(x.shape, paddings.tolist(), strict=True)]
    _check_shape(y, tuple(expected), "the output", "int8")
    _same_scale(x, y)


def _check_reshape(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    shape = constants[0]
    _check_shape(shape, (len(y.shape),), "the shape", "int32")
    _require(math.prod(x.shape) == math.prod(y.shape), "its output has another size than its input")
    expected = [-1, *y.shape[1:]]
    _require(shape.data.tolist() == expected, f"its shape is {shape.data}, expected {expected}")
    _same_scale(x, y)


def _check_softmax(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _require(op.options["beta"] == 1, f"beta is {op.options['beta']}, expected 1")
    _check_shape(y, x.shape, "the output", "int8")
    fixed = y.scale[0] == np.float32(1 / 256) and y.zero_point == -128
    _require(bool(fixed), "its output has not scale 1/256 and zero point -128")


_Check = Callable[[Graph, Op, Tensor, list[Tensor], Tensor], None]
_KINDS: dict[str, tuple[_Check, int]] = {  # and the count of inputs
    "KbcFullyConnected": (_check_binary_dense, 3),
    "KbcConv2D": (_check_binary_conv, 3),
    "KbcDepthwiseConv2D": (_check_binary_conv, 3),
    "FULLY_CONNECTED": (_check_dense, 3),
    "CONV_2D": (_check_conv, 3),
    "MAX_POOL_2D": (_check_pool, 1),
    "AVERAGE_POOL_2D": (_check_pool, 1),
    "PAD": (_check_pad, 2),
    "RESHAPE": (_check_reshape, 2),
    "SOFTMAX": (_check_softmax, 1),
}
