import dataclasses

import keras
import numpy as np
import pytest

from keras_bc import datasets, recipes
from keras_bc.errors import UserError
from keras_bc.training import train
from tests.keras_bc.datasets import fake_tfds


def _flat(split):
    return split.x.reshape(len(split), -1).astype("float64")


@pytest.fixture
def mnist(monkeypatch):
    return fake_tfds.install(monkeypatch, "mnist", train=10_300, test=40)


def test_mnist_is_centered_by_the_training_images_alone(mnist):
    data = datasets.load("mnist-centered")
    pixels = {split: images / 255 for split, (images, _) in mnist.examples.items()}
    mean = pixels["train"][:300].mean(0)
    np.testing.assert_allclose(data.train.x, pixels["train"][:300] - mean, atol=1e-6)
    np.testing.assert_allclose(data.validation.x, pixels["train"][300:] - mean, atol=1e-6)
    np.testing.assert_allclose(data.test.x, pixels["test"] - mean, atol=1e-6)
    assert data.train.x.dtype == "float32" and data.name == "mnist-centered"
    np.testing.assert_array_equal(datasets.load_test("mnist-centered").x, data.test.x)
    np.testing.assert_array_equal(datasets.load_calibration("mnist-centered").x, data.train.x)


def test_the_preprocessing_takes_one_raw_image(mnist):
    data = datasets.load("mnist-centered")
    image = mnist.examples["test"][0][7]
    for raw in (image, image.astype("float32")):
        np.testing.assert_allclose(data.preprocessing(raw[None])[0], data.test.x[7], atol=1e-6)


def test_cifar10_is_whitened(monkeypatch):
    # Small images, so that there are more of them than numbers in one.
    monkeypatch.setitem(fake_tfds.SHAPES, "cifar10", (4, 4, 3))
    fake_tfds.install(monkeypatch, "cifar10", train=6_000, test=20)
    data = datasets.load("cifar10-whitened")
    assert [type(layer).__name__ for layer in data.preprocessing.layers] == [
        "GlobalContrastNormalization",
        "ZCAWhitening",
    ]
    covariance = _flat(data.train).T @ _flat(data.train) / len(data.train)
    values = np.linalg.eigvalsh(covariance)
    assert values[0] == pytest.approx(0, abs=1e-4)  # the mean of each image is gone
    # The contrast, 55^2, is spread over few directions: the bias of 0.1 is next to none. One
    # number of each image is special, see `fake_tfds.Builder`.
    np.testing.assert_allclose(values[2:], 1, atol=0.01)
    assert values[1] > 0.5
    np.testing.assert_allclose(_flat(data.train).mean(0), 0, atol=1e-5)


def test_svhn_is_normalized_and_its_test_needs_no_training_images(monkeypatch):
    sizes = {"train": 4_100, "extra": 2_100, "test": 30}
    builder = fake_tfds.install(monkeypatch, "svhn_cropped", **sizes)
    test = datasets.load_test("svhn-normalized")
    assert builder.asked == ["test"]
    data = datasets.load("svhn-normalized")
    np.testing.assert_allclose(data.test.x, test.x, atol=1e-6)
    assert test.x.shape == (30, 32, 32, 3) and test.x.dtype == "float32"
    # Random pixels: no mean, and nearly the strength 1 everywhere.
    assert abs(test.x.mean()) < 0.01 and 0.8 < test.x.std() < 1.1


def _train(output, dataset):
    recipe = dataclasses.replace(recipes.find("digits-mlp"), dataset=dataset, input_shape=(784,))
    return train(recipe, output, epochs=1, quiet=True)


def test_a_training_saves_the_preprocessing_beside_the_model(mnist, tmp_path):
    _train(tmp_path / "model.keras", "mnist-centered")
    saved = keras.saving.load_model(tmp_path / "model.preprocessing.keras")
    data = datasets.load("mnist-centered")
    images = mnist.examples["test"][0]
    np.testing.assert_allclose(saved(images), data.test.x, atol=1e-6)
    # A later one on other data leaves none that does not belong to it.
    _train(tmp_path / "model.keras", "mnist")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.history.json",
        "model.keras",
        "model.png",
    ]


def test_a_preprocessing_of_somebody_else_is_not_overwritten(mnist, tmp_path):
    path = tmp_path / "model.preprocessing.keras"
    path.write_text("mine")
    for dataset in ("mnist-centered", "mnist"):
        with pytest.raises(UserError, match=r"model\.preprocessing\.keras is in the way"):
            _train(tmp_path / "model.keras", dataset)
    assert path.read_text() == "mine"
