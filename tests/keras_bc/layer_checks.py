"""One call that checks what every layer of keras_bc must do."""

import tempfile

import keras
import numpy as np

from tests.keras_bc.running_backend import JIT_COMPILE, gradients


def check_layer(layer_class, arguments: dict, input_shape, output_shape) -> None:
    """Check shape, gradient, serialization, saving, mixed precision and compiled training.

    Args:
        layer_class: A layer with a `kernel`.
        arguments: Of its constructor.
        input_shape: Of one batch.
        output_shape: Expected.
    """
    x = np.random.default_rng(0).uniform(-1, 1, input_shape).astype("float32")
    check_shapes(layer_class(**arguments), x, output_shape)
    check_gradient(layer_class(**arguments), x)
    check_serialization(layer_class(**arguments), x)
    check_mixed_precision(layer_class(**arguments, dtype="mixed_float16"), x, output_shape)
    for dtype in ("float32", "mixed_float16"):
        for jit_compile in JIT_COMPILE:
            layer = layer_class(**arguments, dtype=dtype)
            check_training(layer, x, output_shape, jit_compile)


def check_shapes(layer, x, output_shape):
    assert tuple(layer.compute_output_shape(x.shape)) == output_shape
    for training in (False, True):
        assert tuple(layer(x, training=training).shape) == output_shape
    symbolic = layer(keras.Input(batch_shape=x.shape))
    assert tuple(symbolic.shape) == output_shape


def check_gradient(layer, x):
    def loss():
        return keras.ops.sum(keras.ops.square(layer(x, training=True) - 0.5))

    layer.build(x.shape)
    for gradient in gradients(loss, variables=layer.trainable_variables):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


def check_serialization(layer, x):
    again = layer.__class__.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    # A draw before saving: the counter must come back too.
    layer(x, training=True)
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    for training in (False, True):
        np.testing.assert_array_equal(layer(x, training=training), again(x, training=training))


def check_mixed_precision(layer, x, output_shape):
    for training in (False, True):
        output = layer(x, training=training)
        assert output.dtype == "float16"
        assert tuple(output.shape) == output_shape
    assert layer.kernel.dtype == "float32"


def check_training(layer, x, output_shape, jit_compile):
    """Training moves every weight, and goes on from a `.keras` file as it would have without."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=jit_compile)
    before = model.get_weights()
    fit = {"x": x, "y": np.ones(output_shape), "batch_size": len(x), "shuffle": False}
    model.fit(**fit, epochs=2, verbose=0)
    assert all((b != a).any() for b, a in zip(before, model.get_weights(), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.saving.load_model(f"{folder}/model.keras")
    for each in (model, loaded):
        each.fit(**fit, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def check_saving(model: keras.Model, x, path) -> keras.Model:
    """Check that a `.keras` file gives back the same outputs and the same next training step.

    Returns the model that came out of it.
    """
    model.save(path)
    loaded = keras.saving.load_model(path)
    for training in (False, True):
        np.testing.assert_array_equal(
            np.asarray(model(x, training=training)), np.asarray(loaded(x, training=training))
        )
    return loaded
