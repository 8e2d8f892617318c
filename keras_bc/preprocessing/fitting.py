"""Adapt layers to images, and apply them to many."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops


def fit(layers: Sequence[keras.layers.Layer], x: np.ndarray, name: str | None = None):
    """Return the layers in a row, each adapted to what those before it make of `x`.

    Args:
        layers: New ones; those that have a method `adapt` are adapted.
        x: Training images, `(n, ...)`, uint8 or floating point.
        name: Of the model.

    Returns:
        A `keras.Sequential` from float32 images to preprocessed ones.
    """
    model = keras.Sequential([keras.Input(x.shape[1:], dtype="float32")], name=name)
    for layer in layers:
        if hasattr(layer, "adapt"):
            layer.adapt(apply(model, x) if model.layers else x)
        model.add(layer)
    return model


def apply(model: keras.Model, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Return the images `(n, ...)`, preprocessed, as float32.

    Args:
        model: What `fit` returned.
        x: Images, uint8 or floating point.
        batch_size: Images at a time; beside what it returns it needs little memory.
    """
    outputs = np.empty((len(x), *model.output_shape[1:]), "float32")
    for start in range(0, len(x), batch_size):
        part = slice(start, start + batch_size)
        outputs[part] = ops.convert_to_numpy(model(x[part].astype("float32"), training=False))
    return outputs
