"""Data sets, split and scaled.

The parts are as large as the papers', but tensorflow-datasets keeps the examples in an order of its
own, so other examples are in them.

"mnist" and "cifar10" come through tensorflow-datasets (from `TFDS_DATA_DIR`, else downloaded once),
"digits" ships with scikit-learn, and a `.npz` file holds a user's own arrays: `x`, float32 as the
model takes it, and `y`, integer labels. Nothing is cached on disk beyond what tensorflow-datasets
prepares.
"""

import contextlib
import os
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow


class _Tfds(NamedTuple):
    """A data set of tensorflow-datasets."""

    holdout: int  # how many of the last training examples validate: as many as in the papers
    source: str  # where its files come from


_TFDS = {
    "mnist": _Tfds(10_000, "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "cifar10": _Tfds(5_000, "https://www.cs.toronto.edu/~kriz/"),
}
_TIMEOUT = 5  # seconds

NAMES = (*_TFDS, "digits")

UNREADABLE = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)
"""What `numpy.load` raises, on opening or on reading, where a file is no whole `.npz`."""


@dataclass(frozen=True)
class Split:
    """Examples: `x` float32 `(n, ...)`, `y` int64 labels `(n,)` from 0."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self):
        return len(self.y)

    def head(self, count: int) -> "Split":
        """Return the first `count` examples."""
        return Split(self.x[:count], self.y[:count])


@dataclass(frozen=True)
class Data:
    """A data set in three parts, and the number of its classes."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int


def load(name: str) -> Data:
    """Load a data set for training.

    A `.npz` file is divided 80:10:10 into training, validation and test examples by a shuffle that
    is the same every time.

    Args:
        name: One of `NAMES`, or the path of a `.npz` file.

    Raises:
        UserError: There is no such data set, it cannot be had, or the file's arrays do not fit.
    """
    if is_file(name):
        return _from_arrays(str(name), read_npz(name))
    if name == "digits":
        return _digits()
    if name in _TFDS:
        return _tensorflow_dataset(name)
    raise UserError(
        f"There is no data set '{name}'. Expected one of {', '.join(NAMES)}, or a .npz file "
        "with the arrays x and y."
    )


def load_test(name: str) -> Split:
    """Load what a model is tested on: a named set's test split, or the whole of a `.npz` file."""
    return read_npz(name) if is_file(name) else load(name).test


def load_calibration(name: str) -> Split:
    """Load what activations are calibrated on: the training split, or the whole of a file."""
    return read_npz(name) if is_file(name) else load(name).train


def is_file(name: str | Path) -> bool:
    """Whether a data set's name means a file."""
    return str(name).endswith(".npz")


def read_npz(path: str | Path) -> Split:
    """Read the arrays `x` and `y` of a `.npz` file, checked.

    Raises:
        UserError: The file is missing, unreadable or lacks an array; x is not floating point,
            empty or not finite; y is not as many integer labels from 0.
    """
    x, y = _read_arrays(path)
    if not np.issubdtype(x.dtype, np.floating):
        raise UserError(f"{path}: x is {x.dtype}. Expected float32, scaled as the model takes it.")
    if not np.issubdtype(y.dtype, np.integer) or y.ndim != 1:
        raise UserError(f"{path}: y is {y.dtype} {y.shape}. Expected one integer label an example.")
    if x.ndim < 2 or len(x) != len(y):
        raise UserError(f"{path}: x is {x.shape}, y {y.shape}. Expected as many rows as labels.")
    if not len(x):
        raise UserError(f"{path} holds no examples. Expected at least one row in x.")
    with np.errstate(over="ignore"):
        x = x.astype("float32")
    if not np.isfinite(x).all():
        raise UserError(
            f"{path}: x holds NaN or infinite values, as float32. Remove those examples."
        )
    if y.min() < 0:
        raise UserError(f"{path}: y holds the label {y.min()}. Expected labels from 0.")
    return Split(x, y.astype("int64"))


