"""A user's own arrays, in a `.npz` file."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bc.datasets.data import Data, Split
from keras_bc.errors import UserError

UNREADABLE = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)
"""What `numpy.load` raises, on opening or on reading, where a file is no whole `.npz`."""


def is_file(name: str | Path) -> bool:
    """Whether a data set's name means a file."""
    return str(name).endswith(".npz")


def read_npz(path: str | Path, inputs: Sequence[str] = (), labelled: bool = True) -> Split:
    """Read the examples and the labels of a `.npz` file, checked.

    Args:
        path: The file.
        inputs: The names of the model's inputs. Of several, each has an array by its name in the
            file; one is the array `x`, whatever its name.
        labelled: Whether to read the labels, the array `y`.

    Raises:
        UserError: The file is missing, unreadable or lacks an array; an array of examples is not
            floating point, empty or not finite; y is not as many integer labels from 0.
    """
    names = list(inputs) if len(inputs) > 1 else ["x"]
    if "y" in names:
        raise UserError("The array y holds the labels, so no input may have this name. Rename it.")
    arrays = _read_arrays(path, [*names, "y"] if labelled else names)
    y = _checked_labels(path, arrays.pop("y")) if labelled else None
    examples = [_checked_examples(path, name, arrays[name]) for name in names]
    rows = len(examples[0]) if y is None else len(y)
    for name, array in zip(names, examples, strict=True):
        if len(array) != rows:
            raise UserError(
                f"{path}: {name} is {array.shape}, but there are {rows} "
                f"{'examples' if y is None else 'labels'}. Expected as many rows in every array."
            )
    return Split(examples if len(inputs) > 1 else examples[0], y)


def _checked_examples(path: str | Path, name: str, x: np.ndarray) -> np.ndarray:
    """Those of one input, in float32."""
    if not np.issubdtype(x.dtype, np.floating):
        raise UserError(
            f"{path}: {name} is {x.dtype}. Expected float32, scaled as the model takes it."
        )
    if x.ndim < 2:
        raise UserError(f"{path}: {name} is {x.shape}. Expected a row an example.")
    if not len(x):
        raise UserError(f"{path} holds no examples. Expected at least one row in {name}.")
    with np.errstate(over="ignore"):
        x = x.astype("float32")
    if not np.isfinite(x).all():
        raise UserError(
            f"{path}: {name} holds NaN or infinite values, as float32. Remove those examples."
        )
    return x


def _checked_labels(path: str | Path, y: np.ndarray) -> np.ndarray:
    if not np.issubdtype(y.dtype, np.integer) or y.ndim != 1:
        raise UserError(f"{path}: y is {y.dtype} {y.shape}. Expected one integer label an example.")
    if y.size and y.min() < 0:
        raise UserError(f"{path}: y holds the label {y.min()}. Expected labels from 0.")
    return y.astype("int64")


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


def _read_arrays(path: str | Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    expected = f"numpy.savez(path, {', '.join(f'{name}=...' for name in names)})"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in names if name not in arrays]
            if not missing:
                return {name: arrays[name] for name in names}
            held = ", ".join(arrays) or "nothing"
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}. Save one with {expected}.") from error
    except UNREADABLE as error:
        raise UserError(f"{path} is no readable .npz file. Save it with {expected}.") from error
    raise UserError(
        f"{path} lacks the array {' and '.join(missing)}; it holds {held}. Save it with {expected}."
    )
