"""Whatever keras_bc trains: every executor of what is exported gives the same integers."""

import pytest

from keras_bc.deploy import boards, export, flatbuffer
from keras_bc.deploy.interpreter import Interpreter
from tests.deploy.agreement import check_on_board, check_on_host
from tests.deploy.random_models import random_model, samples_for
from tests.needs import cross_compiler, qemu


def exported(seed):
    """The file of a random model, and integers to feed it."""
    model = random_model(seed)
    samples = samples_for(model, 24)
    data = flatbuffer.write(export.to_integers(model, samples))
    return data, Interpreter(data).quantize([array[:6] for array in samples])


@pytest.mark.parametrize("seed", range(16))
def test_random_models(seed, tmp_path):
    check_on_host(*exported(seed), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_many_random_models(seed, tmp_path):
    check_on_host(*exported(seed), tmp_path)


@qemu
@cross_compiler
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(400, 430))
def test_random_models_on_boards(seed, tmp_path):
    data, inputs = exported(seed)
    for name in ("m0-bench", "mps2-an386", "mps3-an547"):
        folder = tmp_path / name
        folder.mkdir()
        check_on_board(flatbuffer.read(data), boards.find(name), inputs, folder)
