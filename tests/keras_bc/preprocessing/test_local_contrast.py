import math

import numpy as np
import pytest

from keras_bc.preprocessing import LocalContrastNormalization
from tests.keras_bc.preprocessing.checks import check_layer

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 9, 8, 3)).astype("uint8")


def test_hand_worked():
    # The Gaussian is 1/2 at a distance of 1, so that its weights are 1/4, 1/2, 1/4 on each axis.
    layer = LocalContrastNormalization(kernel_size=3, sigma=1 / math.sqrt(2 * math.log(2)))
    image = np.zeros((1, 3, 3, 1), "float32")
    image[0, 1, 1] = 4
    mean = (2 + 4 * math.sqrt(2) + 4) / 9  # of s: 2, four times sqrt(2), four times 1
    center, edge, corner = 3 / 2, -0.5 / math.sqrt(2), -0.25 / mean
    expected = [[corner, edge, corner], [edge, center, edge], [corner, edge, corner]]
    np.testing.assert_allclose(np.squeeze(layer(image)), expected, rtol=1e-5)


def _reference(x, size, sigma, threshold):
    """The docstring's equations, a pixel and a channel at a time."""
    height, width, channels = x.shape
    v, s = np.zeros(x.shape), np.zeros(x.shape)
    reach = range(-(size // 2), size // 2 + 1)
    total = sum(math.exp(-(i * i + j * j) / (2 * sigma**2)) for i in reach for j in reach)
    for r, c, k in np.ndindex(height, width, channels):
        mean = square = 0.0
        for i in reach:
            for j in reach:
                if 0 <= r + i < height and 0 <= c + j < width:
                    g = math.exp(-(i * i + j * j) / (2 * sigma**2)) / total
                    mean += g * x[r + i, c + j, k]
                    square += g * x[r + i, c + j, k] ** 2
        v[r, c, k], s[r, c, k] = x[r, c, k] - mean, math.sqrt(square)
    return v / np.maximum(np.maximum(s, s.mean((0, 1))), threshold)


@pytest.mark.parametrize(
    ("shape", "size", "sigma", "threshold"),
    [((9, 8, 3), 7, 2.0, 1e-4), ((4, 11, 1), 5, 1.0, 1e-4), ((6, 6, 2), 3, 2.0, 100.0)],
)
def test_equals_the_plain_reference(shape, size, sigma, threshold):
    x = np.random.default_rng(1).uniform(0, 255, shape).astype("float32")
    layer = LocalContrastNormalization(size, sigma, threshold)
    expected = _reference(x.astype("float64"), size, sigma, threshold)
    np.testing.assert_allclose(layer(x[None])[0], expected, rtol=1e-4, atol=1e-5)


def test_contrast_and_channels_do_not_matter():
    layer = LocalContrastNormalization()
    x = IMAGES.astype("float32")
    np.testing.assert_allclose(layer(x * 0.01), layer(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer(x[..., 1:2]), np.asarray(layer(x))[..., 1:2], atol=1e-5)


def test_a_black_image_stays_black():
    assert not np.any(LocalContrastNormalization()(np.zeros((1, 8, 8, 3))))


def test_does_what_every_layer_must(tmp_path):
    arguments = {"kernel_size": 5, "sigma": 1.5, "threshold": 1e-3}
    check_layer(
        LocalContrastNormalization(**arguments), arguments, IMAGES, tmp_path / "model.keras"
    )


@pytest.mark.parametrize(
    "arguments", [{"kernel_size": 6}, {"kernel_size": -1}, {"sigma": 0}, {"threshold": 0.0}]
)
def test_refuses(arguments):
    with pytest.raises(ValueError, match=f"argument `{next(iter(arguments))}`"):
        LocalContrastNormalization(**arguments)
