"""Every variant of the kernel table gives the reference's integers, on the CPUs that can run it."""

import numpy as np
import pytest

from keras_bc.deploy import boards, kernels, reference
from keras_bc.deploy.choices import runnable
from keras_bc.deploy.guards import holds
from tests.benchmarks.scripts import load
from tests.deploy.agreement import check_on_board
from tests.deploy.c_build import run_emitted
from tests.microcontroller.layer_graphs import (
    Convolution,
    LayerGraph,
    graph_of,
    greatest_graph,
    inputs_of,
    window,
)
from tests.needs import board_parameters

measured_layer = load("kernels").measured_layer

VARIANTS = [row for row in kernels.table() if row.name != "reference" and "f32" not in row.op]
PORTABLE = [row for row in VARIANTS if row.guard == "1"]
NAMES = ("m0-bench", "mps2-an385", "mps2-an386", "mps3-an547", "rv32-bench", "rv32-zbb-bench")
BOARDS = [boards.find(name) for name in NAMES]
TYPICAL = [boards.find(name) for name in ("mps2-an386", "mps3-an547", "rv32-zbb-bench")]
"""Boards for a quick test: the first that can run a variant."""


def name_of(row):
    return row.function.removeprefix("kbc_")


@pytest.mark.parametrize("row", PORTABLE, ids=name_of)
def test_on_the_host(row, tmp_path):
    """Under the sanitizers of addresses and of undefined behaviour."""
    check_on_the_host(row, graph_of(row.op), 4, tmp_path)


@board_parameters(TYPICAL)
@pytest.mark.parametrize("row", VARIANTS, ids=name_of)
def test_on_a_board(row, board, tmp_path):
    if next((b for b in TYPICAL if holds(row.guard, b.cpu)), None) != board:
        pytest.skip("another board is the first that can run it")
    check(row, graph_of(row.op, seed=1), 3, board, tmp_path)


@pytest.mark.slow
@board_parameters(BOARDS)
@pytest.mark.parametrize("row", VARIANTS, ids=name_of)
def test_on_every_board(row, board, tmp_path):
    check(row, graph_of(row.op, seed=1), 3, board, tmp_path)


CONVOLUTIONS = [row for row in VARIANTS if row.op.startswith("conv_2d")]


@pytest.mark.parametrize("zero_point", [-128, 127])
@pytest.mark.parametrize("row", [row for row in CONVOLUTIONS if row in PORTABLE], ids=name_of)
def test_the_greatest_sums_on_the_host(row, zero_point, tmp_path):
    """|x - zx| = 255 at each input, or 0, and weights of one sign."""
    graph = greatest_graph(row.op, zero_point)
    expected = check_on_the_host(row, graph, 2, tmp_path)
    for name in graph.outputs:
        assert np.abs(expected[name].astype(int)).max() > 60


@pytest.mark.slow
@board_parameters(BOARDS)
@pytest.mark.parametrize("zero_point", [-128, 127])
@pytest.mark.parametrize("row", CONVOLUTIONS, ids=name_of)
def test_the_greatest_sums_on_every_board(row, zero_point, board, tmp_path):
    check(row, greatest_graph(row.op, zero_point), 2, board, tmp_path)


@pytest.mark.parametrize("op, most", [("conv_2d_b1", 65_535), ("conv_2d_b1_ternary", 32_767)])
@pytest.mark.parametrize("more", [0, 1])
def test_vectors_refuse_sums_that_16_bits_do_not_hold(op, most, more):
    """Inputs count once for each plane of bits."""
    layers = LayerGraph(np.random.default_rng(0))
    layers.end(layers.conv_2d(op, Convolution((1, 1), most + more, 1, window((1, 1))), "s8"), 1)
    variants = {layer.variant for layer in runnable(measured_layer(layers.graph), "cortex-m55")}
    assert ("mve" in variants) == (more == 0)


def check_on_the_host(row, graph, examples, folder):
    """Returns the reference's integers, by tensor."""
    x = inputs_of(graph, examples)
    found = run_emitted(graph, x, folder, variants={row.op: row.name})
    expected = reference.run(graph, x)
    for name, integers in found.items():
        assert (integers == expected[name]).all(), name
    assert f"kernel {row.name}" in (folder / "model.c").read_text()
    return expected


def check(row, graph, examples, board, folder):
    if not holds(row.guard, board.cpu):
        pytest.skip(f"{board.cpu} cannot run it")
    check_on_board(graph, board, inputs_of(graph, examples), folder, {row.op: row.name})
    assert f"kernel {row.name}" in (folder / "build" / "model.c").read_text()
