"""Labels, and the share of examples whose class a network gets wrong."""

import numpy as np

from keras_bc.errors import UserError


def check_labels(y: np.ndarray, examples: int) -> None:
    """Stop with a UserError unless `y` holds an integer label from 0 for each of the examples."""
    if examples != len(y) or not examples:
        raise UserError(
            f"There are {examples} examples and {len(y)} labels. Expected a label each."
        )
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer) or y.min() < 0:
        raise UserError(
            f"The labels are {y.dtype} {y.shape}, the least is {y.min()}. Expected one integer "
            "from 0 for each example."
        )


def check_classes(y: np.ndarray, classes: int) -> None:
    """Stop with a UserError where a label is beyond the outputs of a model, one a class."""
    if y.max() >= classes:
        raise UserError(
            f"The data set has the label {y.max()}, but the model has {classes} outputs. "
            f"Expected labels from 0 to {classes - 1}."
        )


def check_one_output(outputs: int) -> None:
    """Stop with a UserError where a model has more than the one output that is measured."""
    if outputs != 1:
        raise UserError(
            f"The model has {outputs} outputs. A test error can be measured with one; run it in "
            "Python to measure others."
        )


def error_percent(outputs: np.ndarray, y: np.ndarray) -> float:
    """Return the percentage of examples whose first largest output is not at their label.

    Args:
        outputs: `(n, ...)`, one output a class.
        y: Integer labels `(n,)`.

    Raises:
        UserError: The labels do not fit the outputs.
    """
    check_labels(y, len(outputs))
    outputs = outputs.reshape(len(y), -1)
    if not np.isfinite(outputs).all():
        raise UserError(
            "The model's outputs are not finite (NaN or infinity). Look at its weights, and for "
            "extreme values in the data."
        )
    check_classes(y, outputs.shape[1])
    return round(100 * float((outputs.argmax(axis=1) != y).mean()), 4)
