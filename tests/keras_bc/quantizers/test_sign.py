import keras
import numpy as np
import pytest

from keras_bc.quantizers import ApproxSign, Sign, StochasticSign, SwishSign
from tests.keras_bc.running_backend import gradients

X = np.array([-2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 1.5], "float32")


def _gradient(quantizer, x=X):
    uniform = np.full(x.shape, 0.5, "float32")
    return gradients(lambda x: quantizer(x, training=True, uniform=uniform), [x])[0]


@pytest.mark.parametrize("quantizer", [Sign(), StochasticSign(), ApproxSign(), SwishSign()])
def test_infers_the_sign(quantizer):
    assert np.array_equal(quantizer(X), [-1, -1, -1, 1, 1, 1, 1])


@pytest.mark.parametrize("quantizer", [Sign(), StochasticSign()])
def test_as_an_activation_function_it_has_its_gradient(quantizer):
    x = X[None]
    layer = keras.layers.Activation(quantizer)
    assert np.array_equal(layer(x), [[-1, -1, -1, 1, 1, 1, 1]])
    assert np.array_equal(gradients(layer, [x])[0], [[0, 1, 1, 1, 1, 1, 0]])


def test_a_draw_needs_its_numbers():
    with pytest.raises(ValueError, match=r"`uniform`.*StochasticSign"):
        StochasticSign()(X, training=True)


def test_gradient_of_hard_tanh():
    for quantizer in (Sign(), StochasticSign()):
        assert np.array_equal(_gradient(quantizer), [0, 1, 1, 1, 1, 1, 0])


def test_gradient_of_approx_sign():
    assert np.array_equal(_gradient(ApproxSign()), [0, 0, 1.5, 2, 1, 0, 0])


@pytest.mark.parametrize(
    ("quantizer", "surrogate"),
    [
        (Sign(), lambda x: np.clip(x, -1, 1)),
        (
            ApproxSign(),
            lambda x: np.where(
                abs(x) >= 1, np.sign(x), np.where(x < 0, 2 * x + x**2, 2 * x - x**2)
            ),
        ),
        (SwishSign(), lambda x: _sign_swish(x, 5)),
        (SwishSign(1.5), lambda x: _sign_swish(x, 1.5)),
    ],
    ids=["sign", "approx", "swish", "swish 1.5"],
)
def test_gradients_are_the_differences_of_their_surrogates(quantizer, surrogate):
    x = np.linspace(-2.3, 2.3, 92)  # misses the kinks at -1, 0 and 1
    h = 1e-6
    expected = (surrogate(x + h) - surrogate(x - h)) / (2 * h)
    gradient = _gradient(quantizer, x.astype("float32"))
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def _sign_swish(x, beta):
    sigmoid = 1 / (1 + np.exp(-beta * x))
    return 2 * sigmoid * (1 + beta * x * (1 - sigmoid)) - 1


def test_gradient_of_swish_sign_worked_by_hand():
    # beta = 2 at 0.5: z = 1, tanh(0.5) = 0.46212, cosh(1) = 1.54308.
    x = np.array([-0.5, 0.0, 0.5], "float32")
    at_half = 2 * (2 - 0.46212) / 2.54308
    np.testing.assert_allclose(_gradient(SwishSign(2.0), x), [at_half, 2, at_half], rtol=1e-5)


def test_swish_sign_is_finite_far_out():
    gradient = _gradient(SwishSign(), np.array([-1e4, 1e4], "float32"))
    assert np.array_equal(gradient, [0, 0])


@pytest.mark.parametrize("beta", [0, -1.0, float("nan"), "a"])
def test_beta_is_positive(beta):
    with pytest.raises(ValueError, match="beta"):
        SwishSign(beta)
