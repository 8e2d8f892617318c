import keras
import numpy as np
import pytest

from keras_bc.layers import SignActivation
from tests.keras_bc.layer_checks import check_saving
from tests.keras_bc.running_backend import JIT_COMPILE, gradients

X = np.array([[-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0]], "float32")


def _gradient(layer):
    return gradients(lambda x: layer(x, training=True), [X])[0]


@pytest.mark.parametrize("quantizer", ["sign", "stochastic_sign"])
def test_sign_with_the_gradient_of_hard_tanh(quantizer):
    layer = SignActivation(quantizer)
    assert np.array_equal(layer(X), [[-1, -1, -1, 1, 1, 1, 1, 1]])
    assert np.array_equal(_gradient(layer), [[0, 1, 1, 1, 1, 1, 1, 0]])


def test_draws_afresh_in_training_alone():
    layer = SignActivation("stochastic_sign", seed=1, name="layer")
    x = np.zeros((50, 40), "float32")
    a, b = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert 0.4 < (a != b).mean() < 0.6
    assert (np.asarray(layer(x)) == 1).all()
    again = SignActivation("stochastic_sign", seed=1, name="layer")
    assert np.array_equal(again(x, training=True), a)


def test_the_share_of_plus_is_the_hard_sigmoid():
    layer = SignActivation("stochastic_sign", seed=2)
    n = 100_000
    for x in (-1.5, -0.9, -0.3, 0.0, 0.6, 1.0):
        drawn = np.asarray(layer(np.full((1, n), x, "float32"), training=True))
        assert set(np.unique(drawn)) <= {-1, 1}
        p = np.clip((x + 1) / 2, 0, 1)
        # Five standard deviations of a binomial share: one run in a million fails by chance.
        assert abs((drawn > 0).mean() - p) <= 5 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_trains_with_a_last_batch_of_another_size_and_is_saved(jit_compile, tmp_path):
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(6), SignActivation("stochastic_sign")]
    )
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = np.random.default_rng(0).uniform(-1, 1, (10, 8))
    model.fit(x, np.ones((10, 6)), batch_size=4, verbose=0)
    check_saving(model, x.astype("float32"), tmp_path / "model.keras")


def test_keeps_half_precision():
    assert SignActivation(dtype="mixed_float16")(X).dtype == "float16"
