"""The ops of an integer graph that compute in floating point."""

import numpy as np

from keras_bc.deploy.graph import Graph, Op

LARGEST = float(np.finfo(np.float32).max)
"""What stands for no bound."""


def is_float(graph: Graph, op: Op) -> bool:
    """Whether an op reads or writes a float32 activation."""
    tensors = [graph.tensors[name] for name in (*op.inputs, *op.outputs)]
    return any(tensor.dtype == "float32" and tensor.data is None for tensor in tensors)
