"""Fully connected kernels against y = requantize((x - zx) . w^T), computed by NumPy."""

import numpy as np
import pytest

from keras_bc.deploy import kernels, layouts, native

VARIANTS = [row for row in kernels.variants("fully_connected_s8") if row.guard == "1"]
FULL_RANGE = [0, -128, 127]


def random_channels(rng, outs, reach):
    """Multipliers of either sign that bring accumulators up to `reach` near the int8 range."""
    shift = np.full(outs, 38 + int(np.ceil(np.log2(reach))) - 8)
    multiplier = rng.integers(2**30, 2**31, outs) * rng.choice([-1, 1], outs)
    bias = rng.integers(-reach // 2, reach // 2 + 1, outs)
    return np.stack([bias, multiplier, np.minimum(shift, 62)], axis=1)


def accumulate(x, weights, zero_point):
    return (x.astype(np.int64) - zero_point) @ weights.astype(np.int64).T


def params_of(rows, signs):
    return native.FullyConnectedParams(rows, signs.shape[1], len(signs))


def is_made_for(variant, signs):
    return native.scratch_bytes(variant.function, params_of(1, signs)) >= 0


def one_bit_case(make_case, variant, x, signs, zero_point, channels, output):
    rows, k = x.shape
    words = layouts.pack_bits(signs)
    return make_case(
        op="fully_connected_s8",
        variant=variant.name,
        params=[rows, k, len(signs), zero_point, *output],
        x=x,
        y_shape=(rows, len(signs)),
        weights=layouts.pack(variant.layout, words, params_of(rows, signs)),
        channels=channels,
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_random_shapes(variant, run, make_case, requantize):
    rng = np.random.default_rng(1)
    cases, expected = [], []
    for k in (1, 2, 5, 8, 31, 32, 33, 63, 100, 784):
        for outs in (1, 2, 10, 39, 40, 97, 130):  # on both sides of FEW in the tables variant
            rows = int(rng.integers(1, 4))
            x = rng.integers(-128, 128, (rows, k), dtype=np.int8)
            signs = rng.choice([-1, 1], (outs, k))
            if not is_made_for(variant, signs):
                continue
            zero_point = int(rng.integers(-128, 128))
            channels = random_channels(rng, outs, 16 * k)
            output = [int(rng.integers(-128, 128)), *sorted(rng.integers(-128, 128, 2).tolist())]
            cases.append(one_bit_case(make_case, variant, x, signs, zero_point, channels, output))
            expected.append(requantize(accumulate(x, signs, zero_point), channels, output))
    for case, y, correct in zip(cases, run(cases), expected, strict=True):
        np.testing.assert_array_equal(y, correct, str(case.params))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
@pytest.mark.parametrize("outs", [1, 128])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("value, zero_point", [(-128, 127), (127, -128), (-128, -128), (127, 127)])
def test_the_greatest_sums(variant, outs, sign, value, zero_point, run, make_case, requantize):
    """|x - zx| = 255 at each input, or 0, with one sign: the ends of a table's 16 bits."""
    x = np.full((1, 40), value, np.int8)
    signs = np.full((outs, 40), sign)
    if not is_made_for(variant, signs):
        pytest.skip("not made for so few outputs")
    channels = np.tile([0, 2**30, 37], (outs, 1))  # 2^-7, so that 40 * 255 fits
    case = one_bit_case(make_case, variant, x, signs, zero_point, channels, FULL_RANGE)
    correct = requantize(accumulate(x, signs, zero_point), channels, FULL_RANGE)
    assert abs(int(correct[0, 0])) in (0, 80)
    np.testing.assert_array_equal(run([case])[0], correct)


def test_every_shift_with_every_kind_of_multiplier(run, make_case, requantize):
    multipliers = [0, 2**30, 2**31 - 1, -(2**30), -(2**31) + 1]
    shifts = range(1, 63)
    biases = -3, 0, 2**15 - 130, -(2**15) + 130, 2**29, -(2**30)
    channels = np.array([[b, m, s] for b in biases for m in multipliers for s in shifts])
    signs = np.ones((len(channels), 1), np.int8)
    x = np.array([[-128], [-1], [0], [1], [2], [127]], np.int8)
    cases = [
        one_bit_case(make_case, VARIANTS[0], x, signs, 0, channels, output)
        for output in ([0, -128, 127], [-128, -128, 127], [127, -20, 127])
    ]
    for case, y in zip(cases, run(cases), strict=True):
        correct = requantize(accumulate(x, signs, 0), channels, case.params[4:])
        np.testing.assert_array_equal(y, correct)


def test_halves_are_rounded_up(run, make_case):
    x = np.arange(-4, 5, dtype=np.int8)[:, None]
    channels = np.array([[0, 2**30, 31]])  # a half
    case = one_bit_case(make_case, VARIANTS[0], x, np.ones((1, 1)), 0, channels, FULL_RANGE)
    assert run([case])[0].ravel().tolist() == [-2, -1, -1, 0, 0, 1, 1, 2, 2]


def test_int8_weights(run, make_case, requantize):
    rng = np.random.default_rng(2)
    cases, expected = [], []
    for rows, k, outs in [(1, 1, 1), (3, 33, 7), (2, 250, 10)]:
        x = rng.integers(-128, 128, (rows, k), dtype=np.int8)
        weights = rng.integers(-128, 128, (outs, k), dtype=np.int8)
        zero_point = int(rng.integers(-128, 128))
        channels = random_channels(rng, outs, 1024 * k)
        cases.append(
            make_case(
                op="int8_fully_connected",
                variant="builtin",
                params=[rows, k, outs, zero_point, *FULL_RANGE],
                x=x,
                y_shape=(rows, outs),
                weights=weights,
                channels=channels,
            )
        )
        acc = accumulate(x, weights, zero_point)
        expected.append(requantize(acc, channels, FULL_RANGE, twice=True))
    for y, correct in zip(run(cases), expected, strict=True):
        np.testing.assert_array_equal(y, correct)


def test_the_builtin_rounds_twice(run, make_case, requantize):
    """What lies a little below a half is rounded up to it first, and from there to 1."""
    shifts = range(1, 63)
    channels = np.array([[0, m, s] for m in (2**30, 2**31 - 1, -(2**31) + 1) for s in shifts])
    x = np.array([[-2], [-1], [0], [1], [2]], np.int8)
    weights = np.ones((len(channels), 1), np.int8)
    case = make_case(
        op="int8_fully_connected",
        variant="builtin",
        params=[5, 1, len(channels), 0, *FULL_RANGE],
        x=x,
        y_shape=(5, len(channels)),
        weights=weights,
        channels=channels,
    )
    acc = accumulate(x, weights, 0)
    twice = requantize(acc, channels, FULL_RANGE, twice=True)
    assert (twice != requantize(acc, channels, FULL_RANGE)).any()
    np.testing.assert_array_equal(run([case])[0], twice)
