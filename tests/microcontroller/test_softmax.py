"""int8 softmax against the same float32 steps in NumPy, and against real numbers."""

import numpy as np
import pytest


def exponentials(scale):
    return np.exp(-scale * np.arange(256)).astype(np.float32)


def softmax(table, row):
    """One row, in float32, one rounding a step and the sum from left to right."""
    one, half = np.float32(1), np.float32(0.5)
    e = table[row.max().astype(int) - row.astype(int)]
    total = np.float32(0)
    for value in e:
        total = np.float32(total + value)
    scale = one / np.float32(total * np.float32(1 / 256))
    return np.minimum(((e * scale).astype(np.float32) + half).astype(int) - 128, 127)


@pytest.mark.parametrize("features", [1, 2, 10, 255])
@pytest.mark.parametrize("scale", [0.001, 0.05, 1.0])
def test_softmax(features, scale, run, make_case):
    x = np.random.default_rng(6).integers(-128, 128, (20, features), dtype=np.int8)
    x[0], x[1] = 127, -128
    x[2, 0], x[2, -1] = -128, 127
    table = exponentials(scale)
    case = make_case("int8_softmax", "builtin", [20, features], x, x.shape, weights=table)
    (y,) = run([case])
    np.testing.assert_array_equal(y, [softmax(table, row) for row in x])
    real = np.exp(scale * x) / np.exp(scale * x.astype(float)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose((y + 128.0) / 256, real, atol=0.5 / 256 + 1 / 256)
