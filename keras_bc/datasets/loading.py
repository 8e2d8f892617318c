"""A data set by its name."""

from pathlib import Path

from keras_bc.datasets import digits, preprocessed, scaled
from keras_bc.datasets.data import Data, Split
from keras_bc.datasets.npz import divide, is_file, read_npz
from keras_bc.errors import UserError

NAMES = (*scaled.NAMES, *preprocessed.NAMES, "digits")


def load(name: str | Path) -> Data:
    """Load a data set for training.

    A `.npz` file is divided 80:10:10 into training, validation and test examples by a shuffle that
    is the same every time.

    Args:
        name: One of `NAMES`, or the path of a `.npz` file.

    Raises:
        UserError: There is no such data set, it cannot be had, or the file's arrays do not fit.
    """
    if is_file(name):
        return divide(str(name), read_npz(name))
    if name == "digits":
        return digits.load()
    for family in (scaled, preprocessed):
        if name in family.NAMES:
            return family.load(name)
    raise UserError(
        f"There is no data set '{name}'. Expected one of {', '.join(NAMES)}, or a .npz file "
        "with the arrays x and y."
    )


def load_test(name: str | Path) -> Split:
    """Load what a model is tested on: a named set's test split, or the whole of a `.npz` file."""
    if is_file(name):
        return read_npz(name)
    for family in (scaled, preprocessed):
        if name in family.NAMES:
            return family.load_test(name)
    return load(name).test


def load_calibration(name: str | Path) -> Split:
    """Load what activations are calibrated on: the training split, or the whole of a file."""
    return read_npz(name) if is_file(name) else load(name).train
