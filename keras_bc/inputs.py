"""What a model is given: one array, or one for each of several inputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_bc.errors import UserError

Inputs = np.ndarray | Sequence[np.ndarray]
"""`[n, ...]`, or for several inputs one such array each, in the model's order."""

NamedInputs = Inputs | Mapping[str, np.ndarray]
"""The same, or by the names of the inputs."""


def in_order(x: NamedInputs, names: Sequence[str]) -> Inputs:
    """The array of a model of one input, or the list of those of several, in the model's order.

    Args:
        x: The arrays.
        names: Of the model's inputs, in its order.

    Raises:
        UserError: An array is missing or one too many, or they are not of as many samples.
    """
    arrays = _by_name(x, names) if isinstance(x, Mapping) else as_list(x)
    if len(arrays) != len(names):
        raise UserError(
            f"The model has {_count(len(names), 'input')} ({', '.join(names)}), but "
            f"{_count(len(arrays), 'array')} given. Give one for each in this order, or a "
            "dictionary by these names."
        )
    counts = sorted({len(array) for array in arrays})
    if len(counts) > 1:
        raise UserError(f"The inputs have {counts} samples. Give as many for each.")
    return arrays[0] if len(names) == 1 else arrays


def _by_name(x: Mapping[str, np.ndarray], names: Sequence[str]) -> list[np.ndarray]:
    if set(x) != set(names):
        raise UserError(
            f"The arrays are named {', '.join(x)}, the model's inputs {', '.join(names)}. Give one "
            "array for each of these."
        )
    return [x[name] for name in names]


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def as_list(x: Inputs) -> list[np.ndarray]:
    """One array an input."""
    return [x] if _is_array(x) else list(x)


def _is_array(x: Inputs) -> bool:
    """Whether it is one array: NumPy's, or as well a backend's."""
    return hasattr(x, "shape")


def samples(x: Inputs) -> int:
    """How many there are."""
    return len(as_list(x)[0])


def head(x: Inputs, count: int | None) -> Inputs:
    """The first `count` samples; None means all."""
    return x[:count] if _is_array(x) else [array[:count] for array in x]


def batches(x: Inputs, size: int) -> list[Inputs]:
    """The same inputs, at most `size` samples at a time."""
    starts = range(0, samples(x), size)
    parts = [[array[start : start + size] for array in as_list(x)] for start in starts]
    return [part[0] for part in parts] if _is_array(x) else parts
