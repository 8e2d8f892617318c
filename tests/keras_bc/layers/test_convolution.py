import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryConv1D, BinaryConv2D, BinaryConv2DTranspose
from tests.keras_bc.layer_checks import check_layer

BACKPROP = {"backprop_quantizer": "power_of_two"}


@pytest.mark.parametrize(
    ("arguments", "output_shape"),
    [
        ({}, (2, 6, 5, 6)),
        ({"strides": 2, "padding": "same"}, (2, 4, 4, 6)),
        ({"dilation_rate": 2, "use_bias": False}, (2, 4, 3, 6)),
        ({"groups": 2, "kernel_quantizer": "stochastic_binary"}, (2, 6, 5, 6)),
    ],
)
def test_does_what_every_layer_must(arguments, output_shape):
    arguments = {"filters": 6, "kernel_size": 3, **arguments}
    check_layer(BinaryConv2D, arguments, (2, 8, 7, 4), output_shape)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [{"padding": "same"}, {"strides": (2, 1)}, {"dilation_rate": (1, 2)}, {"groups": 2}],
)
def test_is_keras_convolution_with_the_signs(arguments, training):
    binary = BinaryConv2D(6, 3, bias_initializer="uniform", **arguments)
    plain = keras.layers.Conv2D(6, 3, **arguments)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 8, 7, 4)).astype("float32")
    plain.build(x.shape)
    binary.build(x.shape)
    plain.set_weights([np.where(binary.get_weights()[0] >= 0, 1, -1), binary.get_weights()[1]])
    np.testing.assert_allclose(binary(x, training=training), plain(x), rtol=1e-6)


def test_same_padding_contributes_zero():
    layer = BinaryConv2D(1, 3, padding="same", use_bias=False, kernel_initializer="ones")
    # A corner of ones sees 4 taps inside the image, an edge 6, the middle 9.
    y = np.asarray(layer(np.ones((1, 3, 3, 1), "float32")))[0, :, :, 0]
    assert np.array_equal(y, [[4, 6, 4], [6, 9, 6], [4, 6, 4]])


def test_channels_first_equals_channels_last():
    # Compiled: TensorFlow's own kernels for CPUs know channels first in no other mode.
    x = np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 7)).astype("float32")
    first = BinaryConv2D(6, 3, data_format="channels_first", bias_initializer="uniform")
    last = BinaryConv2D(6, 3, data_format="channels_last")
    model = keras.Sequential([keras.Input(x.shape[1:]), first])
    model.compile("sgd", "mse", jit_compile=True)
    last.build((2, 8, 7, 4))
    last.set_weights(first.get_weights())
    outputs = model.predict(x, verbose=0)
    expected = np.moveaxis(np.asarray(last(np.moveaxis(x, 1, -1))), -1, 1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    before = first.get_weights()[0]
    model.fit(x, outputs + 1, verbose=0)
    assert (first.get_weights()[0] != before).any()


def test_refuses_what_keras_refuses():
    with pytest.raises(ValueError, match="strides > 1"):
        BinaryConv2D(6, 3, strides=2, dilation_rate=2)


@pytest.mark.parametrize(
    ("layer_class", "plain_class", "arguments", "shape"),
    [
        (BinaryConv1D, keras.layers.Conv1D, {}, (2, 8, 4)),
        (BinaryConv1D, keras.layers.Conv1D, {"padding": "causal"}, (2, 8, 4)),
        (BinaryConv1D, keras.layers.Conv1D, {"strides": 2, "padding": "same"}, (2, 7, 4)),
        (BinaryConv1D, keras.layers.Conv1D, {"groups": 2}, (2, 8, 4)),
        (BinaryConv2DTranspose, keras.layers.Conv2DTranspose, {}, (2, 5, 4, 3)),
        (
            BinaryConv2DTranspose,
            keras.layers.Conv2DTranspose,
            {"strides": (2, 3), "padding": "same"},
            (2, 5, 4, 3),
        ),
        (
            BinaryConv2DTranspose,
            keras.layers.Conv2DTranspose,
            {"strides": 2, "output_padding": 1, "padding": "same"},
            (2, 5, 4, 3),
        ),
    ],
)
def test_the_others_are_keras_with_the_signs(layer_class, plain_class, arguments, shape):
    binary = layer_class(6, 3, bias_initializer="uniform", **arguments)
    plain = plain_class(6, 3, **arguments)
    x = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
    plain.build(shape)
    binary.build(shape)
    plain.set_weights([np.where(binary.get_weights()[0] >= 0, 1, -1), binary.get_weights()[1]])
    for training in (False, True):
        np.testing.assert_allclose(binary(x, training=training), plain(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape", "x", "y"),
    [
        (BinaryConv1D(1, 2, use_bias=False), (1, 3, 1), [1, 2, 4], [1 - 2, 2 - 4]),
        (BinaryConv2DTranspose(1, (1, 2), use_bias=False), (1, 1, 2, 1), [1, 2], [1, 2 - 1, -2]),
    ],
    ids=["one axis", "transposed"],
)
def test_the_others_worked_by_hand(layer, shape, x, y):
    layer.build(shape)
    layer.set_weights([np.reshape([0.3, -0.2], layer.kernel.shape)])  # +1, -1
    assert np.ravel(layer(np.reshape(np.array(x, "float32"), shape))).tolist() == y


def test_a_transposed_kernel_has_its_channels_before_the_last_axis():
    layer = BinaryConv2DTranspose(2, 1, use_bias=False, kernel_quantizer="magnitude_aware")
    layer.build((None, 4, 4, 3))
    layer.set_weights([np.array([[0.5, -0.5, 0.5], [0.25, 0.25, -0.25]], "float32")[None, None]])
    np.testing.assert_array_equal(layer.deployed_kernel(), layer.get_weights()[0])


@pytest.mark.parametrize(
    ("layer_class", "arguments", "shape", "output_shape"),
    [
        (BinaryConv1D, {"padding": "causal"}, (2, 8, 4), (2, 8, 6)),
        (BinaryConv2DTranspose, {"strides": 2}, (2, 5, 4, 3), (2, 11, 9, 6)),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                (BinaryConv1D, {"kernel_quantizer": "stochastic_ternary"}, (2, 8, 4), (2, 6, 6)),
                (BinaryConv2DTranspose, BACKPROP, (2, 5, 4, 3), (2, 7, 6, 6)),
            )
        ),
    ],
)
def test_the_others_do_what_every_layer_must(layer_class, arguments, shape, output_shape):
    check_layer(layer_class, {"filters": 6, "kernel_size": 3, **arguments}, shape, output_shape)
