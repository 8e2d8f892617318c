import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import calibrate, reference
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.quantize import affine, channel_parameters, quantize
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError
from tests.deploy.networks import random_network, samples_for


def integers(model, samples):
    fused = fuse(trace(model))
    return fused, quantize(fused, calibrate.calibrate(fused, samples))


def real(graph, name, values):
    tensor = graph.tensors[name]
    return (values.astype(np.float64) - tensor.zero_point) * float(tensor.scale[0])


def test_golden_scales():
    assert affine(0.0, 255.0) == (np.float32([1.0]), -128)
    assert affine(-128.0, 127.0) == (np.float32([1.0]), 0)
    assert affine(-255.0, 0.0) == (np.float32([1.0]), 127)
    assert affine(51.0, 255.0) == (np.float32([1.0]), -128)  # widened to hold 0
    assert affine(0.0, 0.0) == (np.float32([1.0]), -128)


@pytest.mark.parametrize("seed", range(10))
def test_integers_stay_close_to_the_real_network(seed):
    model = random_network(seed)
    samples = samples_for(model, 100)
    fused, graph = integers(model, samples)
    x = graph.tensors[graph.inputs[0]]
    quantized = np.clip(np.rint(samples / x.scale[0]) + x.zero_point, -128, 127).astype(np.int8)
    found = reference.run(graph, quantized)
    # From the input's rounded values, so that only the network's own rounding counts.
    expected = calibrate.run(fused, real(graph, x.name, quantized))
    for name in graph.outputs:
        step = float(graph.tensors[name].scale[0])
        error = real(graph, name, found[name]) - expected[name]
        assert np.sqrt(np.mean(error**2)) < 4 * step


def test_one_layer_is_exact_to_half_a_step():
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((64,)), keras_bc.BinaryDense(32), layers.ReLU()])
    samples = rng.normal(0, 1, (200, 64)).astype(np.float32)
    fused, graph = integers(model, samples)
    x, y = graph.tensors[graph.inputs[0]], graph.outputs[0]
    quantized = np.clip(np.rint(samples / x.scale[0]) + x.zero_point, -128, 127).astype(np.int8)
    expected = calibrate.run(fused, real(graph, x.name, quantized))[y]
    # Rounded inputs can pass the range that was calibrated on real ones: leave those outputs out.
    inside = reference.run(graph, quantized)[y] < 127
    error = (real(graph, y, reference.run(graph, quantized)[y]) - expected)[inside]
    assert np.abs(error).max() <= 0.501 * graph.tensors[y].scale[0]


def test_the_bounds_of_an_activation_become_the_clamp():
    model = keras.Sequential([keras.Input((4,)), keras_bc.BinaryDense(8), layers.ReLU(6.0)])
    graph = integers(model, 10 * np.ones((5, 4), np.float32))[1]
    options, y = graph.ops[0].options, graph.tensors[graph.outputs[0]]
    assert (options["activation_min"], y.zero_point) == (-128, -128)
    highest = float(y.scale[0]) * (options["activation_max"] + 128)
    assert highest == pytest.approx(6, abs=float(y.scale[0]))


def test_golden_channel_parameters():
    parameters = channel_parameters(np.array([0.5, -0.25]), np.array([3.0, 1.0]), 1.0, 10)
    assert parameters.tolist() == [[6, 2**30, 31], [-4, -(2**30), 32]]


@pytest.mark.parametrize("scale", [0.0, 1e-12, -1e-12])
def test_a_channel_that_is_switched_off_gives_its_offset(scale):
    op = Op("KbcFullyConnected", "d", ["x", "w", "c"], ["y"])
    op.options = {"weights": "binary", "activation_min": -128, "activation_max": 127}
    channels = channel_parameters(np.array([scale]), np.array([40.0]), 1.0, 32)
    tensors = [
        Tensor("x", (1, 32), "int8", None, np.ones(1, np.float32), 0),
        Tensor("w", (1, 1), "int32", np.zeros((1, 1), np.int32)),
        Tensor("c", (1, 3), "int32", channels),
        Tensor("y", (1, 1), "int8", None, np.ones(1, np.float32), 0),
    ]
    graph = Graph("off", {tensor.name: tensor for tensor in tensors}, [op], ["x"], ["y"])
    for value in (-128, 0, 127):
        assert reference.run(graph, np.full((1, 32), value, np.int8))["y"] == 40


def test_a_dead_channel_of_an_int8_layer_keeps_its_bias():
    layer = layers.Dense(2)
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.kernel.assign([[0.0, 1.0]] * 3)
    layer.bias.assign([2.5, 0.0])
    graph = integers(model, np.ones((4, 3), np.float32))[1]
    x, y = graph.tensors[graph.inputs[0]], graph.outputs[0]
    output = reference.run(graph, np.full((1, 3), x.zero_point, np.int8))[y]
    np.testing.assert_allclose(real(graph, y, output), [[2.5, 0.0]], atol=0.02)


@pytest.mark.parametrize("make", [layers.Dense, keras_bc.BinaryDense])
def test_samples_that_hardly_excite_a_layer_are_refused(make):
    model = keras.Sequential([keras.Input((3,)), layers.ReLU(), make(2, name="faint")])
    model.layers[-1].bias.assign([1e-30, 0.0])
    with pytest.raises(UserError, match="`faint` gives next to nothing"):
        integers(model, np.full((4, 3), -1.0, np.float32))


@pytest.mark.parametrize("size", [1e-44, 1e-38, 1e-30])
def test_tiny_samples_have_a_scale(size):
    scale, zero_point = affine(0.0, size)
    assert scale.dtype == np.float32 and scale[0] > 0 and zero_point == -128


def test_groups_of_real_weights_are_refused():
    model = keras.Sequential([keras.Input((4, 4, 4)), layers.Conv2D(4, 3, groups=2, name="split")])
    with pytest.raises(UserError, match="`split` is a Conv2D with groups=2"):
        integers(model, np.ones((1, 4, 4, 4), np.float32))
