"""The kernels of float inputs, against NumPy."""

import numpy as np
import pytest

from keras_bc.deploy import layouts
from keras_bc.deploy.reference_floats import finish

LARGEST = np.finfo(np.float32).max


def random_channels(rng, outs):
    """scale, offset, low, high, step: free, bounded, and with levels."""
    channels = np.zeros((outs, 5), np.float32)
    channels[:, :2] = rng.normal(size=(outs, 2))
    channels[:, 2:4] = np.array([[-LARGEST, LARGEST], [0, LARGEST], [0, 1]])[rng.integers(3)]
    channels[:, 4] = rng.choice([0, 1 / 3]) if channels[0, 3] == 1 else 0
    return channels


def packed(weights, kind):
    rows = weights.reshape(len(weights), -1)
    return layouts.pack_ternary(rows) if kind == "_ternary" else layouts.pack_bits(rows)


def assert_close(y, expected, channels):
    """But where a sum lies between two levels, and float32 takes the other."""
    away = np.abs(y - expected) > 1e-4 * np.abs(expected).max() + 1e-6
    assert away.mean() < (0.02 if channels[0, 4] else 1e-9)


@pytest.mark.parametrize("kind", ["", "_ternary"])
@pytest.mark.parametrize("shortcut", [False, True])
def test_fully_connected(kind, shortcut, run, make_case):
    rng = np.random.default_rng(5)
    cases, expected = [], []
    for k in (1, 31, 32, 33, 100):
        for outs in (1, 32, 33):
            x = rng.normal(size=(3, k)).astype(np.float32)
            weights = rng.choice([-1, 0, 1] if kind else [-1, 1], (outs, k))
            channels = random_channels(rng, outs)
            added = rng.normal(size=(3, outs)).astype(np.float32) if shortcut else np.zeros(0, "f")
            params = [3, k, outs, 0, 0, 0, 0]
            cases.append(
                make_case(
                    *(f"fully_connected_f32{kind}", "reference", params, x, (3, outs)),
                    weights=packed(weights, kind),
                    channels=channels,
                    shortcut=added,
                    y_dtype=np.float32,
                )
            )
            expected.append(finish(x @ weights.T, channels, added if shortcut else None))
    for case, y, correct in zip(cases, run(cases), expected, strict=True):
        assert_close(y, correct, case.channels)


@pytest.mark.parametrize(("high", "step"), [(1.0, 0.0), (1.0, 1 / 3), (LARGEST, 0.0)])
def test_finish_bounds_and_rounds(high, step, run, make_case):
    """One weight of +1: y is x, bounded, on its level, halves rounded up."""
    x = np.array([[-3.0], [np.nan], [0.0], [0.16], [0.17], [0.5], [0.99], [7.0]], np.float32)
    channels = np.array([[1, 0, 0, high, step]], np.float32)
    case = make_case(
        *("fully_connected_f32", "reference", [len(x), 1, 1, 0, 0, 0, 0], x, x.shape),
        weights=np.zeros((1, 1), np.int32),
        channels=channels,
        y_dtype=np.float32,
    )
    bounded = np.clip(np.nan_to_num(x), 0, high)
    expected = np.floor(bounded / step + 0.5) * step if step else bounded
    np.testing.assert_allclose(run([case])[0], expected, rtol=1e-6)
