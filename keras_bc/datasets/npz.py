"""A user's own arrays, in a `.npz` file."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_bc.datasets.data import Data, Split
from keras_bc.errors import UserError

UNREADABLE = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)
"""What `numpy.load` raises, on opening or on reading, where a file is no whole `.npz`."""


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


def divide(name: str, arrays: Split) -> Data:
    """Divide examples 80:10:10 by a shuffle that is the same every time.

    Raises:
        UserError: There are fewer than 10.
    """
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
