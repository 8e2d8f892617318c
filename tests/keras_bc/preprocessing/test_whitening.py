import numpy as np
import pytest

from keras_bc.preprocessing import ZCAWhitening
from tests.keras_bc.preprocessing.checks import check_layer


@pytest.fixture(scope="module")
def images():
    """2,500 images, more than a block, of neighbors that resemble each other."""
    noise = np.random.default_rng(0).normal(size=(2500, 5, 6, 2))
    return np.uint8(np.clip(128 + 40 * (noise[:, :-1, :-1] + noise[:, 1:, 1:]), 0, 255))


def test_hand_worked():
    # Variances of 4 along (1, 1) and of 1 along (1, -1): P = ((3, -1), (-1, 3)) / 4.
    layer = ZCAWhitening(filter_bias=1e-9)
    layer.adapt(np.array([[2.0, 2.0], [-2.0, -2.0], [1.0, -1.0], [-1.0, 1.0]]) + 7)
    np.testing.assert_allclose(layer.matrix, [[0.75, -0.25], [-0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(layer(np.array([[9.0, 7.0]])), [[1.5, -0.5]], rtol=1e-6)


def test_the_bias_is_added_to_the_variances():
    # Variances of 4 and 1, and 5 more.
    layer = ZCAWhitening(filter_bias=5.0)
    layer.adapt(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]]))
    np.testing.assert_allclose(layer.matrix, np.diag([1 / 3, 6**-0.5]), rtol=1e-6)


@pytest.mark.parametrize("bias", [0.1, 1000.0])
def test_the_covariance_is_the_identity_but_for_the_bias(images, bias):
    layer = ZCAWhitening(bias)
    layer.adapt(images)
    outputs = np.reshape(layer(images), (len(images), -1)).astype("float64")
    np.testing.assert_allclose(outputs.mean(0), 0, atol=1e-4)
    before = np.cov(images.reshape(len(images), -1), rowvar=False, bias=True)
    expected = before @ np.linalg.inv(before + bias * np.eye(len(before)))
    np.testing.assert_allclose(np.cov(outputs, rowvar=False, bias=True), expected, atol=1e-3)


def test_the_matrix_is_symmetric(images):
    layer = ZCAWhitening()
    layer.adapt(images)
    np.testing.assert_allclose(layer.matrix, np.transpose(layer.matrix), atol=1e-7)


def test_fewer_images_than_pixels_will_do(images):
    layer = ZCAWhitening()
    layer.adapt(images[:10])
    assert np.isfinite(layer(images[:10])).all()


def test_changes_nothing_before_it_is_adapted(images):
    np.testing.assert_array_equal(ZCAWhitening()(images[:3]), images[:3])


def test_does_what_every_layer_must(images, tmp_path):
    layer = ZCAWhitening(filter_bias=0.5)
    layer.adapt(images)
    check_layer(layer, {"filter_bias": 0.5}, images[:20], tmp_path / "model.keras")


def test_refuses():
    with pytest.raises(ValueError, match="argument `filter_bias`"):
        ZCAWhitening(filter_bias=0)
