"""Draws as `fit` makes them: other ones in each step, and none at inference."""

import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryDense, SignActivation
from tests.keras_bc.running_backend import MODES

STEPS = 6
X = np.random.default_rng(0).uniform(-0.5, 0.5, (32, 16)).astype("float32")
Y = np.random.default_rng(1).uniform(-1, 1, (32, 16)).astype("float32")
DRAWING = {
    "binary kernel": (BinaryDense, {"units": 16, "kernel_quantizer": "stochastic_binary"}),
    "ternary kernel": (BinaryDense, {"units": 16, "kernel_quantizer": "stochastic_ternary"}),
    "inputs": (BinaryDense, {"units": 16, "input_quantizer": "stochastic_sign"}),
    "activation": (SignActivation, {"quantizer": "stochastic_sign"}),
}


def _model(layer, mode):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(16), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse", **mode)
    return model


def _losses(model):
    """The loss of each step of one `fit` on the same batch; the rate is zero."""
    means = []
    see = lambda batch, logs: means.append(float(logs["loss"]))
    x, y = (np.tile(values, (STEPS, 1)) for values in (X, Y))
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=see)
    model.fit(x, y, batch_size=len(X), shuffle=False, verbose=0, callbacks=[watch])
    return np.diff([0, *np.multiply(means, range(1, STEPS + 1))])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", DRAWING)
def test_each_step_draws_afresh_and_inference_never(kind, mode):
    layer_class, arguments = DRAWING[kind]
    model = _model(layer_class(**arguments, seed=3, name="layer"), mode)
    losses = np.sort(_losses(model))
    assert np.diff(losses).min() > 1e-4, losses
    counter = [v for v in model.variables if "draw_counter" in v.path]
    assert [int(np.asarray(v)) for v in counter] == [STEPS]
    outputs, loss = model.predict(X, verbose=0), model.evaluate(X, Y, verbose=0)
    assert np.array_equal(model.predict(X, verbose=0), outputs)
    assert model.evaluate(X, Y, verbose=0) == loss
    assert [int(np.asarray(v)) for v in counter] == [STEPS]


@pytest.mark.parametrize("mode", MODES)
def test_without_draws_the_steps_are_the_same(mode):
    assert np.ptp(_losses(_model(BinaryDense(16, input_quantizer="sign"), mode))) < 1e-4
