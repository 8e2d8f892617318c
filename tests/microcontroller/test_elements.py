"""The kernels without sums of products, one by one: they write their output and nothing else."""

import ctypes

import numpy as np
import pytest

from keras_bc.deploy import native, reference
from keras_bc.deploy.lowering import lower
from tests.deploy.graphs import CURVE_KINDS, JOIN_KINDS, graph_of, random_inputs

MARGIN = 64
CANARY = 0x55


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def run(call, inputs, size):
    """The int8 output of a call, its margins and inputs intact."""
    for field, data in call.constants.items():
        setattr(call.params, field, pointer(data))
    places = [pointer(x) for x in inputs]
    if call.gathers:
        places = [(ctypes.c_void_p * len(places))(*places)]
    before = [x.copy() for x in inputs]
    memory = np.full(size + 2 * MARGIN, CANARY, np.int8)
    function = getattr(native.library(), f"kbc_{call.kernel}")
    assert function(ctypes.byref(call.params), *places, pointer(memory[MARGIN:])) == 0
    assert np.all(memory[:MARGIN] == CANARY)
    assert np.all(memory[-MARGIN:] == CANARY)
    for x, same in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x, same)
    return memory[MARGIN:-MARGIN]


@pytest.mark.parametrize("kind", [*JOIN_KINDS, *CURVE_KINDS, "RESIZE_NEAREST_NEIGHBOR"])
@pytest.mark.parametrize("seed", range(12))
def test_a_kernel_gives_the_integers_of_the_reference(kind, seed):
    graph = graph_of(kind, seed)
    values = reference.run(graph, random_inputs(graph, 1, seed))
    call = lower(graph)[-1]
    inputs = [values[name] for name in call.op.inputs if name in values]
    expected = values[call.op.outputs[0]]
    np.testing.assert_array_equal(run(call, inputs, expected.size), expected.ravel())
