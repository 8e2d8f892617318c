import itertools

import keras
import numpy as np
import pytest

from keras_bc.callbacks import FlipRatioLogger, HyperparameterScheduler
from keras_bc.layers import BinaryDense, BinaryGRU
from keras_bc.optimizers import Bop
from tests.keras_bc.running_backend import JIT_COMPILE

X = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
Y = X[:, :1]


def _model(optimizer, **compiled):
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((8,)),
        BinaryDense(4, use_bias=False, name="first"),
        BinaryDense(1, use_bias=False, name="second"),
    ]
    model = keras.Sequential(layers)
    for layer in model.layers:
        layer.kernel.assign(layer.kernel_constraint(layer.kernel))
    model.compile(optimizer, "mse", **compiled)
    return model


def _fit(model, *callbacks, epochs=4, batch_size=16, **arguments):
    arguments = {"shuffle": False, "verbose": 0, **arguments}
    return model.fit(
        X, Y, batch_size=batch_size, epochs=epochs, callbacks=callbacks, **arguments
    ).history


def _kernel_after_each_epoch(kernels):
    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kernels.append(np.sign(kernels.layer.kernel.numpy()))
    )


class Kernels(list):
    def __init__(self, layer):
        self.layer = layer


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_a_threshold_takes_effect_in_compiled_training(jit_compile):
    model = _model(Bop(threshold=1e9, gamma=1.0), jit_compile=jit_compile)
    kernels = Kernels(model.layers[0])
    schedule = HyperparameterScheduler(lambda epoch: 1e9 if epoch != 2 else 0.0, "threshold")
    history = _fit(model, schedule, _kernel_after_each_epoch(kernels))
    changed = [(a != b).any() for a, b in itertools.pairwise(kernels)]
    assert changed == [False, True, False]
    assert history["threshold"] == [1e9, 1e9, 0, 1e9]


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_each_step_has_its_own_value(jit_compile):
    # SGD's steps at rate 0 but for the third: one epoch is that one step.
    model = _model(keras.optimizers.SGD(1.0), jit_compile=jit_compile)
    once = _model(keras.optimizers.SGD(1e-3))
    once.train_on_batch(X[32:48], Y[32:48])
    steps = []

    def schedule(step):
        steps.append(step)
        return 1e-3 if step == 2 else 0.0

    scheduler = HyperparameterScheduler(schedule, "learning_rate", update_freq="step")
    _fit(model, scheduler, epochs=2)
    assert steps == list(range(8))
    for a, b in zip(model.get_weights(), once.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_finds_what_is_wrapped():
    bop = Bop(keras.optimizers.SGD(0.5))
    optimizer = keras.optimizers.LossScaleOptimizer(bop)
    gamma = HyperparameterScheduler(lambda epoch: 0.25, "gamma")
    rate = HyperparameterScheduler(lambda epoch: 0.125, "learning_rate", bop.inner_optimizer)
    _fit(_model(optimizer), gamma, rate, epochs=1)
    assert float(bop.gamma) == 0.25
    assert float(bop.inner_optimizer.learning_rate) == 0.125


@pytest.mark.parametrize("name", ["beta_1", "no_such"])
def test_refuses_what_would_not_take_effect(name):
    with pytest.raises(ValueError, match="Invalid value for argument `hyperparameter`"):
        _fit(_model("adam"), HyperparameterScheduler(lambda epoch: 0.5, name))


def test_refuses_a_rate_with_a_schedule_of_its_own():
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(ValueError, match="Invalid value for argument `hyperparameter`"):
        _fit(_model(optimizer), HyperparameterScheduler(lambda epoch: 0.5, "learning_rate"))


def test_a_schedule_is_a_function():
    with pytest.raises(ValueError, match="Invalid value for argument `schedule`"):
        HyperparameterScheduler(0.1, "learning_rate")


def test_refuses_another_frequency():
    with pytest.raises(ValueError, match="Invalid value for argument `update_freq`"):
        HyperparameterScheduler(lambda epoch: 0.5, "gamma", update_freq="batch")


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_logs_the_flips_of_each_layer(jit_compile):
    model = _model(keras.optimizers.SGD(0.05), jit_compile=jit_compile)
    kernels = Kernels(model.layers[0])
    kernels.append(np.sign(model.layers[0].kernel.numpy()))
    history = _fit(model, FlipRatioLogger(), _kernel_after_each_epoch(kernels), batch_size=64)
    flips = [np.mean(a != b) for a, b in itertools.pairwise(kernels)]
    assert max(flips) > 0
    np.testing.assert_allclose(history["first_flip_ratio"], flips, rtol=1e-6)
    assert len(history["second_flip_ratio"]) == 4


def test_nested_layers_are_named_by_their_path():
    inner = keras.Sequential([keras.Input((4,)), BinaryDense(3, name="same")], name="inner")
    layers = [BinaryDense(4, name="same"), inner, keras.layers.Reshape((3, 1))]
    model = keras.Sequential([keras.Input((8,)), *layers, BinaryGRU(2, name="gru")])
    model.compile("sgd", "mse")
    fitted = model.fit(np.ones((4, 8)), np.ones((4, 2)), verbose=0, callbacks=[FlipRatioLogger()])
    assert {key for key in fitted.history if key.endswith("flip_ratio")} == {
        "same_flip_ratio",
        "inner_same_flip_ratio",
        "gru_cell_input_flip_ratio",
        "gru_cell_recurrent_flip_ratio",
    }


def test_logs_the_mean_over_the_updates():
    signs = []
    model = _model(keras.optimizers.SGD(0.05))
    watch = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: signs.append(np.sign(model.layers[0].kernel.numpy())),
        on_train_batch_end=lambda batch, logs: signs.append(
            np.sign(model.layers[0].kernel.numpy())
        ),
    )
    history = _fit(model, FlipRatioLogger(), watch, epochs=1)
    expected = np.mean([a != b for a, b in itertools.pairwise(signs)])
    assert history["first_flip_ratio"] == pytest.approx([expected]) and expected > 0
