import keras
import numpy as np
import pytest

from keras_bc.constraints import WeightClip
from keras_bc.layers import BinaryDepthwiseConv2D, BinarySeparableConv2D
from keras_bc.quantizers import MagnitudeAware
from keras_bc.traversal import quantized
from tests.keras_bc.layer_checks import check_layer, check_saving
from tests.keras_bc.running_backend import JIT_COMPILE

X = np.random.default_rng(0).uniform(-1, 1, (2, 8, 7, 4)).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "output_shape"),
    [
        ({}, (2, 6, 5, 4)),
        ({"depth_multiplier": 2, "strides": 2, "padding": "same"}, (2, 4, 4, 8)),
        ({"kernel_quantizer": "stochastic_binary", "use_bias": False}, (2, 6, 5, 4)),
    ],
)
def test_does_what_every_layer_must(arguments, output_shape):
    check_layer(BinaryDepthwiseConv2D, {"kernel_size": 3, **arguments}, X.shape, output_shape)


@pytest.mark.parametrize("arguments", [{}, {"depth_multiplier": 3, "padding": "same"}])
def test_is_keras_depthwise_convolution_with_the_signs(arguments):
    binary = BinaryDepthwiseConv2D(3, bias_initializer="uniform", **arguments)
    plain = keras.layers.DepthwiseConv2D(3, **arguments)
    binary.build(X.shape)
    plain.build(X.shape)
    plain.set_weights([np.where(binary.get_weights()[0] >= 0, 1, -1), binary.get_weights()[1]])
    np.testing.assert_allclose(binary(X), plain(X), rtol=1e-5, atol=1e-6)


def test_the_constraint_has_one_name_everywhere():
    layer = BinaryDepthwiseConv2D(3, kernel_constraint=WeightClip(0.5))
    assert layer.get_config()["kernel_constraint"]["config"] == {"limit": 0.5}
    assert layer.depthwise_constraint.limit == 0.5
    assert BinaryDepthwiseConv2D(3).depthwise_constraint.limit == 1.0


@pytest.mark.parametrize("quantizer", ["magnitude_aware", MagnitudeAware((-2, -1))])
def test_magnitudes_of_each_channel(quantizer):
    layer = BinaryDepthwiseConv2D(1, use_bias=False, kernel_quantizer=quantizer)
    layer.build((None, 4, 4, 3))
    layer.set_weights([np.array([0.5, -0.25, 0.75], "float32").reshape(1, 1, 3, 1)])
    y = layer(np.ones((1, 1, 1, 3), "float32"))
    assert np.array_equal(np.ravel(y), [0.5, -0.25, 0.75])


TWO_CHANNELS = np.array([[[[1, 10], [2, 20]]]], "float32")
SIGNS = np.array([[[[0.5], [0.5]], [[0.1], [-0.1]]]], "float32")  # 1 + 1, and 1 - 1


def test_worked_by_hand():
    layer = BinaryDepthwiseConv2D((1, 2), use_bias=False)
    layer.build(TWO_CHANNELS.shape)
    layer.set_weights([SIGNS])
    assert np.ravel(layer(TWO_CHANNELS)).tolist() == [1 + 2, 10 - 20]


def test_separable_worked_by_hand():
    layer = BinarySeparableConv2D(1, (1, 2))
    layer.build(TWO_CHANNELS.shape)
    layer.depthwise.set_weights([SIGNS])
    layer.pointwise.set_weights([np.reshape([0.2, -0.3], (1, 1, 2, 1)), np.array([0.5])])
    for training in (False, True):
        assert np.ravel(layer(TWO_CHANNELS, training=training)).tolist() == [3 + 10 + 0.5]


def test_separable_names_its_quantizers():
    for name in ("depthwise_quantizer", "pointwise_quantizer"):
        with pytest.raises(ValueError, match=f"argument `{name}`"):
            BinarySeparableConv2D(1, 3, **{name: "bad"})


def _separable(**arguments):
    return BinarySeparableConv2D(6, 3, bias_initializer="uniform", **arguments)


@pytest.mark.parametrize("arguments", [{}, {"depth_multiplier": 2, "strides": 2}])
def test_is_keras_separable_convolution_with_the_signs(arguments):
    binary = _separable(activation="relu", **arguments)
    plain = keras.layers.SeparableConv2D(6, 3, activation="relu", **arguments)
    binary.build(X.shape)
    plain.build(X.shape)
    kernels = [np.sign(layer.deployed_kernel()) for layer in (binary.depthwise, binary.pointwise)]
    plain.set_weights([*kernels, np.asarray(binary.pointwise.bias)])
    np.testing.assert_allclose(binary(X), plain(X), rtol=1e-5, atol=1e-5)
    assert binary.compute_output_shape(X.shape) == plain.compute_output_shape(X.shape)


def test_separable_regularizers_penalize():
    layer = _separable(depthwise_regularizer="l1", pointwise_regularizer=keras.regularizers.L2(1.0))
    layer.build(X.shape)
    magnitudes = np.abs(layer.depthwise.kernel).sum()
    squares = np.square(layer.pointwise.kernel).sum()
    np.testing.assert_allclose(np.sum(layer.losses), 0.01 * magnitudes + squares, rtol=1e-5)


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_separable_trains_and_is_saved(jit_compile, tmp_path):
    layer = _separable(
        depthwise_quantizer="stochastic_binary", pointwise_quantizer="stochastic_ternary"
    )
    model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=jit_compile)
    before = model.get_weights()
    model.fit(X, np.ones((2, 6, 5, 6)), verbose=0)
    assert all((b != a).any() for b, a in zip(before, model.get_weights(), strict=True))
    assert len(quantized(model)) == 2
    check_saving(model, X, tmp_path / "model.keras")


def test_separable_serializes_whole():
    layer = _separable(
        depthwise_quantizer="ternary",
        input_quantizer="sign",
        backprop_quantizer="power_of_two",
        kernel_constraint=WeightClip(0.7),
        dilation_rate=2,
        use_bias=False,
        pointwise_regularizer="l1",
        seed=3,
    )
    again = BinarySeparableConv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.pointwise.kernel_constraint.limit == 0.7
    assert again.depthwise.input_quantizer is not None and again.pointwise.input_quantizer is None
