import keras
import numpy as np
import pytest

from keras_bc.batch_norm import reestimate_batch_norm
from keras_bc.evaluation import inference_weights
from keras_bc.layers import BinaryConv2D, BinaryDense

X = np.random.default_rng(0).uniform(-1, 3, (50, 6, 6, 2)).astype("float32")


def _model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            BinaryConv2D(4, 3, kernel_quantizer="stochastic_binary"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            BinaryDense(5),
            keras.layers.BatchNormalization(center=False),
        ]
    )


def _statistics(model):
    norms = [model.layers[1], model.layers[-1]]
    return [v.numpy() for norm in norms for v in (norm.moving_mean, norm.moving_variance)]


def _expected(model):
    """By hand: each layer's inputs for all of X, with the statistics before it already set."""
    first, last = model.layers[1], model.layers[-1]
    inputs = np.asarray(model.layers[0](X))
    mean, variance = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    normed = (inputs - mean) / np.sqrt(variance + first.epsilon)
    outputs = np.asarray(model.layers[-2](np.maximum(normed, 0).reshape(len(X), -1)))
    assert last.axis == -1 or last.axis == 1
    return [mean, variance, outputs.mean(0), outputs.var(0)]


@pytest.mark.parametrize("batch_size", [7, 50, 1000])
def test_gives_the_statistics_of_one_batch_of_all(batch_size):
    model = _model()
    reestimate_batch_norm(model, X, batch_size)
    for actual, expected in zip(_statistics(model), _expected(model), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_a_tensor_of_the_backend_is_as_good_as_an_array():
    models = [_model(), _model()]
    for model, x in zip(models, (X, keras.ops.convert_to_tensor(X)), strict=True):
        reestimate_batch_norm(model, x)
    for one, other in zip(*map(_statistics, models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_model_of_two_inputs():
    a, b = keras.Input((6, 6, 2), name="a"), keras.Input((6, 6, 2), name="b")
    norm = keras.layers.BatchNormalization()
    model = keras.Model({"b": b, "a": a}, norm(keras.layers.Subtract()([a, b])))
    expected = X - X[::-1]
    for x in ({"a": X, "b": X[::-1]}, [X, X[::-1]]):
        norm.moving_mean.assign([9.0, 9.0])
        reestimate_batch_norm(model, x, batch_size=7)
        np.testing.assert_allclose(norm.moving_mean, expected.mean((0, 1, 2)), atol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, expected.var((0, 1, 2)), rtol=1e-4)


def test_outputs_are_normalized():
    model = _model()
    reestimate_batch_norm(model, X)
    outputs = np.asarray(model(X, training=False))
    np.testing.assert_allclose(outputs.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(0), 1, rtol=1e-3)


def test_fits_the_real_weights_where_they_are_used():
    model = _model()
    reestimate_batch_norm(model, X)
    deployed = _statistics(model)
    with inference_weights(model, "real"):
        reestimate_batch_norm(model, X)
        np.testing.assert_allclose(np.asarray(model(X)).mean(0), 0, atol=1e-4)
    assert np.abs(_statistics(model)[0] - deployed[0]).max() > 0.1


def test_changes_nothing_else():
    model = _model()
    model(X, training=True)
    kept = [v for v in model.variables if "moving" not in v.path]
    assert any("counter" in v.path for v in kept) and any("seed" in v.path for v in kept)
    before = [v.numpy() for v in kept]
    reestimate_batch_norm(model, X)
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert "call" not in vars(model.layers[1])


def test_is_the_same_when_repeated():
    model = _model()
    reestimate_batch_norm(model, X)
    first = _statistics(model)
    reestimate_batch_norm(model, X)
    for a, b in zip(first, _statistics(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_restores_on_an_error():
    model = _model()
    before = _statistics(model)

    class Interrupted(np.ndarray):
        """A batch cannot be had when the first batch norm already has its statistics."""

        reads = 0

        def __getitem__(self, key):
            Interrupted.reads += 1
            if Interrupted.reads == 8:
                raise KeyboardInterrupt
            return np.asarray(self)[key]

    with pytest.raises(KeyboardInterrupt):
        reestimate_batch_norm(model, X.view(Interrupted), 10)
    for a, b in zip(before, _statistics(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "call" not in vars(model.layers[1])


def test_works_in_nested_and_subclassed_models():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.block = keras.Sequential([BinaryDense(3), keras.layers.BatchNormalization()])

        def call(self, inputs, training=False):
            return self.block(inputs, training=training)

    model, x = Subclassed(), X.reshape(50, -1)
    model(x)
    reestimate_batch_norm(model, x, 20)
    np.testing.assert_allclose(np.asarray(model(x)).mean(0), 0, atol=1e-4)


def test_a_norm_called_twice_gets_the_statistics_of_both_calls():
    norm = keras.layers.BatchNormalization()
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], [norm(a), norm(b)])
    doubled = keras.Model(a, model([a, a * 3]))
    x = np.random.default_rng(0).normal(5, 2, (20, 2)).astype("float32")
    reestimate_batch_norm(doubled, x, 6)
    both = np.concatenate([x, x * 3])
    np.testing.assert_allclose(norm.moving_mean, both.mean(0), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, both.var(0), rtol=1e-5)


def test_passes_end_at_the_norm_that_they_are_for():
    calls = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            calls.append(inputs.shape[0])
            return inputs

    model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(), Counted()])
    calls.clear()
    reestimate_batch_norm(model, np.ones((30, 2), "float32"), 10)
    assert calls == [1]  # when the norms were put in order


def test_respects_the_axis():
    model = keras.Sequential([keras.Input((3, 8)), keras.layers.BatchNormalization(axis=1)])
    x = np.random.default_rng(0).normal(5, 2, (20, 3, 8)).astype("float32")
    reestimate_batch_norm(model, x, 6)
    np.testing.assert_allclose(model.layers[0].moving_mean, x.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(model.layers[0].moving_variance, x.var((0, 2)), rtol=1e-5)


def test_a_model_without_batch_norm_stays():
    reestimate_batch_norm(keras.Sequential([keras.Input((2,)), BinaryDense(1)]), np.ones((3, 2)))
