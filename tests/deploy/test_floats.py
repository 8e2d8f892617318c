"""Models that stay in floating point, as a whole or in part."""

import keras
import numpy as np
import pytest

import keras_bc
from keras_bc.deploy import flatbuffer, reference
from keras_bc.deploy.calibrate import calibrate
from keras_bc.deploy.calibrate.equations import run as run_fused
from keras_bc.deploy.float_ops import is_float
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.deploy.quantize import pack, quantize
from keras_bc.deploy.scales import to_int8
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError
from tests.deploy.c_build import run_emitted
from tests.deploy.random_models import random_model, samples_for


def through_a_file(graph):
    return flatbuffer.read(flatbuffer.write(graph))


def assert_close(values, expected):
    """Within what float32 sums of another order differ by."""
    for found, wanted in zip(values, expected, strict=True):
        size = max(np.abs(wanted).max(), 1.0)
        np.testing.assert_allclose(found, wanted, atol=1e-4 * size)


@pytest.mark.parametrize("seed", range(12))
def test_a_packed_graph_computes_what_the_fused_one_does(seed):
    model = random_model(seed)
    samples = samples_for(model, 4)
    fused = fuse(trace(model))
    packed = through_a_file(pack(fused))
    assert "int8" not in {tensor.dtype for tensor in packed.tensors.values()}
    values, expected = reference.run(packed, samples), run_fused(fused, samples)
    assert_close([values[y] for y in packed.outputs], [expected[y] for y in fused.outputs])


@pytest.mark.parametrize("seed", range(12))
def test_the_delegate_computes_what_the_reference_does(seed):
    model = random_model(seed)
    samples = samples_for(model, 4)
    data = flatbuffer.write(pack(fuse(trace(model))))
    graph = flatbuffer.read(data)
    opened = Interpreter(data)
    found, expected = opened.run_all(samples), reference.run(graph, samples)
    names = [name for name, tensor in graph.tensors.items() if tensor.data is None]
    assert_close([found[name] for name in names], [expected[name] for name in names])
    outputs = opened.predict(samples)
    outputs = [outputs] if isinstance(outputs, np.ndarray) else outputs
    assert_close(outputs, [expected[name] for name in graph.outputs])


def classifier():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            keras_bc.BinaryConv2D(12, 3, name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(6.0),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="second"),
            keras.layers.Flatten(),
            keras_bc.BinaryDense(33, kernel_quantizer="ternary", name="third"),
            keras_bc.SignActivation(),
            keras_bc.BinaryDense(5, name="last"),
            keras.layers.Softmax(),
        ]
    )
    return fuse(trace(model)), samples_for(model, 50)


def integers(graph, samples):
    (x,) = (graph.tensors[name] for name in graph.inputs)
    return to_int8(samples[0], x.scale[0], x.zero_point)


def error(graph, fused, samples):
    """Of the outputs, in steps of int8."""
    graph = through_a_file(graph)
    (y,) = (graph.tensors[name] for name in graph.outputs)
    found = reference.run(graph, integers(graph, samples))[y.name].astype(float)
    expected = run_fused(fused, samples)[fused.outputs[0]] / y.scale[0] + y.zero_point
    return np.abs(found - expected).mean()


@pytest.mark.parametrize("name", ["first", "second", "third", "last"])
def test_the_delegate_runs_integers_and_floats(name):
    fused, samples = classifier()
    data = flatbuffer.write(quantize(fused, calibrate(fused, samples), [name]))
    graph, opened = flatbuffer.read(data), Interpreter(data)
    x = opened.quantize(samples[0])
    off = opened.run(x).astype(int) - reference.run(graph, x)[graph.outputs[0]]
    # A float32 sum next to the middle of two integers may fall on either.
    assert np.abs(off).max() <= 1 and (off != 0).mean() < 0.02


@pytest.mark.parametrize("name", ["first", "second", "third", "last"])
def test_c_runs_integers_and_floats(name, tmp_path):
    fused, samples = classifier()
    graph = through_a_file(quantize(fused, calibrate(fused, samples), [name]))
    x = integers(graph, samples)
    found = run_emitted(graph, x, tmp_path)
    assert any(values.dtype == np.float32 for values in found.values())
    assert_each_op_is_near(graph, x, found)


def assert_each_op_is_near(graph, x, found):
    """Each op by itself, since one sum next to a level would move all that follows."""
    values = dict(zip(graph.inputs, x if isinstance(x, list) else [x], strict=True))
    for op in graph.ops:
        name = op.outputs[0]
        expected = reference.compute(graph, op, values)
        values[name] = found.get(name, expected)  # a RESHAPE is no layer
        steps = graph.tensors[name].scale
        near = 1e-5 * max(np.abs(expected).max(), 1.0) if steps is None else 0
        assert (np.abs(values[name].astype(float) - expected) > near).mean() < 0.01, name


@pytest.mark.parametrize("seed", range(8))
def test_c_runs_what_it_has_kernels_for(seed, tmp_path):
    """All layers of random models are kept in floating point that C can keep so."""
    model = random_model(seed)
    samples = samples_for(model, 6)
    fused = fuse(trace(model))
    ranges = calibrate(fused, samples)
    curves = {"function", "softmax", "prelu"}
    names = {op.name for op in fused.ops} - {op.name for op in fused.ops if op.kind in curves}
    data = flatbuffer.write(quantize(fused, ranges, names))
    graph, x = flatbuffer.read(data), Interpreter(data).quantize(samples)
    assert_each_op_is_near(graph, x, run_emitted(graph, x, tmp_path))


def test_layers_that_are_kept_in_float_err_less():
    fused, samples = classifier()
    ranges = calibrate(fused, samples)
    names = ["first", "second", "third", "last"]
    kept = quantize(fused, ranges, names)
    assert error(kept, fused, samples) <= error(quantize(fused, ranges), fused, samples)
    for name in (*kept.inputs, *kept.outputs):
        assert kept.tensors[name].dtype == "int8"


@pytest.mark.parametrize("name", ["first", "second", "third", "last"])
def test_the_layer_that_is_kept_and_no_other_is_float(name):
    fused, samples = classifier()
    graph = quantize(fused, calibrate(fused, samples), [name])
    linear = ("KbcConv2D", "CONV_2D", "KbcFullyConnected")
    floats = {op.name for op in graph.ops if is_float(graph, op) and op.kind in linear}
    assert floats == {name}
    through_a_file(graph)


def test_levels_of_an_ordinary_layer_are_kept():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3),
            keras_bc.BinaryConv2D(3, 2, input_quantizer="dorefa"),
        ]
    )
    fused, samples = fuse(trace(model)), samples_for(model, 5)
    packed = through_a_file(pack(fused))
    values, expected = reference.run(packed, samples), run_fused(fused, samples)
    assert_close([values[packed.outputs[0]]], [expected[fused.outputs[0]]])


def test_a_layer_that_is_not_there():
    fused, samples = classifier()
    with pytest.raises(UserError, match=r"No layer `conv`.*first, second, .*, third, last"):
        quantize(fused, calibrate(fused, samples), ["conv"])
