import numpy as np
import pytest

from keras_bc import datasets
from keras_bc.errors import UserError

X = np.random.default_rng(0).uniform(-1, 1, (30, 4)).astype("float32")
Y = np.arange(30) % 3


def _write(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_a_file_is_divided_for_training_and_whole_for_all_else(tmp_path):
    path = _write(tmp_path / "mine.npz", x=X.astype("float64"), y=Y.astype("uint8"))
    data = datasets.load(path)
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 3, 3)
    assert data.classes == 3 and data.preprocessing is None
    rows = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert np.array_equal(np.sort(rows, 0), np.sort(X, 0))
    for whole in (datasets.load_test(path), datasets.load_calibration(path)):
        assert np.array_equal(whole.x, X) and np.array_equal(whole.y, Y)
        assert whole.x.dtype == "float32" and whole.y.dtype == "int64"


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
