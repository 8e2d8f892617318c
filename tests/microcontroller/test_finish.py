"""From accumulators to outputs, at the ends of what multipliers, shifts and thresholds may be."""

import numpy as np
import pytest

from keras_bc.deploy import boards
from tests.deploy.agreement import check_on_board
from tests.microcontroller.layer_graphs import LayerGraph, inputs_of
from tests.needs import cross_compiler, qemu

OUTS, INPUTS = 480, 40
BOARDS = ["m0-bench", "mps2-an385", "mps2-an386", "mps3-an547", "arduino-mega"]


def _parameters(rng: np.random.Generator) -> np.ndarray:
    """Bias, multiplier and shift; half of them such that outputs are within their bounds."""
    bias = rng.integers(-(2**30) + 20000, 2**30 - 20000, OUTS)
    multiplier = rng.integers(2**30, 2**31, OUTS) * rng.choice([-1, 1], OUTS)
    shift = rng.integers(1, 63, OUTS)
    bias[::2] = rng.integers(-3000, 3000, OUTS // 2)
    shift[::2] = rng.integers(28, 44, OUTS // 2)
    multiplier[::17] = 0
    return np.stack([bias, multiplier, shift], axis=1)


def _lines(rng: np.random.Generator) -> np.ndarray:
    """Bias, multiplier and shift for which kbc_finish_s8_line has room."""
    bias = rng.integers(-20000, 20000, OUTS)
    multiplier = rng.integers(2**30, 2**31, OUTS) * rng.choice([-1, 1], OUTS)
    multiplier[::17] = 0
    return np.stack([bias, multiplier, rng.integers(32, 40, OUTS)], axis=1)


def _thresholds(rng: np.random.Generator) -> np.ndarray:
    threshold = rng.integers(-900, 900, OUTS)
    threshold[::7], threshold[::11] = 2**30, -(2**30)
    return np.stack([threshold, rng.choice([-1, 1], OUTS)], axis=1)


@qemu
@cross_compiler
@pytest.mark.parametrize(
    ("finish", "parameters"), [("s8", _parameters), ("s8", _lines), ("b1", _thresholds)]
)
@pytest.mark.parametrize("board", BOARDS)
def test_extremes(board, finish, parameters, tmp_path):
    rng = np.random.default_rng(5)
    layers = LayerGraph(rng)
    layers.end(layers.fully_connected("fully_connected_s8", INPUTS, OUTS, finish), OUTS)
    channels = layers.graph.ops[0].inputs[2]
    layers.graph.tensors[channels].data = parameters(rng).astype(np.int32)
    check_on_board(layers.graph, boards.find(board), inputs_of(layers.graph, 3), tmp_path)
