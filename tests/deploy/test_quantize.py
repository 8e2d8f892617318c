import math

import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import calibrate, flatbuffer, reference
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import unpack_signs
from keras_bc.deploy.quantize import quantize
from keras_bc.deploy.quantize.affine import channel_parameters, thresholds
from keras_bc.deploy.scales import affine
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError
from tests.deploy.networks import random_network, randomize_batch_norms, samples_for


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


@pytest.mark.parametrize("join", [layers.Add, layers.Subtract, layers.Multiply])
@pytest.mark.parametrize("bounded", [False, True])
def test_operands_far_larger_than_what_becomes_of_them(join, bounded):
    """On the samples they cancel, or one of them is zero; integers near neither wrap around."""
    a, b = inputs = [keras.Input((8,), name=name) for name in "ab"]
    y = join()([a, b])
    model = keras.Model(inputs, layers.ReLU(max_value=0.75)(y) if bounded else y)
    rng = np.random.default_rng(0)
    x = 100 * rng.normal(0, 1, (50, 8)).astype(np.float32)
    y = rng.uniform(0, 1, x.shape).astype(np.float32)
    samples = {
        layers.Add: [x, y - x],
        layers.Subtract: [x, x - y],
        layers.Multiply: [np.where(x > 0, x, 0), np.where(x > 0, y / 1000, x)],
    }[join]
    fused, graph = integers(model, samples)
    flatbuffer.write(graph)  # which validates it
    q = [np.tile(np.arange(-128, 128), 256), np.arange(-128, 128).repeat(256)]
    q = [values.reshape(-1, 8).astype(np.int8) for values in q]
    found = real(graph, graph.outputs[0], reference.run(graph, q)[graph.outputs[0]])
    reals = [real(graph, *pair) for pair in zip(graph.inputs, q, strict=True)]
    (expected,) = (calibrate.run(fused, reals)[name] for name in fused.outputs)
    tensor = graph.tensors[graph.outputs[0]]
    low, high = (np.array([-128, 127]) - tensor.zero_point) * float(tensor.scale[0])
    # Half a step of what the op writes, far finer than its operands, and half one of the output.
    wide = graph.tensors[graph.ops[0].outputs[0]]
    assert wide is not tensor
    bound = 0.51 * float(wide.scale[0] + tensor.scale[0])
    np.testing.assert_allclose(found, np.clip(expected, low, high), rtol=0, atol=bound)


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


def test_groups_of_real_weights():
    model = keras.Sequential([keras.Input((5, 5, 4)), layers.Conv2D(6, 3, groups=2)])
    _close(model, samples_for(model, 60), 0.03)


def test_golden_thresholds():
    scale, offset = np.array([2.0, -2.0, 0.5, 0.0, 0.0]), np.array([3.0, 3.0, -1.0, 0.0, -1.0])
    # 2a + 3 >= 0 from a = -1 on; -2a + 3 >= 0 up to 1; a / 2 - 1 >= 0 from 2 on; always; never.
    expected = [[-1, 1], [1, -1], [2, 1], [-(2**30), 1], [2**30, 1]]
    assert thresholds(scale, offset, -math.inf, math.inf).tolist() == expected


def test_a_bound_on_one_side_of_zero_decides_a_sign():
    scale, offset = np.array([1.0]), np.array([0.0])
    assert thresholds(scale, offset, 0.0, 6.0).tolist() == [[-(2**30), 1]]
    assert thresholds(scale, offset, -2.0, -1.0).tolist() == [[2**30, 1]]
    assert thresholds(scale, offset, -1.0, 1.0).tolist() == [[0, 1]]


def _one_bit_network():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 7, 3)),
            keras_bc.BinaryConv2D(9, 3, padding="same"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            keras_bc.SignActivation(),
            keras_bc.BinaryConv2D(33, 3, padding="same", kernel_quantizer="ternary"),
            layers.BatchNormalization(),
            layers.Activation("hard_tanh"),
            keras_bc.SignActivation(),
            layers.Flatten(),
            keras_bc.BinaryDense(40),
            keras_bc.ShiftBatchNormalization(),
            keras_bc.SignActivation(),
            keras_bc.BinaryDense(5),
        ]
    )
    randomize_batch_norms(model, np.random.default_rng(3))
    return model


