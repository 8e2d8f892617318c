"""Whatever keras_bc trains: every executor of what is exported gives the same integers."""

import itertools

import keras
import numpy as np
import pytest

import keras_bc
from keras_bc.deploy import boards, export, flatbuffer
from keras_bc.deploy.interpreter import Interpreter
from tests.deploy.agreement import check_on_board, check_on_host
from tests.deploy.random_models import random_model, samples_for
from tests.needs import cross_compiler, qemu


def exported(seed):
    """The file of a random model, and integers to feed it."""
    model = random_model(seed)
    samples = samples_for(model, 24)
    data = flatbuffer.write(export.to_graph(model, samples))
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
    for name in (
        "m0-bench",
        "mps2-an385",
        "mps2-an386",
        "mps3-an547",
        "rv32-bench",
        "rv32-zbb-bench",
    ):
        folder = tmp_path / name
        folder.mkdir()
        check_on_board(flatbuffer.read(data), boards.find(name), inputs, folder)


@pytest.fixture(scope="module")
def drawn():
    """Many random models, and all layers in them, those of nested models too."""
    models = [random_model(seed) for seed in range(100, 300)]
    return models, list(itertools.chain.from_iterable(map(layers_of, models)))


def layers_of(model):
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


@pytest.mark.slow
def test_every_kind_of_layer_is_drawn(drawn):
    kinds = {type(layer).__name__ for layer in drawn[1]}
    assert kinds >= {
        *("BinaryDense", "BinaryConv1D", "BinaryConv2D", "BinaryConv2DTranspose"),
        *("BinaryDepthwiseConv2D", "BinarySeparableConv2D", "SignActivation"),
        *("BinarySimpleRNN", "BinaryGRU", "BinaryLSTM", "ShiftBatchNormalization"),
        *("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Functional"),
        *("Add", "Subtract", "Multiply", "Concatenate", "BatchNormalization", "PReLU"),
        *("AveragePooling1D", "AveragePooling2D", "MaxPooling1D", "MaxPooling2D", "Flatten"),
        *("ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "UpSampling1D"),
        *("UpSampling2D", "GlobalAveragePooling1D", "GlobalMaxPooling2D", "Softmax"),
    }


@pytest.mark.slow
def test_layers_are_drawn_with_all_that_tells_them_apart(drawn):
    models, layers = drawn
    kernels = [layer for layer in layers if isinstance(layer, keras_bc.BinaryConv2D)]
    assert {1, 2, 130} <= {layer.filters for layer in kernels}
    assert len({layer.filters for layer in kernels}) > 20
    assert {(1, 1), (2, 2), (1, 2), (3, 1)} <= {tuple(layer.strides) for layer in kernels}
    assert {1, 2} == {layer.dilation_rate[0] for layer in kernels}
    assert {"same", "valid"} == {layer.padding for layer in kernels}
    assert any(1 < layer.groups < layer.filters for layer in kernels)
    sides = {side for model in models for x in model.inputs for side in x.shape[1:-1]}
    assert sides >= set(range(5, 13))
    for kinds in (("Binary", "Ternary"), ("Sign", "DoReFa", "NoneType")):
        key = "kernel_quantizer" if "Ternary" in kinds else "input_quantizer"
        assert {type(getattr(layer, key)).__name__ for layer in kernels} >= set(kinds)
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    gammas = np.concatenate([np.array(norm.gamma) for norm in norms])
    assert 0.3 < np.mean(gammas < 0) < 0.7
    configurations = [layer for model in models for layer in model.get_config()["layers"]]
    shared = {layer["class_name"] for layer in configurations if len(layer["inbound_nodes"]) > 1}
    assert {"BinaryConv2D", "BinaryConv1D", "Functional"} <= shared
    assert {1, 2, 3} == {len(model.inputs) for model in models}
    assert {1, 2, 3} == {len(model.outputs) for model in models}
