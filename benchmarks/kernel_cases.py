"""The layers that kernels.py measures: integer graphs of one op, with weights drawn from a seed."""

import numpy as np

from keras_bc.deploy import layouts
from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import Window, to_options, window_for

X_ZERO_POINT, Y_ZERO_POINT = -3, 5


def fully_connected(inputs: int, outputs: int) -> Graph:
    """A one-bit fully connected layer."""
    return _one_bit("KbcFullyConnected", (1, inputs), (1, outputs), inputs, {})


def conv_2d(size: int, channels: int, filters: int, groups: int = 1, pool: int = 1) -> Graph:
    """A one-bit 3x3 "same" convolution of a square image, and a max-pooling."""
    return _conv_2d((size, size), channels, filters, (3, 3), groups=groups, pool=pool)


def _conv_2d(
    image: tuple[int, int],
    channels: int,
    filters: int,
    size: tuple[int, int],
    stride: int = 1,
    groups: int = 1,
    pool: int = 1,
) -> Graph:
    """A one-bit "same" convolution, and a max-pooling."""
    kernel = window_for("same", image, size, (stride, stride))
    windows = to_options("kernel", kernel) | to_options("pool", Window(pool, pool, pool, pool))
    sides = [side // pool for side in kernel.output_size(*image)]
    x, y = (1, *image, channels), (1, *sides, filters)
    fan_in = size[0] * size[1] * channels // groups
    return _one_bit("KbcConv2D", x, y, fan_in, {"groups": groups, **windows})


def int8_fully_connected(inputs: int, outputs: int) -> Graph:
    """FULLY_CONNECTED with int8 weights."""
    return _int8("FULLY_CONNECTED", (1, inputs), (1, outputs), (outputs, inputs), {})


def int8_conv_2d(size: int, channels: int, filters: int) -> Graph:
    """A 3x3 "same" CONV_2D with int8 weights."""
    steps = dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    x, y = (1, size, size, channels), (1, size, size, filters)
    return _int8("CONV_2D", x, y, (filters, 3, 3, channels), {"padding": "SAME", **steps})


def _one_bit(kind: str, x: tuple, y: tuple, fan_in: int, options: dict) -> Graph:
    signs = np.random.default_rng(fan_in).choice([-1, 1], (y[-1], fan_in))
    # An accumulator's standard deviation is about 74 sqrt(fan_in): the outputs fill their range.
    multiplier, shift = quantize_multiplier(0.5 / fan_in**0.5)
    channels = np.tile(np.array([0, multiplier, shift], np.int32), (y[-1], 1))
    constants = [_constant("weights", layouts.pack_bits(signs)), _constant("channels", channels)]
    bounds = {"weights": "binary", "activation_min": -128, "activation_max": 127}
    return _graph(kind, x, y, constants, {**bounds, **options})


def _int8(kind: str, x: tuple, y: tuple, shape: tuple, options: dict) -> Graph:
    weights = _constant("weights", np.random.default_rng(0).integers(-127, 128, shape, np.int8))
    weights.scale = np.full(shape[0], 1e-3, np.float32)
    bias = _constant("bias", np.zeros(shape[0], np.int32))
    return _graph(kind, x, y, [weights, bias], options)


def _constant(name: str, data: np.ndarray) -> Tensor:
    return Tensor(name, data.shape, str(data.dtype), data)


def _graph(kind: str, x: tuple, y: tuple, constants: list[Tensor], options: dict) -> Graph:
    scale = np.ones(1, np.float32)
    inputs = [Tensor("x", x, "int8", scale=scale, zero_point=X_ZERO_POINT), *constants]
    output = Tensor("y", y, "int8", scale=scale, zero_point=Y_ZERO_POINT)
    op = Op(kind, "case", [tensor.name for tensor in inputs], ["y"], options)
    return Graph("case", {t.name: t for t in [*inputs, output]}, [op], ["x"], ["y"])


CASES = {
    "64 x 64": fully_connected(64, 64),
    "256 x 10": fully_connected(256, 10),
    "256 x 256": fully_connected(256, 256),
    "768 x 256": fully_connected(768, 256),
    "784 x 256": fully_connected(784, 256),
    "1024 x 1024": fully_connected(1024, 1024),
    "8x8x16, 16 of 3x3": conv_2d(8, 16, 16),
    "8x8x16, 16 of 3x3, pool 2x2": conv_2d(8, 16, 16, pool=2),
    "8x8x32, 32 of 3x3, depthwise": conv_2d(8, 32, 32, groups=32),
    "32x32x3, 32 of 3x3": conv_2d(32, 3, 32),
    "32x32x32, 32 of 3x3, pool 2x2": conv_2d(32, 32, 32, pool=2),
    "16x16x32, 64 of 3x3": conv_2d(16, 32, 64),
    "16x16x64, 64 of 3x3, pool 2x2": conv_2d(16, 64, 64, pool=2),
    "8x8x64, 128 of 3x3": conv_2d(8, 64, 128),
    "8x8x128, 128 of 3x3, pool 2x2": conv_2d(8, 128, 128, pool=2),
    "49x10x1, 64 of 10x4, stride 2": _conv_2d((49, 10), 1, 64, (10, 4), stride=2),
    "25x5x64, 64 of 3x3, depthwise": _conv_2d((25, 5), 64, 64, (3, 3), groups=64),
    "25x5x64, 64 of 1x1": _conv_2d((25, 5), 64, 64, (1, 1)),
    "256 x 10, int8": int8_fully_connected(256, 10),
    "8x8x3, 16 of 3x3, int8": int8_conv_2d(8, 3, 16),
}
"""By what the table shows: inputs x outputs, or image and filters."""
