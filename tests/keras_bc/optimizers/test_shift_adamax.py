import json

import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryDense
from keras_bc.optimizers import GlorotScaled, ShiftAdaMax, glorot_scaled
from tests.keras_bc.running_backend import JIT_COMPILE

GOLDEN = [  # t, gradient, AP2(rate / (1 - .9^t)) / rate, m, v
    (1, 3.0, 8, 0.3, 4),  # 1 / .1 = 10
    (2, -1.0, 4, 0.17, 4),  # 1 / .19 = 5.3, and the rounding undoes 4 * .999
    (3, 12.0, 4, 1.353, 16),  # 1 / .271 = 3.7; log2(12) = 3.6
]


def test_worked_by_hand():
    rate = 2.0**-6
    optimizer = ShiftAdaMax(rate)
    w = keras.Variable([1.0, 5.0])
    expected = np.array([1.0, 5.0])
    for _, gradient, step, m, v in GOLDEN:
        optimizer.apply([keras.ops.array([gradient, 0.0])], [w])
        expected[0] -= rate * step * m / v
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)
    assert w.numpy()[1] == 5  # no gradient, no step


def test_the_step_of_a_small_gradient_is_a_shift():
    optimizer, w = ShiftAdaMax(2.0**-10), keras.Variable([0.0])
    optimizer.apply([keras.ops.array([1e-3])], [w])
    # m = 1e-4, v = AP2(1e-3) = 2^-10, and AP2(rate / .1) = 2^-7.
    assert w.numpy()[0] == -np.float32(1e-3) * np.float32(1 - 0.9) * np.float32(2.0**3)


@pytest.mark.parametrize("gradient", [1e-3, 1e-20, 0.0])
def test_small_gradients(gradient):
    optimizer, w = ShiftAdaMax(2.0**-10), keras.Variable([1.0])
    for _ in range(3):
        optimizer.apply([keras.ops.array([gradient])], [w])
    assert np.isfinite(w.numpy()).all() and (w.numpy()[0] < 1) == (gradient == 1e-3)


def test_defaults_and_serialization():
    config = json.loads(json.dumps(keras.optimizers.serialize(ShiftAdaMax(beta_1=0.5))))
    optimizer = keras.optimizers.deserialize(config)
    assert isinstance(optimizer, ShiftAdaMax)
    settings = optimizer.get_config()
    expected = {"learning_rate": 2**-10, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 2**-27}
    assert {name: settings[name] for name in expected} == expected


@pytest.mark.parametrize(
    "arguments", [{"beta_1": 1.0}, {"beta_2": -0.1}, {"epsilon": 0.0}], ids=str
)
def test_refuses_values_out_of_range(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"Invalid value for argument `{name}`"):
        ShiftAdaMax(**arguments)


def _model(optimizer, **compiled):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8,)), BinaryDense(10), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse", **compiled)
    return model


def _task():
    x = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
    return x, x[:, :2].sum(1)


def test_glorot_scaling_rounds_the_scaled_rate():
    # 1 / c = sqrt((8 + 10) / 1.5) = 3.46, and 3.46 * 10 * 2^-10 is nearest to 32 * 2^-10.
    steps = []
    for optimizer in (ShiftAdaMax(), glorot_scaled(ShiftAdaMax())):
        model = _model(optimizer)
        before = model.get_weights()
        model.train_on_batch(*_task())
        steps.append([a - b for a, b in zip(model.get_weights(), before, strict=True)])
    assert isinstance(optimizer, GlorotScaled)
    moved = np.abs(before[0]) < 0.5  # no clip
    np.testing.assert_allclose(steps[1][0][moved], 4 * steps[0][0][moved], rtol=1e-3)
    np.testing.assert_allclose(steps[1][2], steps[0][2], rtol=1e-3)


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
@pytest.mark.parametrize("wrap", [lambda optimizer: optimizer, glorot_scaled])
def test_learns_and_goes_on_from_a_file(tmp_path, wrap, jit_compile):
    model, (x, y) = _model(wrap(ShiftAdaMax(2.0**-6)), jit_compile=jit_compile), _task()
    loss = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert loss[-1] < 0.5 * loss[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sparse_gradients():
    model = keras.Sequential([keras.layers.Embedding(5, 2), keras.layers.Dense(1)])
    model.compile(ShiftAdaMax(), "mse")
    x = np.array([[0, 1], [1, 2]])
    model(x)
    before = model.get_weights()[0]
    model.train_on_batch(x, np.ones((2, 2, 1)))
    changed = (model.get_weights()[0] != before).all(1)
    assert changed.tolist() == [True, True, True, False, False]
