"""A line gives what bias, multiplier and shift give, or is not taken."""

from dataclasses import replace

import numpy as np
import pytest

from keras_bc.deploy import finishes
from keras_bc.deploy.fixed_point import requantize
from keras_bc.deploy.lowering import lower
from tests.microcontroller.layer_graphs import LayerGraph
from tests.needs import cross_compiler


def value(lines: np.ndarray, acc: np.ndarray) -> np.ndarray:
    """The equation of finish_s8_line.c."""
    low, high, multiplier = (column.astype(np.int64) for column in lines.T)
    moved = (acc << (low & 0xFF)).astype(np.int32).astype(np.int64)
    offset = (high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64)).astype(np.int64)
    y = moved * multiplier.astype(np.uint32).astype(np.int32) + offset >> finishes.SHIFT
    return np.clip(y, -128, 127).astype(np.int8)


def channels_of(rng: np.random.Generator, n: int) -> np.ndarray:
    bias = rng.integers(-5000, 5000, n)
    multiplier = rng.integers(2**30, 2**31, n) * rng.choice([-1, 1], n)
    multiplier[:2], multiplier[2:4] = 2**30, -(2**31) + 1  # powers of two tie
    multiplier[4] = 0
    shift = rng.integers(31, 40, n)
    bias[4], shift[4] = 2**30, 62  # of no account
    return np.stack([bias, multiplier, shift], axis=1).astype(np.int32)


@pytest.mark.parametrize("zero_point", [-128, 0, 127])
def test_a_line_is_exact(zero_point):
    channels = channels_of(np.random.default_rng(zero_point + 128), 64)
    bound = 2295  # of a depthwise 3x3
    acc = np.arange(-bound, bound + 1)[:, None]
    lines = finishes.lines(channels, zero_point, bound)
    expected = requantize(acc, channels, zero_point, -128, 127)
    np.testing.assert_array_equal(value(lines, acc), expected)


@pytest.mark.parametrize(
    ("channel", "bound"),
    [
        ((0, 2**30, 40), 100),  # the shift would have no room in the offset's lowest byte
        ((0, 2**30, 16), 1),  # 31 bits to the left
        ((0, 2**30, 31), 2**15),  # the accumulator could overflow
        ((2**15, 2**30, 31), 100),  # the bias would
        ((131071, 2**31 - 1, 33), 514 * 255),  # both together
    ],
)
def test_what_has_no_room_makes_no_line(channel, bound):
    fits = (0, 2**30, 35)
    assert finishes.lines(np.array([fits], np.int32), 0, 100) is not None
    assert finishes.lines(np.array([fits, channel], np.int32), 0, bound) is None


@cross_compiler
@pytest.mark.parametrize(
    ("cpu", "bounds", "finish", "function"),
    [
        ("cortex-m3", (-128, 127), "s8", "kbc_finish_s8_line"),
        ("cortex-m7", (-128, 127), "s8", "kbc_finish_s8_line"),
        ("cortex-m4", (-100, 127), "s8", "kbc_finish_s8"),
        ("cortex-m4", (-128, 127), "s8_shortcut", "kbc_finish_s8_shortcut"),
        ("cortex-m4", (-128, 127), "b1", "kbc_finish_b1"),
        ("cortex-m0", (-128, 127), "s8", "kbc_finish_s8"),
        ("cortex-m55", (-128, 127), "s8", "kbc_finish_s8"),
        ("any", (-128, 127), "s8", "kbc_finish_s8"),
    ],
)
def test_lines_are_for_cores_that_gain(cpu, bounds, finish, function):
    layers = LayerGraph(np.random.default_rng(3))
    layers.end(layers.fully_connected("fully_connected_s8", 40, 8, finish), 8)
    call = next(call for call in lower(layers.graph) if call.kernel == "fully_connected_s8")
    call.params.finish.output.min, call.params.finish.output.max = bounds
    channels = np.tile(np.array([0, 2**30, 36], np.int32), (8, 1))
    if finish == "s8":
        call = replace(call, constants={**call.constants, "channels": channels})
    assert finishes.for_cpu(call, cpu).functions["function"] == function


@pytest.mark.parametrize(
    ("op", "zero_point", "expected"),
    [
        ("fully_connected_s8", 0, 40 * 128),
        ("fully_connected_s8", -128, 40 * 255),
        ("fully_connected_s8_ternary", 100, 40 * 228),
        ("fully_connected_b1", 0, 40),
    ],
)
def test_the_largest_sum(op, zero_point, expected):
    layers = LayerGraph(np.random.default_rng(3))
    layers.end(layers.fully_connected(op, 40, 8, "s8"), 8)
    call = next(call for call in lower(layers.graph) if call.kernel == op)
    call.params.input_zero_point = zero_point
    assert finishes.largest_sum(call) == expected
