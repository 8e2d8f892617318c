import keras
import numpy as np
import pytest
from keras import ops

from keras_bc import backprop, draws
from keras_bc.backprop import PowerOfTwo
from keras_bc.layers import BinaryConv2D, BinaryDense
from tests.keras_bc.running_backend import JIT_COMPILE, gradients

RNG = np.random.default_rng(0)


def _quantize(x, u, **range_):
    x = np.asarray(x, "float32")
    return np.asarray(PowerOfTwo(**range_)(x, np.full(x.shape, u, "float32")))


def test_hand_worked():
    # log2|x|: 1.58 (p = .5), 0 (p = 0), -1.0 (p = 0), 3.9.. (p = .875)
    x = [3.0, -1.0, 0.5, -15.0, 0.0]
    assert np.array_equal(_quantize(x, 0.0), [4, -1, 0.5, -16, 0])
    assert np.array_equal(_quantize(x, 0.49), [4, -1, 0.5, -16, 0])
    assert np.array_equal(_quantize(x, 0.5), [2, -1, 0.5, -16, 0])
    assert np.array_equal(_quantize(x, 0.9), [2, -1, 0.5, -8, 0])


def test_clips_the_exponent():
    assert np.array_equal(_quantize([40.0, -1e30, 16.0], 0.3), [16, -16, 16])
    # Below 2^-3: that with probability |x| / 2^-3, otherwise 0.
    assert np.array_equal(_quantize([0.1, -0.01, 1e-20], 0.3), [0.125, 0, 0])
    assert np.array_equal(_quantize([0.1, -0.01], 0.05), [0.125, -0.125])
    assert np.array_equal(_quantize([0.3, 5.0], 0.5, min_exponent=0, max_exponent=0), [0, 1])


def test_all_values_are_powers_of_two():
    x = RNG.normal(0, 4, 100_000).astype("float32")
    y = np.asarray(PowerOfTwo(-6, 3)(x, draws.uniform(x.shape, 1, 0)))
    assert set(np.unique(np.abs(y))) == {0, *(2.0 ** np.arange(-6, 4))}
    assert (np.sign(y) * np.sign(x) >= 0).all()


@pytest.mark.parametrize("x", [-14.0, -1.7, -0.03, 0.2, 1.0, 5.5])
def test_is_unbiased(x):
    n = 200_000
    y = np.asarray(PowerOfTwo()(np.full(n, x, "float32"), draws.uniform((n,), 3, 0)))
    # Five standard deviations of the mean: one run in a million fails by chance.
    assert abs(y.mean() - x) <= 5 * y.std() / np.sqrt(n) + 1e-6 * abs(x)


LAYERS = [
    (BinaryDense, {"units": 5}, (6, 8)),
    (BinaryConv2D, {"filters": 5, "kernel_size": 3, "padding": "same"}, (3, 6, 5, 4)),
    (BinaryConv2D, {"filters": 4, "kernel_size": 2, "strides": 2, "groups": 2}, (3, 6, 5, 4)),
]


@pytest.mark.parametrize(("layer_class", "arguments", "shape"), LAYERS)
def test_only_the_kernels_gradient_has_other_inputs(layer_class, arguments, shape):
    layer = layer_class(**arguments, backprop_quantizer="power_of_two", seed=1, name="layer")
    plain = layer_class(**arguments)
    x = RNG.normal(size=shape).astype("float32")
    layer.build(shape)
    plain.build(shape)
    plain.set_weights(layer.get_weights()[:2])
    rounded = np.asarray(layer.backprop_quantizer(x, layer.uniform_like(x, "backprop")))
    expected = np.asarray(plain(x))
    upstream = np.arange(expected.size, dtype="float32").reshape(expected.shape) / 100

    def of(layer, x):
        variables = [layer.kernel, layer.bias]
        return gradients(lambda x: layer(x, training=True), [x], variables, upstream)

    inputs, kernel, bias = of(layer, x)
    inputs_expected, _, bias_expected = of(plain, x)
    _, kernel_expected, _ = of(plain, rounded)
    y = layer(x, training=True)
    for a, b in (
        (y, expected),
        (inputs, inputs_expected),
        (bias, bias_expected),
        (kernel, kernel_expected),
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_trains_and_draws_afresh(jit_compile):
    layer = BinaryDense(4, backprop_quantizer=PowerOfTwo(-2, 2), use_bias=False)
    model = keras.Sequential([keras.Input((8,)), layer])
    model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=jit_compile)
    x = RNG.normal(size=(16, 8)).astype("float32")
    start = model.get_weights()
    steps = []
    for _ in range(3):
        layer.kernel.assign(start[0])
        model.train_on_batch(x, np.zeros((16, 4)))
        steps.append(ops.convert_to_numpy(layer.kernel) - start[0])
    assert (steps[0] != steps[1]).any() and (steps[1] != steps[2]).any()


def test_is_saved_with_its_layer():
    layer = BinaryDense(3, backprop_quantizer=PowerOfTwo(-5, 2))
    again = BinaryDense.from_config(layer.get_config())
    assert again.backprop_quantizer.get_config() == {"min_exponent": -5, "max_exponent": 2}


@pytest.mark.parametrize("exponents", [(3, 2), (-127, 0), (0, 128), (0.5, 1)])
def test_refuses_an_empty_or_unreachable_range(exponents):
    with pytest.raises(ValueError, match="min_exponent"):
        PowerOfTwo(*exponents)


def test_get_refuses_what_it_does_not_know():
    assert backprop.get(None) is None
    with pytest.raises(ValueError, match="backprop_quantizer"):
        backprop.get("power_of_three")
