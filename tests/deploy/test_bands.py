"""Two convolutions in bands give the integers of the whole ones, in less memory."""

import numpy as np
import pytest

from keras_bc.deploy import boards, reference
from keras_bc.deploy.plan import plan
from tests.benchmarks.scripts import load
from tests.deploy.agreement import check_on_board
from tests.deploy.c_build import run_emitted
from tests.microcontroller.layer_graphs import BORDER, POOL, Convolution, inputs_of, window
from tests.needs import cross_compiler, qemu

SAME = window((3, 3), pads=BORDER)
PAIRS = {
    "same, pooled": (Convolution((16, 9), 3, 12, SAME), Convolution((16, 9), 12, 5, SAME, POOL)),
    "valid": (
        Convolution((15, 6), 4, 9, window((3, 2))),
        Convolution((13, 5), 9, 4, window((4, 3))),
    ),
    "strides": (
        Convolution((17, 8), 3, 8, window((3, 3), (2, 1), pads=BORDER)),
        Convolution((9, 8), 8, 6, window((3, 3), (2, 2), pads=(1, 0, 1, 1))),
    ),
    "dilated, padded pool": (
        Convolution((16, 5), 2, 7, SAME, window((3, 1), (1, 1), pads=(1, 0, 1, 0))),
        Convolution((16, 5), 7, 3, window((3, 1), dilation=(2, 1), pads=(2, 0, 2, 0))),
    ),
    "pointwise, depthwise": (
        Convolution((12, 5), 4, 16, window((1, 1))),
        Convolution((12, 5), 16, 16, window((3, 3), (2, 2), pads=BORDER), groups=16),
    ),
}


def pair(name, finishes=("s8", "s8")):
    layers = load("layer_graphs").LayerGraph(np.random.default_rng(0))
    first, second = PAIRS[name]
    x = layers.conv_2d("conv_2d_s8", first, finishes[0])
    op = "conv_2d_b1" if finishes[0] == "b1" else "conv_2d_s8"
    layers.end(layers.conv_2d(op, second, finishes[1], x), second.filters)
    return layers.graph


@pytest.mark.parametrize("finishes", [("s8", "s8"), ("b1", "b1"), ("s8_shortcut", "s8_shortcut")])
@pytest.mark.parametrize("name", PAIRS)
def test_bands(name, finishes, tmp_path):
    graph = pair(name, finishes)
    banded = plan(graph, ram_limit=0)
    assert banded.arena_bytes <= plan(graph).arena_bytes
    assert max(step.bands for step in banded.steps) > 1
    x = inputs_of(graph, 3)
    expected = reference.run(graph, x)
    for tensor, integers in run_emitted(graph, x, tmp_path, ram_limit=0).items():
        np.testing.assert_array_equal(integers, expected[tensor], tensor)


def test_more_bands_take_less_memory():
    graph = pair("same, pooled")
    sizes = [plan(graph, ram_limit=limit).arena_bytes for limit in (10**6, 2000, 1500, 0)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 2


def test_what_others_read_stays_whole():
    graph = pair("same, pooled")
    between = graph.ops[0].outputs[0]
    graph.outputs.append(between)
    assert all(step.bands == 1 for step in plan(graph, ram_limit=0).steps)


@qemu
@cross_compiler
def test_a_board_that_is_too_small_for_the_whole(tmp_path):
    """The image between the two takes 20,480 bytes, and the micro:bit has 16,384."""
    layers = load("layer_graphs").LayerGraph(np.random.default_rng(1))
    x = layers.conv_2d("conv_2d_s8", Convolution((32, 20), 3, 32, SAME), "s8")
    layers.end(layers.conv_2d("conv_2d_s8", Convolution((32, 20), 32, 8, SAME, POOL), "s8", x), 8)
    graph = layers.graph
    check_on_board(graph, boards.find("microbit"), inputs_of(graph, 2), tmp_path)
