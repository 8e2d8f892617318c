"""A data set by its name."""

from collections.abc import Sequence
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


def load_test(name: str | Path, inputs: Sequence[str] = ()) -> Split:
    """Load what a model is tested on: a named set's test split, or the whole of a `.npz` file.

    Args:
        name: One of `NAMES`, or the path of a `.npz` file.
        inputs: The names of the model's inputs; see `read_npz`.

    Raises:
        UserError: As for `load`, or a named set cannot feed several inputs.
    """
    if is_file(name):
        return read_npz(name, inputs)
    _check_single(name, inputs)
    for family in (scaled, preprocessed):
        if name in family.NAMES:
            return family.load_test(name)
    return load(name).test


def load_calibration(name: str | Path, inputs: Sequence[str] = ()) -> Split:
    """Load what activations are calibrated on: the training split, or the whole of a file.

    The file needs no labels. Arguments and errors are those of `load_test`.
    """
    if is_file(name):
        return read_npz(name, inputs, labelled=False)
    _check_single(name, inputs)
    return load(name).train


def differ_in_preprocessing(name: str | Path, other: str | Path) -> bool:
    """Whether two data sets are the same examples, preprocessed in two ways."""
    return name != other and _source(name) == _source(other)


def _source(name: str | Path) -> str | Path:
    variant = preprocessed.VARIANTS.get(name)
    return variant.source if variant else name


def _check_single(name: str | Path, inputs: Sequence[str]) -> None:
    if len(inputs) > 1:
        raise UserError(
            f"The data set '{name}' has one array of examples, but the model has the inputs "
            f"{', '.join(inputs)}. Give a .npz file with an array for each of them, by its name, "
            "and the labels y."
        )