def fit_shape(x: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return the examples in the model's input shape.

    Images are flattened for a dense network, vectors folded into images, and axes of size 1 come
    and go. Axes are never swapped.

    Args:
        x: `(n, ...)`.
        shape: Of one example.

    Raises:
        UserError: The examples are of another shape.
    """
    given, shape = x.shape[1:], tuple(shape)
    if given == shape:
        return x
    flat = len(given) == 1 or len(shape) == 1
    same = [n for n in given if n != 1] == [n for n in shape if n != 1]
    if None in shape or not (flat or same) or np.prod(given) != np.prod(shape):
        raise UserError(
            f"The data set's examples have the shape {given}, the model's input is "
            f"{shape}. Give a data set of the model's shape."
        )
    return x.reshape(-1, *shape)


def _read_arrays(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["x"], arrays["y"]
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}. Expected a .npz with arrays x, y.") from error
    except KeyError as error:
        raise UserError(
            f"{path} lacks the array x or y. Save it with numpy.savez(path, x=images, y=labels)."
        ) from error
    except UNREADABLE as error:
        raise UserError(
            f"{path} is no readable .npz file. Save it with numpy.savez(path, x=images, y=labels)."
        ) from error


def _from_arrays(name: str, arrays: Split) -> Data:
    """Divide shuffled examples 80:10:10."""
    if len(arrays) < 10:
        raise UserError(
            f"{name} holds {len(arrays)} examples. Expected at least 10, to divide them into "
            "training, validation and test examples."
        )
    order = np.random.default_rng(0).permutation(len(arrays))
    tenth = len(arrays) // 10
    parts = np.split(order, [len(arrays) - 2 * tenth, len(arrays) - tenth])
    train, validation, test = (Split(arrays.x[part], arrays.y[part]) for part in parts)
    return Data(name, train, validation, test, int(arrays.y.max()) + 1)


def _digits() -> Data:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype("float32")[..., None] / 8 - 1  # 0..16 to [-1, 1]
    arrays = Split(images, digits.target.astype("int64"))
    return _from_arrays("digits", arrays)


def _tensorflow_dataset(name: str) -> Data:
    train, test = _read_tfds(name)
    border = len(train) - _TFDS[name].holdout
    validation = Split(train.x[border:], train.y[border:])
    return Data(name, train.head(border), validation, test, 10)


def _read_tfds(name: str) -> tuple[Split, Split]:
    import_tensorflow()
    import tensorflow_datasets as tfds

    try:
        with _absl_errors_only():
            # tfds itself reads the variable only once, when it is imported.
            builder = tfds.builder(name, data_dir=os.environ.get("TFDS_DATA_DIR"))
            prepared = builder.is_prepared()
        if not prepared:
            _check_network(_TFDS[name].source)
            with contextlib.redirect_stdout(sys.stderr):  # it says what it downloads
                builder.download_and_prepare()
    except Exception as error:  # tfds lets through what its downloader, disk and parsers raise
        raise UserError(
            f"Cannot get the data set '{name}' ({_reason(error)}). Set TFDS_DATA_DIR to a "
            "folder that holds it, connect to the network, give your own arrays with --dataset "
            "FILE.npz, or train the recipe digits-mlp, which needs no download."
        ) from error
    return tuple(_read_split(tfds, builder, split) for split in ("train", "test"))


@contextlib.contextmanager
def _absl_errors_only():
    """Without the warning that a folder is not there yet."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _reason(error: Exception) -> str:
    """The exception in a few words of one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:100]}" if words else type(error).__name__


def _check_network(url: str) -> None:
    """Raise an OSError at once without a network; the downloader would try again for minutes."""
    try:
        urllib.request.urlopen(url, timeout=_TIMEOUT).close()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise


def _read_split(tfds, builder, split: str) -> Split:
    dataset = builder.as_dataset(
        split=split, as_supervised=True, batch_size=1000, shuffle_files=False
    )
    images, labels = zip(*tfds.as_numpy(dataset), strict=True)
    pixels = np.concatenate(images).astype("float32")
    return Split(pixels / 127.5 - 1, np.concatenate(labels).astype("int64"))
