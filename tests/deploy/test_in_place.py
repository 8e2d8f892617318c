"""Outputs that are written over inputs give the same integers, and take no memory of their own."""

import pytest

from keras_bc.deploy import reference
from keras_bc.deploy.plan import plan
from tests.deploy.c_build import run_emitted
from tests.deploy.graph_builder import Builder
from tests.microcontroller.layer_graphs import inputs_of

IMAGE = 6 * 6 * 8


def graph_of(*kinds):
    builder = Builder(3)
    builder.input((1, 6, 6, 8))
    for kind in kinds:
        builder.add(kind)
    return builder.finish()


@pytest.mark.parametrize(
    "kinds", [("LOGISTIC", "TANH"), ("PRELU", "ELU", "PRELU"), ("LEAKY_RELU", "LOGISTIC")]
)
def test_element_by_element(kinds, tmp_path):
    graph = graph_of(*kinds)
    assert plan(graph).arena_bytes == IMAGE
    check(graph, tmp_path)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_pools(kind, seed, tmp_path):
    builder = Builder(seed)
    builder.input((1, 7, 5, 3))
    builder.add(kind)
    graph = builder.finish()
    window = plan(graph).layers[0].call.params.window
    padded = any((window.pad_top, window.pad_left, window.pad_bottom, window.pad_right))
    assert (plan(graph).arena_bytes > 108) == padded  # 7 * 5 * 3 bytes, aligned
    check(graph, tmp_path)


def test_what_is_needed_later_is_kept(tmp_path):
    """The second operand of the sum is the input that the curve would have been written over."""
    builder = Builder(3)
    builder.input((1, 6, 6, 8))
    builder.add("LOGISTIC")
    first = builder.graph.inputs[0]
    builder.add("TANH")
    graph = builder.finish()
    graph.outputs.insert(0, first)
    assert plan(graph).arena_bytes == 2 * IMAGE
    check(graph, tmp_path)


def check(graph, folder):
    x = inputs_of(graph, 4)
    found, expected = run_emitted(graph, x, folder), reference.run(graph, x)
    for name, integers in found.items():
        assert (integers == expected[name]).all(), name
