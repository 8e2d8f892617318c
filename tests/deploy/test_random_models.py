"""Whatever keras_bc trains: every executor of what is exported gives the same integers."""

import numpy as np
import pytest

from keras_bc.deploy import emulator, export, firmware, flatbuffer, reference
from keras_bc.deploy.boards import find
from keras_bc.deploy.interpreter import Interpreter
from tests.deploy.c_build import run_emitted
from tests.deploy.random_models import random_model, samples_for


def exported(seed):
    """The file of a random model, its graph, and integers to feed it."""
    model = random_model(seed)
    samples = samples_for(model, 24)
    data = flatbuffer.write(export.to_graph(model, samples))
    inputs = [array[:6] for array in Interpreter(data).quantize(samples)]
    return data, flatbuffer.read(data), inputs


def check(seed, folder):
    data, graph, inputs = exported(seed)
    expected = reference.run(graph, inputs)
    for values in (Interpreter(data).run_all(inputs), run_emitted(graph, inputs, folder)):
        assert values
        for name, integers in values.items():
            np.testing.assert_array_equal(integers, expected[name], err_msg=f"{seed}: {name}")


@pytest.mark.parametrize("seed", range(16))
def test_random_models(seed, tmp_path):
    check(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_many_random_models(seed, tmp_path):
    check(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(400, 415))
@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an386"])
def test_random_models_on_boards(board, seed, tmp_path):
    data, graph, inputs = exported(seed)
    (tmp_path / "model.tflite").write_bytes(data)
    built = firmware.build(tmp_path / "model.tflite", find(board), tmp_path / "build")
    run = emulator.run(built, find(board), inputs)
    expected = reference.run(graph, inputs)
    outputs = [expected[name].reshape(len(run.outputs), -1) for name in graph.outputs]
    np.testing.assert_array_equal(run.outputs, np.concatenate(outputs, axis=1))
