"""The golden model against numbers worked out by hand."""

import numpy as np
import pytest

from keras_bc.deploy import reference
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import pack_bits
from keras_bc.deploy.windows import IDENTITY, Window, to_options, window_for

HALF = 2**30, 31  # multiplier, shift


def run(kind, x, y_shape, constants=(), options=None, x_zero=0, y_zero=0, scales=(1, 1)):
    """The output of a graph of one op for one int8 input."""
    x = np.array(x, np.int8)[None]
    tensors = [
        Tensor("x", x.shape, "int8", None, np.float32([scales[0]]), x_zero),
        *constants,
        Tensor("y", (1, *y_shape), "int8", None, np.float32([scales[1]]), y_zero),
    ]
    names = [tensor.name for tensor in tensors]
    op = Op(kind, "op", names[:-1], ["y"], options or {})
    graph = Graph("one", dict(zip(names, tensors, strict=True)), [op], ["x"], ["y"])
    return reference.run(graph, x)["y"][0].tolist()


def one_bit(signs, channels):
    """Weights and channels of a Kbc op."""
    signs, channels = np.array(signs), np.array(channels, np.int32)
    words = pack_bits(signs.reshape(len(signs), -1))
    return [
        Tensor("weights", words.shape, "int32", words),
        Tensor("channels", channels.shape, "int32", channels),
    ]


def int8(weights, scale, bias):
    """Weights and bias of a builtin."""
    weights, bias = np.array(weights, np.int8), np.array(bias, np.int32)
    return [
        Tensor("weights", weights.shape, "int8", weights, np.float32(scale)),
        Tensor("bias", bias.shape, "int32", bias),
    ]


def bounds(low=-128, high=127):
    return {"weights": "binary", "activation_min": low, "activation_max": high}


@pytest.mark.parametrize(
    ("high", "expected"),
    # Centered the input is 2, -1, 4. Sums: 7, 3, 5. (7 + 1)/2 = 4; (3 - 1)/2 = 1; -5/2 goes up to
    # -2; then the zero point, then the clamp.
    [(127, [14, 11, 8]), (12, [12, 11, 8])],
)
def test_one_bit_fully_connected(high, expected):
    signs = [[1, -1, 1], [-1, -1, 1], [1, 1, 1]]
    channels = [[1, *HALF], [-1, *HALF], [0, -HALF[0], HALF[1]]]
    constants = one_bit(signs, channels)
    options = bounds(high=high)
    result = run("KbcFullyConnected", [1, -2, 3], (3,), constants, options, x_zero=-1, y_zero=10)
    assert result == expected


def _conv_options(pool, groups=1):
    kernel = window_for("same", (2, 2), (3, 3))
    windows = to_options("kernel", kernel) | to_options("pool", pool)
    return bounds() | windows | {"groups": groups}


IMAGE = [[[6], [7]], [[8], [9]]]  # centered by 5: 1, 2, 3, 4, which sum to 10


def test_absent_taps_of_a_convolution_add_nothing():
    signs = np.ones((1, 3, 3, 1))
    signs[0, 1, 1] = -1  # 10 less twice the pixel itself
    constants = one_bit(signs, [[0, *HALF]])
    y = run("KbcConv2D", IMAGE, (2, 2, 1), constants, _conv_options(IDENTITY), x_zero=5)
    assert y == [[[4], [3]], [[2], [1]]]


@pytest.mark.parametrize(("multiplier", "expected"), [(HALF[0], 4), (-HALF[0], -4)])
def test_the_pool_takes_the_largest_sum_whatever_the_multiplier(multiplier, expected):
    signs = np.ones((1, 3, 3, 1))
    signs[0, 1, 1] = -1
    constants = one_bit(signs, [[0, multiplier, 31]])
    options = _conv_options(Window(2, 2, 2, 2))
    assert run("KbcConv2D", IMAGE, (1, 1, 1), constants, options, x_zero=5) == [[[expected]]]


def test_groups_see_their_own_channels():
    image = [[[1, 10], [2, 20]], [[3, 30], [4, 40]]]
    signs = np.ones((2, 3, 3, 1))
    signs[1] = -1
    constants = one_bit(signs, [[0, *HALF]] * 2)
    y = run("KbcConv2D", image, (2, 2, 2), constants, _conv_options(IDENTITY, groups=2))
    assert y == [[[5, -50]] * 2] * 2


