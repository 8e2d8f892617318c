import doctest

import keras
import numpy as np
import pytest

from keras_bc.batch_norm import reestimate_batch_norm
from keras_bc.layers import normalization
from keras_bc.layers.dense import BinaryDense
from keras_bc.layers.normalization import ShiftBatchNormalization
from tests.keras_bc.running_backend import FLOATS, JIT_COMPILE, WAYS, gradients


def _ap2(x):
    with np.errstate(divide="ignore"):
        return np.sign(x) * np.exp2(np.round(np.log2(np.abs(x))))


def _reference(x, gamma, beta, upstream, epsilon=1e-5):
    """The equations in float64 for `(n, channels)`: the outputs, statistics and gradients."""
    mean = x.mean(0)
    c = x - mean
    r = 1 / np.sqrt((c * _ap2(c)).mean(0) + epsilon)
    s = _ap2(r)
    y = _ap2(gamma) * c * s + beta
    g, n = upstream, _ap2(c * s)
    dx = _ap2(gamma) * s * (g - g.mean(0) - n * (n * g).mean(0))
    return {"y": y, "mean": mean, "r": r, "dx": dx, "gamma": (n * g).sum(0), "beta": g.sum(0)}


def _run(layer, x, upstream, way):
    """The outputs and gradients of a training step, by the names of `_reference`."""
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    for variable in (layer.gamma, layer.beta):
        variable.assign(rng.uniform(-3, 3, variable.shape))
    before, names = layer.get_weights(), ("dx", "gamma", "beta")
    call, variables = lambda x: layer(x, training=True), [layer.gamma, layer.beta]
    of = dict(zip(names, gradients(call, [x], variables, upstream, way), strict=True))
    layer.set_weights(before)  # the statistics of one call, not of two
    return {"y": np.asarray(call(x)), **of}


def _data(shape):
    rng = np.random.default_rng(0)
    return rng.normal(2, 3, shape).astype("float32"), rng.normal(size=shape).astype("float32")


def test_worked_by_hand():
    # Mean 3; c = -2, -1, 0, 3; AP2(c) = -2, -1, 0, 4; variance 17 / 4; AP2(.485) = .5.
    layer = ShiftBatchNormalization(epsilon=0.0)
    layer.build((4, 1))
    layer.gamma.assign([3.0])  # AP2: 4
    layer.beta.assign([10.0])
    y = layer(np.float32([[1], [2], [3], [6]]), training=True)
    assert np.asarray(y).ravel().tolist() == [6, 8, 10, 16]
    assert float(layer.moving_mean[0]) == 0.125 * 3
    assert float(layer.moving_inverse_deviation[0]) == pytest.approx(0.875 + 0.125 * 17**-0.5 * 2)


def test_gradient_worked_by_hand():
    # s = .5 and n = -1, -.5, 0, 2; for g = (4, 0, 0, 0): mean(g) = 1 and mean(n g) = -1.
    layer = ShiftBatchNormalization(epsilon=0.0)
    x = np.float32([[1], [2], [3], [6]])
    layer.build(x.shape)
    dx, dgamma, dbeta = gradients(
        lambda x: 4 * layer(x, training=True)[0, 0], [x], [layer.gamma, layer.beta]
    )
    assert dx.ravel().tolist() == [1, -0.75, -0.5, 0.5]
    assert np.concatenate([dgamma, dbeta]).tolist() == [-4, 4]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("shape", "axis"), [((64, 5), -1), ((8, 4, 3, 5), -1), ((8, 5, 4, 3), 1), ((9, 5, 4), -2)]
)
def test_is_the_documented_formula(shape, axis, way):
    x, upstream = _data(shape)
    layer = ShiftBatchNormalization(axis=axis)
    results = _run(layer, x, upstream, way)

    def rows(values):
        return np.moveaxis(values, axis, -1).reshape(-1, 5).astype("float64")

    gamma, beta = (np.asarray(v.value, "float64") for v in (layer.gamma, layer.beta))
    expected = _reference(rows(x), gamma, beta, rows(upstream))
    for name, value in results.items():
        value = rows(value) if value.ndim > 1 else value
        np.testing.assert_allclose(value, expected[name], rtol=1e-3, atol=1e-3)
    mean, deviation = layer.moving_mean, layer.moving_inverse_deviation
    np.testing.assert_allclose(mean, 0.125 * expected["mean"], rtol=1e-4)
    np.testing.assert_allclose(deviation, 0.875 + 0.125 * expected["r"], rtol=1e-4)


