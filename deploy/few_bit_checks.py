"""What holds of our own ops in an integer graph."""

import numpy as np

from keras_bc.deploy.checks import (
    LIMIT,
    check_pool,
    check_shape,
    check_window,
    output_size,
    require,
)
from keras_bc.deploy.float_ops import LARGEST
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import words_for
from keras_bc.deploy.windows import from_options, input_dilation

_MOST_LEVELS = 1 << 16  # which a float can count
_LARGEST_DILATION = 1 << 10  # of an input; keeps positions in it in int32


def check_fully_connected(
    graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor
) -> None:
    """KbcFullyConnected."""
    _check_few_bit(graph, op, x, constants, y, x.shape[:-1], _channels(op, x))


def check_conv_2d(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    """KbcConv2D and KbcDepthwiseConv2D."""
    require(len(x.shape) == 4 and len(y.shape) == 4, "an image has not 4 axes")
    n, height, width, _ = x.shape
    channels, out = _channels(op, x), constants[1].shape[0]
    groups = op.options["groups"] if op.kind == "KbcConv2D" else channels
    require(
        groups >= 1 and channels % groups == 0 and out % groups == 0,
        f"{groups} groups do not divide its channels",
    )
    dilation = input_dilation(op.options)
    require(1 <= min(dilation) <= max(dilation) <= _LARGEST_DILATION, "an input dilation is wrong")
    kernel, pool = from_options("kernel", op.options), from_options("pool", op.options)
    check_window(kernel)
    check_pool(pool)
    spread = [(side - 1) * step + 1 for side, step in zip((height, width), dilation, strict=True)]
    size = output_size(pool, *output_size(kernel, *spread))
    products = kernel.height * kernel.width * channels // groups
    _check_few_bit(graph, op, x, constants, y, (n, *size), products)


def check_max_pool_2d(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    """KbcMaxPool2D."""
    require(len(x.shape) == 4 and len(y.shape) == 4, "an image has not 4 axes")
    pool = from_options("pool", op.options)
    check_pool(pool)
    size = output_size(pool, *x.shape[1:3])
    require(x.dtype == "int32", f"the input is {x.dtype}, expected bits")
    check_shape(y, (x.shape[0], *size, x.shape[3]), "the output", "int32")


def check_pack(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    """KbcPack."""
    require(x.dtype != "int32", "its input is bits already")
    check_shape(y, (*x.shape[:-1], words_for(x.shape[-1])), "the output", "int32")


def check_unpack(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    """KbcUnpack."""
    require(y.dtype != "int32", "its output is bits still")
    check_shape(x, (*y.shape[:-1], words_for(y.shape[-1])), "the input", "int32")
    for name in ("positive", "negative"):
        require(-128 <= op.options[name] <= 127, f"option {name} is not an int8")


def _channels(op: Op, x: Tensor) -> int:
    """Channels of an input: its last axis, but of bits an option."""
    if x.dtype != "int32":
        return x.shape[-1]
    channels = op.options["in_channels"]
    require(
        channels >= 1 and words_for(channels) == x.shape[-1],
        f"{channels} input channels are not in words of {x.shape[-1]}",
    )
    return channels


def _check_few_bit(
    graph: Graph,
    op: Op,
    x: Tensor,
    constants: list[Tensor],
    y: Tensor,
    pixels: tuple[int, ...],
    products: int,
) -> None:
    """Weights, channels, output and shortcut of an op that sums `products` for each output."""
    weights, channels = constants
    out = channels.shape[0]
    require(products * 255 <= LIMIT, f"{products} weights a channel overflow its accumulator")
    _check_weights(op, weights, out, products)
    if "float32" in (x.dtype, y.dtype):
        _check_float(channels, x, y, (*pixels, out))
    elif y.dtype == "int8":
        check_shape(y, (*pixels, out), "the output", "int8")
        low, high = op.options["activation_min"], op.options["activation_max"]
        require(-128 <= low <= high <= 127, f"its output is clamped to {low}..{high}")
        check_shape(channels, (out, 3), "the channels", "int32")
        _check_channels(channels)
    else:
        check_shape(y, (*pixels, words_for(out)), "the output", "int32")
        check_shape(channels, (out, 2), "the channels", "int32")
        thresholds, directions = np.abs(channels.data.astype(np.int64)).T
        require(bool(np.all(thresholds <= LIMIT)), "a threshold is beyond 2^30")
        require(bool(np.all(directions == 1)), "a direction is neither 1 nor -1")
    if len(op.inputs) > 3:
        _check_shortcut(op, graph.tensors[op.inputs[3]], y)


def _check_float(channels: Tensor, x: Tensor, y: Tensor, shape: tuple[int, ...]) -> None:
    require(x.dtype == y.dtype, "its output is of another type than its input")
    check_shape(y, shape, "the output", "float32")
    check_shape(channels, (shape[-1], 5), "the channels", "float32")
    require(bool(np.isfinite(channels.data).all()), "the channels are not finite")
    *_, low, high, step = channels.data.astype(np.float64).T
    steps = (step == 0) | ((high - low <= LARGEST) & (high - low <= _MOST_LEVELS * step))
    sane = (low <= high) & (step >= 0) & steps
    require(bool(np.all(sane)), "its output's bounds or steps are wrong")


def _check_weights(op: Op, weights: Tensor, out: int, products: int) -> None:
    kind, words = op.options["weights"], words_for(products)
    require(kind in ("binary", "ternary"), f"its weights are {kind!r}")
    shape = (out, words) if kind == "binary" else (2, out, words)
    check_shape(weights, shape, "the weights", "int32")
    planes = weights.data.view(np.uint32)
    if products % 32:
        padding = planes[..., -1] >> np.uint32(products % 32)
        require(not padding.any(), "its weights have pad bits that are not 0")
    if kind == "ternary":
        signs, used = planes
        require(not (signs & ~used).any(), "a weight of 0 has a sign")


def _check_channels(channels: Tensor) -> None:
    bias, multiplier, shift = channels.data.astype(np.int64).T
    require(bool(np.all(np.abs(bias) <= LIMIT)), "a bias is beyond 2^30")
    _check_multipliers(multiplier, shift)


def _check_multipliers(multiplier: np.ndarray, shift: np.ndarray) -> None:
    size = np.abs(multiplier)
    in_range = (size == 0) | ((size >= LIMIT) & (size < 2 * LIMIT))
    require(bool(np.all(in_range)), "a multiplier has not 31 bits")
    require(bool(np.all((shift >= 1) & (shift <= 62))), "a shift is not in 1..62")


def _check_shortcut(op: Op, shortcut: Tensor, y: Tensor) -> None:
    require(y.dtype != "int32", "a shortcut leads to bits")
    check_shape(shortcut, y.shape, "the shortcut", y.dtype)
    if y.dtype == "float32":
        return
    pair = op.options["shortcut_multiplier"], op.options["shortcut_shift"]
    _check_multipliers(*(np.array([value]) for value in pair))