def test_int8_fully_connected():
    # The real multiplier is 0.5 * 0.25 / 0.125 = 1: 2 * 3 - 4 + 5 = 7, and 127 is the most.
    constants = int8([[2, 4], [100, 100]], [0.25], [5, 0])
    y = run("FULLY_CONNECTED", [3, -1], (2,), constants, scales=(0.5, 0.125))
    assert y == [7, 127]


def test_int8_convolution_has_a_scale_for_each_channel():
    options = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, "padding": "VALID"}
    constants = int8(np.ones((2, 2, 2, 1)), [1, 0.25], [0, 2])
    # 1 + 2 + 3 + 4 = 10; (10 + 2) / 4 = 3.
    assert run("CONV_2D", IMAGE, (1, 1, 2), constants, options, x_zero=5) == [[[10, 3]]]


def test_int8_convolution_in_groups_rounds_halves_away_from_zero():
    options = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, "padding": "VALID"}
    constants = int8([[[[1]]], [[[-1]]]], [0.25, 0.25], [0, 0])
    # 6/4 and -6/4; without groups -1.5 would go up.
    assert run("CONV_2D", [[[6, 6]]], (1, 1, 2), constants, options) == [[[2, -2]]]
    constants = int8([[[[1, 0]]], [[[0, -1]]]], [0.25, 0.25], [0, 0])
    assert run("CONV_2D", [[[6, 6]]], (1, 1, 2), constants, options) == [[[2, -1]]]


def test_int8_depthwise_convolution_multiplies_channels():
    options = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, "padding": "VALID"}
    image = [[[1, 10], [2, 20]]]
    weights = np.zeros((1, 1, 2, 4))  # of each input channel: its sum, then its last pixel halved
    weights[..., 0] = weights[..., 2] = weights[:, :, 1, 1] = weights[:, :, 1, 3] = 1
    constants = int8(weights, [1, 0.5, 1, 0.5], [0, 0, -40, 1])
    y = run(
        "DEPTHWISE_CONV_2D",
        image,
        (1, 1, 4),
        constants,
        options | {"depth_multiplier": 2},
        y_zero=-128,
    )
    assert y == [[[-125, -127, -128, -117]]]  # 3, 2/2, 30 - 40, 21/2 rounded up


def _pool_options(padding):
    return {"filter_h": 2, "filter_w": 2, "stride_h": 2, "stride_w": 2, "padding": padding}


@pytest.mark.parametrize(
    ("kind", "image", "expected"),
    [
        ("MAX_POOL_2D", [[[-9], [-7]], [[-8], [-6]]], -6),
        ("AVERAGE_POOL_2D", [[[1], [2]], [[1], [2]]], 2),  # 1.5, half away from zero
        ("AVERAGE_POOL_2D", [[[-1], [-2]], [[-1], [-2]]], -2),
    ],
)
def test_pools(kind, image, expected):
    assert run(kind, image, (1, 1, 1), options=_pool_options("VALID")) == [[[expected]]]


def test_an_average_counts_the_pixels_inside_alone():
    image = [[[4], [8], [100]], [[4], [8], [50]], [[1], [2], [-7]]]
    y = run("AVERAGE_POOL_2D", image, (2, 2, 1), options=_pool_options("SAME"))
    assert y == [[[6], [75]], [[2], [-7]]]


def test_pad_adds_zeros_that_is_zero_points():
    paddings = np.array([[0, 0], [0, 1], [1, 0], [0, 0]], np.int32)
    constant = Tensor("paddings", paddings.shape, "int32", paddings)
    y = run("PAD", [[[7]]], (2, 2, 1), [constant], x_zero=-3, y_zero=-3)
    assert y == [[[-3], [7]], [[-3], [-3]]]


def test_softmax_shares_256_steps():
    # Equal logits have a half each: 128 - 128. A logit that is ln 3 above the other has 3/4.
    assert run("SOFTMAX", [5, 5], (2,), scales=(1, 1 / 256), y_zero=-128) == [0, 0]
    scales = np.log(3), 1 / 256
    assert run("SOFTMAX", [1, 0], (2,), scales=scales, y_zero=-128) == [64, -64]
