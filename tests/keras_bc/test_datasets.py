import os
from pathlib import Path

import numpy as np
import pytest

from keras_bc import datasets
from keras_bc.errors import UserError

_TFDS = os.environ.get("TFDS_DATA_DIR")
needs_mnist = pytest.mark.skipif(
    not _TFDS or not (Path(_TFDS) / "mnist").is_dir(), reason="no MNIST in TFDS_DATA_DIR"
)

X = np.random.default_rng(0).uniform(-1, 1, (30, 4)).astype("float32")
Y = np.arange(30) % 3


def _write(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_digits_are_scaled_and_divided():
    data = datasets.load("digits")
    assert (len(data.train), len(data.validation), len(data.test)) == (1439, 179, 179)
    for split in (data.train, data.validation, data.test):
        assert split.x.shape[1:] == (8, 8, 1)
        assert split.x.dtype == "float32" and split.y.dtype == "int64"
        assert split.x.min() == -1 and split.x.max() == 1
    assert data.classes == 10
    assert np.array_equal(data.train.x, datasets.load("digits").train.x)


@needs_mnist
def test_mnist_is_split_in_parts_as_large_as_the_papers():
    data = datasets.load("mnist")
    assert (len(data.train), len(data.validation), len(data.test)) == (50_000, 10_000, 10_000)
    assert data.train.x.shape == (50_000, 28, 28, 1)
    assert data.train.x.min() == -1 and data.train.x.max() == 1
    # The published mean of the pixels, 0.1307 of 1.
    everything = np.concatenate([data.train.x, data.validation.x])
    assert (everything.mean(dtype="float64") + 1) / 2 == pytest.approx(0.1307, abs=1e-4)
    assert np.bincount(data.test.y).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]


def test_a_file_is_divided_for_training_and_whole_for_all_else(tmp_path):
    path = _write(tmp_path / "mine.npz", x=X.astype("float64"), y=Y.astype("uint8"))
    data = datasets.load(path)
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 3, 3)
    assert data.classes == 3
    rows = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert np.array_equal(np.sort(rows, 0), np.sort(X, 0))
    for whole in (datasets.load_test(path), datasets.load_calibration(path)):
        assert np.array_equal(whole.x, X) and np.array_equal(whole.y, Y)
        assert whole.x.dtype == "float32" and whole.y.dtype == "int64"


def test_named_sets_are_tested_on_their_test_split():
    assert len(datasets.load_test("digits")) == 179
    assert len(datasets.load_calibration("digits")) == 1439


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "lacks the array x or y"),
        ({"x": X.astype(int), "y": Y}, "x is int64"),
        ({"x": X, "y": Y.astype(float)}, "y is float64"),
        ({"x": X, "y": np.eye(3)[Y].astype(int)}, "one integer label"),
        ({"x": X, "y": Y[:-1]}, "as many rows as labels"),
        ({"x": X[:, 0], "y": Y}, "as many rows as labels"),
        ({"x": X[:0], "y": Y[:0]}, "holds no examples"),
        ({"x": np.where(X > 0.9, np.nan, X), "y": Y}, "NaN or infinite"),
        ({"x": X.astype(float) * 1e300, "y": Y}, "NaN or infinite"),
        ({"x": X, "y": Y - 1}, "label -1"),
        ({"x": np.array([{}] * 30), "y": Y}, "no readable .npz"),
    ],
)
def test_refuses_arrays_that_do_not_fit(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        datasets.load_test(_write(tmp_path / "mine.npz", **arrays))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_refuses_a_damaged_file(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"no readable .npz"):
        datasets.load(str(path))


def test_refuses_bytes_that_do_not_unpack(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x=np.zeros((100, 50), "float32"), y=np.arange(100))
    data = bytearray(path.read_bytes())
    data[60:80] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"no readable .npz"):
        datasets.load(str(path))


def test_refuses_a_single_array_by_the_name_of_many(tmp_path):
    with (tmp_path / "mine.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(UserError, match=r"no readable .npz"):
        datasets.load(str(tmp_path / "mine.npz"))


def test_refuses_a_missing_file_a_folder_and_too_few_examples(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        datasets.load(str(tmp_path / "none.npz"))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(UserError, match=r"no readable .npz"):
        datasets.load(str(tmp_path / "folder.npz"))
    with pytest.raises(UserError, match="at least 10"):
        datasets.load(_write(tmp_path / "few.npz", x=X[:9], y=Y[:9]))


def test_refuses_an_unknown_name():
    with pytest.raises(UserError, match=r"no data set 'minst'.*mnist, cifar10, digits"):
        datasets.load("minst")


def test_without_data_and_network_names_the_way_out(tmp_path, monkeypatch):
    def unreachable(*arguments, **keywords):
        raise OSError("Name or service not known")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    way_out = r"Name or service.*TFDS_DATA_DIR.*--dataset FILE.npz.*digits-mlp"
    with pytest.raises(UserError, match=way_out):
        datasets.load("mnist")
    assert not list(tmp_path.iterdir())