def test_a_one_bit_network_has_no_int8_between():
    model = _one_bit_network()
    _, graph = integers(model, samples_for(model, 50))
    assert [graph.tensors[op.outputs[0]].dtype for op in graph.ops] == ["int32"] * 3 + [
        "int32",
        "int8",
    ]
    assert [op.options.get("in_channels") for op in graph.ops] == [None, 9, 33, None, 40]


def test_signs_behind_signs_are_exact():
    """From the first layer's signs on, every sign is that of the real network."""
    model = _one_bit_network()
    samples = samples_for(model, 50)
    fused, graph = integers(model, samples)
    x = graph.tensors[graph.inputs[0]]
    quantized = np.clip(np.rint(samples / x.scale[0]) + x.zero_point, -128, 127).astype(np.int8)
    found = reference.run(graph, quantized)
    expected = calibrate.run(fused, real(graph, x.name, quantized))
    for op in graph.ops[:3]:
        name = op.outputs[0]
        signs = unpack_signs(found[name], fused.tensors[name].shape[-1])
        np.testing.assert_array_equal(signs, expected[name], err_msg=name)


def test_a_shortcut_is_rounded_once():
    x = keras.Input((6, 6, 8))
    y = keras_bc.BinaryConv2D(8, 3, padding="same", input_quantizer="sign")(x)
    model = keras.Model(x, layers.Add()([layers.BatchNormalization()(y), x]))
    randomize_batch_norms(model, np.random.default_rng(0))
    samples = samples_for(model, 60)
    fused, graph = integers(model, samples)
    assert [op.kind for op in graph.ops] == ["KbcPack", "KbcConv2D"]
    tensor, output = graph.tensors[graph.inputs[0]], graph.outputs[0]
    scaled = np.rint(samples / tensor.scale[0]) + tensor.zero_point
    quantized = np.clip(scaled, -128, 127).astype(np.int8)
    expected = calibrate.run(fused, real(graph, tensor.name, quantized))[output]
    error = real(graph, output, reference.run(graph, quantized)[output]) - expected
    multipliers = graph.tensors[graph.ops[1].inputs[2]].data[:, 1:].astype(np.float64)
    steps = np.abs(multipliers[:, 0]) * 2.0 ** -multipliers[:, 1] / 256  # of an accumulator's step
    bound = (0.51 + steps / 2) * float(graph.tensors[output].scale[0])
    assert (np.abs(error) <= bound).mean() > 0.999  # what saturates is further off


def test_levels_of_a_few_bit_activation_are_exact():
    layer = keras_bc.BinaryDense(6, input_quantizer=keras_bc.quantizers.DoReFa(2))
    model = keras.Sequential([keras.Input((9,)), layer])
    samples = np.random.default_rng(0).uniform(-0.5, 1.5, (40, 9)).astype(np.float32)
    _, graph = integers(model, samples)
    (op,) = (op for op in graph.ops if op.kind == "KbcDepthwiseConv2D")
    levels = graph.tensors[op.outputs[0]]
    assert float(levels.scale[0]) == pytest.approx(1 / 3) and levels.zero_point == -128
    assert op.options["activation_max"] == -125


def test_a_layer_that_is_called_twice_has_its_weights_once():
    x, shared = keras.Input((8,)), keras_bc.BinaryDense(8)
    model = keras.Model(x, shared(layers.ReLU()(shared(x))))
    _, graph = integers(model, samples_for(model, 20))
    assert graph.ops[0].inputs[1] == graph.ops[1].inputs[1]
    assert graph.ops[0].inputs[2] != graph.ops[1].inputs[2]


def test_a_transposed_convolution_of_real_weights_is_refused():
    layer = layers.Conv2DTranspose(2, 3, name="grow")
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    with pytest.raises(UserError, match="`grow` is a transposed convolution of real weights"):
        integers(model, np.ones((1, 4, 4, 3), np.float32))


def _close(model, samples, bound):
    """The root mean square of the integers' error is at most `bound` of each output's spread."""
    fused, graph = integers(model, samples)
    arrays = samples if isinstance(samples, list) else [samples]
    inputs = [graph.tensors[name] for name in graph.inputs]
    quantized = [
        np.clip(np.rint(array / x.scale[0]) + x.zero_point, -128, 127).astype(np.int8)
        for array, x in zip(arrays, inputs, strict=True)
    ]
    found = reference.run(graph, quantized)
    reals = [real(graph, x.name, array) for x, array in zip(inputs, quantized, strict=True)]
    expected = calibrate.run(fused, reals)
    for name in graph.outputs:
        error = real(graph, name, found[name]) - expected[name]
        assert np.sqrt(np.mean(error**2)) < bound * expected[name].std()
    return graph


