import json

import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryDense
from keras_bc.optimizers import Bop
from tests.keras_bc.running_backend import JIT_COMPILE


def _kernel(values):
    kernel = keras.Variable(values)
    kernel.glorot_coefficient = 1.0  # as the layers mark what they quantize
    return kernel


def test_worked_by_hand():
    kernel, bias = _kernel([0.3, -0.2, 0.0, 0.9]), keras.Variable([1.0])
    optimizer = Bop(keras.optimizers.SGD(0.1), threshold=0.3, gamma=0.25)
    steps = [
        # m = .2, .2, .4, -.4: only the third is above .3 and has its weight's sign.
        ([0.8, 0.8, 1.6, -1.6], [1, -1, -1, 1]),
        # m = .35, .35, .3, -.3: the first; the second has the other sign.
        ([0.8, 0.8, 0.0, 0.0], [-1, -1, -1, 1]),
        # m = .2625 - .2, .2625 + .2, .225 - .8, -.225 - .2: the third flips back.
        ([-0.8, 0.8, -3.2, -0.8], [-1, -1, 1, 1]),
    ]
    for gradient, expected in steps:
        optimizer.apply([keras.ops.array(gradient), keras.ops.array([2.0])], [kernel, bias])
        assert kernel.numpy().tolist() == expected
    assert bias.numpy()[0] == pytest.approx(1 - 3 * 0.1 * 2)
    assert int(optimizer.iterations) == int(optimizer.inner_optimizer.iterations) == 3


def test_binarizes_at_the_first_step():
    kernel = _kernel([0.3, -0.2, 0.0])
    Bop().apply([keras.ops.zeros(3)], [kernel])
    assert kernel.numpy().tolist() == [1, -1, 1]


def test_counts_steps_without_kernels():
    optimizer = Bop()
    optimizer.apply([keras.ops.ones(1)], [keras.Variable([1.0])])
    assert int(optimizer.iterations) == 1


def test_defaults_and_serialization():
    optimizer = Bop(keras.optimizers.SGD(0.5, momentum=0.9))
    config = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    again = keras.optimizers.deserialize(config)
    assert isinstance(again, Bop) and isinstance(again.inner_optimizer, keras.optimizers.SGD)
    assert again.get_config() == optimizer.get_config()
    assert float(again.threshold) == pytest.approx(1e-8)
    assert float(again.gamma) == pytest.approx(1e-4)
    assert float(again.learning_rate) == 0.5
    again.learning_rate = 0.25
    assert float(again.inner_optimizer.learning_rate) == 0.25


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", -1.0),
        ("gamma", 0.0),
        ("gamma", 1.5),
        ("optimizer", keras.optimizers.SGD(loss_scale_factor=2.0)),
        ("optimizer", keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())),
    ],
)
def test_refuses(name, value):
    with pytest.raises(ValueError, match=f"Invalid value for argument `{name}`"):
        Bop(**{name: value})


def _model(optimizer, kernel_quantizer="binary", **compiled):
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((8,)),
        BinaryDense(32, kernel_quantizer=kernel_quantizer, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.8),
        keras.layers.ReLU(),
        BinaryDense(1, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.8),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse", **compiled)
    return model


def _task():
    x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
    return x, np.sign(x[:, :2].sum(1))


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_learns_and_goes_on_from_a_file(tmp_path, jit_compile):
    optimizer = Bop(keras.optimizers.Adam(0.01), threshold=1e-3, gamma=1e-2)
    model, (x, y) = _model(optimizer, jit_compile=jit_compile), _task()
    initial = np.sign(model.layers[0].kernel.numpy())
    loss = model.fit(x, y, epochs=30, batch_size=32, verbose=0).history["loss"]
    assert loss[-1] < 0.5 * loss[0]
    kernel = model.layers[0].kernel.numpy()
    assert set(kernel.ravel()) == {-1, 1} and (kernel != initial).any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for each in (model, loaded):
        each.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_stays_within_a_tighter_clip():
    model = _model(Bop(), {"class_name": "keras_bc>Binary", "config": {"scale": 0.5}})
    model.fit(*_task(), verbose=0)
    assert set(np.abs(model.layers[0].kernel.numpy()).ravel()) == {0.5}


def test_the_other_optimizer_keeps_its_average():
    adam = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5)
    model = _model(Bop(adam))
    model.fit(*_task(), verbose=0)  # ends with the averages, of its own variables alone
    assert set(np.abs(model.layers[0].kernel.numpy()).ravel()) == {1}


def test_works_inside_loss_scaling():
    scaled, plain = _model(keras.optimizers.LossScaleOptimizer(Bop())), _model(Bop())
    for model in (scaled, plain):
        model.fit(*_task(), shuffle=False, verbose=0)
    for a, b in zip(scaled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
