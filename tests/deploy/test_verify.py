import dataclasses

import numpy as np
import pytest

from keras_bc.deploy import boards, emulator, verify
from keras_bc.deploy.export import export
from keras_bc.errors import UserError
from tests.deploy.networks import random_network, samples_for
from tests.needs import cross_compiler, qemu


@pytest.fixture(scope="module")
def model():
    return random_network(0)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return export(model, samples_for(model, 32), tmp_path_factory.mktemp("verify")).model.parent


@pytest.fixture(scope="module")
def data(model):
    x = samples_for(model, 4, seed=1)
    return x, np.zeros(len(x), int)


def test_the_error_is_of_the_first_largest_output():
    outputs = np.array([[1, 3, 3], [5, 5, 0], [0, 1, 2]])
    assert verify.error_percent(outputs, np.array([1, 0, 0])) == pytest.approx(100 / 3, abs=1e-4)


@qemu
@cross_compiler
def test_a_bit_that_differs_is_a_mismatch(folder, data, monkeypatch):
    x, y = data
    board = boards.find("mps2-an386")
    assert verify.emulate(folder, board, x, y)["mismatches"] == 0

    def faulty(*arguments, **keywords):
        result = emulate(*arguments, **keywords)
        outputs = result.outputs.copy()
        outputs[2].flat[0] ^= 1
        return dataclasses.replace(result, outputs=outputs)

    emulate = emulator.run
    monkeypatch.setattr(emulator, "run", faulty)
    assert verify.emulate(folder, board, x, y)["mismatches"] == 1


def test_labels_beyond_the_outputs_are_refused(folder, data):
    x, y = data
    with pytest.raises(UserError, match="Expected labels from 0 to"):
        verify.evaluate(folder, x, y + 1000)