def test_infers_by_powers_of_two():
    layer = ShiftBatchNormalization()
    layer.build((None, 3))
    layer.gamma.assign([3.0, -0.8, 0.0])
    layer.beta.assign([1.0, 2.0, 3.0])
    layer.moving_mean.assign([2.0, -1.0, 5.0])
    layer.moving_inverse_deviation.assign([0.3, 1.5, 1.0])
    scale, offset = layer.inference_scale_and_offset()
    assert scale.dtype == "float64" and scale.tolist() == [1, -2, 0]
    assert offset.tolist() == [-1, 0, 3]
    x = np.float32([[4, 2, 7]])
    assert np.asarray(layer(x)).tolist() == (scale * x + offset).tolist()


def test_without_scale_and_center():
    layer = ShiftBatchNormalization(scale=False, center=False)
    x, _ = _data((64, 5))
    y = layer(x, training=True)
    assert layer.trainable_variables == [] and np.abs(np.mean(y, 0)).max() < 1e-4
    gradient = gradients(lambda x: layer(x, training=True) ** 2, [x])[0]
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0
    scale, offset = layer.inference_scale_and_offset()
    np.testing.assert_allclose(layer(x), scale * x + offset, rtol=1e-4, atol=1e-4)


def test_does_not_train_when_frozen():
    layer = ShiftBatchNormalization()
    layer.trainable = False
    x, _ = _data((64, 5))
    np.testing.assert_array_equal(layer(x, training=True), x)  # AP2(1) = 1
    assert np.asarray(layer.moving_mean.value).tolist() == [0] * 5


@pytest.mark.parametrize("dtype", FLOATS)
def test_mixed_precision(dtype):
    policy = dtype if dtype == "float64" else f"mixed_{dtype}"
    layer, plain = ShiftBatchNormalization(dtype=policy), ShiftBatchNormalization()
    x, _ = _data((64, 5))
    for training in (True, False):
        y = layer(x, training=training)
        assert y.dtype == dtype
        y = np.asarray(keras.ops.cast(y, "float32"))
        np.testing.assert_allclose(y, plain(x, training=training), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_throughout(dtype):
    """As Keras's own: with variables of half precision too."""
    layer, plain = ShiftBatchNormalization(dtype=dtype), ShiftBatchNormalization()
    x, _ = _data((64, 5))
    for training in (True, False):
        y = np.asarray(keras.ops.cast(layer(x, training=training), "float32"))
        np.testing.assert_allclose(y, plain(x, training=training), rtol=0.05, atol=0.05)
    model = keras.Sequential([keras.Input((5,)), ShiftBatchNormalization(dtype=dtype)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(x, x, verbose=0).history["loss"]).all()


def _model():
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((8,)),
        BinaryDense(32, use_bias=False),
        ShiftBatchNormalization(),
        keras.layers.ReLU(),
        BinaryDense(2, use_bias=False),
        ShiftBatchNormalization(),
    ]
    return keras.Sequential(layers)


def _task():
    x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
    return x, np.where((x[:, :4].sum(1, keepdims=True) > 0) == [[True, False]], 1.0, -1.0)


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_trains_and_goes_on_from_a_file(tmp_path, jit_compile):
    model, (x, y) = _model(), _task()
    model.compile(keras.optimizers.Adam(0.01), "squared_hinge", jit_compile=jit_compile)
    history = model.fit(x, y, batch_size=32, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    reestimate_batch_norm(model, x)
    assert np.mean((model.predict(x, verbose=0) > 0) == (y > 0)) > 0.85
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == model.layers[1].get_config()
    for each in (model, loaded):
        each.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch_size", [7, 1000])
def test_reestimates_its_own_statistics(batch_size):
    x, _ = _data((50, 3, 4))
    model = keras.Sequential([keras.Input((3, 4)), ShiftBatchNormalization(axis=1)])
    reestimate_batch_norm(model, x, batch_size)
    rows = np.moveaxis(x, 1, -1).reshape(-1, 3).astype("float64")
    expected = _reference(rows, np.ones(3), 0, np.zeros_like(rows))
    layer = model.layers[0]
    np.testing.assert_allclose(layer.moving_mean, expected["mean"], rtol=1e-5)
    np.testing.assert_allclose(layer.moving_inverse_deviation, expected["r"], rtol=1e-4)
    trained = np.asarray(model(x, training=True))
    reestimate_batch_norm(model, x, batch_size)
    np.testing.assert_allclose(model(x), trained, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("argument", ["renorm", "synchronized"])
def test_refuses_what_it_has_not(argument):
    with pytest.raises(ValueError, match=f"Invalid value for argument `{argument}`"):
        ShiftBatchNormalization(**{argument: True})


def test_the_docstring_example_runs():
    failed, tried = doctest.testmod(normalization)
    assert failed == 0 and tried > 0
