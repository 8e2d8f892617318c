"""One call that checks what every preprocessing layer must do."""

import keras
import numpy as np


def check_layer(layer, arguments: dict, images: np.ndarray, path) -> None:
    """Check types, configuration, one image, saving, and that the global policy does not matter.

    Args:
        layer: Adapted, if it can be.
        arguments: Those of its constructor that its configuration must hold.
        images: uint8, `(n, h, w, c)`, for a layer that was adapted to its kind.
        path: Of a `.keras` file to write.
    """
    outputs = np.asarray(layer(images))
    assert outputs.shape == images.shape and outputs.dtype == "float32"
    assert tuple(layer.compute_output_shape(images.shape)) == images.shape
    assert not layer.trainable_weights
    np.testing.assert_array_equal(layer(images.astype("float32")), outputs)
    np.testing.assert_allclose(layer(images[3:4])[0], outputs[3], rtol=1e-4, atol=1e-5)

    assert arguments.items() <= layer.get_config().items()
    again = layer.__class__.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()

    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded.layers[0]) is type(layer)
    np.testing.assert_array_equal(loaded(images), model(images))

    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        assert layer.__class__(**arguments).compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy(policy)
