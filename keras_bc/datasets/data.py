"""What a data set is: labelled examples, in three parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, head, samples

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Split:
    """Examples.

    Attributes:
        x: float32 `(n, ...)`, or for a model of several inputs one such array each, in its order.
        y: int64 labels `(n,)` from 0; None where they were not asked for.
    """

    x: Inputs
    y: np.ndarray | None

    def __len__(self):
        return samples(self.x)

    def head(self, count: int | None) -> Split:
        """Return the first `count` examples; None means all."""
        return Split(head(self.x, count), None if self.y is None else self.y[:count])


@dataclass(frozen=True)
class Data:
    """A data set in three parts.

    Attributes:
        name: As it was asked for.
        train: Examples to train on.
        validation: Examples to choose the best epoch on.
        test: Examples to measure the error on.
        classes: How many there are.
        preprocessing: What made the examples from raw images, float32 `(n, h, w, c)` from 0 to 255,
            adapted to the training examples; None where there is nothing to it but a scale.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int
    preprocessing: keras.Sequential | None = None


def fit_shapes(x: Inputs, shapes: Sequence[tuple[int | None, ...]]) -> Inputs:
    """Return the examples of each input of a model in its shape, as `fit_shape` does.

    Args:
        x: An array, or for several inputs a list of them.
        shapes: Of one example of each input.
    """
    if hasattr(x, "shape"):
        return fit_shape(x, shapes[0])
    return [fit_shape(array, shape) for array, shape in zip(x, shapes, strict=True)]


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
