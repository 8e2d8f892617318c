import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import reference
from keras_bc.deploy.calibrate import calibrate
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.quantize import quantize
from keras_bc.deploy.scales import affine, to_int8, to_real
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError

METHODS = ["minmax", "percentile", "percentile:99.9", "mse"]


@pytest.fixture
def graph():
    model = keras.Sequential([keras.Input((2,)), keras_bc.BinaryDense(1, use_bias=False, name="d")])
    model.layers[0].kernel.assign([[0.5], [-0.5]])
    return fuse(trace(model))


def test_ranges_are_the_extremes_of_all_samples(graph):
    samples = np.zeros((1000, 2), np.float32)  # more than one batch
    samples[0], samples[999] = (3, 1), (-2, 4)
    expected = {"input": (-2.0, 4.0), "d": (-6.0, 2.0)}
    assert calibrate(graph, samples, "minmax") == expected


def test_a_percentile_leaves_the_inputs_whole(graph):
    samples = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    least, clipped = (calibrate(graph, samples, name) for name in ("minmax", "percentile:99"))
    assert clipped["input"] == least["input"]
    assert least["d"][0] < clipped["d"][0] < -1 and 1 < clipped["d"][1] < least["d"][1]


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_samples_does_not_matter(graph, method):
    samples = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    samples[700] *= 50  # the bins widen in the third batch, or in the second
    assert calibrate(graph, samples, method) == calibrate(graph, samples[::-1], method)


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((0, 2)), "empty"),
        (np.zeros((3, 4)), r"shape \(4,\), the model's input \(2,\)"),
        (np.full((3, 2), np.nan), "NaN"),
    ],
)
def test_samples_that_do_not_fit_are_an_error(graph, samples, words):
    with pytest.raises(UserError, match=words):
        calibrate(graph, samples)


def _network():
    """One-sided, two-sided, bounded and fixed ranges, and a tensor that does not change."""
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3))
    y = keras_bc.BinaryConv2D(6, 3, padding="same", activation="relu")(x)
    y = layers.MaxPooling2D()(y)
    y = layers.Concatenate()([y, layers.Conv2D(4, 3, padding="same", activation="relu6")(y)])
    y = layers.Conv2D(5, 3, activation="tanh")(y)
    y = layers.Multiply()([y, layers.Conv2D(5, 1, kernel_initializer="zeros")(y)])
    y = keras_bc.BinaryDense(7)(layers.Flatten()(y))
    return keras.Model(x, layers.Softmax()(y))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 40])
def test_every_method_quantizes_every_kind_of_layer(method, count):
    fused = fuse(trace(_network()))
    samples = np.random.default_rng(0).normal(size=(count, 8, 8, 3)).astype(np.float32)
    ranges = calibrate(fused, samples, method)
    for op in fused.ops:
        if op.options.get("low") == 0:
            assert ranges[op.outputs[0]][0] == 0
    graph = quantize(fused, ranges)
    for op in graph.ops:
        if op.kind in ("SOFTMAX", "TANH"):
            assert graph.tensors[op.outputs[0]].scale[0] in (1 / 256, 1 / 128)


def _noise(model, samples, method):
    """The mean square of what the integers take from each output of a network of one layer."""
    fused = fuse(trace(model))
    graph = quantize(fused, calibrate(fused, samples, method))
    x, y = (graph.tensors[name] for name in (*graph.inputs, *graph.outputs))
    found = reference.run(graph, to_int8(samples, x.scale, x.zero_point))[y.name]
    expected = keras.ops.convert_to_numpy(model(samples))
    return np.mean((to_real(found, y.scale, y.zero_point) - expected) ** 2)


def test_rare_large_values_cost_the_others_less_with_mse():
    layer = keras_bc.BinaryDense(4, use_bias=False)
    model = keras.Sequential([keras.Input((4,)), layer])
    layer.kernel.assign(2 * np.eye(4) - 1)
    samples = np.random.default_rng(0).standard_t(3, size=(4000, 4)).astype(np.float32)
    assert _noise(model, samples, "mse") < _noise(model, samples, "minmax")


def test_pixels_from_minus_1_to_1_gain_by_mse():
    """With the least and the greatest value all of them lie half a step off: 0 must be exact."""
    model = keras.Sequential([keras.Input((64,)), keras_bc.BinaryDense(8)])
    pixels = np.random.default_rng(0).integers(0, 256, (500, 64))
    samples = (pixels / 127.5 - 1).astype(np.float32)
    noise = {}
    for method in ("minmax", "mse"):
        scale, zero_point = affine(*calibrate(fuse(trace(model)), samples, method)["input"])
        found = to_real(to_int8(samples, scale, zero_point), scale, zero_point)
        noise[method] = np.mean((found - samples) ** 2)
    assert noise["mse"] < 0.4 * noise["minmax"]
