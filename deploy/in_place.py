"""Which outputs may be written over an input: those of kernels that read before they write."""

from math import prod

from keras_bc.deploy.call import Call
from keras_bc.deploy.graph import Graph

ELEMENTWISE = {
    *("int8_add", "int8_mul", "int8_prelu", "int8_table"),
    *("float_add", "float_mul", "float_bound", "float_to_int8"),
}
"""Kernels whose output i depends on no later input than i."""

POOLS = {
    *("int8_max_pool_2d", "int8_average_pool_2d", "max_pool_2d_b1"),
    *("float_max_pool_2d", "float_average_pool_2d"),
}
"""Kernels whose windows begin, where nothing is padded, at the output's index or behind it."""


def overwritable(graph: Graph, call: Call) -> list[str]:
    """The inputs that a call's output may be written over, once nobody else needs them.

    The output must not begin behind the input's first byte.
    """
    op = call.op
    size = prod(graph.tensors[op.outputs[0]].shape)
    if call.kernel in ELEMENTWISE:
        # A smaller operand is read again and again.
        return [name for name in op.inputs if prod(graph.tensors[name].shape) == size]
    if call.kernel in POOLS and not _pads(call):
        return op.inputs[:1]
    return []


def _pads(call: Call) -> bool:
    window = call.params.window
    return any((window.pad_top, window.pad_left, window.pad_bottom, window.pad_right))
