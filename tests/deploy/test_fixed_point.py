import numpy as np
import pytest

from keras_bc.deploy.fixed_point import quantize_multiplier, requantize, requantize_twice, rescale


@pytest.mark.parametrize(
    "real, expected",
    [
        (1.0, (2**30, 30)),
        (0.5, (2**30, 31)),
        (-0.75, (-3 * 2**29, 31)),
        (0.0, (0, 1)),
        (2.0**-40, (0, 1)),  # below what a shift of 62 reaches
        (1 - 2.0**-40, (2**30, 30)),  # the mantissa rounds up to the next power of two
    ],
)
def test_golden_multipliers(real, expected):
    assert quantize_multiplier(real) == expected


@pytest.mark.parametrize("real", [float("nan"), float("inf"), 2.0**31])
def test_a_multiplier_that_no_integer_holds_is_an_error(real):
    with pytest.raises(ValueError, match="multiplier must be"):
        quantize_multiplier(real)


def test_the_multiplier_is_within_one_part_in_two_to_the_31():
    for real in np.exp2(np.random.default_rng(0).uniform(-30, 5, 1000)):
        multiplier, shift = quantize_multiplier(real)
        assert abs(multiplier * 2.0**-shift / real - 1) <= 2.0**-31


def test_requantize_rounds_half_up():
    half = np.array([[0, 2**30, 31]], np.int32)
    accumulator = np.array([[-3], [-2], [-1], [0], [1], [3]])
    assert requantize(accumulator, half, 0, -128, 127).ravel().tolist() == [-1, -1, 0, 0, 1, 2]


def test_requantize_clamps_after_the_zero_point():
    one = np.array([[10, 2**30, 30]], np.int32)
    accumulator = np.array([[-500], [0], [500]])
    assert requantize(accumulator, one, 5, -100, 90).ravel().tolist() == [-100, 15, 90]


def test_rounding_twice_differs_where_the_first_rounding_makes_a_half():
    # 0.499... of a step: once rounded it is 0; rounded to half a step first, it becomes 1.
    channels = np.array([[0, 2**31 - 1, 33]], np.int32)
    accumulator = np.array([[2]])
    assert requantize(accumulator, channels, 0, -128, 127) == 0
    assert requantize_twice(accumulator, channels, 0, -128, 127) == 1


@pytest.mark.parametrize(
    ("x", "expected"),
    # A factor of 1/4 is a half, rounded up, and another half, rounded away from zero.
    [(4, 1), (3, 1), (5, 2), (2, 1), (1, 1), (-1, 0), (-2, -1), (-3, -1), (-5, -1), (-6, -2)],
)
def test_rescale_rounds_half_up_and_then_away_from_zero(x, expected):
    assert rescale(np.array(x), 2**30, 32) == expected


def test_rescale_moves_to_the_left_before_it_rounds():
    multipliers, shifts = np.array([2**30, 3 * 2**29]), np.array([28, 30])  # 4 and 1.5
    assert rescale(np.array([[3, 3], [-3, -3]]), multipliers, shifts).tolist() == [
        [12, 5],
        [-12, -4],
    ]
