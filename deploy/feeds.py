"""The inputs of a graph."""

import math

import numpy as np

from keras_bc.deploy.graph import Graph
from keras_bc.inputs import NamedInputs, as_list, in_order

_BATCH_VALUES, _MOST = 2**23, 256
"""Of the largest activation at a time, and samples."""


def name_inputs(graph: Graph, x: NamedInputs) -> dict[str, np.ndarray]:
    """The arrays by the names of the graph's inputs.

    Raises:
        UserError: They are too few or too many, have other names, or are not of as many samples.
    """
    arrays = as_list(in_order(x, graph.inputs))
    return dict(zip(graph.inputs, arrays, strict=True))


def batch_size(graph: Graph) -> int:
    """How many samples may be run in NumPy at a time, so that the memory stays small."""
    names = (*graph.inputs, *(op.outputs[0] for op in graph.ops))
    largest = max(math.prod(graph.tensors[name].shape) for name in names)
    return min(max(_BATCH_VALUES // largest, 1), _MOST)
