import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import calibrate
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.trace import trace
from tests.deploy.networks import random_network, randomize_batch_norms, samples_for


def fused(*stack):
    return fused_model(keras.Sequential([keras.Input((8, 9, 3)), *stack]))


def fused_model(model):
    randomize_batch_norms(model, np.random.default_rng(1))
    graph = fuse(trace(model))
    check_equal(model, graph)
    return graph


def check_equal(model, graph):
    x = samples_for(model, 5)
    expected = model(x, training=False)
    values = calibrate.run(graph, x)
    for name, y in zip(graph.outputs, keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(values[name], y, rtol=1e-4, atol=1e-4)


def described(graph):
    """The kinds of the ops; those that give signs end in a star."""
    bits = ["*" if graph.tensors[op.outputs[0]].dtype == "bits" else "" for op in graph.ops]
    return [op.kind + star for op, star in zip(graph.ops, bits, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_a_fused_graph_computes_what_keras_does(seed):
    model = random_network(seed)
    check_equal(model, fuse(trace(model)))


@pytest.mark.parametrize(
    "order",
    [
        ("pool", "norm", "relu"),
        ("norm", "pool", "relu"),
        ("norm", "relu", "pool"),
        ("relu", "pool"),
    ],
)
def test_every_usual_order_is_one_op(order):
    make = {
        "pool": lambda: layers.MaxPooling2D(2),
        "norm": layers.BatchNormalization,
        "relu": layers.ReLU,
    }
    graph = fused(keras_bc.BinaryConv2D(16, 3), *(make[name]() for name in order))
    assert [op.kind for op in graph.ops] == ["conv_2d"]


def test_overlapping_pooling_stays_apart_unless_batch_norm_follows():
    pool = {"pool_size": 3, "strides": 2}
    apart = fused(keras_bc.BinaryConv2D(4, 3), layers.MaxPooling2D(**pool), layers.ReLU())
    assert [op.kind for op in apart.ops] == ["conv_2d", "max_pool_2d"]
    joined = fused(
        keras_bc.BinaryConv2D(4, 3), layers.MaxPooling2D(**pool), layers.BatchNormalization()
    )
    assert [op.kind for op in joined.ops] == ["conv_2d"]


def test_batch_norm_after_an_activation_is_an_op_of_its_own():
    graph = fused(keras_bc.BinaryConv2D(4, 3), layers.ReLU(), layers.BatchNormalization())
    assert [op.options["groups"] for op in graph.ops] == [1, 4]


def test_zero_padding_folds_into_a_binary_convolution():
    graph = fused(layers.ZeroPadding2D(((1, 2), (3, 4))), keras_bc.BinaryConv2D(4, 3))
    (op,) = graph.ops
    assert op.options["window"].pad_right == 4


def test_a_dense_layer_of_real_weights_is_a_1x1_convolution():
    graph = fused(layers.Flatten(), layers.Dense(4))
    assert [op.kind for op in graph.ops] == ["reshape", "reshape", "conv_2d", "reshape"]


def test_bounds_of_two_activations_meet():
    graph = fused(keras_bc.BinaryConv2D(4, 3), layers.ReLU(6.0), layers.ReLU(3.0))
    assert (graph.ops[0].options["low"], graph.ops[0].options["high"]) == (0.0, 3.0)


def test_signs_become_thresholds_and_stay_packed():
    graph = fused(
        keras_bc.BinaryConv2D(9, 3, padding="same"),
        layers.MaxPooling2D(),
        layers.BatchNormalization(),
        keras_bc.SignActivation(),
        keras_bc.BinaryConv2D(33, 3, padding="same", kernel_quantizer="ternary"),
        layers.BatchNormalization(),
        layers.Activation("hard_tanh"),
        keras_bc.SignActivation(),
        layers.MaxPooling2D(),
        layers.Flatten(),
        keras_bc.BinaryDense(12, input_quantizer="sign"),
        layers.BatchNormalization(),
        keras_bc.SignActivation(),
        keras_bc.BinaryDense(7),
    )
    # The flattened image has 33 channels, which do not fill their words: a window as large reads
    # them where they are.
    assert described(graph) == ["conv_2d*"] * 3 + ["reshape*", "fully_connected"]
    assert graph.ops[2].options["window"].height == 2


def test_whole_words_of_signs_are_flattened_as_they_are():
    graph = fused(
        keras_bc.BinaryConv2D(32, 3),
        keras_bc.SignActivation(),
        layers.Flatten(),
        keras_bc.BinaryDense(4),
    )
    assert described(graph) == ["conv_2d*", "reshape*", "fully_connected"]


def test_real_layers_and_outputs_get_unpacked_signs():
    signs = [keras_bc.BinaryConv2D(4, 3), keras_bc.SignActivation()]
    conv = fused(*signs, layers.Conv2D(2, 3))
    assert described(conv) == ["conv_2d*", "unpack", "conv_2d"]
    assert described(fused(*signs)) == ["conv_2d*", "unpack"]
    padded = fused(*signs, layers.ZeroPadding2D(1), layers.AveragePooling2D(2))
    assert described(padded) == ["conv_2d*", "unpack", "pad_2d", "average_pool_2d"]


def test_a_sign_that_others_read_before_is_an_op_of_its_own():
    x = keras.Input((6, 7, 3))
    y = layers.BatchNormalization()(keras_bc.BinaryConv2D(5, 3)(x))
    graph = fused_model(keras.Model(x, [y, keras_bc.BinaryConv2D(2, 2, input_quantizer="sign")(y)]))
    assert described(graph) == ["conv_2d", "sign*", "conv_2d"]


def test_a_sum_becomes_a_shortcut_that_is_rounded_once():
    x = keras.Input((6, 7, 4))
    y = keras_bc.BinaryConv2D(4, 3, padding="same", input_quantizer="sign")(x)
    y = layers.Add()([layers.BatchNormalization()(y), x])
    graph = fused_model(keras.Model(x, layers.ReLU()(y)))
    assert described(graph) == ["sign*", "conv_2d"]
    assert graph.ops[1].inputs[-1] == "input" and graph.ops[1].options["low"] == 0.0


def test_a_rescaling_of_the_input_folds_into_what_pads_nothing():
    rescaling = layers.Rescaling(1 / 127.5, offset=-1)
    assert described(fused(rescaling, keras_bc.BinaryConv2D(4, 3))) == ["conv_2d"]
    flat = fused(rescaling, layers.Flatten(), layers.Dense(3))
    assert [op.kind for op in flat.ops if op.kind != "reshape"] == ["conv_2d"]
    padding = fused(rescaling, keras_bc.BinaryConv2D(4, 3, padding="same"))
    assert described(padding) == ["conv_2d", "conv_2d"]


def test_two_reshapes_are_one_or_none():
    conv = keras_bc.BinaryConv2D(4, 3)
    assert described(fused(conv, layers.Flatten(), layers.Reshape((6, 7, 4)))) == ["conv_2d"]
    graph = fused(conv, layers.Flatten(), layers.Reshape((42, 4)))
    assert described(graph) == ["conv_2d", "reshape"]


def test_sequences_are_images_of_one_row():
    model = keras.Sequential(
        [
            keras.Input((11, 3)),
            keras_bc.BinaryConv1D(4, 3, padding="causal", dilation_rate=2),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2),
            layers.ReLU(),
            layers.Conv1D(3, 2, strides=2, padding="same"),
            layers.GlobalMaxPooling1D(),
        ]
    )
    kinds = [kind for kind in described(fused_model(model)) if kind != "reshape"]
    assert kinds == ["conv_2d", "conv_2d", "max_pool_2d"]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kind", [layers.Conv2DTranspose, keras_bc.BinaryConv2DTranspose])
@pytest.mark.parametrize("size, strides", [(3, 2), (2, 3), ((1, 4), (2, 1)), (3, 1)])
def test_transposed_convolutions(kind, padding, size, strides):
    fused(kind(4, size, strides=strides, padding=padding))


@pytest.mark.parametrize("output_padding", [0, 1])
def test_transposed_convolutions_with_output_padding(output_padding):
    fused(layers.Conv2DTranspose(2, 3, 2, padding="same", output_padding=output_padding))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_recurrent_layers_are_rolled_out(kind, sequences):
    layer = getattr(keras_bc, f"Binary{kind}")
    model = keras.Sequential(
        [
            keras.Input((4, 5)),
            layer(6, return_sequences=True, bias_initializer="uniform"),
            layer(3, go_backwards=True, return_sequences=sequences, use_bias=False),
        ]
    )
    fused_model(model)


def test_every_other_layer():
    fused(
        keras_bc.BinaryDepthwiseConv2D(3, depth_multiplier=2, kernel_quantizer="ternary"),
        layers.LeakyReLU(0.1),
        keras_bc.BinarySeparableConv2D(5, 2, activation="hard_sigmoid"),
        layers.Activation("elu"),
        layers.SeparableConv2D(4, 2, activation="sigmoid"),
        layers.PReLU(alpha_initializer="uniform", shared_axes=[1, 2]),
        layers.DepthwiseConv2D(2, activation="tanh"),
        layers.UpSampling2D((2, 3)),
        layers.Cropping2D(((1, 0), (2, 1))),
        layers.PReLU(alpha_initializer="uniform"),
        layers.Activation("hard_silu"),
        keras_bc.BinaryConv2D(3, 1, input_quantizer="dorefa"),
    )


def test_branches_join():
    a, b = keras.Input((6, 5)), keras.Input((6, 5))
    shared = keras_bc.BinaryConv1D(4, 3, activation="relu")
    joined = layers.Concatenate()([shared(a), shared(b), shared(a) * shared(b)])
    gate = layers.GlobalAveragePooling1D(keepdims=True)(joined)
    model = keras.Model([a, b], [layers.Multiply()([joined, gate]), gate - 1.0])
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(3, 6, 5)).astype("float32") for _ in "ab"]
    graph = fuse(trace(model))
    values = calibrate.run(graph, x)
    for name, y in zip(graph.outputs, model(x), strict=True):
        np.testing.assert_allclose(values[name], y, rtol=1e-4, atol=1e-4)
