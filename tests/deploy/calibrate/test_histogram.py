import numpy as np
import pytest

from keras_bc.deploy.calibrate.histogram import Histogram


def _histogram(*parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(np.array(part, np.float64))
    return histogram


def test_each_value_is_in_its_bin():
    values = np.random.default_rng(0).normal(size=5000)
    histogram = _histogram(values)
    middles, counts = histogram.bins
    assert (histogram.low, histogram.high) == (values.min(), values.max())
    assert histogram.half_width <= np.abs(values).max() / 2**12 / 2
    sorted_middles = np.repeat(middles, counts)
    assert np.abs(sorted_middles - np.sort(values)).max() <= histogram.half_width


@pytest.mark.parametrize("seed", range(5))
def test_parts_and_their_order_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=300) * 10.0 ** rng.integers(-6, 6, 300) * (rng.random(300) < 0.8)
    whole = _histogram(values)
    for parts in (np.split(values, 10), np.split(values[::-1], [1, 7, 200])):
        split = _histogram(*parts)
        np.testing.assert_array_equal(split.bins, whole.bins)
        assert (split.low, split.high, split.zeros) == (whole.low, whole.high, whole.zeros)


def test_zeros_are_in_no_bin():
    histogram = _histogram([0, 0, 1], [[0.0, -0.0]])
    assert histogram.zeros == 4
    assert histogram.bins[1].tolist() == [1]


def test_nothing_but_zeros():
    histogram = _histogram([0.0, 0.0])
    assert (histogram.low, histogram.high, histogram.zeros) == (0, 0, 2)
    assert histogram.bins[0].size == 0


@pytest.mark.parametrize("value", [1e-323, 1e-310, 1.0, -1.0, -4.0, 1e300])
def test_a_single_value(value):
    middles, counts = _histogram([value], [value / 2]).bins
    assert counts.sum() == 2 and len(middles) <= 2
