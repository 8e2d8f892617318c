import numpy as np
import pytest

from keras_bc.deploy.calibrate.histogram import Histogram
from keras_bc.deploy.calibrate.methods import (
    DEFAULT,
    find_method,
    minmax,
    mse,
    percentile,
    squared_error,
)
from keras_bc.deploy.scales import affine, to_int8, to_real
from keras_bc.errors import UserError


def _histogram(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float64))
    return histogram


def _error(values, low, high):
    scale, zero_point = affine(low, high)
    real = to_real(to_int8(values, scale, zero_point), scale, zero_point)
    return np.sum((real - values) ** 2)


def test_golden_percentiles():
    values = np.arange(-1000, 1001) / 1000  # 2001 of them; 1 percent are 20
    low, high = percentile(_histogram(values), 99.0)
    assert (low, high) == pytest.approx((-0.98, 0.98), abs=1 / 4096)
    assert percentile(_histogram(values), 100.0) == (-1, 1)


def test_a_percentile_of_few_values_is_their_extremes():
    assert percentile(_histogram([-3, 0, 5]), 99.99) == (-3, 5)


def test_a_percentile_counts_zeros_and_keeps_the_side():
    values = np.concatenate([np.zeros(900), np.linspace(1, 2, 100)])
    low, high = percentile(_histogram(values), 99.0)
    assert low == 0
    assert high == pytest.approx(1.9, abs=0.01)


def test_values_that_are_all_rare_stay():
    values = np.zeros(100_000)
    values[:3] = 1, -2, 3
    assert percentile(_histogram(values), 99.0) == (-2, 3)


@pytest.mark.parametrize("value", [0.0, 2.5, -1e-3])
@pytest.mark.parametrize("count", [1, 1000])
def test_a_tensor_of_a_single_value_is_exact(value, count):
    values = np.full(count, value)
    for method in (minmax, mse, lambda histogram: percentile(histogram, 99.9)):
        low, high = method(_histogram(values))
        assert _error(values, low, high) <= count * (1e-6 * value) ** 2


DRAWS = {
    "normal": lambda rng: rng.normal(size=20_000),
    "laplace": lambda rng: rng.laplace(size=20_000),
    "relu": lambda rng: np.maximum(rng.laplace(size=20_000), 0),
    "negative": lambda rng: -rng.exponential(size=20_000),
    "skew": lambda rng: rng.gumbel(size=20_000),
    "outlier": lambda rng: np.append(rng.normal(size=20_000), 100.0),
    "few": lambda rng: rng.normal(size=3),
}


@pytest.mark.parametrize("name", DRAWS)
def test_mse_is_the_best_of_all_methods(name):
    values = DRAWS[name](np.random.default_rng(0))
    histogram = _histogram(values)
    best = _error(values, *mse(histogram))
    for percent in (100.0, 99.999, 99.99, 99.9, 99.0):
        # The bins blur a value by up to 1/16 of a step.
        assert best <= 1.02 * _error(values, *percentile(histogram, percent)) + 1e-12


@pytest.mark.parametrize("name", DRAWS)
def test_mse_finds_what_a_search_of_all_pairs_finds(name):
    histogram = _histogram(DRAWS[name](np.random.default_rng(1)))
    values, counts = histogram.bins
    fractions = np.linspace(0.2, 1, 33)
    low, high = min(histogram.low, 0), max(histogram.high, 0)
    every = [squared_error(values, counts, low * a, high * b) for a in fractions for b in fractions]
    assert squared_error(values, counts, *mse(histogram)) <= 1.01 * min(every) + 1e-12


def test_one_sided_values_stay_on_their_side():
    rng = np.random.default_rng(0)
    for sign in (1, -1):
        values = sign * rng.exponential(size=5000) * (rng.random(5000) < 0.5)
        for method in (mse, lambda histogram: percentile(histogram, 99.9)):
            low, high = method(_histogram(values))
            assert (low, high)[::sign][0] == 0
            assert 0 < abs((low, high)[::sign][1]) <= np.abs(values).max()


def test_a_method_is_found_by_its_name():
    values = _histogram(np.random.default_rng(0).normal(size=10_000))
    plain, inputs = find_method("percentile")
    assert plain(values) == find_method("percentile:99.99")[0](values)
    assert plain(values) != find_method("percentile:99")[0](values)
    assert inputs is minmax
    assert find_method(DEFAULT) == (mse, mse)


@pytest.mark.parametrize("name", ["kl", "", "mse:2", "minmax:", "Percentile"])
def test_an_unknown_method_is_an_error(name):
    with pytest.raises(UserError, match="Expected minmax, mse, percentile, or percentile:P"):
        find_method(name)


@pytest.mark.parametrize("name", ["percentile:", "percentile:x", "percentile:50", "percentile:nan"])
def test_a_percentile_that_is_none_is_an_error(name):
    with pytest.raises(UserError, match="no number above 50"):
        find_method(name)
