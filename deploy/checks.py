"""The checks of tensors and windows that those of all ops are made of."""

import math

import numpy as np

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.windows import Window

LIMIT = 1 << 30  # of accumulators and biases, see kbc.h
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
    """Check that a tensor is computed, for a batch of 1: int8 with one scale, words of bits, or
    float32."""
    require(tensor.data is None, f"{what} is constant")
    shape = tensor.shape
    require(
        0 < len(shape) <= _MOST_AXES
        and 0 < min(shape) <= max(shape) <= _LARGEST_SIDE
        and math.prod(shape) * np.dtype(tensor.dtype).itemsize <= _MOST_BYTES,
        f"{what} has the shape {list(shape)}",
    )
    require(shape[0] == 1, f"{what} has a batch of {shape[0]}, expected 1")
    if tensor.dtype == "int8":
        require(
            tensor.scale is not None
            and len(tensor.scale) == 1
            and np.isfinite(tensor.scale[0])
            and tensor.scale[0] > 0,
            f"{what} is not quantized with one scale",
        )
        require(-128 <= tensor.zero_point <= 127, f"{what} has the zero point {tensor.zero_point}")


def check_shape(tensor: Tensor, expected: tuple[int, ...], what: str, dtype: str) -> None:
    """Check a tensor's shape and type."""
    require(
        tensor.shape == tuple(expected) and tensor.dtype == dtype,
        f"{what} is {tensor.dtype} {list(tensor.shape)}, expected {dtype} {list(expected)}",
    )


def check_same_scale(x: Tensor, y: Tensor) -> None:
    """Check that an op's output counts as its input does, or that both are real."""
    require(x.dtype == y.dtype, "its output is of another type than its input")
    same = x.dtype != "int8" or (x.scale[0] == y.scale[0] and x.zero_point == y.zero_point)
    require(same, "its output has another scale or zero point than its input")


def check_window(window: Window) -> None:
    """Check the numbers of a window."""
    pads = window.pad_top, window.pad_left, window.pad_bottom, window.pad_right
    steps = [value for name, value in vars(window).items() if not name.startswith("pad_")]
    require(min(steps) >= 1 and min(pads) >= 0, "a size of a window is not positive")
    require(max(*steps, *pads) <= _LARGEST_WINDOW, "a size of a window is too large")


def check_pool(pool: Window) -> None:
    """Check a pooling's window: each of its positions holds a pixel."""
    check_window(pool)
    require(
        max(pool.pad_top, pool.pad_bottom) < pool.height
        and max(pool.pad_left, pool.pad_right) < pool.width,
        "the padding of its pooling is as wide as the window",
    )


def output_size(window: Window, height: int, width: int) -> tuple[int, int]:
    """Positions of a window on an image that it must fit."""
    size = window.output_size(height, width)
    require(min(size) >= 1, f"its window does not fit an image of {height} x {width}")
    return size
