import json

import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryConv2D, BinaryDense
from keras_bc.optimizers import Bop, GlorotScaled, glorot_scaled

# Rates at which no scaled step meets the clip.
OPTIMIZERS = [
    lambda: keras.optimizers.SGD(1e-5),
    lambda: keras.optimizers.SGD(1e-5, momentum=0.9, nesterov=True),
    lambda: keras.optimizers.Adam(1e-3),
    lambda: keras.optimizers.RMSprop(1e-3),
    lambda: keras.optimizers.Adamax(1e-3),
]


def _model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        name="model",
        layers=[
            keras.Input((6, 6, 2)),
            BinaryConv2D(4, 3, groups=2, name="conv"),
            keras.layers.Flatten(name="flatten"),
            BinaryDense(8, name="binary"),
            keras.layers.Dense(3, name="plain"),
        ],
    )


def _steps(optimizer, **compiled):
    """The change of each weight in one training step."""
    model = _model()
    model.compile(optimizer, "mse", **compiled)
    rng = np.random.default_rng(0)
    before = {v.path: v.numpy() for v in model.trainable_variables}
    model.train_on_batch(rng.normal(size=(4, 6, 6, 2)), rng.normal(size=(4, 3)))
    return {v.path: v.numpy() - before[v.path] for v in model.trainable_variables}


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("compiled", [{}, {"jit_compile": True}])
def test_scales_the_step_of_quantized_kernels_alone(make, compiled):
    power = 2 if isinstance(make(), keras.optimizers.SGD) else 1
    # 9 * (1 + 4) = 45 fans and 64 + 8 = 72: 1 / c = sqrt(30) and sqrt(48).
    factors = {"model/conv/kernel": 30 ** (power / 2), "model/binary/kernel": 48 ** (power / 2)}
    plain, scaled = _steps(make(), **compiled), _steps(glorot_scaled(make()), **compiled)
    for path in plain:
        expected = plain[path] * factors.get(path, 1.0)
        np.testing.assert_allclose(scaled[path], expected, rtol=1e-3, atol=1e-6)


def test_takes_names_and_keeps_the_class():
    optimizer = glorot_scaled("adam")
    assert isinstance(optimizer, GlorotScaled) and isinstance(optimizer, keras.optimizers.Adam)
    assert type(glorot_scaled("adam")) is type(optimizer)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_serializes(make):
    optimizer = glorot_scaled(make())
    config = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    again = keras.optimizers.deserialize(config)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert list(again.get_config()) == ["optimizer"]


def test_keeps_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizer = glorot_scaled(keras.optimizers.Adam(schedule))
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    optimizer.build([])
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


def test_a_saved_model_goes_on_as_it_would_have(tmp_path):
    x, y = np.ones((4, 6, 6, 2)), np.zeros((4, 3))
    model = _model()
    model.compile(glorot_scaled(keras.optimizers.Adam(1e-3)), "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_works_inside_loss_scaling():
    loss_scale = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-5))
    scaled = glorot_scaled(loss_scale)
    assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
    assert isinstance(scaled.inner_optimizer, GlorotScaled)
    plain = _steps(keras.optimizers.SGD(1e-5))
    step = _steps(scaled)
    for path, factor in {"model/binary/kernel": 48, "model/plain/kernel": 1}.items():
        np.testing.assert_allclose(step[path], factor * plain[path], rtol=1e-3, atol=2e-6)


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.Ftrl, keras.optimizers.Adafactor, Bop], ids=lambda o: o.__name__
)
def test_refuses_steps_that_a_rate_does_not_scale(optimizer):
    with pytest.raises(ValueError, match="proportional"):
        glorot_scaled(optimizer())


def test_refuses_to_scale_twice_or_in_the_middle():
    with pytest.raises(ValueError, match="Expected a fresh optimizer"):
        glorot_scaled(glorot_scaled("adam"))
    used = keras.optimizers.Adam()
    used.build(_model().trainable_variables)
    with pytest.raises(ValueError, match="Expected a fresh optimizer"):
        glorot_scaled(used)
