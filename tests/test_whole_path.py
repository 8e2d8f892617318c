"""The heart of the suite: one network, the same integers everywhere.

A network is exported; then every layer's integers are compared, bit for bit, between the NumPy
reference, the interpreter with the delegate, and the firmware on emulated boards.
"""

import keras
import numpy as np
import pytest

from keras_bc import recipes
from keras_bc.deploy import boards, emulator, firmware, reference, targets
from keras_bc.deploy.export import export
from keras_bc.deploy.flatbuffer import read
from keras_bc.deploy.interpreter import Interpreter
from tests.deploy.networks import random_network, samples_for
from tests.needs import cross_compiler, qemu

BOARDS = ("mps2-an386", "microbit")


def check_everywhere(model: keras.Model, folder, board_names, count=3):
    samples = samples_for(model, 64)
    path = export(model, samples, folder).model
    graph = read(path.read_bytes())
    interpreter = Interpreter(path)
    inputs = interpreter.quantize(samples_for(model, count, seed=1))
    expected = reference.run(graph, inputs)
    found = interpreter.run_all(inputs)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, f"the delegate's {name}")
    working = [op for op in graph.ops if op.kind != "RESHAPE"]
    for board in map(boards.find, board_names):
        built = firmware.build(path, board, folder / "build" / board.name)
        run = emulator.run(built, board, inputs, trace=True)
        for op, layer in zip(working, run.layers, strict=True):
            values = expected[op.outputs[0]].reshape(layer.shape)
            np.testing.assert_array_equal(layer, values, f"{board.name}'s {op.name}")
        np.testing.assert_array_equal(
            run.outputs, expected[graph.outputs[0]].reshape(count, -1), board.name
        )


@qemu
@cross_compiler
@pytest.mark.parametrize("seed", range(6))
def test_random_networks_give_the_same_integers_everywhere(seed, tmp_path):
    check_everywhere(random_network(seed), tmp_path / "out", BOARDS)


@qemu
@cross_compiler
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 40))
def test_more_random_networks(seed, tmp_path):
    emulated = [board for board in boards.all() if board.emulator]
    names = [board.name for board in emulated if not targets.of(board.cpu).flash_apart]
    check_everywhere(random_network(seed), tmp_path / "out", names)


@qemu
@cross_compiler
@pytest.mark.parametrize("name", ["digits-mlp", "mnist-mlp-small", "mnist-cnn-small"])
def test_the_recipes_networks_give_the_same_integers_everywhere(name, tmp_path):
    """Untrained: their shapes matter here."""
    check_everywhere(recipes.build(recipes.find(name)), tmp_path / "out", BOARDS)
