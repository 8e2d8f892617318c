import os
from pathlib import Path

import numpy as np
import pytest

from keras_bc import datasets
from keras_bc.errors import UserError
from tests.keras_bc.datasets import fake_tfds

_TFDS = os.environ.get("TFDS_DATA_DIR")
needs_mnist = pytest.mark.skipif(
    not _TFDS or not (Path(_TFDS) / "mnist").is_dir(), reason="no MNIST in TFDS_DATA_DIR"
)


def _numbers(split):
    """The examples' numbers in the data set; see `fake_tfds.Builder`."""
    pixels = ((split.x + 1) * 127.5).round().astype(int)
    return pixels[:, 0, 0, 0] * 256 + pixels[:, 0, 1, 0]


@needs_mnist
def test_mnist_is_split_in_parts_as_large_as_the_papers():
    data = datasets.load("mnist")
    assert (len(data.train), len(data.validation), len(data.test)) == (50_000, 10_000, 10_000)
    assert data.train.x.shape == (50_000, 28, 28, 1)
    assert data.train.x.min() == -1 and data.train.x.max() == 1
    # The published mean of the pixels, 0.1307 of 1.
    everything = np.concatenate([data.train.x, data.validation.x])
    assert (everything.mean(dtype="float64") + 1) / 2 == pytest.approx(0.1307, abs=1e-4)
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(data.test.y).tolist() == counts


def test_the_last_training_examples_of_cifar10_validate(monkeypatch):
    builder = fake_tfds.install(monkeypatch, "cifar10", train=5_030, test=20)
    data = datasets.load("cifar10")
    assert _numbers(data.train).tolist() == list(range(30))
    assert _numbers(data.validation).tolist() == list(range(30, 5_030))
    assert _numbers(data.test).tolist() == list(range(20))
    images, labels = builder.examples["test"]
    assert data.test.x.dtype == "float32" and data.test.y.dtype == "int64"
    np.testing.assert_array_equal(data.test.x, images.astype("float32") / 127.5 - 1)
    np.testing.assert_array_equal(data.test.y, labels)
    assert data.preprocessing is None and data.classes == 10


def test_the_last_of_each_class_and_split_of_svhn_validate(monkeypatch):
    builder = fake_tfds.install(monkeypatch, "svhn_cropped", train=5_000, extra=3_000, test=30)
    data = datasets.load("svhn")
    assert (len(data.train), len(data.validation), len(data.test)) == (2_000, 6_000, 30)
    assert data.train.x.shape == (2_000, 32, 32, 3) and data.train.x.dtype == "float32"
    train, validation = _numbers(data.train), _numbers(data.validation)
    parts = {"train": (slice(4_000), 400), "extra": (slice(4_000, None), 200)}
    left = {"train": slice(1_000), "extra": slice(1_000, None)}
    for split, (held, count) in parts.items():
        labels = builder.examples[split][1]
        for label in range(10):
            numbers = np.flatnonzero(labels == label)
            of_class = data.validation.y[held] == label
            assert validation[held][of_class].tolist() == numbers[-count:].tolist()
            of_class = data.train.y[left[split]] == label
            assert train[left[split]][of_class].tolist() == numbers[:-count].tolist()


def test_for_a_test_only_the_test_split_is_read(monkeypatch):
    builder = fake_tfds.install(monkeypatch, "svhn_cropped", train=10, extra=10, test=30)
    assert len(datasets.load_test("svhn")) == 30
    assert builder.asked == ["test"]


def test_without_data_and_network_names_the_way_out(tmp_path, monkeypatch):
    def unreachable(*arguments, **keywords):
        raise OSError("Name or service not known")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    way_out = r"Name or service.*TFDS_DATA_DIR.*--dataset FILE.npz.*digits-mlp"
    for name in ("mnist", "svhn"):
        with pytest.raises(UserError, match=way_out):
            datasets.load(name)
    assert not list(tmp_path.iterdir())
