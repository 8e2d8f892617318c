import numpy as np
import pytest

from keras_bc import draws

N = 200_000


def _draw(counter, stream=123, shape=(N,)):
    return np.asarray(draws.uniform(shape, stream, counter))


def _mix(word, key):
    """The hash of one 32-bit word, in Python's integers."""
    word ^= word >> 16
    word = word * 0x7FEB352D % 2**32 ^ key
    word ^= word >> 15
    word = word * 0x846CA68B % 2**32
    return word ^ word >> 16


@pytest.mark.parametrize(("stream", "counter"), [(0, 0), (123, 7), (2**32 - 1, 2**32 - 1)])
def test_is_the_hash_that_it_says(stream, counter):
    first = _mix((counter * 0x9E3779B9 + stream) % 2**32, 0)
    second = _mix(first ^ 0x9E3779B9, 0)
    expected = [(_mix((i + first) % 2**32, second) >> 8) / 2**24 for i in range(12)]
    drawn = draws.uniform((3, 4), stream, np.uint32(counter))
    assert drawn.dtype == "float32"
    assert np.array_equal(drawn, np.reshape(expected, (3, 4)))


def test_is_uniform():
    counts, _ = np.histogram(_draw(0), bins=64, range=(0, 1))
    # Chi-squared with 63 degrees of freedom: mean 63, standard deviation 11.2; five of those.
    assert np.sum((counts - N / 64) ** 2 / (N / 64)) < 63 + 5 * 11.2
    assert _draw(0).min() >= 0 and _draw(0).max() < 1


@pytest.mark.parametrize("lag", [1, 2, 28, 1024])
def test_elements_are_uncorrelated(lag):
    x = _draw(0)
    assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.parametrize("other", [{"counter": 1}, {"counter": 2}, {"counter": 0, "stream": 124}])
def test_draws_are_uncorrelated(other):
    assert abs(np.corrcoef(_draw(0), _draw(**other))[0, 1]) < 5 / np.sqrt(N)


def test_each_bit_of_each_draw_is_fair_over_the_steps():
    steps = np.array([_draw(t, shape=(64,)) < 0.5 for t in range(2000)])
    share = steps.mean(0)
    # The largest of 64 shares, five standard deviations of one.
    assert np.abs(share - 0.5).max() < 5 * 0.5 / np.sqrt(2000)


def test_streams_depend_on_the_seed_and_the_name():
    streams = {draws.stream(seed, name) for seed in range(20) for name in ("a", "b", "dense_1")}
    assert len(streams) == 60
    assert draws.stream(1, "dense") == draws.stream(1, "dense") < 2**32
