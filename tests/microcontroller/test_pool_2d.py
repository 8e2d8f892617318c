"""int8 poolings against loops over every window, and padding against numpy.pad."""

import math
from fractions import Fraction

import numpy as np
import pytest

# (in_h, in_w, channels), window, stride, pads (top, left, bottom, right)
SHAPES = [
    ((1, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    ((4, 6, 3), (2, 2), (2, 2), (0, 0, 0, 0)),
    ((5, 5, 2), (3, 3), (2, 2), (1, 1, 1, 1)),  # over all four borders
    ((5, 4, 1), (2, 3), (3, 1), (0, 1, 1, 1)),
    ((7, 7, 4), (7, 7), (1, 1), (0, 0, 0, 0)),  # global
]


def half_away_from_zero(value):
    return int(math.copysign(math.floor(abs(value) + Fraction(1, 2)), value))


def average(taps):
    return [half_away_from_zero(Fraction(int(t.sum()), t.size)) for t in taps.astype(int).T]


def greatest(taps):
    return taps.max(axis=0).tolist()


def pool(x, window, stride, pads, reduce):
    """y of one image [h, w, c], from the taps [n, c] inside it of every window."""
    h, w, c = x.shape
    rows = (h + pads[0] + pads[2] - window[0]) // stride[0] + 1
    columns = (w + pads[1] + pads[3] - window[1]) // stride[1] + 1
    y = np.zeros((rows, columns, c), int)
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride[0] - pads[0], j * stride[1] - pads[1]
        inside = x[max(top, 0) : top + window[0], max(left, 0) : left + window[1]]
        y[i, j] = reduce(inside.reshape(-1, c))
    return y


@pytest.mark.parametrize("op, reduce", [("max", greatest), ("average", average)])
@pytest.mark.parametrize("low, high", [(-128, 127), (-30, 40)])
def test_pooling(op, reduce, low, high, run, make_case):
    rng = np.random.default_rng(4)
    cases, expected = [], []
    for size, window, stride, pads in SHAPES:
        x = rng.integers(-128, 128, (2, *size), dtype=np.int8)
        y = np.stack([pool(image, window, stride, pads, reduce) for image in x])
        params = [*x.shape, *y.shape[1:3], *window, *stride, 1, 1, *pads, 0, low, high]
        cases.append(make_case(f"int8_{op}_pool_2d", "builtin", params, x, y.shape))
        expected.append(y.clip(low, high))
    for y, correct in zip(run(cases), expected, strict=True):
        np.testing.assert_array_equal(y, correct)


def test_averages_are_rounded_half_away_from_zero(run, make_case):
    x = np.array([[1, 2], [-1, -2], [-128, -127], [127, 126], [0, -1]], np.int8)
    x = x.reshape(5, 2, 1, 1)
    params = [5, 2, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 0, 0, 0, 0, 0, -128, 127]
    (y,) = run([make_case("int8_average_pool_2d", "builtin", params, x, (5,))])
    assert y.tolist() == [2, -2, -128, 127, -1]


def test_padding(run, make_case):
    rng = np.random.default_rng(5)
    cases, expected = [], []
    for shape, (top, left, bottom, right), value in [
        ((1, 1, 1, 1), (0, 0, 0, 0), 0),
        ((2, 3, 4, 2), (1, 2, 3, 0), -128),
        ((1, 2, 2, 3), (0, 0, 0, 5), 127),
    ]:
        x = rng.integers(-128, 128, shape, dtype=np.int8)
        edges = ((0, 0), (top, bottom), (left, right), (0, 0))
        y = np.pad(x, edges, constant_values=value)
        params = [*shape, top, left, bottom, right, value]
        cases.append(make_case("int8_pad_2d", "builtin", params, x, y.shape))
        expected.append(y)
    for y, correct in zip(run(cases), expected, strict=True):
        np.testing.assert_array_equal(y, correct)