def test_branches_that_join_count_alike():
    keras.utils.set_random_seed(0)
    a, b = keras.Input((10, 4)), keras.Input((10, 4))
    shared = keras_bc.BinaryConv1D(6, 3, padding="causal", activation="relu")
    parts = [shared(a), shared(b), layers.Activation("sigmoid")(shared(a)), a]
    joined = layers.Concatenate()(parts)
    gate = layers.GlobalAveragePooling1D(keepdims=True)(joined)
    model = keras.Model([a, b], [layers.Multiply()([joined, gate]), layers.LeakyReLU()(joined)])
    rng = np.random.default_rng(0)
    samples = [rng.normal(size=(80, 10, 4)).astype(np.float32) for _ in "ab"]
    graph = _close(model, samples, 0.03)
    (op,) = (op for op in graph.ops if op.kind == "CONCATENATION")
    scales = {float(graph.tensors[name].scale[0]) for name in (*op.inputs, *op.outputs)}
    assert len(scales) == 1
    # The sigmoid has a scale of its own; the convolutions and the input take the common one.
    assert [op.kind for op in graph.ops].count("QUANTIZE") == 1


def test_a_bounded_builtin_is_brought_to_the_scale_of_what_it_joins():
    x = keras.Input((6, 6, 3))
    few = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    model = keras.Model(x, layers.Concatenate()([few, x]))
    graph = _close(model, samples_for(model, 60), 0.03)
    assert [op.kind for op in graph.ops] == ["CONV_2D", "QUANTIZE", "CONCATENATION"]


def test_depthwise_layers_of_real_weights():
    model = keras.Sequential(
        [
            keras.Input((9, 9, 4)),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.SeparableConv2D(6, 3, activation="relu"),
            layers.DepthwiseConv2D(2, depth_multiplier=2, activation="relu"),
            layers.DepthwiseConv2D(3, strides=2, activation="tanh"),
        ]
    )
    graph = _close(model, samples_for(model, 60), 0.1)  # a tanh has 256 steps from -1 to 1
    for op in graph.ops:
        if op.kind == "DEPTHWISE_CONV_2D":
            assert graph.tensors[op.outputs[0]].zero_point == -128
    lifted = [op for op in graph.ops if op.outputs[0].endswith("/lifted")]
    assert len(lifted) == 3  # all but the one with a ReLU


@pytest.mark.parametrize("join", [layers.Add, layers.Subtract, layers.Multiply])
def test_joins_of_two_images(join):
    x = keras.Input((5, 5, 4))
    branches = [layers.Conv2D(4, 3, padding="same")(x) for _ in range(2)]
    model = keras.Model(x, layers.ReLU()(join()(branches)))
    _close(model, samples_for(model, 60), 0.05)


def test_a_vector_that_scales_an_image_gets_its_axes():
    x = keras.Input((5, 6, 4))
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(x, layers.Multiply()([x, gate]))
    graph = _close(model, samples_for(model, 40), 0.05)
    op = graph.ops[-1]
    assert [graph.tensors[name].shape for name in op.inputs] == [(1, 5, 6, 4), (1, 1, 1, 4)]


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_recurrent_layers(kind):
    keras.utils.set_random_seed(1)
    layer = getattr(keras_bc, f"Binary{kind}")
    model = keras.Sequential(
        [keras.Input((5, 6)), layer(8, return_sequences=True), layer(7, go_backwards=True)]
    )
    graph = _close(model, samples_for(model, 100), 0.1)
    weights = {op.inputs[1] for op in graph.ops if op.kind == "KbcFullyConnected"}
    assert len(weights) == 4  # of two products in two layers, at all steps the same


def test_every_other_layer():
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((7, 6, 3)),
            layers.UpSampling2D((2, 1)),
            layers.Conv2D(4, 3),
            layers.PReLU(alpha_initializer="uniform", shared_axes=[1, 2]),
            layers.Cropping2D(((1, 0), (0, 1))),
            layers.PReLU(alpha_initializer="uniform"),
            keras_bc.BinaryConv2DTranspose(5, 3, strides=2, padding="same"),
            layers.Activation("hard_silu"),
            keras_bc.BinarySeparableConv2D(4, 3, activation="hard_sigmoid"),
            layers.Activation("elu"),
        ]
    )
    _close(model, samples_for(model, 40), 0.1)
