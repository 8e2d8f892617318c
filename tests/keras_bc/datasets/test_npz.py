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
    whole, calibration = datasets.load_test(path), datasets.load_calibration(path)
    for part in (whole, calibration):
        assert np.array_equal(part.x, X) and part.x.dtype == "float32" and len(part) == 30
    assert np.array_equal(whole.y, Y) and whole.y.dtype == "int64"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "lacks the array y; it holds x"),
        ({"x": X.astype(int), "y": Y}, "x is int64"),
        ({"x": X, "y": Y.astype(float)}, "y is float64"),
        ({"x": X, "y": np.eye(3)[Y].astype(int)}, "one integer label"),
        ({"x": X, "y": Y[:-1]}, "but there are 29 labels"),
        ({"x": X[:, 0], "y": Y}, "a row an example"),
        ({"x": X[:0], "y": Y[:0]}, "holds no examples"),
        ({"y": Y}, "lacks the array x; it holds y"),
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


def test_several_inputs_have_an_array_each(tmp_path):
    path = _write(tmp_path / "two.npz", b=X, a=X[:, :2].astype("float64"), x=X, y=Y)
    found = datasets.load_test(path, ["b", "a"])
    assert [array.shape for array in found.x] == [(30, 4), (30, 2)]
    assert {array.dtype for array in found.x} == {np.dtype("float32")}
    assert len(found) == 30 and [len(array) for array in found.head(7).x] == [7, 7]
    assert np.array_equal(datasets.load_test(path, ["image"]).x, X)  # of one input: x


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": X, "y": Y},
            r"lacks the array a and b; it holds x, y.*\(path, a=..., b=..., y=",
        ),
        ({"a": X, "b": X[:9], "y": Y}, r"b is \(9, 4\), but there are 30 labels"),
        ({"a": X, "b": X.astype(int), "y": Y}, "b is int64"),
        ({"a": X * np.nan, "b": X, "y": Y}, "a holds NaN"),
    ],
)
def test_refuses_arrays_that_do_not_fit_several_inputs(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        datasets.load_test(_write(tmp_path / "two.npz", **arrays), ["a", "b"])


def test_an_input_cannot_have_the_labels_name(tmp_path):
    with pytest.raises(UserError, match="y holds the labels"):
        datasets.load_test(_write(tmp_path / "two.npz", x=X, y=Y), ["x", "y"])


def test_calibration_needs_no_labels(tmp_path):
    assert datasets.load_calibration(_write(tmp_path / "mine.npz", x=X)).y is None
    path = _write(tmp_path / "two.npz", a=X, b=X, y=X)
    assert len(datasets.load_calibration(path, ["a", "b"]).x) == 2
    with pytest.raises(UserError, match="but there are 30 examples"):
        datasets.load_calibration(_write(tmp_path / "two.npz", a=X, b=X[1:]), ["a", "b"])


def test_a_named_set_cannot_feed_several_inputs():
    for load in (datasets.load_test, datasets.load_calibration):
        with pytest.raises(UserError, match=r"inputs a, b. Give a .npz file"):
            load("digits", ["a", "b"])
