"""The inputs of a model: one array, or one for each of several inputs."""

import math
from collections.abc import Sequence

import numpy as np

from keras_bc.deploy.graph import Graph
from keras_bc.errors import UserError

Inputs = np.ndarray | Sequence[np.ndarray]
"""`[n, ...]`, or for several inputs one such array each, in the model's order."""

_BATCH_VALUES, _MOST = 2**23, 256
"""Of the largest activation at a time, and samples."""


def as_list(x: Inputs) -> list[np.ndarray]:
    """One array an input."""
    return [x] if isinstance(x, np.ndarray) else list(x)


def name_inputs(graph: Graph, x: Inputs) -> dict[str, np.ndarray]:
    """The arrays by the names of the graph's inputs.

    Raises:
        UserError: They are too few or too many, or not of the same number of samples.
    """
    arrays = as_list(x)
    if len(arrays) != len(graph.inputs):
        raise UserError(
            f"The model has {len(graph.inputs)} inputs ({', '.join(graph.inputs)}), but "
            f"{len(arrays)} arrays are given. Give one for each, in this order."
        )
    counts = sorted({len(array) for array in arrays})
    if len(counts) > 1:
        raise UserError(f"The inputs have {counts} samples. Give as many for each.")
    return dict(zip(graph.inputs, arrays, strict=True))


def batches(x: Inputs, size: int) -> list[Inputs]:
    """The same inputs, at most `size` samples at a time."""
    arrays = as_list(x)
    starts = range(0, len(arrays[0]), size)
    parts = [[array[start : start + size] for array in arrays] for start in starts]
    return [part[0] for part in parts] if isinstance(x, np.ndarray) else parts


def head(x: Inputs, count: int) -> Inputs:
    """The first `count` samples."""
    return x[:count] if isinstance(x, np.ndarray) else [array[:count] for array in x]


def batch_size(graph: Graph) -> int:
    """How many samples may be run in NumPy at a time, so that the memory stays small."""
    names = (*graph.inputs, *(op.outputs[0] for op in graph.ops))
    largest = max(math.prod(graph.tensors[name].shape) for name in names)
    return min(max(_BATCH_VALUES // largest, 1), _MOST)
