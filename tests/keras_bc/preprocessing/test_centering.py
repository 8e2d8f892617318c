import numpy as np

from keras_bc.preprocessing import PixelCentering
from tests.keras_bc.preprocessing.checks import check_layer

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 5, 6, 3)).astype("uint8")


def test_subtracts_the_mean_image():
    layer = PixelCentering()
    layer.adapt(np.array([[[0, 4], [8, 1]], [[2, 4], [0, 2]]], "uint8"))
    outputs = layer(np.array([[[5, 5], [5, 5]]], "uint8"))
    assert np.asarray(outputs).tolist() == [[[4, 1], [1, 3.5]]]


def test_does_what_every_layer_must(tmp_path):
    layer = PixelCentering()
    layer.adapt(IMAGES)
    np.testing.assert_allclose(np.mean(layer(IMAGES), axis=0), 0, atol=1e-4)
    check_layer(layer, {}, IMAGES, tmp_path / "model.keras")


def test_changes_nothing_before_it_is_adapted():
    np.testing.assert_array_equal(PixelCentering()(IMAGES), IMAGES)


def test_adapts_anew():
    layer = PixelCentering()
    layer.adapt(IMAGES)
    layer.adapt(IMAGES[:1])
    np.testing.assert_array_equal(layer(IMAGES[:1]), np.zeros((1, 5, 6, 3)))


def test_sums_many_images_without_loss():
    # In float32 the sum would stop growing at 2^24.
    images = np.broadcast_to(np.float32([[200.0]]), (200_000, 1))
    layer = PixelCentering()
    layer.adapt(images)
    assert np.asarray(layer(images[:1])).tolist() == [[0.0]]
